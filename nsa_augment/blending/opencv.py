"""Poisson blending by `cv2.seamlessClone`, with pixels landing exactly where they are meant to."""

from __future__ import annotations

import cv2
import numpy as np

from nsa_augment.images import as_dtype
from nsa_augment.types import BinaryMap, Gradient, Image

_FLAGS = {"source": cv2.NORMAL_CLONE, "mixed": cv2.MIXED_CLONE}
_GROUP = 3


def clone_opencv(canvas: Image, source: Image, mask: BinaryMap, gradient: Gradient, max_value: float) -> None:
    """Blend `source` into `canvas` in place.

    `seamlessClone` centres the bounding box of the mask on the given point. Here image, source and mask are cut
    to that box (and one pixel around it), so its centre is known whatever the parity of its sides.

    Parameters
    ----------
    canvas : (h, w, C) uint8 or float32 array
        Changed in place. Channels are blended in groups of three, the only number that OpenCV takes.
    source : (h, w, C) uint8 array
    mask : (h, w) uint8 array
        0 outside the patch, up to 255 inside; its bounding box is the array without its outermost ring.
    gradient : "source" or "mixed"
    max_value : float
        Not used: results lie in the range of 8 bits.
    """
    levels = as_dtype(canvas, np.dtype(np.uint8))
    height, width = mask.shape
    centre = (1 + (width - 2) // 2, 1 + (height - 2) // 2)
    for first in range(0, canvas.shape[2], _GROUP):
        count = min(_GROUP, canvas.shape[2] - first)
        group = slice(first, first + count)
        destination = _three_channels(levels[:, :, group])
        # seamlessClone overwrites the mask it is given.
        blended = cv2.seamlessClone(
            _three_channels(source[:, :, group]), destination, mask.copy(), centre, _FLAGS[gradient]
        )[:, :, :count]
        if canvas.dtype == np.uint8:
            canvas[:, :, group] = blended
        else:
            changed = blended != destination[:, :, :count]
            np.copyto(canvas[:, :, group], blended / np.float32(255), where=changed)


def _three_channels(pixels: Image) -> Image:
    missing = _GROUP - pixels.shape[2]
    return np.ascontiguousarray(pixels if missing == 0 else np.pad(pixels, ((0, 0), (0, 0), (0, missing)), "edge"))
