"""The interface of every blending."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nsa_augment.types import BinaryMap, Gradient, Image


@dataclass(frozen=True)
class Patch:
    """A patch at its destination size, ready to be blended.

    Parameters
    ----------
    pixels : (h, w, C) array
        Source pixels, as `Blending.precision` returned them.
    footprint : (h, w) uint8 array of 0 and 1
        Shape of the patch, as `Blending.footprint` returned it.
    region : (h, w) uint8 array of 0 and 1
        Part of the footprint that is object in the source or in the image; the footprint without constraints.
    factor : float
        Interpolation factor.
    gradient : "source", "mixed" or None
    """

    pixels: Image
    footprint: BinaryMap
    region: BinaryMap
    factor: float = 1.0
    gradient: Gradient | None = None


class Blending(Protocol):
    """A way to join a patch to the image."""

    @property
    def gradient(self) -> Gradient | None:
        """Guidance field of the patches that are planned for it; None where there is none."""
        ...

    @property
    def min_side(self) -> int:
        """Smallest side of a box that can be blended, pixels."""
        ...

    @property
    def dtypes(self) -> Collection[np.dtype[Any]]:
        """Dtypes that can be blended."""
        ...

    def footprint(self, shape: BinaryMap) -> BinaryMap:
        """Part of a patch shape (h, w) that the blending can change pixels by."""
        ...

    def fits(self, footprint: BinaryMap) -> bool:
        """Whether a footprint is large enough to be blended."""
        ...

    def precision(self, pixels: Image) -> Image:
        """Source pixels with the dtype that the blending works in; they are resized in it."""
        ...

    def blend(self, canvas: Image, patch: Patch) -> None:
        """Change `canvas`, the (h, w, C) view of the image at the destination, in place."""
        ...
