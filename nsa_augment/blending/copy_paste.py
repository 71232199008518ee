"""Copy-paste: source pixels replace those of the image (CutPaste)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from nsa_augment.blending.base import Patch
from nsa_augment.checks import FULL_SCALES
from nsa_augment.types import BinaryMap, Gradient, Image


class CopyPaste:
    """Replace the pixels of the region by those of the source.

    Examples
    --------
    >>> canvas = np.zeros((1, 2, 1), np.uint8)
    >>> region = np.array([[0, 1]], np.uint8)
    >>> CopyPaste().blend(canvas, Patch(np.full((1, 2, 1), 7, np.uint8), region, region))
    >>> canvas.ravel().tolist()
    [0, 7]
    """

    gradient: Gradient | None = None
    min_side = 1
    dtypes: Collection[np.dtype[Any]] = tuple(FULL_SCALES)

    def footprint(self, shape: BinaryMap) -> BinaryMap:
        """The shape itself."""
        return shape

    def fits(self, footprint: BinaryMap) -> bool:
        """Any pixel will do."""
        return bool(footprint.any())

    def precision(self, pixels: Image) -> Image:
        """That of the image."""
        return pixels

    def blend(self, canvas: Image, patch: Patch) -> None:
        """Copy the pixels of `patch.region`."""
        np.copyto(canvas, patch.pixels, where=patch.region.view(np.bool_)[:, :, np.newaxis])
