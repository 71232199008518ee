"""Copy-paste with a soft edge, one pixel wide."""

from __future__ import annotations

import cv2
import numpy as np

from nsa_augment._shared.types import Image
from nsa_augment.blending.base import Blending, Patch


class Feather(Blending):
    """Interpolate the pixels of the region by the factor times the mean of 1 and the share of the 3 x 3 in the region.

    Examples
    --------
    >>> canvas, region = np.zeros((3, 4, 1), np.uint8), np.array([[0, 1, 1, 1]] * 3, np.uint8)
    >>> Feather().blend(canvas, Patch(np.full((3, 4, 1), 60, np.uint8), region, region))
    >>> canvas[1].ravel().tolist()
    [0, 50, 60, 50]
    """

    name = "feather"

    def blend(self, canvas: Image, patch: Patch) -> None:
        """Interpolate the pixels of `patch.region`."""
        around = cv2.boxFilter(patch.region, cv2.CV_64F, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        eighteenths = (patch.region * (9 + around))[:, :, np.newaxis]
        mixture = canvas + patch.factor * (eighteenths * (patch.pixels.astype(np.float64) - canvas)) / 18
        if canvas.dtype.kind == "u":
            mixture = np.rint(mixture)
        np.copyto(canvas, mixture.astype(canvas.dtype), where=patch.region.view(np.bool_)[:, :, np.newaxis])
