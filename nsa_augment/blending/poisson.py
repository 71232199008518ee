"""Poisson blending: the source's gradients are kept, the image's values at the border of the patch too."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import cv2
import numpy as np

from nsa_augment.blending.base import Patch
from nsa_augment.blending.opencv import clone_opencv
from nsa_augment.blending.spectral import clone_spectral
from nsa_augment.checks import FULL_SCALES, full_scale
from nsa_augment.images import as_dtype
from nsa_augment.types import BinaryMap, Gradient, Image

MIN_SIDE = 5
MIN_PIXELS = 50
OPENCV_DTYPES = (np.dtype(np.uint8), np.dtype(np.float32))

Solver: TypeAlias = Callable[[Image, Image, BinaryMap, Gradient, float], None]
SOLVERS: dict[str, Solver] = {"opencv": clone_opencv, "spectral": clone_spectral}


@dataclass(frozen=True)
class Poisson:
    """Clone the whole shape of the patch, background included (that avoids seams), without its outermost ring.

    Parameters
    ----------
    solver : "spectral" or "opencv"
        "spectral" solves the same equation by sine transforms, in float32, for every dtype. "opencv" is
        `cv2.seamlessClone`: 8 bits, so a float32 image is rounded to grey levels inside the patch and pixels whose
        grey level does not change keep their float value.
    gradient : "source" or "mixed"
        Guidance field of new patches, and of patches of a plan that name none.
    max_value : float, optional
        Value of grey level 255; None: by dtype.
    """

    solver: str = "spectral"
    gradient: Gradient = "source"
    max_value: float | None = None
    min_side: ClassVar[int] = MIN_SIDE

    @property
    def dtypes(self) -> Collection[np.dtype[Any]]:
        """All; of OpenCV 8 bits, and float32 that is rounded to them."""
        return OPENCV_DTYPES if self.solver == "opencv" else tuple(FULL_SCALES)

    def footprint(self, shape: BinaryMap) -> BinaryMap:
        """The shape without the outermost ring of its box."""
        inner = np.zeros_like(shape)
        inner[1:-1, 1:-1] = shape[1:-1, 1:-1]
        return inner

    def fits(self, footprint: BinaryMap) -> bool:
        """At least 50 pixels, and a box (ring included) of at least 5 pixels either way."""
        if int(np.count_nonzero(footprint)) < MIN_PIXELS:
            return False
        _, _, width, height = cv2.boundingRect(footprint)
        return min(height, width) + 2 >= MIN_SIDE

    def precision(self, pixels: Image) -> Image:
        """8 bits for OpenCV, so that a float image is treated as the 8-bit one; else that of the image."""
        return as_dtype(pixels, np.dtype(np.uint8)) if self.solver == "opencv" else pixels

    def blend(self, canvas: Image, patch: Patch) -> None:
        """Blend by Poisson with the patch's gradient; the mask is scaled to ceil(255 * factor)."""
        x, y, width, height = cv2.boundingRect(patch.footprint)
        box = slice(y - 1, y + height + 1), slice(x - 1, x + width + 1)
        mask = patch.footprint[box] * np.uint8(np.ceil(255 * patch.factor))
        if mask.any():
            scale = full_scale(canvas.dtype, self.max_value)
            SOLVERS[self.solver](canvas[box], patch.pixels[box], mask, patch.gradient or self.gradient, scale)
