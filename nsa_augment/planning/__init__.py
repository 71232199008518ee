"""Step 1, all random choices: a plan of which patches of the source go where."""

from nsa_augment.planning.arguments import PlanArguments
from nsa_augment.planning.augmentations import Augmentation
from nsa_augment.planning.drawing import draw_plan
from nsa_augment.planning.filling import Filling
from nsa_augment.planning.given_up import GivenUp, Reason
from nsa_augment.planning.jitter import Jitter
from nsa_augment.planning.outlines import (
    OUTLINES,
    Bitmap,
    Ellipses,
    FineBitmap,
    FineNoise,
    FineStrip,
    Noise,
    Outline,
    OutlineBox,
    Polygon,
    Strip,
    Stroke,
)
from nsa_augment.planning.plan import PatchPlacement, SynthesisPlan

__all__ = [
    "OUTLINES",
    "Augmentation",
    "Bitmap",
    "Ellipses",
    "Filling",
    "FineBitmap",
    "FineNoise",
    "FineStrip",
    "GivenUp",
    "Jitter",
    "Noise",
    "Outline",
    "OutlineBox",
    "PatchPlacement",
    "PlanArguments",
    "Polygon",
    "Reason",
    "Strip",
    "Stroke",
    "SynthesisPlan",
    "draw_plan",
]
