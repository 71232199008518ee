"""Sizes of patches for an object, from the size of the object."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.types import BinaryMap

SMALLEST, LARGEST = 0.06, 0.80
"""Bounds of Table 4, fractions of the image."""
COMPONENT = 0.1
"""Parts with less than this fraction of the object's pixels do not count for its extent, unless all are small."""
COMPACT, SLENDER = 0.65, 0.35
"""Fractions of its tightest, turned bounding box that an object fills."""
SAME_WAY = 0.9
"""Objects have the same orientation if the same one of height and width is larger in this share of the images."""
SHRINK = 0.95
PLACES = 0.9
"""Fraction of the images into which the largest patch must fit."""


@dataclass(frozen=True)
class Extent:
    """Size of the object and of its patches.

    Parameters
    ----------
    height, width : float
        Median extent of the object, fractions of the image.
    fill : float
        Median fraction of its tightest, turned bounding box that the object fills.
    turned : bool
        Whether the objects lie at different angles, so that height and width are interchangeable.
    min_object : float
        Fraction of a patch that the object must fill.
    height_range, width_range : (minimum, maximum)
        Sizes of patches, fractions of the image.
    """

    height: float
    width: float
    fill: float
    turned: bool
    min_object: float
    height_range: tuple[float, float]
    width_range: tuple[float, float]


def measure_extent(masks: BinaryMap) -> Extent:
    """Choose patch sizes for an object.

    A patch may be as high and as wide as the object (as the geometric mean of both, where objects lie at different
    angles). It is at most 0.80 of the image, and small enough that a rectangle of these proportions, `min_object` of
    which is object, fits into nine tenths of the images. Wide objects therefore get wide patches, high objects high
    ones, and thin objects at different angles small ones, as in Table 4 of the paper [1]_. `min_object` is one of the
    three values of that table: 0.70 for objects that fill at least 0.65 of their tightest bounding box, 0.50 for those
    that fill at least 0.35 of it, 0.25 for the others.

    Parameters
    ----------
    masks : (N, h, w) uint8 array of 0 and 1

    References
    ----------
    .. [1] Schlüter et al., "Natural Synthetic Anomalies", ECCV 2022, Table 4.

    Examples
    --------
    >>> masks = np.zeros((1, 100, 100), np.uint8)
    >>> masks[:, 40:60, 10:90] = 1
    >>> measure_extent(masks).height_range, measure_extent(masks).width_range
    ((0.06, 0.2), (0.06, 0.8))
    """
    kept = [_main_parts(mask) for mask in masks if mask.any()]
    sides = np.array([_sides(mask) for mask in kept])
    height, width = np.median(sides, axis=0).tolist()
    fill = float(np.median([_fill(mask) for mask in kept]))
    higher = float((sides[:, 0] > sides[:, 1]).mean())
    turned = max(higher, 1 - higher) < SAME_WAY
    if turned:
        height = width = math.sqrt(height * width)
    min_object = 0.70 if fill >= COMPACT else 0.50 if fill >= SLENDER else 0.25
    high, wide = _largest_patch(masks, min(height, LARGEST), min(width, LARGEST), min_object)
    return Extent(height, width, fill, turned, min_object, _size_range(high), _size_range(wide))


def _main_parts(mask: BinaryMap) -> BinaryMap:
    """The object without its small parts, or all of it if it has no others."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask)
    areas = statistics[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    large = areas >= COMPONENT * areas.sum()
    return np.asarray(large[labels] & (labels > 0), np.uint8) if large.any() else mask


def _sides(mask: BinaryMap) -> tuple[float, float]:
    """Height and width of the object, fractions of the image."""
    _, _, width, height = cv2.boundingRect(mask)
    return height / mask.shape[0], width / mask.shape[1]


def _fill(mask: BinaryMap) -> float:
    points = cv2.findNonZero(mask)
    _, (first, second), _ = cv2.minAreaRect(points)
    return len(points) / ((first + 1) * (second + 1))  # the rectangle joins the middles of pixels


def _largest_patch(masks: BinaryMap, height: float, width: float, min_object: float) -> tuple[float, float]:
    objects = masks.astype(np.float32)
    while min(height, width) * SHRINK >= SMALLEST:
        if np.mean([_fits(mask, height, width, min_object) for mask in objects]) >= PLACES:
            break
        height, width = height * SHRINK, width * SHRINK
    return height, width


def _fits(mask: NDArray[np.float32], height: float, width: float, min_object: float) -> bool:
    """Whether there is a place inside the image where the object fills enough of a patch."""
    rows, columns = max(round(height * mask.shape[0]), 1), max(round(width * mask.shape[1]), 1)
    shares = cv2.blur(mask, (columns, rows), borderType=cv2.BORDER_CONSTANT)
    return bool(np.max(shares) > min_object)


def _size_range(largest: float) -> tuple[float, float]:
    rounded = round(largest, 2)
    return min(SMALLEST, round(rounded / 2, 3)), rounded
