"""Patches that blendings cut themselves, to cut and blend in one step."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

from nsa_augment._shared.types import BinaryMap, Corners, Gradient, Image

PlacedMaps: TypeAlias = tuple[BinaryMap, Corners, BinaryMap, Corners]

_NOWHERE = np.zeros((0, 0), np.uint8)
NO_OBJECTS: PlacedMaps = (_NOWHERE, (0, 0, 0, 0), _NOWHERE, (0, 0, 0, 0))


class UncutPatch(NamedTuple):
    """A patch that fills its box at the destination, and is still part of its source.

    Attributes
    ----------
    source : (H', W', C) array, C-contiguous
        The source, if it has 8 bits and 1, 3 or 4 channels; otherwise the patch, already resized.
    source_box : (y0, x0, y1, x1)
        What of it is resized to the patch's size.
    objects : (map, box, map, box)
        Where source and image show the object, contiguous uint8 maps of 0 and 1, and the patch's boxes in them;
        `NO_OBJECTS`: no constraints.
    factor : float
        Interpolation factor.
    gradient : "source", "mixed" or None
    fine : bool
        Rectangles are not.
    """

    source: Image
    source_box: Corners
    objects: PlacedMaps
    factor: float
    gradient: Gradient | None
    fine: bool = False
