"""Linear interpolation between the image and the source (FPI)."""

from __future__ import annotations

import numpy as np

from nsa_augment._shared.types import Image
from nsa_augment.blending.base import Blending, Patch


class Linear(Blending):
    """Interpolate the pixels of the region: (D - a D) + a S, truncated to whole grey levels for 8-bit images.

    The order of evaluation, in float64, keeps the level where D = S.

    Examples
    --------
    >>> canvas = np.full((1, 1, 1), 100, np.uint8)
    >>> region = np.ones((1, 1), np.uint8)
    >>> Linear().blend(canvas, Patch(np.full((1, 1, 1), 201, np.uint8), region, region, factor=0.25))
    >>> canvas.item()
    125
    """

    name = "linear"

    def blend(self, canvas: Image, patch: Patch) -> None:
        """Interpolate the pixels of `patch.region` by `patch.factor`."""
        destination = canvas.astype(np.float64)
        mixture = (destination - patch.factor * destination) + patch.factor * patch.pixels.astype(np.float64)
        # For 8 bits the cast truncates, which is floor for values that are not negative.
        np.copyto(canvas, mixture.astype(canvas.dtype), where=patch.region.view(np.bool_)[:, :, np.newaxis])
