"""Overlays on images of pages: outlines of masks, labels in colour, and the colour bars of labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.page import TILE, ColourBar, Pixels, colours
from nsa_augment._shared.scale import BY_DTYPE
from nsa_augment._shared.types import BinaryMap, Image, Size


class LabelFacts(Protocol):
    """The attributes of a class of labels that describe its values."""

    name: ClassVar[str]
    unit: ClassVar[str | None]
    maximum: ClassVar[float]


def rgb(image: Image) -> Pixels:
    """Any image as (H, W, 3) uint8; of images with more channels the first three, with fewer the first.

    Examples
    --------
    >>> rgb(np.full((1, 2), 0.2)).tolist()
    [[[51, 51, 51], [51, 51, 51]]]
    """
    levels = BY_DTYPE.as_dtype(image, np.dtype(np.uint8)).reshape(*image.shape[:2], -1)
    repeated = np.repeat(levels[:, :, :1], 3, axis=2) if levels.shape[2] < 3 else levels[:, :, :3]
    return np.ascontiguousarray(repeated)


def tile_scale(size: tuple[int, ...], bounds: Size = (TILE, 2 * TILE)) -> float:
    """The factor that scales an image of `size` to fit into `bounds`.

    Examples
    --------
    >>> tile_scale((512, 512)), tile_scale((512, 512, 3), (64, 64)), tile_scale((100, 1024))
    (0.5, 0.125, 0.5)
    """
    return min(bounds[0] / size[0], bounds[1] / size[1])


def scaled(pixels: NDArray[Any], scale: float) -> NDArray[Any]:
    """Resize an image or a map: by area means if it shrinks, by repeating pixels if it grows."""
    size = max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST))


def mask_at(mask: BinaryMap, tile: Pixels) -> BinaryMap:
    """A mask at the size of a tile."""
    return np.asarray(cv2.resize(mask, tile.shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8)


def outlined(tile: Pixels, mask: BinaryMap, colour: tuple[int, int, int]) -> Pixels:
    """Copy of a tile with the outline of a mask, resized to the tile.

    Examples
    --------
    >>> mask = np.pad(np.ones((3, 3), np.uint8), 1)
    >>> outlined(np.zeros((5, 5, 3), np.uint8), mask, (0, 0, 9))[:, :, 2].tolist()
    [[0, 0, 0, 0, 0], [0, 9, 9, 9, 0], [0, 9, 0, 9, 0], [0, 9, 9, 9, 0], [0, 0, 0, 0, 0]]
    """
    contours, _ = cv2.findContours(mask_at(mask, tile), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(tile.copy(), contours, -1, colour, 1), np.uint8)


def tinted(
    tile: Pixels, share: NDArray[np.floating], cover: NDArray[np.floating], rest: NDArray[np.floating]
) -> Pixels:
    """Mix a tile with the colours of a label.

    Parameters
    ----------
    tile : (h, w, 3) uint8 array
    share : (h, w) array in [0, 1]
        The label, as a share of the upper end of its colour bar.
    cover, rest : (h, w) arrays
        Weights of the colours and the tile; their sum is at most 1.

    Returns
    -------
    (h, w, 3) uint8 array

    Examples
    --------
    >>> share, tile = np.array([[0.0, 1.0]]), np.full((1, 2, 3), 100, np.uint8)
    >>> tinted(tile, share, share, 1 - share).tolist()
    [[[100, 100, 100], [122, 4, 3]]]
    """
    return (rest[:, :, np.newaxis] * tile + cover[:, :, np.newaxis] * colours(share)).astype(np.uint8)


def bar_top(label: type[LabelFacts], values: Iterable[NDArray[np.floating]]) -> float:
    """Upper end of a label's colour bar: the label's maximum, or, if it has a unit, the largest value shown."""
    if label.unit is None:
        return label.maximum
    return max((float(each.max()) for each in values), default=0.0) or 1.0


def label_bar(label: type[LabelFacts], values: Iterable[NDArray[np.floating]]) -> ColourBar:
    """Colour bar of the only label on a page, which shows `values`.

    Examples
    --------
    >>> from nsa_augment.labelling import LABELS
    >>> label_bar(LABELS["binary"], []), label_bar(LABELS["continuous"], [np.array([[3.0, 7.5]])])
    (ColourBar(name='binary label', top=1.0), ColourBar(name='change in grey levels', top=7.5))
    """
    name = f"{label.name} label" if label.unit is None else f"change in {label.unit}"
    return ColourBar(name, bar_top(label, values))
