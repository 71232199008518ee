"""Base class of all blendings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.registry import Registry
from nsa_augment._shared.scale import IMAGE_DTYPES
from nsa_augment._shared.types import BinaryMap, Gradient, Image, Size
from nsa_augment.blending.uncut import UncutPatch

_CUTTING = frozenset({"footprint", "fits", "joining", "region", "precision", "blend"})
"""Methods that `Blending.blend_uncut` stands for."""

BLENDINGS: Registry[Blending] = Registry("blendings")
"""The blendings by name."""


class ObjectMaps(NamedTuple):
    """Where the resized source and the image at the destination show the object, (h, w) uint8 maps of 0 and 1."""

    source: BinaryMap
    image: BinaryMap


@dataclass(frozen=True)
class Patch:
    """A patch at its destination size, ready to be blended.

    Parameters
    ----------
    pixels : (h, w, C) array
        Source pixels, as `Blending.precision` returned them.
    footprint : (h, w) uint8 array of 0 and 1
        Outline of the patch, as `Blending.footprint` returned it.
    region : (h, w) uint8 array of 0 and 1
        Part of the footprint whose change is labelled, as `Blending.region` returned it.
    factor : float
        Interpolation factor.
    gradient : "source", "mixed" or None
    objects : ObjectMaps, optional
        Object masks under constraints.
    fine : bool
        Whether the outline may be only a few pixels wide; blendings that fade out near the edge leave it to another,
        see `Blending.joining`.
    """

    pixels: Image
    footprint: BinaryMap
    region: BinaryMap
    factor: float = 1.0
    gradient: Gradient | None = None
    objects: ObjectMaps | None = None
    fine: bool = False


class Blending(ABC):
    """A way to blend a patch into the image. A subclass with a `name` registers itself.

    Attributes
    ----------
    name : str
        The value of `blending=` that selects it.
    min_side : int
        Smallest side of a box that can be blended, pixels.
    needs : str
        Requirements of `fits`, as a sentence for messages; empty: not stated.
    needs_objects : bool
        Whether it requires the object masks of source and image.
    gradient : "source", "mixed" or None
        Guidance field of patches planned for it; None if it uses none.
    takes_uncut : bool
        Whether it has `blend_uncut`.
    """

    name: ClassVar[str]
    min_side: ClassVar[int] = 1
    needs: ClassVar[str] = ""
    needs_objects: ClassVar[bool] = False
    gradient: Gradient | None = None
    takes_uncut: bool = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls).keys()
        if {"footprint", "fits"} & own and "fits_rectangle" not in own:
            cls.fits_rectangle = Blending.fits_rectangle  # type: ignore[method-assign]
        if _CUTTING & own and "blend_uncut" not in own:
            cls.takes_uncut = False
        BLENDINGS.register(cls)

    @classmethod
    def bind(cls, task: Any) -> Blending:
        """The blending with the arguments of a task."""
        return cls()

    def joining(self, fine: bool) -> Blending:
        """The blending for patches with fine or other outlines: itself, unless it fades out at edges."""
        return self

    @property
    def dtypes(self) -> Collection[np.dtype[Any]]:
        """Dtypes that can be blended."""
        return IMAGE_DTYPES

    def footprint(self, bitmap: BinaryMap) -> BinaryMap:
        """Part of a patch's bitmap (h, w) in which the blending can change pixels."""
        return bitmap

    def fits(self, footprint: BinaryMap) -> bool:
        """Whether a footprint is large enough to be blended."""
        return bool(footprint.any())

    def fits_rectangle(self, size: Size) -> bool:
        """As `fits`, for a patch that fills its box; overrides return the same without looking at pixels."""
        return self.fits(self.footprint(np.ones(size, np.uint8)))

    def region(self, footprint: BinaryMap, objects: ObjectMaps | None) -> BinaryMap:
        """Part of the footprint whose change is labelled: object in the source or in the image; all without masks."""
        return footprint if objects is None else footprint & (objects.source | objects.image)

    def precision(self, pixels: Image) -> Image:
        """Source pixels with the dtype in which the blending works, and in which they are resized."""
        return pixels

    @abstractmethod
    def blend(self, canvas: Image, patch: Patch) -> None:
        """Change `canvas`, the (h, w, C) view of the image at the destination, in place."""

    def blend_uncut(self, image: Image, box: Box, patch: UncutPatch, region: BinaryMap, place: Box) -> None:
        """In one step: cut and blend a patch, and set a region where its change is labelled.

        Parameters
        ----------
        image : (H, W, C) array, C-contiguous
            Changed in place.
        box : Box
            Where in the image the patch is blended.
        patch : UncutPatch
        region : (h, w) uint8 array of 0 and 1, C-contiguous
            Changed in place.
        place : Box
            The same box in the coordinates of the region.
        """
        raise NotImplementedError

    def blend_at(self, image: Image, box: Box, patch: Patch | UncutPatch, region: BinaryMap, place: Box) -> None:
        """Blend a patch, and set a region where its change is labelled; parameters as for `blend_uncut`."""
        if isinstance(patch, UncutPatch):
            self.blend_uncut(image, box, patch, region, place)
        else:
            self.joining(patch.fine).blend(box.of(image), patch)
            place.of(region)[...] |= patch.region
