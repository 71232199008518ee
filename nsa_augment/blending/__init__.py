"""How a patch is joined to the image. One module per way; all share the interface `Blending`."""

from nsa_augment.blending.base import Blending, Patch
from nsa_augment.blending.copy_paste import CopyPaste
from nsa_augment.blending.linear import Linear
from nsa_augment.blending.poisson import SOLVERS, Poisson

__all__ = ["SOLVERS", "Blending", "CopyPaste", "Linear", "Patch", "Poisson"]
