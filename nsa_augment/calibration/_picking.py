"""The images that a calibration uses: evenly spaced, as grey levels, at one moderate size."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import channels, check_object_mask, fail
from nsa_augment._shared.images import check_values, list_images, read_image
from nsa_augment._shared.mask_files import Masks, check_masks, mask_of
from nsa_augment._shared.resizing import resize
from nsa_augment._shared.scale import BY_DTYPE, Scale
from nsa_augment._shared.soundness import file_sliver_note, sliver_note
from nsa_augment._shared.types import BinaryMap, Image, Size
from nsa_augment._shared.wording import counted

Images: TypeAlias = str | os.PathLike[str] | Iterable[Image] | Iterable[str | os.PathLike[str]]

WORKING_PIXELS = 256 * 256
"""Larger images are shrunk to this area, the image size of the paper."""
LEAST_CONTRAST = 1.0
"""Grey levels; images whose pixels deviate less from their mean are blank."""
_ACCEPTED = "a folder, or a list of image files or of arrays, with at least one image"


@dataclass(frozen=True)
class PickedImages:
    """Some of the images, at working size.

    Parameters
    ----------
    images : (N, h, w, C) uint8 array
        Grey levels 0..255, whatever the dtype of the images.
    given : int
        Number of images to pick from.
    shape : (height, width)
        The size of most of them, in pixels.
    resized : int
        Number of picked images of another size, which were scaled and cropped to it.
    sliver : str, optional
        Note that 16-bit images use only a part of their range.
    masks : (N, h, w) uint8 array, optional
        Object masks, none of them empty.
    objectless : int
        Number of picked images that were dropped because their masks are empty.
    """

    images: NDArray[np.uint8]
    given: int
    shape: Size
    resized: int
    sliver: str | None
    masks: BinaryMap | None = None
    objectless: int = 0


def pick_images(
    images: Images,
    max_images: int,
    scale: Scale = BY_DTYPE,
    recursive: bool = False,
    object_masks: Masks | None = None,
) -> PickedImages:
    """Pick evenly spaced images and convert them to grey levels of one size.

    Parameters
    ----------
    images : folder, sequence of paths, or sequence of (H, W) or (H, W, C) arrays
    max_images : int
        Maximum number of images.
    scale : Scale
        The value that stands for grey level 255.
    recursive : bool
        Whether to read the subfolders of a folder, too.
    object_masks : sequence of arrays, folder or "alpha", optional
        Masks of the images.

    Raises
    ------
    TypeError, ValueError
        If there are no images, if one cannot be read or differs from the others in dtype or channels, or if all
        of them are blank.

    Examples
    --------
    >>> stack = np.random.default_rng(0).integers(0, 256, (100, 512, 512), dtype=np.uint8)
    >>> pick_images(stack, 10).images.shape
    (10, 256, 256, 1)
    """
    entries = _entries(images, recursive)
    given = check_masks("object_masks", object_masks, entries)
    picked = np.unique(np.linspace(0, len(entries) - 1, max_images).round().astype(int)).tolist()
    arrays = [_array(f"images[{index}]", entries[index], scale) for index in picked]
    for index, array in zip(picked, arrays, strict=True):
        if array.dtype != arrays[0].dtype or channels(array) != channels(arrays[0]):
            depth = counted(channels(arrays[0]), "channel")
            accepted = f"of dtype {arrays[0].dtype} with {depth}, as images[{picked[0]}]"
            raise fail(ValueError, f"images[{index}]", accepted, array)
    shapes = Counter((array.shape[0], array.shape[1]) for array in arrays)
    shape = shapes.most_common(1)[0][0]
    levels = np.stack([_grey_levels(array, shape, scale) for array in arrays])
    sliver = _sliver([entries[index] for index in picked], arrays, scale)
    if levels.std(axis=(1, 2)).max() < LEAST_CONTRAST:
        accepted, hint = "images with contrast", "" if sliver is None else f"; {sliver}"
        raise ValueError(f"images must be {accepted}, got {len(levels)} of one grey level, {levels.mean():.0f}{hint}")
    resized = len(arrays) - shapes[shape]
    if given is None:
        return PickedImages(levels, len(entries), shape, resized, sliver)
    masks = np.stack(
        [
            _object_mask(mask_of(given, entries, index, array), array, levels.shape[1:3])
            for index, array in zip(picked, arrays, strict=True)
        ]
    )
    kept = np.asarray(masks.any(axis=(1, 2)))
    if not kept.any():
        raise ValueError(f"object_masks must show an object, got {counted(len(masks), 'empty mask')}")
    objectless = len(masks) - int(np.count_nonzero(kept))
    return PickedImages(levels[kept], len(entries), shape, resized, sliver, masks[kept], objectless)


def _sliver(entries: list[Any], arrays: list[Image], scale: Scale) -> str | None:
    """Note that 16-bit arrays or files use only a part of their range; None if they do not."""
    if scale != BY_DTYPE:
        return None
    if all(isinstance(entry, (str, os.PathLike)) for entry in entries):
        return file_sliver_note([Path(entry) for entry in entries])
    return sliver_note(int(array.max()) for array in arrays) if arrays[0].dtype == np.uint16 else None


def _entries(images: Any, recursive: bool) -> list[Any]:
    if isinstance(images, (str, os.PathLike)):
        return list(list_images(images, recursive=recursive))
    if recursive:
        raise fail(ValueError, "recursive", "False unless images is a folder", recursive)
    if isinstance(images, bytes) or not isinstance(images, Iterable):
        raise fail(TypeError, "images", _ACCEPTED, images)
    entries = list(images)
    if not entries:
        raise fail(ValueError, "images", _ACCEPTED, images)
    return entries


def _array(name: str, entry: Any, scale: Scale) -> Image:
    if not isinstance(entry, (str, os.PathLike)):
        scale.check_image(name, entry)
        return entry  # type: ignore[no-any-return]
    array = read_image(entry, deep=scale != BY_DTYPE, scale=scale)
    check_values(entry, array, scale)
    return array


def _grey_levels(image: Image, shape: Size, scale: Scale) -> NDArray[np.uint8]:
    """Grey levels, (h, w, C), at the working size of images of `shape`."""
    share = min(math.sqrt(WORKING_PIXELS / (shape[0] * shape[1])), 1.0)
    working = max(round(shape[0] * share), 1), max(round(shape[1] * share), 1)
    cube = image.reshape(*image.shape[:2], -1)
    cube = scale.grey_levels(cube)
    shrinks = cube.shape[0] >= working[0] and cube.shape[1] >= working[1]
    return _covering(cube, working, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _object_mask(mask: Any, image: Image, working: tuple[int, ...]) -> BinaryMap:
    checked = check_object_mask("object_masks", mask, (image.shape[0], image.shape[1]))
    return _covering(checked[:, :, np.newaxis], working, cv2.INTER_NEAREST)[:, :, 0]


def _covering(cube: NDArray[np.uint8], size: tuple[int, ...], interpolation: int) -> NDArray[np.uint8]:
    """An (H, W, C) image scaled to cover a size, keeping its aspect ratio, and cropped to its middle."""
    height, width = cube.shape[:2]
    factor = max(size[0] / height, size[1] / width)
    covering = max(round(height * factor), size[0]), max(round(width * factor), size[1])
    scaled = cube if covering == (height, width) else np.asarray(resize(cube, covering, interpolation), np.uint8)
    top, left = (covering[0] - size[0]) // 2, (covering[1] - size[1]) // 2
    return scaled[top : top + size[0], left : left + size[1]]
