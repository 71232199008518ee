"""Outlines of the components of a mask as polygons, in pixel edges (COCO) or pixels (YOLO).

Components are 8-connected, and each is one closed ring: a line to a hole and back, without area, joins the hole to the
outline. Filling a ring restores its mask exactly, except for single lines where holes of a YOLO ring are joined.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.types import BinaryMap

Ring = NDArray[np.int32]
"""(n, 2) x, y of the corners of a closed polygon."""

WITHIN_PIXEL = 0.25
"""Position of a corner of a YOLO polygon in its pixel: both truncating and rounding give the pixel."""


def coco_annotations(mask: BinaryMap) -> list[dict[str, Any]]:
    """Polygon, box and area of each component; coordinates are pixel edges, as in COCO.

    Examples
    --------
    >>> mask = np.zeros((5, 5), np.uint8)
    >>> mask[1:3, 2:5] = 1
    >>> coco_annotations(mask)
    [{'segmentation': [[2, 1, 2, 3, 5, 3, 5, 1]], 'bbox': [2, 1, 3, 2], 'area': 6}]
    """
    doubled = np.repeat(np.repeat(mask, 2, axis=0), 2, axis=1)
    annotations = []
    for outer, *holes in _components(doubled):
        rings = [_without_repeats((ring + 1) // 2) for ring in (outer, *holes)]
        x, y = rings[0].min(axis=0)
        width, height = rings[0].max(axis=0) - (x, y)
        areas = [round(cv2.contourArea(ring)) for ring in rings]
        annotations.append(
            {
                "segmentation": [_straightened(_joined(rings)).ravel().tolist()],
                "bbox": [int(x), int(y), int(width), int(height)],
                "area": areas[0] - sum(areas[1:]),
            }
        )
    return annotations


def yolo_lines(mask: BinaryMap, number: int = 0) -> str:
    """A line "number x y x y ..." per component, in fractions of the image; corners are pixels of the component.

    Examples
    --------
    >>> mask = np.zeros((10, 10), np.uint8)
    >>> mask[1:3, 2:5] = 1
    >>> print(yolo_lines(mask), end="")
    0 0.225 0.125 0.225 0.225 0.425 0.225 0.425 0.125
    """
    height, width = mask.shape
    lines = []
    for rings in _components(mask):
        ring = _straightened(_joined(rings))
        if len(ring) < 3:
            ring = np.resize(ring, (3, 2))
        shares = (ring + WITHIN_PIXEL) / (width, height)
        lines.append(f"{number} " + " ".join(f"{share:.8g}" for share in shares.ravel()) + "\n")
    return "".join(lines)


def _components(mask: BinaryMap) -> list[list[Ring]]:
    """Outline of each component, followed by those of its holes, pixel by pixel; in reading order."""
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    rings = [np.asarray(contour, np.int32).reshape(-1, 2) for contour in contours]
    parents = hierarchy[0][:, 3]
    components = {index: [ring] for index, ring in enumerate(rings) if parents[index] < 0}
    for index, ring in enumerate(rings):
        if parents[index] >= 0:
            components[int(parents[index])].append(ring)
    return sorted(components.values(), key=lambda component: tuple(component[0][0][::-1]))


def _without_repeats(ring: Ring) -> Ring:
    return np.asarray(ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)])


def _joined(rings: list[Ring]) -> Ring:
    """Join rings to one: from the outline to the nearest corner of each hole, around it and back, left to right."""
    outer, *holes = rings
    for hole in sorted(holes, key=lambda ring: tuple(ring.min(axis=0))):
        start = int(hole[:, 0].argmin())
        nearest = int(np.square(outer - hole[start]).sum(axis=1).argmin())
        around = np.roll(hole, -start, axis=0)
        outer = np.concatenate([outer[: nearest + 1], around, around[:1], outer[nearest:]])
    return outer


def _straightened(ring: Ring) -> Ring:
    """A ring without the points at which its direction stays the same."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    forwards = (before * after).sum(axis=1) > 0
    kept = ring[(turn != 0) | ~forwards]
    return kept if len(kept) else ring[:1]
