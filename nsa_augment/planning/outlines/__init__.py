"""Outlines of patches other than the rectangle, one module per outline."""

from nsa_augment.planning.outlines.base import OUTLINES, Outline, OutlineBox, outline_from_dict
from nsa_augment.planning.outlines.bitmap import Bitmap, FineBitmap
from nsa_augment.planning.outlines.ellipses import Ellipses
from nsa_augment.planning.outlines.noise import FineNoise, Noise
from nsa_augment.planning.outlines.polygon import Polygon
from nsa_augment.planning.outlines.strip import FineStrip, Strip
from nsa_augment.planning.outlines.stroke import Stroke

__all__ = [
    "OUTLINES",
    "Bitmap",
    "Ellipses",
    "FineBitmap",
    "FineNoise",
    "FineStrip",
    "Noise",
    "Outline",
    "OutlineBox",
    "Polygon",
    "Strip",
    "Stroke",
    "outline_from_dict",
]
