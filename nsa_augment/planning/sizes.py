"""Sizes of patches: bounds of the half-size (Table 4), and the size after resizing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nsa_augment._shared.cache import cached
from nsa_augment._shared.randomness import normal
from nsa_augment._shared.types import Size


class HalfSizes(NamedTuple):
    """Bounds of the half-size of a patch along each axis, pixels.

    Parameters
    ----------
    height, width : (low, high)
        Inclusive. `low` is also the minimum distance of a patch's centre from the border.
    """

    height: tuple[int, int]
    width: tuple[int, int]

    @property
    def least(self) -> Size:
        """(height, width) of the lower bounds."""
        return self.height[0], self.width[0]


@cached(256)
def half_sizes(
    size: Size, height_range: tuple[float, float], width_range: tuple[float, float], multiple: int = 1
) -> HalfSizes:
    """Half of the fractions of Table 4, times `multiple`, rounded to pixels of an image of `size`."""

    def rounded(fractions: tuple[float, float], dimension: int) -> tuple[int, int]:
        low, high = (round(multiple * fraction / 2 * dimension) for fraction in fractions)
        return low, high

    return HalfSizes(rounded(height_range, size[0]), rounded(width_range, size[1]))


def resized_size(rng: np.random.Generator, size: Size, scale_range: tuple[float, float], limits: HalfSizes) -> Size:
    """Size of a patch after resizing by s ~ N(1, 0.5), clipped to `scale_range`.

    The aspect ratio is kept as far as `limits` allow (inclusive, pixels, for the size after resizing).

    Examples
    --------
    >>> limits = HalfSizes((8, 102), (8, 102))
    >>> resized_size(np.random.default_rng(0), (40, 60), (0.7, 1.3), limits)
    (42, 63)
    """
    height, width = size
    scaled = _clip(_clip(normal(rng, 1.0, 0.5), scale_range) * height, limits.height)
    new_width = int(_clip(int(scaled / height * width), limits.width))
    return int(_clip(int(new_width / width * height), limits.height)), new_width


def _clip(value: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return low if value < low else high if value > high else value
