"""Where a patch goes: a destination that meets the object and overlap conditions."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.bits import Bits, bits_of, draw_integer
from nsa_augment._shared.boxes import Box
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.types import BinaryMap, Image, Size
from nsa_augment.planning._draws import DRAWS, NO_MASK, threshold
from nsa_augment.planning.border import Border
from nsa_augment.planning.given_up import Reason

EVERYWHERE = np.empty((0, 2), np.intp)
"""What the compiled function is given where every position may be drawn."""


def draw_destination(
    rng: np.random.Generator,
    image_size: Size,
    size: Size,
    *,
    source_object: BinaryMap | None = None,
    bitmap: BinaryMap | None = None,
    within: BinaryMap | None = None,
    image_object: BinaryMap | None = None,
    min_object: float = 0.0,
    min_overlap: float = 0.0,
    candidates: int = 1,
    border: Border | None = None,
    positions: NDArray[np.intp] | None = None,
) -> Box | Reason:
    """Draw a destination box, one pixel away from the border of the image.

    Parameters
    ----------
    rng : numpy.random.Generator
    image_size, size : (height, width)
        Of the image and of the resized patch, pixels.
    source_object : (h, w) uint8 array, optional
        Object mask of the resized patch. None (like `image_object`): every position is accepted.
    bitmap : (h, w) uint8 array, optional
        1 inside the outline of the patch; None is the whole rectangle.
    within : (h, w) uint8 array, optional
        Pixels that the conditions ask about; None is the whole rectangle.
    image_object : (H, W) uint8 array, optional
        Object mask of the image.
    min_object : float
        The source's object must fill more than this fraction of these pixels; 1: all of them.
    min_overlap : float
        More than this fraction of the source's object must land on the object of the image; 1: all that lies
        inside the outline.
    candidates : int
        Of so many accepted positions (fewer if 200 draws do not give them) the one is taken where source - image
        varies least along `border`: where its standard deviation, mean over channels, is smallest.
    border : Border, optional
        Of the resized patch; only for several candidates.
    positions : (n, 2) array, optional
        Rows (y, x): the upper left corners to draw from, as `allowed_positions` finds them; None: all.

    Returns
    -------
    Box or Reason
        Why there is none: the image is too small, or no position was accepted in 200 draws.
    """
    height, width = size
    if image_size[0] - height - 1 < 1 or image_size[1] - width - 1 < 1:
        return Reason.TOO_LARGE
    if positions is not None and not len(positions):
        return Reason.NOT_ALLOWED
    if border is None:
        candidates, border = 1, _NO_BORDER
    bits = bits_of(rng)
    choices = EVERYWHERE if positions is None else positions
    if source_object is None or image_object is None:
        if candidates > 1:
            whole = np.ones(size, np.uint8)
            _, y, x = _draw_position(
                bits, image_size, whole, whole.size, whole, NO_MASK, -1.0, -1.0, candidates, choices, *border
            )
        elif positions is None:
            y = draw_integer(bits, 1, image_size[0] - height)
            x = draw_integer(bits, 1, image_size[1] - width)
        else:
            y, x = positions[draw_integer(bits, 0, len(positions))].tolist()
        return Box.at(y, x, size)
    area = source_object.size
    if within is not None:
        source_object, area = source_object & within, int(np.count_nonzero(within))
    counted = source_object if bitmap is None else source_object & bitmap
    min_object = threshold(min_object)
    if min_overlap == 1 and source_object.any():
        min_overlap = math.nextafter(np.count_nonzero(counted) / np.count_nonzero(source_object), 0)
    found, y, x = _draw_position(
        bits,
        image_size,
        source_object,
        area,
        counted,
        image_object,
        min_object,
        min_overlap,
        candidates,
        choices,
        *border,
    )
    if found:
        return Box.at(y, x, size)
    if np.count_nonzero(source_object) <= min_object * area:
        return Reason.NO_OBJECT_LEFT
    return Reason.NO_DESTINATION if image_object.view(np.bool_).any() else Reason.NO_IMAGE_OBJECT


_NO_BORDER = Border(np.zeros((1, 1, 1), np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 1)))


def allowed_positions(allowed: BinaryMap, footprint: BinaryMap) -> NDArray[np.intp]:
    """Where a patch can lie so that its footprint is within a region and its box keeps a pixel to the border.

    Parameters
    ----------
    allowed : (H, W) uint8 array of 0 and 1
    footprint : (h, w) uint8 array of 0 and 1

    Returns
    -------
    (n, 2) array
        Rows (y, x): upper left corners of the box.

    Examples
    --------
    >>> allowed = np.zeros((8, 8), np.uint8)
    >>> allowed[2:5, 3:6] = 1
    >>> allowed_positions(allowed, np.ones((2, 3), np.uint8)).tolist()
    [[2, 3], [3, 3]]
    """
    outside = cv2.filter2D(
        1.0 - allowed, -1, footprint.astype(np.float64), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT
    )
    rows, columns = (side - part for side, part in zip(allowed.shape, footprint.shape, strict=True))
    return np.argwhere(outside[1:rows, 1:columns] < 0.5) + 1


@compiled
def _draw_position(
    bits: Bits,
    image_size: Size,
    source_object: BinaryMap,
    area: int,
    counted: BinaryMap,
    image_object: BinaryMap,
    min_object: float,
    min_overlap: float,
    candidates: int,
    positions: NDArray[np.intp],
    image: Image,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    values: NDArray[np.float64],
) -> tuple[bool, int, int]:
    """Draw positions until enough of `counted` lies on the object of the image, so often; the one of least cost.

    A negative `min_overlap` accepts every position, and `image_object` is not read.
    """
    height, width = counted.shape
    filled = np.int64(0)
    remaining = np.zeros(height + 1, np.int64)
    for y in range(height - 1, -1, -1):
        in_row = np.int64(0)
        for x in range(width):
            filled += source_object[y, x]
            in_row += counted[y, x]
        remaining[y] = remaining[y + 1] + in_row
    if filled == 0 or filled / area <= min_object:
        return False, 0, 0
    accepted, best, best_y, best_x = 0, np.inf, 0, 0
    for _ in range(DRAWS):
        if len(positions):
            index = draw_integer(bits, 0, len(positions))
            y0, x0 = positions[index, 0], positions[index, 1]
        else:
            y0 = draw_integer(bits, 1, image_size[0] - height)
            x0 = draw_integer(bits, 1, image_size[1] - width)
        if min_overlap >= 0 and not _overlaps(counted, image_object, y0, x0, remaining, filled, min_overlap):
            continue
        if candidates == 1:
            return True, y0, x0
        cost = _border_cost(image, rows + y0, columns + x0, values)
        if cost < best:
            best, best_y, best_x = cost, y0, x0
        accepted += 1
        if accepted == candidates:
            break
    return accepted > 0, best_y, best_x


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

    Rows are added up until the overlap is certain, or can no longer be reached by what the rows left could add.
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
    """Standard deviation of `values` - image, mean over channels."""
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
