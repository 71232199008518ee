"""The compiled draws of a source patch: its size, its place, and its shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsa_augment.kernels import compiled
from nsa_augment.types import BinaryMap, Box, Shape

DRAWS = 200
"""Centres (and destinations) tried before a patch is given up."""

ELLIPSE_COUNT = 5


@compiled
def rasterise(parameters: NDArray[np.float64], height: int, width: int) -> BinaryMap:
    """Union of ellipses (rows: centre_y, centre_x, semi_y, semi_x, angle) as a 0/1 map."""
    mask = np.zeros((height, width), np.uint8)
    for index in range(parameters.shape[0]):
        centre_y, centre_x, semi_y, semi_x, angle = parameters[index]
        cosine, sine = np.cos(angle), np.sin(angle)
        for y in range(height):
            for x in range(width):
                dy, dx = y - centre_y, x - centre_x
                along_y = (dy * cosine + dx * sine) / semi_y
                along_x = (dx * cosine - dy * sine) / semi_x
                if along_y * along_y + along_x * along_x <= 1:
                    mask[y, x] = 1
    return mask


@compiled
def draw_ellipses(
    rng: np.random.Generator, height: int, width: int, half: tuple[int, int], low: tuple[int, int]
) -> NDArray[np.float64]:
    """Parameters of random ellipses in a patch of the given size (ablation D).

    `half` is the half-size of the patch before it was cut at the border, `low` the minimum half-size (at least 1).
    """
    parameters = np.empty((ELLIPSE_COUNT, 5), np.float64)
    for index in range(ELLIPSE_COUNT):
        parameters[index, 0] = rng.integers(0, height)
        parameters[index, 1] = rng.integers(0, width)
        parameters[index, 2] = rng.integers(low[0], max(low[0] + 1, half[0] // 2))
        parameters[index, 3] = rng.integers(low[1], max(low[1] + 1, half[1] // 2))
        parameters[index, 4] = rng.random() * np.pi
    return parameters


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
def draw_box(
    rng: np.random.Generator,
    shape: Shape,
    height: tuple[int, int],
    width: tuple[int, int],
    gamma: tuple[float, float, float],
    constrained: bool,
    table: NDArray[np.int32],
    min_object: float,
) -> tuple[bool, Box]:
    """Whether a box was accepted, and the box: size drawn once, places until the object fills enough of it.

    `table` is the summed-area table of the object mask; it is read only if the box is `constrained`.
    """
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
def draw_ellipse_patch(
    rng: np.random.Generator,
    shape: Shape,
    height: tuple[int, int],
    width: tuple[int, int],
    gamma: tuple[float, float, float],
    constrained: bool,
    mask: BinaryMap,
    min_object: float,
) -> tuple[bool, Box, NDArray[np.float64]]:
    """Like `draw_box`, for a union of ellipses drawn anew with every place; also returns their parameters."""
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
