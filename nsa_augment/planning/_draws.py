"""Compiled draws of a source patch: its place, and an outline that is drawn again for every place."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.bits import Bits, draw_integer, draw_share
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.types import BinaryMap, Corners, Size

DRAWS = 200
"""Places (and destinations) tried before a patch is given up."""

ELLIPSE_COUNT = 5

NO_TABLE = np.zeros((1, 1), np.int32)
NO_MASK = np.ones((1, 1), np.uint8)
"""Placeholders for compiled functions without constraints."""

LARGEST_SHARE = math.nextafter(1, 0)
"""Threshold that only the share 1 exceeds."""

Extent: TypeAlias = tuple[int, int, int, int]
"""(low, high, before, after): a patch covers [a - before, a + after) along an axis, a uniform on [low, high)."""


def threshold(share: float) -> float:
    """The value that a share must exceed to be more than `share`, or to be 1 if `share` is 1."""
    return min(share, LARGEST_SHARE)


@compiled
def draw_interval(bits: Bits, dimension: int, extent: Extent) -> tuple[int, int]:
    anchor = draw_integer(bits, extent[0], extent[1])
    return max(anchor - extent[2], 0), min(anchor + extent[3], dimension)


@compiled
def draw_rectangle(
    bits: Bits,
    size: Size,
    rows: Extent,
    columns: Extent,
    constrained: bool,
    table: NDArray[np.int32],
    min_object: float,
) -> tuple[bool, Corners]:
    """Draw places until the object fills enough of the box; return whether one was accepted, and the box.

    `table` is the summed-area table of the object mask; it is read only if `constrained`.
    """
    for _ in range(DRAWS):
        y0, y1 = draw_interval(bits, size[0], rows)
        x0, x1 = draw_interval(bits, size[1], columns)
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
def draw_mask(
    bits: Bits,
    size: Size,
    rows: Extent,
    columns: Extent,
    inside: BinaryMap,
    mask: BinaryMap,
    min_object: float,
) -> tuple[bool, Corners]:
    """Like `draw_rectangle`, for a given outline that is never cut at the border; `mask` is the object mask."""
    for _ in range(DRAWS):
        y0, y1 = draw_interval(bits, size[0], rows)
        x0, x1 = draw_interval(bits, size[1], columns)
        if object_share(inside, mask, y0, x0) > min_object:
            return True, (y0, x0, y1, x1)
    return False, (0, 0, 0, 0)


@compiled
def draw_ellipse_patch(
    bits: Bits,
    size: Size,
    rows: Extent,
    columns: Extent,
    low: tuple[int, int],
    constrained: bool,
    mask: BinaryMap,
    min_object: float,
) -> tuple[bool, Corners, NDArray[np.float64]]:
    """Like `draw_rectangle`, for a union of ellipses drawn again for every place; also returns their parameters.

    `low` is the minimum half-size of a patch along each axis.
    """
    parameters, turns = np.empty((0, 5), np.float64), np.empty((ELLIPSE_COUNT, 2), np.float64)
    half = ((rows[2] + rows[3]) // 2, (columns[2] + columns[3]) // 2)
    for _ in range(DRAWS):
        y0, y1 = draw_interval(bits, size[0], rows)
        x0, x1 = draw_interval(bits, size[1], columns)
        if y1 == y0 or x1 == x0:
            break
        parameters = _draw_ellipses(bits, y1 - y0, x1 - x0, half, low)
        if not constrained:
            return True, (y0, x0, y1, x1), parameters
        for index in range(ELLIPSE_COUNT):
            turns[index] = _turn(parameters[index, 4])
        if object_share(rasterise_ellipses(parameters, turns, y1 - y0, x1 - x0), mask, y0, x0) > min_object:
            return True, (y0, x0, y1, x1), parameters
    return False, (0, 0, 0, 0), parameters


@compiled
def object_share(inside: BinaryMap, mask: BinaryMap, y0: int, x0: int) -> float:
    covered = np.int64(0)
    area = np.int64(0)
    for y in range(inside.shape[0]):
        for x in range(inside.shape[1]):
            area += inside[y, x]
            covered += inside[y, x] & mask[y0 + y, x0 + x]
    return float(covered / area)


@compiled
def _draw_ellipses(
    bits: Bits, height: int, width: int, half: tuple[int, int], low: tuple[int, int]
) -> NDArray[np.float64]:
    parameters = np.empty((ELLIPSE_COUNT, 5), np.float64)
    low_y, low_x = max(low[0], 1), max(low[1], 1)
    for index in range(ELLIPSE_COUNT):
        parameters[index, 0] = draw_integer(bits, 0, height)
        parameters[index, 1] = draw_integer(bits, 0, width)
        parameters[index, 2] = draw_integer(bits, low_y, max(low_y + 1, half[0] // 2))
        parameters[index, 3] = draw_integer(bits, low_x, max(low_x + 1, half[1] // 2))
        parameters[index, 4] = draw_share(bits) * np.pi
    return parameters


@compiled
def _turn(angle: float) -> tuple[float, float]:
    """Cosine and sine, computed in a fixed order of sums and products."""
    quarters = np.rint(angle * (2 / np.pi))
    rest = (angle - quarters * 1.5707963267341256) - quarters * 6.077100506506192e-11
    square, sine, cosine = rest * rest, 1.0, 1.0
    for term in range(20, 2, -2):
        sine = 1 - square / (term * (term + 1)) * sine
        cosine = 1 - square / (term * (term - 1)) * cosine
    sine, cosine = rest - rest * (square / 6 * sine), 1 - square / 2 * cosine
    for _ in range(int(quarters) % 4):
        cosine, sine = -sine, cosine
    return cosine, sine


@compiled
def rasterise_ellipses(
    parameters: NDArray[np.float64], turns: NDArray[np.float64], height: int, width: int
) -> BinaryMap:
    """Union of ellipses (rows: centre_y, centre_x, semi_y, semi_x, angle; cosine and sine of the angle) as 0/1 map."""
    mask = np.zeros((height, width), np.uint8)
    for index in range(parameters.shape[0]):
        centre_y, centre_x, semi_y, semi_x, _ = parameters[index]
        cosine, sine = turns[index]
        for y in range(height):
            for x in range(width):
                dy, dx = y - centre_y, x - centre_x
                along_y = (dy * cosine + dx * sine) / semi_y
                along_x = (dx * cosine - dy * sine) / semi_x
                if along_y * along_y + along_x * along_x <= 1:
                    mask[y, x] = 1
    return mask
