"""Resizing of images with any number of channels, and of 0/1 maps."""

from __future__ import annotations

import cv2
import numpy as np

from nsa_augment._shared.types import BinaryMap, Image, Size

RESIZE_CHANNELS = 4
"""As many as every interpolation of OpenCV takes."""


def resize(pixels: Image, size: Size, flags: int = cv2.INTER_LINEAR) -> Image:
    """Resized copy of an (h, w, C) array with any number of channels."""
    if pixels.shape[:2] == size:
        return np.array(pixels, order="C")
    if pixels.shape[2] > RESIZE_CHANNELS:
        groups = np.array_split(pixels, range(RESIZE_CHANNELS, pixels.shape[2], RESIZE_CHANNELS), axis=2)
        return np.concatenate([resize(group, size, flags) for group in groups], axis=2)
    resized = cv2.resize(np.ascontiguousarray(pixels), size[::-1], interpolation=flags)
    return resized.reshape(*size, -1)


def resize_map(binary: BinaryMap, size: Size) -> BinaryMap:
    """Resize a 0/1 map in 8 bits, which rounds it back to 0 and 1."""
    return resize(binary[:, :, np.newaxis], size)[:, :, 0]
