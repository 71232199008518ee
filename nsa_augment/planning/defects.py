"""Real defects in image files with masks: listed from a folder, and separated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.cache import BoundedCache
from nsa_augment._shared.checks import fail
from nsa_augment._shared.images import list_images, read_image
from nsa_augment._shared.types import BinaryMap, Size

LAYOUTS = (("test", "ground_truth"), ("images", "masks"))
"""Folders of images and of masks: MVTec AD's, and plain ones."""
ENDING = "_mask"
LEAST_PIXELS = 9
"""Pixels of the smallest spot of a mask that counts as a defect."""
LISTED = 3
CACHE_MIB = 64
_PARTS = BoundedCache(CACHE_MIB * 2**20)


class DefectImage(NamedTuple):
    """Files of an image of defects and of its mask (pixels > 0), equal in size."""

    image: Path
    mask: Path


class Defect(NamedTuple):
    """One defect: its box in the image, the part of the mask inside, and the size of the image."""

    box: Box
    mask: BinaryMap
    image_size: Size


def list_defects(bank: str | os.PathLike[str]) -> tuple[DefectImage, ...]:
    """The images of a bank of defects that have masks, with their masks, sorted by path.

    Parameters
    ----------
    bank : path-like
        A folder with MVTec AD's layout (``test/TYPE/000.png`` and ``ground_truth/TYPE/000_mask.png``), or one with the
        folders ``images`` and ``masks``, whose files have the same names, those of masks optionally with ``_mask``.

    Raises
    ------
    TypeError, ValueError
        If the folder has neither layout, or a mask has no image.
    """
    accepted = f"a folder that holds {' or '.join(f'{images}/ and {masks}/' for images, masks in LAYOUTS)}"
    if not isinstance(bank, (str, os.PathLike)):
        raise fail(TypeError, "bank", accepted, bank)
    folder = Path(bank)
    found = [(folder / images, folder / masks) for images, masks in LAYOUTS if (folder / masks).is_dir()]
    if not found:
        raise fail(ValueError, "bank", accepted, str(bank))
    images_in, masks_in = found[0]
    images = {_key(file, images_in): file for file in list_images(images_in, recursive=True)}
    masks = {_key(file, masks_in).removesuffix(ENDING): file for file in list_images(masks_in, recursive=True)}
    if missing := [file.name for key, file in masks.items() if key not in images]:
        names = ", ".join(missing[:LISTED]) + (", ..." if len(missing) > LISTED else "")
        raise ValueError(f"bank must have an image for every mask, got none in {images_in} for {names}")
    return tuple(DefectImage(images[key], masks[key]) for key in sorted(masks))


def defects_of(pair: DefectImage, margin: int = 0) -> tuple[Defect, ...]:
    """The separate spots of a mask of at least 9 pixels; if all are smaller, the largest ones.

    Parameters
    ----------
    pair : DefectImage
    margin : int
        Pixels by which the box of each spot is extended, within the image.

    Raises
    ------
    ValueError
        If the mask is empty or differs in size from the image; the message names the files.
    """

    def make() -> tuple[tuple[Defect, ...], int]:
        mask = (read_image(pair.mask, grey=True, deep=True) > 0).view(np.uint8)
        size = mask.shape[0], mask.shape[1]
        if (shape := read_image(pair.image).shape[:2]) != size:
            raise ValueError(f"masks of bank must be as large as images: {pair.mask} is {size}, {pair.image} {shape}")
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        if len(stats) == 1:
            raise ValueError(f"masks of bank must show a defect: {pair.mask} has no pixel > 0")
        least = min(LEAST_PIXELS, stats[1:, cv2.CC_STAT_AREA].max())
        defects = []
        for number, (x, y, width, height, area) in enumerate(stats[1:].tolist(), 1):
            if area >= least:
                box = Box(y, x, y + height, x + width).grown(margin, size)
                defects.append(Defect(box, (box.of(labels) == number).view(np.uint8), size))
        return tuple(defects), sum(defect.mask.nbytes for defect in defects)

    parts: tuple[Defect, ...] = _PARTS.get((pair, margin), make)
    return parts


def _key(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()
