"""Rotated strips (CutPaste-Scar)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_number, set_field
from nsa_augment._shared.elementary import cosine, sine
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.planning.outlines.base import Outline

SLACK = 1e-9
"""Tolerance for rounding at a strip's edge, pixels."""
LEAST_WIDTH = math.sqrt(2)
"""Width of the thinnest line without gaps, pixels."""


@dataclass(frozen=True)
class Strip(Outline):
    """Rotated rectangle in the centre of a patch.

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
        """(height, width) of the smallest box around the strip, whole pixels."""
        turn = abs(cosine(self.angle)), abs(sine(self.angle))
        height = self.length * turn[0] + self.width * turn[1]
        width = self.length * turn[1] + self.width * turn[0]
        return math.ceil(height - SLACK), math.ceil(width - SLACK)

    def mask(self, size: Size) -> BinaryMap:
        """(height, width) uint8 map, 1 inside the centred strip."""
        dy = np.arange(size[0])[:, np.newaxis] - (size[0] - 1) / 2
        dx = np.arange(size[1]) - (size[1] - 1) / 2
        return self._inside(dy, dx, self.width)

    def _inside(self, dy: NDArray[np.floating], dx: NDArray[np.floating], width: float) -> BinaryMap:
        down, right = cosine(self.angle), sine(self.angle)
        along, across = dy * down + dx * right, dx * down - dy * right
        inside = (np.abs(along) <= self.length / 2 + SLACK) & (np.abs(across) <= width / 2 + SLACK)
        return inside.view(np.uint8)


@dataclass(frozen=True)
class FineStrip(Strip):
    """A strip that stays visible where it is thin, and is resized with its patch.

    Parameters are those of `Strip`, in pixels of the source.

    Examples
    --------
    >>> FineStrip(width=1, length=5, angle=0).mask((10, 2)).sum(axis=1).tolist()
    [2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """

    name: ClassVar[str] = "fine_strip"
    scalable: ClassVar[bool] = True
    fine: ClassVar[bool] = True

    def mask(self, size: Size) -> BinaryMap:
        """(height, width) uint8 map: the strip, stretched so that its smallest box has this size."""
        scales = [own / side for own, side in zip(self.box_size, size, strict=True)]
        dy = (np.arange(size[0])[:, np.newaxis] - (size[0] - 1) / 2) * scales[0]
        dx = (np.arange(size[1]) - (size[1] - 1) / 2) * scales[1]
        return self._inside(dy, dx, max(self.width, LEAST_WIDTH * max(scales)))
