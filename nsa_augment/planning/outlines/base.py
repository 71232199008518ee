"""Base class of all outlines: drawn with a place, rasterised, and written as JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nsa_augment._shared.bits import bits_of
from nsa_augment._shared.boxes import Box
from nsa_augment._shared.records import from_record, to_record
from nsa_augment._shared.registry import Registry
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.planning._draws import DRAWS, Extent, draw_interval, object_share, threshold

OUTLINES: Registry[Outline] = Registry("outlines")
"""The outlines by name."""


@dataclass(frozen=True)
class OutlineBox:
    """The box for an outline to be drawn in.

    Parameters
    ----------
    size : (height, width)
        Size of the box, pixels; it may have been cut at the border of the image.
    half : (height, width)
        Half the size of the patch before the cut.
    least : (height, width)
        Smallest half-size of a patch in an image of this size.
    image : (height, width)
        Size of the image, pixels.
    arguments : SelectionArguments or None
        Arguments of the task, including those for outlines (`noise_scales`...); None: the outline's defaults.
    """

    size: Size
    half: Size
    least: Size
    image: Size
    arguments: Any = None


class Outline(ABC):
    """The outline of a patch inside its box. Subclasses are frozen dataclasses; one with a `name` registers itself.

    Attributes
    ----------
    name : str
        The `kind` in the JSON of a plan, and the value of `shape=` that selects it.
    drawable : bool
        Whether `shape=` can select it: whether `draw` works for any box.
    scalable : bool
        Whether `mask` draws it at the destination size of the patch, and the conditions on the destination count only
        pixels inside it; otherwise its map is resized, and the conditions count the whole box (ablation D).
    fine : bool
        Whether it may be only a few pixels wide: it is blended up to its edge, and labelled pixel by pixel.
    """

    name: ClassVar[str]
    drawable: ClassVar[bool] = True
    scalable: ClassVar[bool] = False
    fine: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        OUTLINES.register(cls)

    @classmethod
    def draw(cls, rng: np.random.Generator, box: OutlineBox) -> Outline:
        """Draw an outline for a box."""
        raise NotImplementedError(f"{cls.__name__} draws no outlines")

    @classmethod
    def place(
        cls,
        rng: np.random.Generator,
        size: Size,
        extents: tuple[Extent, Extent],
        least: Size,
        object_mask: BinaryMap | None,
        arguments: Any,
    ) -> tuple[Box, Outline] | None:
        """Draw places, each with a new outline, until the object fills enough of the outline.

        Parameters
        ----------
        rng : numpy.random.Generator
        size : (height, width)
            Size of the source, pixels.
        extents : pair
            Where a patch may lie along each axis.
        least : (height, width)
            Smallest half-size of a patch.
        object_mask : (H, W) uint8 array of 0 and 1, optional
            Object mask of the source; None accepts every place.
        arguments : SelectionArguments
            The object must fill more than `min_object` of the outline.

        Returns
        -------
        (box, outline) or None
            None if no place was accepted in 200 draws, or a box was empty.
        """
        half = (extents[0][2] + extents[0][3]) // 2, (extents[1][2] + extents[1][3]) // 2
        for _ in range(DRAWS):
            y0, y1 = draw_interval(bits_of(rng), size[0], extents[0])
            x0, x1 = draw_interval(bits_of(rng), size[1], extents[1])
            box = Box(y0, x0, y1, x1)
            if min(box.size) < 1:
                return None
            outline = cls.draw(rng, OutlineBox(box.size, half, least, size, arguments))
            bitmap = outline.mask(box.size)
            if not bitmap.any():
                continue
            if object_mask is None or object_share(bitmap, object_mask, y0, x0) > threshold(arguments.min_object):
                return box, outline
        return None

    @abstractmethod
    def mask(self, size: Size) -> BinaryMap:
        """(height, width) uint8 map, 1 inside the outline."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: the kind and the fields of the dataclass."""
        return to_record(self)

    @classmethod
    def from_dict(cls, arguments: Mapping[str, Any]) -> Outline:
        """Inverse of `to_dict`, without the kind."""
        return cls(**arguments)


def outline_from_dict(data: Any) -> Outline:
    """Inverse of `Outline.to_dict`, for any kind; TypeError or ValueError lists the known kinds."""
    kind, arguments = from_record("shape", OUTLINES, data)
    return kind.from_dict(arguments)
