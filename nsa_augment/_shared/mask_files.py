"""Masks in files with the names of the images, or in the alpha channels of the images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import fail
from nsa_augment._shared.images import list_images, read_alpha, read_image
from nsa_augment._shared.types import Image, Size
from nsa_augment._shared.wording import counted

ALPHA = "alpha"
OPAQUE = 128
"""Least alpha of object pixels."""
LISTED = 3
"""Most images without a mask that an error lists."""


Masks: TypeAlias = Sequence[NDArray[Any]] | str | os.PathLike[str]
"""Masks of images: an array per image, a folder, or "alpha"."""


class Images(Protocol):
    """Images, or their files, by index."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


class MaskFiles:
    """Masks of image files.

    Parameters
    ----------
    name : str
        Name of the argument, for messages.
    where : path-like or "alpha"
        A folder with a mask for each image, of the same name up to the suffix (pixels > 0 count); or "alpha": the
        alpha channel of the image (at least half opaque counts).
    images : sequence
        The image files.

    Raises
    ------
    ValueError
        If the folder is missing or lacks the mask of an image, if several masks or several images share a name, or if
        images are not files.
    """

    def __init__(self, name: str, where: str | os.PathLike[str], images: Sequence[Any]) -> None:
        if not all(isinstance(image, (str, os.PathLike)) for image in images):
            raise fail(ValueError, name, "masks as arrays unless images is a folder or a list of image files", where)
        self._name = name
        self._folder = None if where == ALPHA else Path(where)
        self._files: dict[str, Path] = {}
        if self._folder is None:
            return
        self._files = self._by_stem(list_images(self._folder), "one mask for each image")
        known = self._by_stem(dict.fromkeys(Path(image) for image in images), "masks for images of different names")
        if missing := [path.name for stem, path in known.items() if stem not in self._files]:
            names = ", ".join(missing[:LISTED]) + (", ..." if len(missing) > LISTED else "")
            raise ValueError(f"{name} has no mask for {names} of {counted(len(known), 'image')}: {self._folder}")

    def file_of(self, image: str | os.PathLike[str]) -> Path | None:
        """The file with the mask of an image file; None for its alpha channel."""
        return None if self._folder is None else self._files[Path(image).stem]

    def read(self, image: str | os.PathLike[str], size: Size) -> NDArray[np.bool_]:
        """(H, W) mask of an image file of `size`."""
        return read_mask(self._name, image, self.file_of(image), size)

    def _by_stem(self, paths: Sequence[Path] | dict[Path, None], accepted: str) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for path in paths:
            if path.stem in files:
                raise fail(ValueError, self._name, f"a folder with {accepted}", [str(files[path.stem]), str(path)])
            files[path.stem] = path
        return files


def read_mask(name: str, image: str | os.PathLike[str], file: Path | None, size: Size) -> NDArray[np.bool_]:
    """(H, W) mask of an image file of `size`, from a file or (None) from its alpha channel.

    Raises
    ------
    ValueError
        If the image has no alpha channel, or the mask another size. The message starts with `name`.
    """
    if file is None:
        alpha = read_alpha(image)
        if alpha is None:
            raise ValueError(f"{name}={ALPHA!r} needs images with an alpha channel, {image} has none")
        return alpha >= OPAQUE
    mask = read_image(file, grey=True, deep=True) > 0
    if mask.shape != size:
        raise ValueError(f"{name} must be of the image's {size[0]} x {size[1]} pixels, {file} has {mask.shape}")
    return mask


def check_masks(name: str, masks: Masks | None, images: Images) -> Sequence[NDArray[Any]] | MaskFiles | None:
    """Masks for `mask_of`; an error unless there is one for each image."""
    if isinstance(masks, (str, os.PathLike)):
        return MaskFiles(name, masks, images if isinstance(images, Sequence) else [images])
    if masks is not None and len(masks) != len(images):
        raise fail(ValueError, name, f"one mask for each image ({len(images)})", len(masks))
    return masks


def mask_of(
    masks: Sequence[NDArray[Any]] | MaskFiles | None, images: Images, index: int, image: Image
) -> NDArray[Any] | None:
    """Mask of an image with pixels `image`; None without masks."""
    if isinstance(masks, MaskFiles):
        return masks.read(images[index], (image.shape[0], image.shape[1]))
    return None if masks is None else masks[index]
