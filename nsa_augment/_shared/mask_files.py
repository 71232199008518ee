"""Masks that lie in files: beside the images under the same names, or in their alpha channels."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import fail
from nsa_augment._shared.images import list_images, read_image
from nsa_augment._shared.types import Size

ALPHA = "alpha"
OPAQUE = 128
"""Alpha from which a pixel counts."""


class MaskFiles:
    """Masks of image files.

    Parameters
    ----------
    name : str
        Of the argument, for messages.
    where : path-like or "alpha"
        A folder with one mask for each image, under the same name but for the suffix (pixels > 0 count); or "alpha":
        the alpha channel of the image (at least half opaque counts).

    Raises
    ------
    ValueError
        If the folder is missing, is empty, or holds several masks under one name.
    """

    def __init__(self, name: str, where: str | os.PathLike[str]) -> None:
        self._name = name
        self._folder = None if where == ALPHA else Path(where)
        self._files: dict[str, Path] = {}
        for path in [] if self._folder is None else list_images(self._folder):
            if path.stem in self._files:
                raise fail(ValueError, name, "a folder with one mask for each image", [self._files[path.stem], path])
            self._files[path.stem] = path

    def read(self, image: str | os.PathLike[str], size: Size) -> NDArray[np.bool_]:
        """(H, W) mask of an image file of `size`; ValueError names a file whose mask is missing or of another size."""
        image = Path(image)
        if self._folder is None:
            return self._read_alpha(image)
        if image.stem not in self._files:
            raise ValueError(f"{self._name} has no mask for {image.name}: no {image.stem}.* in {self._folder}")
        mask = read_image(self._files[image.stem], grey=True, deep=True) > 0
        if mask.shape != size:
            accepted = f"of the image's {size[0]} x {size[1]} pixels"
            raise ValueError(f"{self._name} must be {accepted}, {self._files[image.stem]} has {mask.shape}")
        return mask

    def _read_alpha(self, image: Path) -> NDArray[np.bool_]:
        from PIL import Image, ImageOps

        try:
            with Image.open(image) as opened:
                pixels = ImageOps.exif_transpose(opened)
                if not pixels.has_transparency_data:
                    raise ValueError(f"{self._name}={ALPHA!r} needs images with an alpha channel, {image} has none")
                return np.asarray(pixels.convert("RGBA").getchannel("A")) >= OPAQUE
        except OSError as error:
            raise ValueError(f"cannot read image file {image}: {error}") from error
