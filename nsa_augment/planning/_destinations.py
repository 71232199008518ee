"""Compiled draws of a destination: random positions until enough of the patch's object lies on the image's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.bits import Bits, draw_integer
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.resizing import resized_part
from nsa_augment._shared.types import BinaryMap, Corners, Image, Size
from nsa_augment.planning._draws import DRAWS

FOUND, NOWHERE, NO_OBJECT_LEFT = 0, 1, 2
"""Outcomes: a position was found; none was accepted; the object fills too little of the resized patch."""


@compiled
def draw_corner(bits: Bits, image_size: Size, size: Size) -> tuple[int, int]:
    """Upper left corner of a box at least one pixel away from the border of the image."""
    return draw_integer(bits, 1, image_size[0] - size[0]), draw_integer(bits, 1, image_size[1] - size[1])


@compiled
def draw_position(
    bits: Bits,
    image_size: Size,
    size: Size,
    source_object: BinaryMap,
    box: Corners,
    bitmap: BinaryMap,
    only_inside: bool,
    image_object: BinaryMap,
    min_object: float,
    min_overlap: float,
    candidates: int,
    positions: NDArray[np.intp],
    image: Image,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    values: NDArray[np.float64],
) -> tuple[int, int, int]:
    """Draw positions until `candidates` are accepted; return the one with the lowest cost.

    An empty bitmap is the whole rectangle; an empty `image_object` accepts every position.
    """
    counted, remaining = source_object, np.zeros(size[0] + 1, np.int64)
    constrained, filled, outcome = image_object.size > 0, np.int64(0), NOWHERE
    if constrained:
        counted = resized_part(source_object, box, size)
        filled, area = _count(counted, bitmap, only_inside, remaining)
        if filled <= min_object * area:
            outcome = NO_OBJECT_LEFT
        if filled == 0 or filled / area <= min_object:
            return outcome, 0, 0
        if min_overlap == 1:
            min_overlap = np.nextafter(remaining[0] / filled, 0.0)
    accepted, best, best_y, best_x = 0, np.inf, 0, 0
    for _ in range(DRAWS):
        if len(positions):
            index = draw_integer(bits, 0, len(positions))
            y0, x0 = positions[index, 0], positions[index, 1]
        else:
            y0, x0 = draw_corner(bits, image_size, size)
        if constrained and not _overlaps(counted, image_object, y0, x0, remaining, filled, min_overlap):
            continue
        if candidates == 1:
            return FOUND, y0, x0
        cost = _border_cost(image, rows + y0, columns + x0, values)
        if cost < best:
            best, best_y, best_x = cost, y0, x0
        accepted += 1
        if accepted == candidates:
            break
    return FOUND if accepted else outcome, best_y, best_x


@compiled
def _count(
    counted: BinaryMap, bitmap: BinaryMap, only_inside: bool, remaining: NDArray[np.int64]
) -> tuple[np.int64, np.int64]:
    """Numbers of object pixels and of all pixels: inside the outline only, or in the whole box.

    Clears `counted` outside the outline, and counts its object pixels from each row down in `remaining`.
    """
    height, width = counted.shape
    filled = area = np.int64(0)
    for y in range(height - 1, -1, -1):
        row, in_box, in_outline, inside = counted[y], np.int64(0), np.int64(0), np.int64(0)
        for x in range(width):
            in_box += row[x]
        if bitmap.size:
            for x in range(width):
                row[x] &= bitmap[y, x]
                in_outline += row[x]
                inside += bitmap[y, x]
        else:
            in_outline = in_box
        filled += in_outline if only_inside else in_box
        area += inside if only_inside else width
        remaining[y] = remaining[y + 1] + in_outline
    return filled, area


@compiled
def _overlaps(
    counted: BinaryMap,
    image_object: BinaryMap,
    y0: int,
    x0: int,
    remaining: NDArray[np.int64],
    filled: int,
    min_overlap: float,
) -> bool:
    """Whether enough of `counted` lies on the object of the image.

    Rows are summed until the overlap is certain, or out of reach even if all remaining pixels overlap.
    """
    height, width = counted.shape
    shared = np.int64(0)
    for y in range(height):
        if (shared + remaining[y]) / filled <= min_overlap:
            return False
        below = image_object[y0 + y, x0 : x0 + width]
        row = counted[y]
        in_row = np.int64(0)
        for x in range(width):
            in_row += row[x] & below[x]
        shared += in_row
        if shared / filled > min_overlap:
            return True
    return False


@compiled
def _border_cost(
    image: Image, rows: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float64]
) -> float:
    """Standard deviation of `values` - image, averaged over channels."""
    total = 0.0
    for c in range(values.shape[1]):
        mean, squares = 0.0, 0.0
        for index in range(rows.size):
            difference = values[index, c] - image[rows[index], columns[index], c]
            step = difference - mean
            mean += step / (index + 1)
            squares += step * (difference - mean)
        total += np.sqrt(squares / rows.size)
    return float(total / values.shape[1])
