"""What is learned from: the change that blending made, as a mask and as graded labels (section "labels" of Table 5)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment.foreground import FLOAT_RESOLUTION
from nsa_augment.kernels import binary_median, compiled
from nsa_augment.types import BinaryMap, Box, Image, Shape

MEDIAN_RADIUS = 2
DISK_RADIUS = 5
MARGIN = MEDIAN_RADIUS + DISK_RADIUS
"""A label reaches at most this many pixels beyond the changed boxes."""

_DISK = np.array([int(np.sqrt(DISK_RADIUS**2 - dy**2)) for dy in range(-DISK_RADIUS, DISK_RADIUS + 1)], np.int64)
"""Half-width of each row of the disk."""


def label_areas(boxes: Iterable[Box], shape: Shape) -> list[Box]:
    """Disjoint boxes that hold the labels of changes inside `boxes`, with the margin that the medians need.

    Examples
    --------
    >>> label_areas([(10, 10, 20, 20), (25, 25, 40, 40), (90, 90, 99, 99)], (100, 100))
    [(3, 3, 47, 47), (83, 83, 100, 100)]
    """
    areas: list[Box] = []
    for y0, x0, y1, x1 in boxes:
        area = (
            max(y0 - MARGIN, 0),
            max(x0 - MARGIN, 0),
            min(y1 + MARGIN, shape[0]),
            min(x1 + MARGIN, shape[1]),
        )
        while touching := next((other for other in areas if _overlap(area, other)), None):
            areas.remove(touching)
            area = (
                min(area[0], touching[0]),
                min(area[1], touching[1]),
                max(area[2], touching[2]),
                max(area[3], touching[3]),
            )
        areas.append(area)
    return areas


def _overlap(first: Box, second: Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def difference(before: Image, after: Image) -> NDArray[np.int32] | NDArray[np.float64]:
    """Sum over channels of the absolute change in grey levels: int32 for 8-bit images, float64 for float images.

    Parameters
    ----------
    before, after : (h, w, C) arrays, uint8 or float32 in [0, 1]
    """
    if before.dtype == np.uint8:
        return _sum_absolute(np.ascontiguousarray(before), np.ascontiguousarray(after))
    change: NDArray[np.float64] = np.abs(after.astype(np.float64) - before).sum(axis=2) * 255
    return change


@compiled
def _sum_absolute(before: Image, after: Image) -> NDArray[np.int32]:
    height, width, channels = before.shape
    total = np.zeros((height, width), np.int32)
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                total[y, x] += abs(np.int32(before[y, x, c]) - np.int32(after[y, x, c]))
    return total


def change_mask(change: NDArray[np.int32] | NDArray[np.float64], region: BinaryMap, channels: int) -> BinaryMap:
    """The mask M: changed by more than one grey level inside the region, smoothed by a 5 x 5 median.

    Parameters
    ----------
    change : (h, w) array
        As returned by `difference`.
    region : (h, w) uint8 array of 0 and 1
        Union of the patches' regions. M is not cut to it.
    channels : int

    Returns
    -------
    (h, w) uint8 array of 0 and 1
    """
    threshold = channels if change.dtype == np.int32 else channels * (1 + FLOAT_RESOLUTION)
    candidate = np.bitwise_and(change > threshold, region, dtype=np.uint8)
    return binary_median(candidate, MEDIAN_RADIUS)


def continuous_label(
    change: NDArray[np.int32] | NDArray[np.float64], mask: BinaryMap, channels: int
) -> NDArray[np.float32]:
    """Median of mask * mean change over a disk of radius 5 (81 pixels, edges repeated), grey levels.

    Parameters
    ----------
    change : (h, w) array
        As returned by `difference`.
    mask : (h, w) uint8 array of 0 and 1
        As returned by `change_mask`.
    channels : int

    Returns
    -------
    (h, w) float32 array
    """
    reached = cv2.dilate(mask, np.ones((2 * DISK_RADIUS + 1,) * 2, np.uint8)).astype(np.uint8, copy=False)
    ranks, levels = _ranks(change, mask, channels)
    return levels.astype(np.float32)[_disk_median(ranks, reached, len(levels))]


def logistic_label(
    change: NDArray[np.int32] | NDArray[np.float64],
    mask: BinaryMap,
    channels: int,
    midpoint: float,
    steepness: float,
) -> NDArray[np.float32]:
    """Mask / (1 + exp(-steepness * (continuous label - midpoint))).

    Parameters
    ----------
    change, mask, channels
        As for `continuous_label`.
    midpoint : float
        y0 of Table 4, grey levels.
    steepness : float
        k of Table 4, per grey level.

    Returns
    -------
    (h, w) float32 array in [0, 1]
    """
    ranks, levels = _ranks(change, mask, channels)
    logistic = 0.5 + 0.5 * np.tanh(steepness / 2 * (levels - midpoint))
    return logistic.astype(np.float32)[_disk_median(ranks, mask, len(levels))] * mask


def factor_label(mask: BinaryMap, patches: Iterable[tuple[Box, float]]) -> NDArray[np.float32]:
    """Mask * interpolation factor; where patches with different factors meet, that of the last one.

    Parameters
    ----------
    mask : (h, w) uint8 array of 0 and 1
        As returned by `change_mask`.
    patches : sequence of (box, factor)
        In the order in which they were blended.

    Returns
    -------
    (h, w) float32 array in [0, 1]
    """
    patches = list(patches)
    factors = np.zeros(mask.shape, np.float32)
    for reach in (MEDIAN_RADIUS, 0):
        for (y0, x0, y1, x1), factor in patches:
            factors[max(y0 - reach, 0) : y1 + reach, max(x0 - reach, 0) : x1 + reach] = factor
    return factors * mask


def _ranks(
    change: NDArray[np.int32] | NDArray[np.float64], mask: BinaryMap, channels: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Integer map that orders the pixels as mask * change does, and the grey level of each integer."""
    if change.dtype == np.int32:
        return np.multiply(change, mask, dtype=np.int32), _integer_levels(channels)
    values, inverse = np.unique(change * mask, return_inverse=True)
    return inverse.reshape(change.shape).astype(np.int32), values / channels


@lru_cache(maxsize=64)
def _integer_levels(channels: int) -> NDArray[np.float64]:
    return np.arange(255 * channels + 1) / channels


@compiled
def _disk_median(ranks: NDArray[np.int32], needed: BinaryMap, count: int) -> NDArray[np.int32]:
    """Median rank over a disk, edges repeated, at the needed pixels; 0 elsewhere.

    A histogram of two levels slides along each row: single ranks, and blocks of them, in which the block that
    holds the median is followed from pixel to pixel.
    """
    height, width = ranks.shape
    shift = 3
    while (count >> shift) > (1 << shift):
        shift += 1
    fine = np.zeros(count, np.int32)
    coarse = np.zeros((count >> shift) + 1, np.int32)
    half = _DISK.sum() + _DISK.size // 2
    median = np.zeros((height, width), np.int32)
    for y in range(height):
        first, last = 0, width - 1
        while first < width and needed[y, first] == 0:
            first += 1
        if first == width:
            continue
        while needed[y, last] == 0:
            last -= 1
        fine[:] = 0
        coarse[:] = 0
        block, below = 0, 0
        for x in range(first, last + 1):
            for row in range(_DISK.size):
                values = ranks[min(max(y + row - DISK_RADIUS, 0), height - 1)]
                extent = _DISK[row]
                if x == first:
                    for neighbour in range(x - extent, x + extent + 1):
                        rank = values[min(max(neighbour, 0), width - 1)]
                        fine[rank] += 1
                        coarse[rank >> shift] += 1
                    continue
                leaving = values[max(x - extent - 1, 0)]
                entering = values[min(x + extent, width - 1)]
                if leaving != entering:
                    fine[leaving] -= 1
                    coarse[leaving >> shift] -= 1
                    fine[entering] += 1
                    coarse[entering >> shift] += 1
                    below += (entering >> shift < block) - (leaving >> shift < block)
            while below > half:
                block -= 1
                below -= coarse[block]
            while below + coarse[block] <= half:
                below += coarse[block]
                block += 1
            if needed[y, x]:
                rank = block << shift
                seen = below + fine[rank]
                while seen <= half:
                    rank += 1
                    seen += fine[rank]
                median[y, x] = rank
    return median
