"""The median over a disk of radius 5, many pixels at once."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.types import BinaryMap

DISK_RADIUS = 5
DISK_PIXELS = 81
BLOCK = 8
"""Rows whose medians are searched together."""
STEP = 64
"""Loops along a block run to a multiple of these pixels, so that vector instructions leave no remainder."""
MAX_THRESHOLDS = 4
"""Most thresholds, for one bit of the medians, that all pixels of a block are compared with; beyond it, each pixel has
a separate one, for which counting takes four times as long."""

Ranks: TypeAlias = NDArray[np.int16] | NDArray[np.int32]
Values: TypeAlias = Ranks | NDArray[np.int8]


@compiled
def disk_median(padded: Ranks, needed: BinaryMap) -> Ranks:
    """Median rank over a disk at the needed pixels; 0 elsewhere.

    The needed columns of each block are flattened to rows of `stride` values, and each median is stored where its disk
    starts, so that counting runs along memory without a remainder at the end of each row.

    Parameters
    ----------
    padded : (h + 10, w + 10) array
        Ranks from 0 on, with a margin of `DISK_RADIUS`; signed, because CPUs without AVX-512 compare only those fast.
    needed : (h, w) uint8 array of 0 and 1

    Returns
    -------
    (h, w) array of the dtype of `padded`
    """
    height, width = needed.shape
    medians = np.zeros((height, width), padded.dtype)
    margin = 2 * DISK_RADIUS
    capacity = (BLOCK + margin) * (width + margin) + 3 * STEP
    wide, narrow = np.empty((4, capacity), padded.dtype), np.empty((3, capacity), np.int8)
    asked, counts = np.empty(capacity, np.uint8), np.empty((4, capacity), np.uint8)
    for top in range(0, height, BLOCK):
        rows = min(BLOCK, height - top)
        left, right = _needed_columns(needed[top : top + rows])
        stride = right - left + margin
        highest = np.int64(0)
        for row in range(rows + margin if left < right else 0):
            line = wide[0, row * stride : (row + 1) * stride]
            highest = max(highest, np.int64(_copy(padded[top + row, left : right + margin], line)))
        if highest == 0:
            continue
        size = -(-rows * stride // STEP) * STEP
        asked[:size] = 0
        for row in range(rows):
            _copy(needed[top + row, left:right], asked[row * stride : (row + 1) * stride - margin])
        found = _search_block(wide, narrow, asked[:size], counts, stride, highest)
        for row in range(rows):
            line, start = medians[top + row, left:right], row * stride
            for x in range(right - left):
                line[x] = found[start + x] * asked[start + x]
    return medians


@compiled
def look_up_medians(
    ranks: Ranks, mask: BinaryMap, needed: BinaryMap, values: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Values of the medians of mask * ranks at the needed pixels, 0 elsewhere; larger ranks get the last value."""
    height, width = mask.shape
    last = ranks.dtype.type(values.size - 1)
    padded = np.empty((height + 2 * DISK_RADIUS, width + 2 * DISK_RADIUS), ranks.dtype)
    for row in range(height + 2 * DISK_RADIUS):
        y = min(max(row - DISK_RADIUS, 0), height - 1)
        line, given, shown = padded[row], ranks[y], mask[y]
        for x in range(width):
            line[DISK_RADIUS + x] = min(given[x], last) * shown[x]
        line[:DISK_RADIUS] = line[DISK_RADIUS]
        line[DISK_RADIUS + width :] = line[DISK_RADIUS + width - 1]
    medians = disk_median(padded, needed)
    label = np.zeros((height, width), np.float32)
    for y in range(height):
        found, median, wanted = label[y], medians[y], needed[y]
        for x in range(width):
            if wanted[x]:
                found[x] = values[median[x]]
    return label


@compiled
def _needed_columns(needed: BinaryMap) -> tuple[int, int]:
    """Half-open range of the columns that contain a needed pixel."""
    rows, width = needed.shape
    left, right = width, 0
    for row in range(rows):
        line = needed[row]
        for x in range(left):
            if line[x]:
                left = x
                break
        for x in range(width - 1, right - 1, -1):
            if line[x]:
                right = x + 1
                break
    return left, right


@compiled
def _copy(values: NDArray[Any], copy: NDArray[Any]) -> Any:
    """Copy a row; return its largest value."""
    highest = values[0]
    for x in range(values.size):
        value = values[x]
        copy[x] = value
        highest = max(highest, value)
    return highest


@compiled
def _search_block(
    wide: Ranks, narrow: NDArray[np.int8], asked: BinaryMap, counts: NDArray[np.uint8], stride: int, highest: int
) -> Ranks:
    """Medians of a block with the values `wide[0]`; undefined outside `asked`.

    Bits are found from the highest to the lowest. As soon as the medians differ by less than 256, 8 bits are enough.
    """
    values: Ranks = wide[0]
    found: Ranks = wide[1]
    found[: asked.size] = 0
    bits, low, high = 0, 0, 0
    while highest >> bits > 0:
        bits += 1
    if bits > 8:
        bits, low, high = _split(values, found, asked, counts, stride, (bits, 0, 0))
    if high - low + (1 << bits) > 256:
        _refine(values, found, wide[2, : asked.size], wide[3], stride, bits)
        return found
    small, small_found, offset = narrow[0], narrow[1], low + 128
    lowest, largest = values.dtype.type(low), values.dtype.type(min(low + 255, highest))
    for x in range(_reached(asked.size, stride)):
        small[x] = min(max(values[x], lowest), largest) - offset
    for x in range(asked.size):
        small_found[x] = min(max(found[x], lowest), largest) - offset
    bits, _, _ = _split(small, small_found, asked, counts, stride, (bits, low - offset, high - offset))
    _refine(small, small_found, narrow[2, : asked.size], counts[0], stride, bits)
    for x in range(asked.size):
        found[x] = small_found[x] + offset
    return found


@compiled
def _split(
    values: Values,
    found: Values,
    asked: BinaryMap,
    counts: NDArray[np.uint8],
    stride: int,
    state: tuple[int, int, int],
) -> tuple[int, int, int]:
    """Find bits of the medians while few thresholds decide about them; raise `found` accordingly.

    `state` and what is returned: number of bits to find, and smallest and largest of the numbers `found` so far where
    they are asked for.
    """
    bits, low, high = state
    while bits > 0 and (high - low) >> bits < MAX_THRESHOLDS:
        bits -= 1
        for threshold in range(low + (1 << bits), high + (2 << bits), 2 << bits):
            _count_below(values, counts, asked.size, stride, threshold)
            some, all_ = _raise_found(found, asked, counts[0], threshold)
            high = max(high, threshold) if some else high
            low = max(low, threshold) if all_ else low
    return bits, low, high


@compiled
def _raise_found(found: Values, asked: BinaryMap, below: NDArray[np.uint8], threshold: int) -> tuple[bool, bool]:
    """Raise numbers to a threshold if at most 40 values lie below it; whether any reached it, and whether all did."""
    limit = found.dtype.type(threshold)
    some, missing = np.uint8(0), np.uint8(0)
    for x in range(asked.size):
        old = found[x]
        raised = max(old, limit)
        reached = np.uint8(below[x] <= DISK_PIXELS // 2)
        found[x] = raised if reached else old
        some = np.uint8(some | (reached & asked[x]))
        missing = np.uint8(missing | ((reached ^ 1) & asked[x]))
    return some != 0, missing == 0


@compiled
def _count_below(values: Values, counts: NDArray[np.uint8], size: int, stride: int, threshold: int) -> None:
    """Count the pixels of each disk below a threshold, in `counts[0]`, by sums of columns, which disks share."""
    below, less, seven, nine = counts[0, :size], counts[1], counts[2], counts[3]
    limit = values.dtype.type(threshold)
    for x in range(_reached(size, stride)):
        less[x] = values[x] < limit
    length = size + STEP
    row1, row2, row3 = less[stride:], less[2 * stride :], less[3 * stride :]
    row4, row5, row6 = less[4 * stride :], less[5 * stride :], less[6 * stride :]
    row7, row8, row9, row10 = less[7 * stride :], less[8 * stride :], less[9 * stride :], less[10 * stride :]
    for x in range(length):
        inner = row2[x] + row3[x] + row4[x] + row5[x] + row6[x] + row7[x] + row8[x]
        seven[x] = inner
        nine[x] = row1[x] + inner + row9[x]
    for x in range(size):
        left = row5[x] + seven[x + 1] + nine[x + 2] + nine[x + 3] + nine[x + 4]
        right = nine[x + 6] + nine[x + 7] + nine[x + 8] + seven[x + 9] + row5[x + 10]
        below[x] = left + less[x + 5] + nine[x + 5] + row10[x + 5] + right


@compiled
def _reached(size: int, stride: int) -> int:
    """Number of values, a multiple of `STEP`, that contains the disks of the first `size` pixels."""
    return size + -(-(2 * DISK_RADIUS * stride + DISK_RADIUS + 1) // STEP) * STEP


@compiled
def _refine(values: Values, found: Values, trial: Values, below: NDArray[Any], stride: int, bits: int) -> None:
    """Find the remaining bits of every median by binary search: the largest number with at most 40 values below."""
    size = trial.size
    first, centre, last = values, values[DISK_RADIUS * stride :], values[2 * DISK_RADIUS * stride :]
    for bit in range(bits - 1, -1, -1):
        step = 1 << bit
        for x in range(size):
            trial[x] = found[x] + step
        for x in range(size):
            ends = np.uint8(centre[x] < trial[x]) + np.uint8(centre[x + 10] < trial[x])
            below[x] = ends + _nine_below(centre, x, trial[x])
        for distance in range(1, DISK_RADIUS):
            start, end = (DISK_RADIUS - distance) * stride, (DISK_RADIUS + distance) * stride
            _count_rows(values[start:], values[end:], trial, below, distance)
        for x in range(size):
            old, new = found[x], trial[x]
            below[x] += np.uint8(first[x + 5] < new) + np.uint8(last[x + 5] < new)
            found[x] = new if below[x] <= DISK_PIXELS // 2 else old


@compiled
def _count_rows(upper: Values, lower: Values, trial: Values, below: NDArray[Any], distance: int) -> None:
    """Add the pixels of two rows of the disk, `distance` rows from its centre, that lie below `trial`.

    The half-width of the disk is 5 at distance 0, 4 up to 3, 3 at 4 and 0 at 5.
    """
    if distance == 4:
        for x in range(trial.size):
            below[x] += _seven_below(upper, x, trial[x]) + _seven_below(lower, x, trial[x])
    else:
        for x in range(trial.size):
            below[x] += _nine_below(upper, x, trial[x]) + _nine_below(lower, x, trial[x])


@compiled
def _nine_below(values: Values, x: int, limit: Any) -> Any:
    return np.uint8(values[x + 1] < limit) + _seven_below(values, x, limit) + np.uint8(values[x + 9] < limit)


@compiled
def _seven_below(values: Values, x: int, limit: Any) -> Any:
    left = np.uint8(values[x + 2] < limit) + np.uint8(values[x + 3] < limit) + np.uint8(values[x + 4] < limit)
    right = np.uint8(values[x + 6] < limit) + np.uint8(values[x + 7] < limit) + np.uint8(values[x + 8] < limit)
    return left + np.uint8(values[x + 5] < limit) + right
