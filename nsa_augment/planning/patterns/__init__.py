"""Patterns that fill patches instead of the source's pixels, one module per family."""

from nsa_augment.planning.patterns.base import PATTERNS, Material, Pattern, pattern_from_dict
from nsa_augment.planning.patterns.files import DefectFile, TextureFile
from nsa_augment.planning.patterns.flat import Constant, Mean, Static
from nsa_augment.planning.patterns.procedural import PROCEDURAL, Cells, Fractal, Waves, Weave
from nsa_augment.planning.patterns.shown import Picture, Shuffled

__all__ = [
    "PATTERNS",
    "PROCEDURAL",
    "Cells",
    "Constant",
    "DefectFile",
    "Fractal",
    "Material",
    "Mean",
    "Pattern",
    "Picture",
    "Shuffled",
    "Static",
    "TextureFile",
    "Waves",
    "Weave",
    "pattern_from_dict",
]
