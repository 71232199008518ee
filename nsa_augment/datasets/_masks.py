"""Masks of the normal images: their description in a recipe, and their pixels."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import BoundedCache
from nsa_augment._shared.checks import fail
from nsa_augment._shared.images import SUBFOLDERS, read_image
from nsa_augment._shared.mask_files import ALPHA, MaskFiles, read_mask
from nsa_augment._shared.soundness import LISTED, on_every_file
from nsa_augment._shared.types import Size
from nsa_augment._shared.wording import counted
from nsa_augment.datasets._fields import MASK_FILES, MASK_FOLDER, MASKS
from nsa_augment.datasets._folder import digest, read_bytes

CACHE_MIB = 64


def describe_masks(
    name: str, where: str | os.PathLike[str], folder: Path, images: Mapping[str, str], known: Collection[str]
) -> dict[str, Any]:
    """The description of masks in a recipe.

    Parameters
    ----------
    name : str
        Name of the argument, for messages.
    where : path-like or "alpha"
    folder : Path
        Folder of the images.
    images : mapping
        SHA-256 of the images by name.
    known : collection of str
        SHA-256 of images and masks that were compared before.

    Raises
    ------
    ValueError
        If masks are missing, damaged, or of another size than their images: one error lists all of a kind.
    """
    paths = [folder / image for image in images]
    files = MaskFiles(name, where, paths)
    place = Path(where).parent if Path(where).name == SUBFOLDERS else Path(where)

    def examine(image: Path) -> tuple[list[str], str | None]:
        """Name and digest of the mask's file, if it has one, and what is wrong with the mask."""
        file, needed = files.file_of(image), {images[image.relative_to(folder).as_posix()]}
        described: list[str] = []
        try:
            if file is not None:
                described = [file.relative_to(place).as_posix(), digest(read_bytes(file))]
            if not needed.union(described[1:]).issubset(known):
                files.read(image, read_image(image, deep=True).shape[:2])
        except ValueError as error:
            return described, str(error)
        return described, None

    examined = on_every_file(examine, paths)
    if wrong := [reason for _, reason in examined if reason is not None]:
        more = f"; and {len(wrong) - LISTED} more" if len(wrong) > LISTED else ""
        listed = "; ".join(wrong[:LISTED])
        raise ValueError(f"{len(wrong)} of {counted(len(images), 'mask')} cannot be used: {listed}{more}")
    described = {image: each for image, (each, _) in zip(images, examined, strict=True) if each}
    return {MASK_FOLDER: ALPHA if where == ALPHA else os.path.abspath(place), MASK_FILES: described}


def mask_folders(masks: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Where the masks of a recipe are, by argument."""
    return {name: described[MASK_FOLDER] for name, described in masks.items()}


def mask_digests(masks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """SHA-256 of all files with masks of a recipe."""
    return [found for described in masks.values() for _, found in described[MASK_FILES].values()]


def moved_masks(masks: Mapping[str, Mapping[str, Any]], places: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The masks of a recipe in other folders; ValueError if it has none there."""
    for name, place in places.items():
        was = masks[name][MASK_FOLDER] if name in masks else None
        if was in (None, ALPHA) and place != was:
            raise fail(ValueError, name, f"left out, as the dataset was made with {name}={was!r}", place)
    return {
        name: {**described, MASK_FOLDER: places.get(name, described[MASK_FOLDER])} for name, described in masks.items()
    }


def compared_masks(masks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The facts about masks in which recipes must agree; the path of a folder does not count."""
    compared: dict[str, Any] = dict.fromkeys(MASKS)
    for name, described in masks.items():
        compared[name] = ALPHA if described[MASK_FOLDER] == ALPHA else MASK_FOLDER
        compared |= {f"{name} file {file}": found[:12] for file, found in described[MASK_FILES].values()}
    return compared


class RecordedMasks:
    """Masks as described by a recipe, with a cache.

    Parameters
    ----------
    name : str
        Name of the argument, for messages.
    described : mapping
        What `describe_masks` returned.
    folder : Path
        Folder of the images.
    """

    def __init__(self, name: str, described: Mapping[str, Any], folder: Path) -> None:
        self._name, self._images = name, folder
        self._folder: str = described[MASK_FOLDER]
        self._files: Mapping[str, list[str]] = described[MASK_FILES]
        self._masks = BoundedCache(CACHE_MIB * 2**20)

    def read(self, image: Path, size: Size) -> NDArray[np.bool_]:
        """(H, W) mask of an image file of `size`; ValueError if its file has changed."""

        def make() -> tuple[NDArray[np.bool_], int]:
            mask = read_mask(self._name, image, self.file_of(image), size)
            return mask, mask.nbytes

        mask: NDArray[np.bool_] = self._masks.get(image, make)
        return mask

    def file_of(self, image: Path) -> Path | None:
        """The file with the mask of an image file; None for its alpha channel."""
        if self._folder == ALPHA:
            return None
        name = image.relative_to(self._images).as_posix()
        if name not in self._files:
            raise ValueError(f"{self._name} of the recipe lacks the mask of {name}")
        file = Path(self._folder) / self._files[name][0]
        if digest(read_bytes(file)) != self._files[name][1]:
            raise ValueError(f"mask file {file} has changed since the dataset was begun")
        return file
