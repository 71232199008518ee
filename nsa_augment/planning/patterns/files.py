"""Patterns from image files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from nsa_augment._shared.boxes import Box, check_box
from nsa_augment._shared.cache import BoundedCache
from nsa_augment._shared.checks import fail, set_field
from nsa_augment._shared.images import read_image
from nsa_augment._shared.resizing import resize
from nsa_augment._shared.types import Image
from nsa_augment.planning.patterns.base import Material, Pattern

CACHE_MIB = 128
_FILES = BoundedCache(CACHE_MIB * 2**20)


@dataclass(frozen=True)
class TextureFile(Pattern):
    """An image file, resized to the patch.

    Parameters
    ----------
    path : str
        Of the file, as seen from where the plan is applied.
    """

    path: str

    name: ClassVar[str] = "file"

    def __post_init__(self) -> None:
        if not isinstance(self.path, str) or not self.path:
            raise fail(TypeError, "path of texture", "the path of an image file", self.path)

    def pixels(self, material: Material) -> Image:
        """The file in 8 bits; grey for images of one channel, else with its colours repeated over the channels."""
        grey = material.channels == 1
        pixels = self._part(_FILES.get((self.path, grey), lambda: _read(self.path, grey)))
        shrinks = all(given >= side for given, side in zip(pixels.shape, material.size, strict=False))
        pixels = resize(pixels, material.size, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        pixels = pixels[:, :, np.arange(material.channels) % pixels.shape[2]]
        return material.scale.as_dtype(np.ascontiguousarray(pixels), material.image.dtype, 255)

    def _part(self, pixels: Image) -> Image:
        return pixels


@dataclass(frozen=True)
class DefectFile(TextureFile):
    """A part of an image file, resized to the patch.

    Parameters
    ----------
    path : str
        Of the file, as seen from where the plan is applied.
    box : (y0, x0, y1, x1)
        Half-open, in pixels of the file.
    """

    box: tuple[int, int, int, int]

    name: ClassVar[str] = "defect"

    def __post_init__(self) -> None:
        super().__post_init__()
        set_field(self, "box", check_box("box of defect", self.box))

    def _part(self, pixels: Image) -> Image:
        whole = Box(0, 0, *pixels.shape[:2])
        if not whole.contains(Box(*self.box)):
            raise fail(ValueError, f"box in {self.path}", f"inside its {whole.y1} x {whole.x1} pixels", self.box)
        return Box(*self.box).of(pixels)


def _read(path: str, grey: bool) -> tuple[Image, int]:
    if not Path(path).is_file():  # a plan from elsewhere may name a device, which never ends
        raise ValueError(f"cannot read image file {path}: no such file")
    pixels = read_image(path, grey=grey)
    return pixels.reshape(*pixels.shape[:2], -1), pixels.nbytes
