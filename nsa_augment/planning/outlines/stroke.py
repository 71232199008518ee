"""Curved strokes of varying width: scratches, hairs and cracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_numbers, fail, set_field
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.elementary import sine_of_cycles
from nsa_augment._shared.randomness import normal, uniform
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.planning.outlines.base import Outline, OutlineBox
from nsa_augment.planning.outlines.strip import LEAST_WIDTH

STROKE_WIDTH = (1.5, 5.0)
STROKE_IMAGE = 256
"""Side of the image to whose pixels `stroke_width` refers."""
POINTS = 17
LEAST_LENGTH = 0.6
"""Least distance between the ends, as a fraction of the diagonal of the box."""
LARGEST_BEND = 0.3
LARGEST_JAG = 0.03
"""Sideways from the straight line (bend) and from the curve (jag), as fractions of the length."""


@dataclass(frozen=True)
class Stroke(Outline):
    """A line of varying width through given points.

    Parameters
    ----------
    points : tuple of (y, x, width)
        At least two, in order. 0 and 1 are the borders of the box; the width is in pixels, raised to at least 1.41, and
        linear between points.

    Examples
    --------
    >>> Stroke(((0.5, 0, 1), (0.5, 1, 5))).mask((5, 7)).sum(axis=0).tolist()
    [1, 3, 3, 3, 3, 5, 5]
    """

    points: tuple[tuple[float, ...], ...]

    name: ClassVar[str] = "stroke"
    scalable: ClassVar[bool] = True
    fine: ClassVar[bool] = True

    def __post_init__(self) -> None:
        accepted = "a sequence of at least two (y, x, width > 0)"
        if not isinstance(self.points, (list, tuple)):
            raise fail(TypeError, "stroke points", accepted, self.points)
        points = tuple(check_numbers("stroke points", point, accepted, 3) for point in self.points)
        if len(points) < 2 or any(width <= 0 for _, _, width in points):
            raise fail(ValueError, "stroke points", accepted, self.points)
        set_field(self, "points", points)

    def mask(self, size: Size) -> BinaryMap:
        """(height, width) uint8 map, 1 where the centre of a pixel is within half the width of the line."""
        points = np.array(self.points, np.float64) * (*size, 1.0)
        points[:, 2] = np.maximum(points[:, 2], LEAST_WIDTH)
        return _rasterise(points, size)

    @classmethod
    def draw(cls, rng: np.random.Generator, box: OutlineBox) -> Stroke:
        """Draw a stroke across the box, bent once or twice, smooth or jagged, with the task's widths."""
        size = np.array(box.size, np.float64)
        start, end = _draw_ends(rng, size)
        along = end - start
        side = np.array([-along[1], along[0]])
        bends = uniform(rng, -LARGEST_BEND, LARGEST_BEND, 2)
        jag = normal(rng, 0, LARGEST_JAG * rng.random() ** 2, POINTS)
        t = np.linspace(0, 1, POINTS)
        sideways = 3 * t * (1 - t) * ((1 - t) * bends[0] + t * bends[1]) + jag * sine_of_cycles(t / 2)
        path = (start + np.outer(t, along) + np.outer(sideways, side)) / size
        low, high = getattr(box.arguments, "stroke_width", STROKE_WIDTH)
        knots, place = uniform(rng, low, high, 4), np.minimum(3 * t, 3)
        before = np.minimum(place.astype(int), 2)
        widths = knots[before] + (place - before) * (knots[before + 1] - knots[before])
        widths *= min(box.image) / STROKE_IMAGE
        points = np.column_stack([np.clip(path, 0, 1), np.maximum(widths, LEAST_WIDTH)])
        return cls(tuple(map(tuple, points.round(4).tolist())))


def _draw_ends(rng: np.random.Generator, size: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two points inside the box, far apart."""
    while True:
        start, end = uniform(rng, 0.02, 0.98, (2, 2)) * size
        if np.square(end - start).sum() >= LEAST_LENGTH**2 * np.square(size).sum():
            return start, end


@compiled
def _rasterise(points: NDArray[np.float64], size: Size) -> BinaryMap:
    mask = np.zeros(size, np.uint8)
    for index in range(len(points) - 1):
        y0, x0, first = points[index]
        y1, x1, last = points[index + 1]
        reach = max(first, last) / 2
        dy, dx = y1 - y0, x1 - x0
        squared = dy * dy + dx * dx
        for row in range(max(int(min(y0, y1) - reach - 1), 0), min(int(max(y0, y1) + reach + 2), size[0])):
            for column in range(max(int(min(x0, x1) - reach - 1), 0), min(int(max(x0, x1) + reach + 2), size[1])):
                y, x = row + 0.5 - y0, column + 0.5 - x0
                part = 0.0 if squared == 0 else min(max((y * dy + x * dx) / squared, 0.0), 1.0)
                half = (first + part * (last - first)) / 2
                if (y - part * dy) ** 2 + (x - part * dx) ** 2 <= half * half:
                    mask[row, column] = 1
    return mask
