"""The patches of the plans of a batch, as arrays: what is known without reading pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.checks import fail
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.blending import Blending
from nsa_augment.integrations.torch.device.windows import Boxes
from nsa_augment.planning import PatchPlacement, SynthesisPlan
from nsa_augment.planning.cutting import is_fine, patch_bitmap


@dataclass(frozen=True)
class Footprint:
    """Where a patch can change pixels.

    Parameters
    ----------
    tight : Box
        Box around its pixels, relative to the patch's upper left pixel.
    bitmap : (h, w) uint8 array of 0 and 1, or None
        None: all of `tight`.
    """

    tight: Box
    bitmap: BinaryMap | None = None


@dataclass(frozen=True)
class Placed:
    """Patches that will be blended, in the order of the plans.

    Parameters
    ----------
    number : (n,) int64 array
        Index of the image that each is blended into.
    place : (n,) int64 array
        Index of each among the patches of its image.
    source, destination : (n, 4) int64 arrays
        Boxes.
    tight : (n, 4) int64 array
        Boxes around the footprints, in the coordinates of `destination`.
    factor : (n,) float64 array
    mixed, fine : (n,) bool arrays
    bitmaps : tuple
        Footprints; None: all of `tight`.
    jitters : tuple
        Colour jitter of each, or None.
    """

    number: NDArray[np.int64]
    source: Boxes
    destination: Boxes
    tight: Boxes
    factor: NDArray[np.float64]
    mixed: NDArray[np.bool_]
    fine: NDArray[np.bool_]
    bitmaps: tuple[BinaryMap | None, ...]
    jitters: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.number)

    @classmethod
    def of(cls, plans: Sequence[SynthesisPlan | None], blending: Blending) -> Placed:
        """The patches of plans that are large enough to be blended."""
        found = list(_footprints(plans, blending))
        patches = [patch for _, patch, _ in found]
        destination = _boxes([patch.destination_box for patch in patches])
        corners = np.concatenate([destination[:, :2]] * 2, axis=1)
        return cls(
            number=np.array([number for number, _, _ in found], np.int64),
            source=_boxes([patch.source_box for patch in patches]),
            destination=destination,
            tight=_boxes([footprint.tight for _, _, footprint in found]) + corners,
            factor=np.array([patch.factor for patch in patches], np.float64),
            mixed=np.array([(patch.gradient or blending.gradient) == "mixed" for patch in patches], bool),
            fine=np.array([is_fine(patch.shape) for patch in patches], bool),
            bitmaps=tuple(footprint.bitmap for _, _, footprint in found),
            jitters=tuple(patch.jitter for patch in patches),
        )

    def take(self, chosen: NDArray[np.int64]) -> Placed:
        """Some of the patches."""
        parts: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        taken: dict[str, Any] = {
            name: tuple(part[index] for index in chosen) if isinstance(part, tuple) else part[chosen]
            for name, part in parts.items()
        }
        return Placed(**taken)


def _footprints(
    plans: Sequence[SynthesisPlan | None], blending: Blending
) -> Iterator[tuple[int, PatchPlacement, Footprint]]:
    for number, plan in enumerate(plans):
        for patch in () if plan is None else plan.patches:
            if patch.filling is not None:
                raise fail(ValueError, "filling", "None in plans for AnomalyModule, whose patches show sources", patch)
            joined = blending.joining(is_fine(patch.shape))
            if patch.shape is None:
                footprint = rectangle(joined, patch.size)
            else:
                footprint = _footprint(joined, patch_bitmap(patch.shape, patch.source_box, patch.size))
            if footprint is not None:
                yield number, patch, footprint


@lru_cache(4096)
def rectangle(blending: Blending, size: Size) -> Footprint | None:
    """Footprint of a rectangle; None if it is too small to be blended."""
    return _footprint(blending, np.ones(size, np.uint8))


def _footprint(blending: Blending, bitmap: BinaryMap) -> Footprint | None:
    """None if it is too small to be blended."""
    footprint = blending.footprint(bitmap)
    if not blending.fits(footprint):
        return None
    x, y, width, height = cv2.boundingRect(footprint)
    tight = Box(y, x, y + height, x + width)
    return Footprint(tight, None if tight.of(footprint).all() else footprint)


def _boxes(boxes: Sequence[Box]) -> Boxes:
    return np.array(boxes, np.int64).reshape(-1, 4)
