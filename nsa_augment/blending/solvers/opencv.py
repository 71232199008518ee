"""Poisson blending by `cv2.seamlessClone`, with every pixel in its exact place."""

from __future__ import annotations

from typing import Any, ClassVar

import cv2
import numpy as np

from nsa_augment._shared.checks import fail
from nsa_augment._shared.scale import BY_DTYPE, Scale
from nsa_augment._shared.types import BinaryMap, Gradient, Image
from nsa_augment.blending.solvers.base import Solver

_FLAGS = {"source": cv2.NORMAL_CLONE, "mixed": cv2.MIXED_CLONE}
_GROUP = 3
_BITS = np.dtype(np.uint8)


class OpenCV(Solver):
    """`cv2.seamlessClone`, in 8 bits.

    A float32 image is rounded to grey levels inside the patch, and pixels whose grey level does not change keep their
    value.
    """

    name = "opencv"
    dtypes: ClassVar[tuple[np.dtype[Any], ...]] = (_BITS, np.dtype(np.float32))

    @classmethod
    def check_scale(cls, scale: Scale) -> None:
        """Accept only the full range of the dtype."""
        if scale.max_value is not None:
            raise fail(ValueError, "max_value", "None with solver='opencv', which works in 8 bits", scale.max_value)

    @classmethod
    def precision(cls, pixels: Image) -> Image:
        """8 bits, so that a float image is treated as the 8-bit one."""
        return BY_DTYPE.as_dtype(pixels, _BITS)

    @staticmethod
    def clone(canvas: Image, source: Image, mask: BinaryMap, gradient: Gradient, max_value: float) -> None:
        """`clone_opencv`; results lie in the range of 8 bits for any `max_value`."""
        clone_opencv(canvas, source, mask, gradient)


def clone_opencv(canvas: Image, source: Image, mask: BinaryMap, gradient: Gradient) -> None:
    """Blend `source` into `canvas` in place.

    `seamlessClone` centres the bounding box of the mask on the given point. Here image, source and mask are cut
    to that box (and one pixel around it), so that its centre is known for sides of any parity.

    Parameters
    ----------
    canvas : (h, w, C) uint8 or float32 array
        Changed in place. Channels are blended in groups of three, the only number that OpenCV accepts.
    source : (h, w, C) uint8 array
    mask : (h, w) uint8 array
        0 outside the patch, up to 255 inside; its bounding box is the array without its outermost ring.
    gradient : "source" or "mixed"
    """
    levels = BY_DTYPE.as_dtype(canvas, _BITS)
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
