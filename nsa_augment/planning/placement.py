"""Destinations of patches that meet the object and overlap conditions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.bits import bits_of
from nsa_augment._shared.boxes import Box
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.planning._destinations import FOUND, NO_OBJECT_LEFT, draw_corner, draw_position
from nsa_augment.planning._draws import threshold
from nsa_augment.planning.border import Border
from nsa_augment.planning.given_up import Reason

_EVERYWHERE = np.empty((0, 2), np.intp)
_NO_MAP = np.empty((0, 0), np.uint8)
_NO_BORDER = Border(np.zeros((1, 1, 1), np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 1)))


def draw_destination(
    rng: np.random.Generator,
    image_size: Size,
    size: Size,
    *,
    source_object: BinaryMap | None = None,
    source_box: Box | None = None,
    bitmap: BinaryMap | None = None,
    only_inside: bool = False,
    image_object: BinaryMap | None = None,
    min_object: float = 0.0,
    min_overlap: float = 0.0,
    candidates: int = 1,
    border: Border | None = None,
    positions: NDArray[np.intp] | None = None,
) -> Box | Reason:
    """Draw a destination box, one pixel away from the border of the image.

    Parameters
    ----------
    rng : numpy.random.Generator
    image_size, size : (height, width)
        Sizes of the image and of the resized patch, pixels.
    source_object : (h, w) uint8 array, optional
        Object mask of the source. None (like `image_object`): every position is accepted.
    source_box : (y0, x0, y1, x1), optional
        Part of the source's mask that is resized to the patch's; None: all of it.
    bitmap : (h, w) uint8 array, optional
        1 inside the outline of the resized patch; None is the whole rectangle.
    only_inside : bool
        Whether the conditions apply to the pixels inside the outline, instead of the whole rectangle.
    image_object : (H, W) uint8 array, optional
        Object mask of the image.
    min_object : float
        The source's object must fill more than this fraction of these pixels; 1: all of them.
    min_overlap : float
        More than this fraction of the source's object must land on the object of the image; 1: all that lies
        inside the outline.
    candidates : int
        Number of accepted positions (fewer if 200 draws do not give them) to choose from: the one where the standard
        deviation of source - image along `border`, averaged over channels, is smallest.
    border : Border, optional
        Border ring of the resized patch; only for several candidates.
    positions : (n, 2) array, optional
        Rows (y, x): the upper left corners to draw from, as returned by `allowed_positions`; None: all.

    Returns
    -------
    Box or Reason
        The reason if the image is too small, or no position was accepted in 200 draws.
    """
    if image_size[0] - size[0] - 1 < 1 or image_size[1] - size[1] - 1 < 1:
        return Reason.TOO_LARGE
    if positions is not None and not len(positions):
        return Reason.NOT_ALLOWED
    if source_object is None or image_object is None:
        if positions is None and border is None:
            y, x = draw_corner(bits_of(rng), image_size, size)
            return Box.at(y, x, size)
        source_object = image_object = _NO_MAP
    height, width = source_object.shape
    outcome, y, x = draw_position(
        bits_of(rng),
        image_size,
        size,
        source_object,
        (0, 0, height, width) if source_box is None else (*source_box,),
        _NO_MAP if bitmap is None else bitmap,
        only_inside,
        image_object,
        threshold(min_object),
        min_overlap,
        1 if border is None else candidates,
        _EVERYWHERE if positions is None else positions,
        *(_NO_BORDER if border is None else border),
    )
    if outcome == FOUND:
        return Box.at(y, x, size)
    if outcome == NO_OBJECT_LEFT:
        return Reason.NO_OBJECT_LEFT
    return Reason.NO_DESTINATION if image_object.view(np.bool_).any() else Reason.NO_IMAGE_OBJECT


def allowed_positions(allowed: BinaryMap, footprint: BinaryMap) -> NDArray[np.intp]:
    """Positions at which a patch's footprint lies within a region, and its box at least a pixel away from the border.

    Parameters
    ----------
    allowed : (H, W) uint8 array of 0 and 1
    footprint : (h, w) uint8 array of 0 and 1

    Returns
    -------
    (n, 2) array
        Rows (y, x): upper left corners of the box.

    Examples
    --------
    >>> allowed = np.zeros((8, 8), np.uint8)
    >>> allowed[2:5, 3:6] = 1
    >>> allowed_positions(allowed, np.ones((2, 3), np.uint8)).tolist()
    [[2, 3], [3, 3]]
    """
    outside = cv2.filter2D(
        1.0 - allowed, -1, footprint.astype(np.float64), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT
    )
    rows, columns = (side - part for side, part in zip(allowed.shape, footprint.shape, strict=True))
    return np.argwhere(outside[1:rows, 1:columns] < 0.5) + 1
