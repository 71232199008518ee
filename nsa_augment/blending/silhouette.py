"""Blending along silhouettes: Poisson inside the object, source pixels where only one of the images shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.types import BinaryMap, Image
from nsa_augment.blending.base import ObjectMaps, Patch
from nsa_augment.blending.poisson import Poisson

OVERLAP = 2
"""Pixels by which copies extend beyond the disagreement, to cover the old edge of the object."""
FEATHER = 1
"""Pixels on either side of a cut over which one image fades into the other."""
MIN_GROUND = 10
"""Fewest pixels of background, away from the object, for its mean."""

_NEAR = (np.hypot(*np.mgrid[-OVERLAP : OVERLAP + 1, -OVERLAP : OVERLAP + 1]) <= OVERLAP).astype(np.uint8)
_EDGE = np.ones((2 * FEATHER + 1, 2 * FEATHER + 1), np.uint8)


@dataclass(frozen=True)
class Silhouette(Poisson):
    """Protrusions and holes where source and image disagree about the object, Poisson blending where they agree.

    1. *Foreign* pixels show the object in exactly one of the two images. They and those within 2 pixels are copied
       from the source, so that a piece of the object over the background keeps its brightness, and background over the
       object is a hole. Copies fade along their edge, and end at a superellipse in the patch, not at its box. Copied
       background gets the mean brightness of the image's background, if the patch shows both.
    2. Elsewhere Poisson blending is used, on a mask without the foreign pixels and those within 2 pixels; results are
       limited, by channel, to the range of both images in the patch's box.
    3. The result of 2 is kept only on the object of the image; the background does not change.

    All changes are labelled. Parameters as for `Poisson`; fine outlines are left to `Feather`, too.
    """

    name: ClassVar[str] = "silhouette"
    needs_objects: ClassVar[bool] = True

    def region(self, footprint: BinaryMap, objects: ObjectMaps | None) -> BinaryMap:
        """The whole footprint: all changes are labelled."""
        return footprint

    def blend(self, canvas: Image, patch: Patch) -> None:
        """Use Poisson blending on the object; copy where source and image disagree, weighted by the patch's factor."""
        if patch.objects is None:
            raise ValueError("objects of a patch must be ObjectMaps for blending 'silhouette', got None")
        foreign = patch.footprint & (patch.objects.source ^ patch.objects.image)
        agreed = patch.footprint & (1 - _dilated(foreign))
        cloned = canvas.copy()
        if self.fits(agreed):
            super().blend(cloned, replace(patch, footprint=agreed))
        pixels = self.scale.as_dtype(patch.pixels, canvas.dtype)
        _compose(
            canvas,
            cloned,
            pixels,
            _feathered(patch.objects.image) * patch.footprint,
            _feathered(_copied(foreign, patch.footprint)) * np.float32(patch.factor),
            _feathered(1 - patch.objects.source),
            _background_difference(canvas, pixels, patch.objects),
            self.scale.maximum(canvas.dtype),
            canvas.dtype.kind == "u",
        )


def _copied(foreign: BinaryMap, footprint: BinaryMap) -> BinaryMap:
    """Where source pixels are copied, without the border of the footprint, in which copies fade."""
    eroded = cv2.erode(footprint, _EDGE, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    inner = np.asarray(eroded, np.uint8)
    return inner & _dilated(foreign & inner & _superellipse(footprint))


def _dilated(binary: BinaryMap) -> BinaryMap:
    return np.asarray(cv2.dilate(binary, _NEAR), np.uint8)


def _superellipse(footprint: BinaryMap) -> BinaryMap:
    """1 inside the superellipse in the bounding box of a footprint, with a margin for the extension of copies."""
    x, y, width, height = cv2.boundingRect(footprint)

    def powers(length: int, start: int, side: int) -> NDArray[np.float64]:
        semi_axis = max(side / 2 - OVERLAP - FEATHER, side / 4)
        offsets = np.arange(length, dtype=np.float64) - start - (side - 1) / 2
        shares = np.abs(offsets) / semi_axis
        return shares * shares * shares

    down, across = powers(footprint.shape[0], y, height), powers(footprint.shape[1], x, width)
    return np.asarray(down[:, np.newaxis] + across <= 1, np.uint8)


def _feathered(binary: BinaryMap) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(binary.astype(np.float32), _EDGE.shape), np.float32)


def _background_difference(canvas: Image, pixels: Image, objects: ObjectMaps) -> NDArray[np.float64]:
    """Mean background of the image minus that of the source, by channel; 0 if there is too little of either."""
    means: list[NDArray[np.float64]] = []
    for part, shown in ((canvas, objects.image), (pixels, objects.source)):
        ground = cv2.erode(1 - shown, _NEAR)
        if np.count_nonzero(ground) < MIN_GROUND:
            return np.zeros(canvas.shape[2])
        means.append(part[ground.view(np.bool_)].mean(axis=0, dtype=np.float64))
    return means[0] - means[1]


@compiled
def _compose(
    canvas: Image,
    cloned: Image,
    pixels: Image,
    kept: NDArray[np.float32],
    copied: NDArray[np.float32],
    ground: NDArray[np.float32],
    difference: NDArray[np.float64],
    max_value: float,
    whole: bool,
) -> None:
    """Blend `cloned` into the canvas with the weight `kept`, then the source with the weight `copied`.

    `ground` is the weight of the source's background, to whose values `difference` is added.
    """
    height, width, channels = canvas.shape
    for c in range(channels):
        low, high = min(canvas[0, 0, c], pixels[0, 0, c]), max(canvas[0, 0, c], pixels[0, 0, c])
        for y in range(height):
            for x in range(width):
                low = min(low, canvas[y, x, c], pixels[y, x, c])
                high = max(high, canvas[y, x, c], pixels[y, x, c])
        for y in range(height):
            for x in range(width):
                if kept[y, x] == 0 and copied[y, x] == 0:
                    continue
                value = np.float64(canvas[y, x, c])
                value += kept[y, x] * (min(max(cloned[y, x, c], low), high) - value)
                shown = min(max(pixels[y, x, c] + ground[y, x] * difference[c], 0.0), max_value)
                value += copied[y, x] * (shown - value)
                canvas[y, x, c] = np.rint(value) if whole else value
