"""Outlines of patches other than the rectangle, one module per outline."""

from nsa_augment.planning.outlines.base import OUTLINES, Outline, OutlineBox, outline_from_dict
from nsa_augment.planning.outlines.ellipses import Ellipses
from nsa_augment.planning.outlines.strip import Strip

__all__ = ["OUTLINES", "Ellipses", "Outline", "OutlineBox", "Strip", "outline_from_dict"]
