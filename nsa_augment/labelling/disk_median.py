"""The median over a disk of radius 5, many pixels at once."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.types import BinaryMap

DISK_RADIUS = 5
DISK_PIXELS = 81
BLOCK = 256
"""Pixels whose medians are searched together."""

Ranks: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int32]


def disk_median(ranks: Ranks, needed: BinaryMap) -> Ranks:
    """Median rank over a disk, edges repeated, at the needed pixels; elsewhere 0 or undefined."""
    medians = np.zeros(ranks.shape, ranks.dtype)
    x, y, width, height = cv2.boundingRect(needed)
    if width == 0:
        return medians
    reach = DISK_RADIUS
    stride = width + 2 * reach
    padded = cv2.copyMakeBorder(ranks, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    tail = -(-(BLOCK + 2 * reach) // stride)
    around: Any = np.zeros((height + 2 * reach + tail, stride), ranks.dtype)
    around[: height + 2 * reach] = padded[y : y + height + 2 * reach, x : x + stride]
    wanted: Any = np.zeros((height, stride), np.uint8)
    wanted[:, :width] = needed[y : y + height, x : x + width]
    found = _search_medians(around.reshape(-1), wanted.reshape(-1), stride)
    medians[y : y + height, x : x + width] = found.reshape(height, stride)[:, :width]
    return medians


@compiled
def _search_medians(padded: Ranks, needed: BinaryMap, stride: int) -> Ranks:
    """Medians of all blocks that contain a needed pixel, 0 elsewhere.

    Images are flattened (rows of `stride`, the result lying `DISK_RADIUS` rows and columns further in the padded map),
    so that counting runs along memory without a remainder at the end of each row. Blocks of small numbers are searched
    in 8 bits.
    """
    medians = np.zeros(needed.size, padded.dtype)
    found, found_narrow = np.empty(BLOCK, padded.dtype), np.empty(BLOCK, np.uint8)
    narrow = np.empty(BLOCK + 2 * DISK_RADIUS * (stride + 1), np.uint8)
    for start in range(0, needed.size, BLOCK):
        length = min(BLOCK, needed.size - start)
        if not needed[start : start + length].any():
            continue
        window = padded[start : start + narrow.size]
        highest = np.int64(0)
        for x in range(window.size):
            highest = max(highest, np.int64(window[x]))
        bits = 0
        while highest >> bits > 0:
            bits += 1
        if bits <= 8:
            for x in range(window.size):
                narrow[x] = window[x]
            _search_block(narrow, stride, bits, found_narrow)
            for x in range(length):
                medians[start + x] = found_narrow[x]
        else:
            _search_block(window, stride, bits, found)
            for x in range(length):
                medians[start + x] = found[x]
    return medians


@compiled
def _search_block(window: Ranks, stride: int, bits: int, found: Ranks) -> None:
    """Binary search for the median of every pixel of a block at once, from the highest bit to the lowest.

    The median of 81 values is the largest number that at most 40 of them lie below.
    """
    trial, below = np.empty_like(found), np.empty_like(found)
    found[:] = 0
    for bit in range(bits - 1, -1, -1):
        for x in range(BLOCK):
            trial[x] = found[x] | (1 << bit)
        below[:] = 0
        for row in range(2 * DISK_RADIUS + 1):
            values = window[row * stride : row * stride + BLOCK + 2 * DISK_RADIUS]
            _count_below(values, trial, abs(row - DISK_RADIUS), below)
        for x in range(BLOCK):
            if below[x] <= DISK_PIXELS // 2:
                found[x] = trial[x]


@compiled
def _count_below(values: Ranks, trial: Ranks, distance: int, below: Ranks) -> None:
    """Add the pixels of one row of the disk, `distance` rows from its centre, that lie below `trial`.

    The row's half-width is 5 at distance 0, 4 up to 3, 3 at 4 and 0 at 5; sums of several comparisons in one pass are
    what makes it fast.
    """
    if distance == 5:
        for x in range(BLOCK):
            below[x] += np.uint8(values[x + 5] < trial[x])
        return
    for x in range(BLOCK):
        limit = trial[x]
        left = np.uint8(values[x + 2] < limit) + np.uint8(values[x + 3] < limit) + np.uint8(values[x + 4] < limit)
        right = np.uint8(values[x + 6] < limit) + np.uint8(values[x + 7] < limit) + np.uint8(values[x + 8] < limit)
        below[x] += left + np.uint8(values[x + 5] < limit) + right
    if distance <= 3:
        for x in range(BLOCK):
            below[x] += np.uint8(values[x + 1] < trial[x]) + np.uint8(values[x + 9] < trial[x])
    if distance == 0:
        for x in range(BLOCK):
            below[x] += np.uint8(values[x] < trial[x]) + np.uint8(values[x + 10] < trial[x])
