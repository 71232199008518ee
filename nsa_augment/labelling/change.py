"""The change by blending: how large it is, and where it is visible (the mask M)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.medians import binary_median
from nsa_augment._shared.scale import BY_DTYPE, FLOAT_RESOLUTION, Scale
from nsa_augment._shared.types import BinaryMap, Corner, Corners, Image, Size
from nsa_augment.labelling.disk_median import DISK_RADIUS

MEDIAN_RADIUS = 2
MARGIN = MEDIAN_RADIUS + DISK_RADIUS
"""Largest reach of a label beyond the changed boxes, pixels."""

Change: TypeAlias = NDArray[np.uint16] | NDArray[np.float64]


def label_areas(boxes: Iterable[Box], size: Size) -> list[Box]:
    """Disjoint boxes that hold the labels of changes inside `boxes`, including the margin for the medians.

    Examples
    --------
    >>> boxes = [Box(10, 10, 20, 20), Box(25, 25, 40, 40), Box(90, 90, 99, 99)]
    >>> [tuple(area) for area in label_areas(boxes, (100, 100))]
    [(3, 3, 47, 47), (83, 83, 100, 100)]
    """
    areas: list[Box] = []
    for box in boxes:
        area = box.grown(MARGIN, size)
        while touching := next((other for other in areas if area.overlaps(other)), None):
            areas.remove(touching)
            area = area.joined(touching)
        areas.append(area)
    return areas


def difference(before: Image, after: Image, scale: Scale = BY_DTYPE) -> Change:
    """Sum over channels of the absolute change in grey levels: uint16 for 8-bit images, float64 for others.

    Parameters
    ----------
    before, after : (h, w, C) arrays of the same dtype
    scale : Scale
        Value that stands for grey level 255.
    """
    if _is_summed(before, scale):
        height, width, _ = before.shape
        return _sum_change(np.array(before, order="C"), (0, 0), np.array(after, order="C"), (0, 0, height, width))
    change: NDArray[np.float64] = np.abs(after.astype(np.float64) - before).sum(axis=2)
    return change * 255 / scale.maximum(before.dtype)


def _is_summed(image: Image, scale: Scale) -> bool:
    """Whether changes are sums of whole grey levels."""
    return image.dtype == np.uint8 and scale.maximum(image.dtype) == 255


def change_mask(change: Change, region: BinaryMap, channels: int, fine: BinaryMap | None = None) -> BinaryMap:
    """The mask M: changed by more than one grey level inside the region, smoothed by a 5 x 5 median.

    Parameters
    ----------
    change : (h, w) array
        As returned by `difference`.
    region : (h, w) uint8 array of 0 and 1
        Union of the patches' regions. M is not cut to it.
    channels : int
    fine : (h, w) uint8 array of 0 and 1, optional
        Part of the region whose changed pixels all belong to M, as the median would remove lines thinner than 3 pixels.

    Returns
    -------
    (h, w) uint8 array of 0 and 1
    """
    threshold = channels if change.dtype == np.uint16 else channels * (1 + FLOAT_RESOLUTION)
    return _smoothed(change, change.dtype.type(threshold), region, _NOWHERE if fine is None else fine)


def visible_change(
    before: Image, corner: Corner, after: Image, area: Box, region: BinaryMap, fine: BinaryMap | None, scale: Scale
) -> tuple[Change, BinaryMap]:
    """`difference` and `change_mask` of an area of an image.

    Parameters
    ----------
    before : (h, w, C) array
    corner : (y, x)
        The upper left pixel of the area in `before`.
    after : (H, W, C) array of the same dtype
    area : Box
    region, fine : arrays
        As for `change_mask`, of the area.
    scale : Scale
    """
    if before.flags.carray and after.flags.carray and _is_summed(after, scale):
        return _byte_change(before, corner, after, (*area,), region, _NOWHERE if fine is None else fine)
    change = difference(Box.at(*corner, area.size).of(before), area.of(after), scale)
    return change, change_mask(change, region, after.shape[2], fine)


_NOWHERE = np.zeros((0, 0), np.uint8)


@compiled
def _byte_change(
    before: Image, corner: Corner, after: Image, area: Corners, region: BinaryMap, fine: BinaryMap
) -> tuple[NDArray[np.uint16], BinaryMap]:
    change = _sum_change(before, corner, after, area)
    return change, _smoothed(change, np.uint16(after.shape[2]), region, fine)


@compiled
def _sum_change(before: Image, corner: Corner, after: Image, area: Corners) -> NDArray[np.uint16]:
    """Sum over channels of the absolute change of 8-bit images."""
    (y0, x0, y1, x1), channels = area, after.shape[2]
    old = before.reshape(len(before), before.shape[1] * channels)
    new = after.reshape(len(after), after.shape[1] * channels)
    total, changes = np.zeros((y1 - y0, x1 - x0), np.uint16), np.empty((x1 - x0) * channels, np.uint16)
    for y in range(y1 - y0):
        given, found = old[corner[0] + y, corner[1] * channels :], new[y0 + y, x0 * channels :]
        sums = total[y]
        for x in range(changes.size):
            changes[x] = abs(np.int16(given[x]) - np.int16(found[x]))
        if channels == 3:
            for x in range(sums.size):
                sums[x] = changes[3 * x] + changes[3 * x + 1] + changes[3 * x + 2]
        else:
            for c in range(channels):
                for x in range(sums.size):
                    sums[x] += changes[x * channels + c]
    return total


@compiled
def _smoothed(change: Change, threshold: float, region: BinaryMap, fine: BinaryMap) -> BinaryMap:
    """Where the change of the region exceeds a threshold, smoothed except in `fine`, which may be empty."""
    height, width = change.shape
    candidate = np.empty((height, width), np.uint8)
    for y in range(height):
        row, inside, found = change[y], region[y], candidate[y]
        for x in range(width):
            found[x] = np.uint8(row[x] > threshold) & inside[x]
    mask = binary_median(candidate, MEDIAN_RADIUS)
    for y in range(fine.shape[0]):
        found, kept, changed = mask[y], fine[y], candidate[y]
        for x in range(width):
            found[x] |= changed[x] & kept[x]
    return mask
