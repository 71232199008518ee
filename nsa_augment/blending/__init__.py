"""Step 2, the visible change: patches are blended into the image, one module per blending."""

from nsa_augment.blending.base import BLENDINGS, Blending, ObjectMaps, Patch
from nsa_augment.blending.copy_paste import CopyPaste
from nsa_augment.blending.feather import Feather
from nsa_augment.blending.linear import Linear
from nsa_augment.blending.poisson import Poisson
from nsa_augment.blending.silhouette import Silhouette
from nsa_augment.blending.solvers import SOLVERS, Solver
from nsa_augment.blending.uncut import UncutPatch

__all__ = [
    "BLENDINGS",
    "SOLVERS",
    "Blending",
    "CopyPaste",
    "Feather",
    "Linear",
    "ObjectMaps",
    "Patch",
    "Poisson",
    "Silhouette",
    "Solver",
    "UncutPatch",
]
