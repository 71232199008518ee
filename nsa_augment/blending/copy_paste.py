"""Copy-paste: source pixels replace those of the image (CutPaste)."""

from __future__ import annotations

import numpy as np

from nsa_augment._shared.types import Image
from nsa_augment.blending.base import Blending, Patch


class CopyPaste(Blending):
    """Replace the pixels of the region with those of the source.

    Examples
    --------
    >>> canvas = np.zeros((1, 2, 1), np.uint8)
    >>> region = np.array([[0, 1]], np.uint8)
    >>> CopyPaste().blend(canvas, Patch(np.full((1, 2, 1), 7, np.uint8), region, region))
    >>> canvas.ravel().tolist()
    [0, 7]
    """

    name = "copy_paste"

    def blend(self, canvas: Image, patch: Patch) -> None:
        """Copy the pixels of `patch.region`."""
        np.copyto(canvas, patch.pixels, where=patch.region.view(np.bool_)[:, :, np.newaxis])
