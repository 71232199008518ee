"""What is learned from: the change that blending made, as a mask and as graded labels."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment.checks import full_scale
from nsa_augment.disk_median import DISK_RADIUS, Ranks, disk_median
from nsa_augment.foreground import FLOAT_RESOLUTION
from nsa_augment.kernels import binary_median, compiled
from nsa_augment.types import BinaryMap, Box, Image, Shape

MEDIAN_RADIUS = 2
MARGIN = MEDIAN_RADIUS + DISK_RADIUS
"""A label reaches at most this many pixels beyond the changed boxes."""

Change: TypeAlias = NDArray[np.uint16] | NDArray[np.float64]


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


def difference(before: Image, after: Image, max_value: float | None = None) -> Change:
    """Sum over channels of the absolute change in grey levels: uint16 for 8-bit images, float64 for others.

    Parameters
    ----------
    before, after : (h, w, C) arrays of the same dtype
    max_value : float, optional
        Value of grey level 255; None: 255, 65535 or 1 by dtype.
    """
    scale = full_scale(before.dtype, max_value)
    if before.dtype == np.uint8 and scale == 255:
        return _sum_channels(cv2.absdiff(before, after).reshape(before.shape))
    change: NDArray[np.float64] = np.abs(after.astype(np.float64) - before).sum(axis=2) * 255 / scale
    return change


@compiled
def _sum_channels(image: Image) -> NDArray[np.uint16]:
    height, width, channels = image.shape
    total = np.zeros((height, width), np.uint16)
    for y in range(height):
        row, sums = image[y], total[y]
        if channels == 3:
            for x in range(width):
                sums[x] = np.uint16(row[x, 0]) + np.uint16(row[x, 1]) + np.uint16(row[x, 2])
        else:
            for c in range(channels):
                for x in range(width):
                    sums[x] += row[x, c]
    return total


def change_mask(change: Change, region: BinaryMap, channels: int) -> BinaryMap:
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
    threshold = channels if change.dtype == np.uint16 else channels * (1 + FLOAT_RESOLUTION)
    candidate = np.bitwise_and(change > threshold, region, dtype=np.uint8)
    return binary_median(candidate, MEDIAN_RADIUS)


def continuous_label(change: Change, mask: BinaryMap, channels: int) -> NDArray[np.float32]:
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
    return np.take(levels.astype(np.float32), disk_median(ranks, reached), mode="clip")


def logistic_label(
    change: Change,
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
    if change.dtype == np.uint16:
        logistic = _integer_logistic(channels, midpoint, steepness)
    else:
        logistic = _logistic(levels, midpoint, steepness)
    return np.multiply(np.take(logistic, disk_median(ranks, mask), mode="clip"), mask, dtype=np.float32)


def _logistic(levels: NDArray[np.float64], midpoint: float, steepness: float) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # tanh of infinity is right
        return np.asarray(0.5 + 0.5 * np.tanh(steepness / 2 * (levels - midpoint)), np.float32)


@lru_cache(maxsize=64)
def _integer_logistic(channels: int, midpoint: float, steepness: float) -> NDArray[np.float32]:
    return _logistic(_integer_levels(channels), midpoint, steepness)


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


def _ranks(change: Change, mask: BinaryMap, channels: int) -> tuple[Ranks, NDArray[np.float64]]:
    """Integer map that orders the pixels as mask * change does, and the grey level of each integer."""
    if change.dtype == np.uint16:
        return np.multiply(change, mask, dtype=np.uint16), _integer_levels(channels)
    values, inverse = np.unique(change * mask, return_inverse=True)
    return inverse.reshape(change.shape).astype(np.uint16 if len(values) <= 2**16 else np.int32), values / channels


@lru_cache(maxsize=64)
def _integer_levels(channels: int) -> NDArray[np.float64]:
    return np.arange(255 * channels + 1) / channels
