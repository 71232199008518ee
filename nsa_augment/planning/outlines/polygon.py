"""Polygons with random corners."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nsa_augment._shared.checks import check_numbers, fail, set_field
from nsa_augment._shared.elementary import cosine, sine
from nsa_augment._shared.randomness import uniform
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.planning.outlines.base import Outline, OutlineBox

CORNERS = (3, 8)
LEAST_REACH = 0.4
"""Least distance of a corner, as a fraction of that from the centre of the box to its border."""


@dataclass(frozen=True)
class Polygon(Outline):
    """Area enclosed by straight lines between corners.

    Parameters
    ----------
    corners : tuple of (y, x)
        At least three, in order; 0 and 1 are the borders of the box.

    Examples
    --------
    >>> Polygon(((0, 0), (0, 1), (1, 0))).mask((4, 4)).tolist()
    [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]]
    """

    corners: tuple[tuple[float, ...], ...]

    name: ClassVar[str] = "polygon"
    scalable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        accepted = "a sequence of at least three corners (y, x)"
        if not isinstance(self.corners, (list, tuple)):
            raise fail(TypeError, "polygon corners", accepted, self.corners)
        corners = tuple(check_numbers("polygon corners", corner, accepted, 2) for corner in self.corners)
        if len(corners) < CORNERS[0]:
            raise fail(ValueError, "polygon corners", accepted, self.corners)
        set_field(self, "corners", corners)

    def mask(self, size: Size) -> BinaryMap:
        """(height, width) uint8 map, 1 where the centre of a pixel lies inside (by the even-odd rule)."""
        y, x = np.arange(size[0])[:, np.newaxis] + 0.5, np.arange(size[1]) + 0.5
        corners = np.array(self.corners) * size
        inside = np.zeros(size, np.bool_)
        for (y0, x0), (y1, x1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            left = ((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) * np.sign(y1 - y0) <= 0
            inside ^= ((y0 <= y) != (y1 <= y)) & left
        return inside.view(np.uint8)

    @classmethod
    def draw(cls, rng: np.random.Generator, box: OutlineBox) -> Polygon:
        """Draw 3 to 8 corners around the centre of the box, each 40 to 100 % of the way to its border."""
        count = int(rng.integers(CORNERS[0], CORNERS[1] + 1))
        turns = 2 * math.pi * (np.arange(count) + uniform(rng, 0, 1, count)) / count
        directions = np.array([(sine(turn), cosine(turn)) for turn in turns])
        reach = uniform(rng, LEAST_REACH, 1, count) / np.abs(directions).max(axis=1)
        return cls(tuple(map(tuple, (0.5 + 0.5 * directions * reach[:, np.newaxis]).tolist())))
