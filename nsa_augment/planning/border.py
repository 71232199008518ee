"""The border ring of a patch, along which source and image should agree at the destination."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.types import BinaryMap, Image, Size


class Border(NamedTuple):
    """Source values along the border ring of a resized patch, and the image to compare them with.

    Parameters
    ----------
    image : (H, W, C) array, C-contiguous
    rows, columns : (n,) int64 arrays
        The ring: pixels inside the outline with one of their eight neighbours outside it.
    values : (n, C) float64 array
        Source values of these pixels.
    """

    image: Image
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, image: Image, crop: Image, bitmap: BinaryMap) -> Border:
        """The border of a patch.

        Parameters
        ----------
        image : (H, W, C) array
        crop : (h, w, C) array
            Source pixels of the patch before it is resized.
        bitmap : (h', w') uint8 array
            1 inside the outline of the resized patch.
        """
        inner = cv2.erode(bitmap, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
        rows, columns = np.nonzero(bitmap != inner)
        size = bitmap.shape[0], bitmap.shape[1]
        values = _sample(np.ascontiguousarray(crop), size, rows, columns)
        return cls(np.ascontiguousarray(image), rows, columns, values)


@compiled
def _sample(pixels: Image, size: Size, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values at some pixels of `pixels` resized to `size`, with bilinear interpolation as in `cv2.resize`."""
    height, width, channels = pixels.shape
    values = np.empty((rows.size, channels), np.float64)
    for index in range(rows.size):
        y = min(max((rows[index] + 0.5) * height / size[0] - 0.5, 0.0), height - 1.0)
        x = min(max((columns[index] + 0.5) * width / size[1] - 0.5, 0.0), width - 1.0)
        y0, x0 = int(y), int(x)
        y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
        down, right = y - y0, x - x0
        for c in range(channels):
            upper = pixels[y0, x0, c] * (1 - right) + pixels[y0, x1, c] * right
            lower = pixels[y1, x0, c] * (1 - right) + pixels[y1, x1, c] * right
            values[index, c] = upper * (1 - down) + lower * down
    return values
