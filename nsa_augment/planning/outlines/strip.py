"""Rotated strips (CutPaste-Scar)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nsa_augment._shared.checks import check_number, set_field
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.planning.outlines.base import Outline

SLACK = 1e-9
"""Pixels: rounding of a strip's edge."""


@dataclass(frozen=True)
class Strip(Outline):
    """Rotated rectangle in the middle of a patch.

    Parameters
    ----------
    width, length : float
        Sides in pixels; at angle 0 the length is vertical.
    angle : float
        Radians; the strip turns counter-clockwise in image coordinates (y down) as it grows.

    Examples
    --------
    >>> strip = Strip(width=1, length=5, angle=np.pi / 4)
    >>> strip.box_size
    (5, 5)
    >>> strip.mask((5, 5)).tolist()[1]
    [0, 1, 0, 0, 0]
    """

    width: float
    length: float
    angle: float

    name: ClassVar[str] = "strip"
    drawable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("width", "length"):
            set_field(self, name, check_number(f"strip {name}", getattr(self, name), 0.5))
        set_field(self, "angle", check_number("strip angle", self.angle, -math.pi, math.pi))

    @property
    def box_size(self) -> Size:
        """(height, width) of the smallest box of whole pixels around the strip."""
        cosine, sine = abs(math.cos(self.angle)), abs(math.sin(self.angle))
        height = self.length * cosine + self.width * sine
        width = self.length * sine + self.width * cosine
        return math.ceil(height - SLACK), math.ceil(width - SLACK)

    def mask(self, size: Size) -> BinaryMap:
        """(height, width) uint8 map, 1 inside the strip, which lies in the middle."""
        dy = np.arange(size[0])[:, np.newaxis] - (size[0] - 1) / 2
        dx = np.arange(size[1]) - (size[1] - 1) / 2
        along = dy * math.cos(self.angle) + dx * math.sin(self.angle)
        across = dx * math.cos(self.angle) - dy * math.sin(self.angle)
        inside = (np.abs(along) <= self.length / 2 + SLACK) & (np.abs(across) <= self.width / 2 + SLACK)
        return inside.view(np.uint8)
