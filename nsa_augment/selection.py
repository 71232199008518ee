"""How big a patch is and where it is cut from the source (Table 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nsa_augment.foreground import Foreground
from nsa_augment.kernels import compiled
from nsa_augment.shapes import Ellipses, draw_ellipses, rasterise
from nsa_augment.types import BinaryMap, Box, Shape

DRAWS = 200
"""Centres (and destinations) tried before a patch is given up."""

UNIFORM = (0.0, 0.0, 0.0)
NO_TABLE = np.zeros((1, 1), np.int32)
NO_MASK = np.ones((1, 1), np.uint8)


@dataclass(frozen=True)
class HalfSizes:
    """Bounds of the half-size of a patch along each axis, pixels.

    Parameters
    ----------
    height, width : (low, high)
        Inclusive. `low` is also the margin that a patch's centre keeps from the border.
    """

    height: tuple[int, int]
    width: tuple[int, int]

    @classmethod
    def of(cls, shape: Shape, height_range: tuple[float, float], width_range: tuple[float, float]) -> HalfSizes:
        """Round half of the fractions of Table 4 to pixels of an image of `shape`."""

        def rounded(fractions: tuple[float, float], dimension: int) -> tuple[int, int]:
            return round(fractions[0] / 2 * dimension), round(fractions[1] / 2 * dimension)

        return cls(rounded(height_range, shape[0]), rounded(width_range, shape[1]))


@dataclass(frozen=True)
class SourcePatch:
    """A patch of the source: its box, and its shape inside the box (None: the whole rectangle)."""

    box: Box
    shape: Ellipses | None = None


def natural_patch(
    rng: np.random.Generator,
    shape: Shape,
    half_sizes: HalfSizes,
    *,
    gamma: tuple[float, float, float] | None,
    foreground: Foreground | None = None,
    min_object: float = 0.0,
    ellipses: bool = False,
) -> SourcePatch | None:
    """Draw a patch as the paper's own selection does ("ours" in Table 6).

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (height, width)
        Size of the source, pixels.
    half_sizes : HalfSizes
    gamma : (shape, scale, offset) or None
        The half-size, as a fraction of the image, is offset + Gamma(shape, scale), clipped to `half_sizes`;
        None draws it uniformly between the bounds.
    foreground : Foreground, optional
        Object mask of the source; None accepts every position.
    min_object : float
        A position is accepted when more than this fraction of the patch shows the object.
    ellipses : bool
        Draw a union of ellipses with every position; the fraction then counts inside them.

    Returns
    -------
    SourcePatch or None
        None when the patch is empty or no position was accepted in 200 draws.

    Examples
    --------
    >>> half_sizes = HalfSizes.of((256, 256), (0.06, 0.8), (0.06, 0.8))
    >>> natural_patch(np.random.default_rng(0), (256, 256), half_sizes, gamma=(2, 0.05, 0.03))
    SourcePatch(box=(19, 162, 81, 244), shape=None)
    """
    sizes = half_sizes.height, half_sizes.width, gamma or UNIFORM
    constrained = foreground is not None
    if ellipses:
        mask = NO_MASK if foreground is None else foreground.mask
        found, box, parameters = _draw_ellipse_patch(rng, shape, *sizes, constrained, mask, min_object)
        return SourcePatch(box, Ellipses(tuple(map(tuple, parameters.tolist())))) if found else None
    table = NO_TABLE if foreground is None else foreground.table
    found, box = _draw_box(rng, shape, *sizes, constrained, table, min_object)
    return SourcePatch(box) if found else None


@compiled
def draw_half_sizes(
    rng: np.random.Generator,
    shape: Shape,
    height: tuple[int, int],
    width: tuple[int, int],
    gamma: tuple[float, float, float],
) -> tuple[int, int]:
    """Half-height and half-width of a patch; a gamma shape of 0 means uniform."""
    if gamma[0] == 0:
        return int(rng.integers(height[0], height[1] + 1)), int(rng.integers(width[0], width[1] + 1))
    half_height = (gamma[2] + rng.gamma(gamma[0], gamma[1])) * shape[0]
    half_width = (gamma[2] + rng.gamma(gamma[0], gamma[1])) * shape[1]
    return (
        int(min(max(half_height, height[0]), height[1])),
        int(min(max(half_width, width[0]), width[1])),
    )


@compiled
def draw_cut(rng: np.random.Generator, dimension: int, margin: int, half: int) -> tuple[int, int]:
    """Extent of a patch along one axis: its centre drawn inside the margins, cut at the border."""
    centre = rng.integers(margin, max(dimension - margin, margin + 1))
    return max(centre - half, 0), min(centre + half, dimension)


@compiled
def _draw_box(
    rng: np.random.Generator,
    shape: Shape,
    height: tuple[int, int],
    width: tuple[int, int],
    gamma: tuple[float, float, float],
    constrained: bool,
    table: NDArray[np.int32],
    min_object: float,
) -> tuple[bool, Box]:
    half = draw_half_sizes(rng, shape, height, width, gamma)
    for _ in range(DRAWS):
        y0, y1 = draw_cut(rng, shape[0], height[0], half[0])
        x0, x1 = draw_cut(rng, shape[1], width[0], half[1])
        area = (y1 - y0) * (x1 - x0)
        if area == 0:
            break
        if not constrained:
            return True, (y0, x0, y1, x1)
        covered = np.int64(table[y1, x1]) - table[y0, x1] - table[y1, x0] + table[y0, x0]
        if covered / area > min_object:
            return True, (y0, x0, y1, x1)
    return False, (0, 0, 0, 0)


@compiled
def _draw_ellipse_patch(
    rng: np.random.Generator,
    shape: Shape,
    height: tuple[int, int],
    width: tuple[int, int],
    gamma: tuple[float, float, float],
    constrained: bool,
    mask: BinaryMap,
    min_object: float,
) -> tuple[bool, Box, NDArray[np.float64]]:
    half = draw_half_sizes(rng, shape, height, width, gamma)
    low = (max(height[0], 1), max(width[0], 1))
    parameters = np.empty((0, 5), np.float64)
    for _ in range(DRAWS):
        y0, y1 = draw_cut(rng, shape[0], height[0], half[0])
        x0, x1 = draw_cut(rng, shape[1], width[0], half[1])
        if y1 == y0 or x1 == x0:
            break
        parameters = draw_ellipses(rng, y1 - y0, x1 - x0, half, low)
        if not constrained:
            return True, (y0, x0, y1, x1), parameters
        inside = rasterise(parameters, y1 - y0, x1 - x0)
        covered = np.int64(0)
        area = np.int64(0)
        for y in range(y1 - y0):
            for x in range(x1 - x0):
                area += inside[y, x]
                covered += inside[y, x] & mask[y0 + y, x0 + x]
        if covered / area > min_object:
            return True, (y0, x0, y1, x1), parameters
    return False, (0, 0, 0, 0), parameters
