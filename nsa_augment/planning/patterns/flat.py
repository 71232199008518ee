"""Patterns without structure: one colour, or random pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nsa_augment._shared.checks import check_number, fail, set_field
from nsa_augment._shared.types import Image
from nsa_augment.planning.patterns.base import Material, Pattern, SeededPattern, uniform


@dataclass(frozen=True)
class Constant(Pattern):
    """One colour.

    Parameters
    ----------
    levels : tuple of float in [0, 255]
        One grey level for all channels, or one for each.

    Examples
    --------
    >>> image = np.zeros((4, 4, 3), np.uint8)
    >>> Constant((10, 20, 30)).pixels(Material(image, image, (1, 1))).tolist()
    [[[10, 20, 30]]]
    """

    levels: tuple[float, ...]

    name: ClassVar[str] = "constant"

    def __post_init__(self) -> None:
        accepted = "a non-empty sequence of grey levels in [0, 255]"
        if not isinstance(self.levels, (list, tuple)) or not self.levels:
            raise fail(TypeError if self.levels else ValueError, "levels", accepted, self.levels)
        set_field(self, "levels", tuple(check_number("levels", level, 0, 255) for level in self.levels))

    def pixels(self, material: Material) -> Image:
        """The colour everywhere."""
        if len(self.levels) not in (1, material.channels):
            accepted = f"one grey level, or one for each channel of the image ({material.channels})"
            raise fail(ValueError, "levels", accepted, self.levels)
        return material.pixels(np.broadcast_to(np.array(self.levels), (*material.size, material.channels)))


@dataclass(frozen=True)
class Mean(Pattern):
    """The mean of the image for each channel.

    Examples
    --------
    >>> image = np.arange(16, dtype=np.float32).reshape(4, 4, 1) / 16
    >>> Mean().pixels(Material(image, image, (1, 1))).item(), image.mean().item()
    (0.46875, 0.46875)
    """

    name: ClassVar[str] = "mean"

    def pixels(self, material: Material) -> Image:
        """The mean everywhere."""
        mean = material.image.mean(axis=0, dtype=np.float64).mean(axis=0)
        dtype = material.image.dtype
        mean = np.asarray(np.rint(mean) if dtype.kind == "u" else mean, dtype)
        return np.ascontiguousarray(np.broadcast_to(mean, (*material.size, material.channels)))


@dataclass(frozen=True)
class Static(SeededPattern):
    """Random pixels, uniform on the grey levels in every channel, hashed from a seed.

    Examples
    --------
    >>> image = np.zeros((4, 4), np.uint8)[:, :, np.newaxis]
    >>> Static(1).pixels(Material(image, image, (1, 3))).ravel().tolist()
    [195, 32, 179]
    """

    name: ClassVar[str] = "static"

    def pixels(self, material: Material) -> Image:
        """Random pixels; whole grey levels for 8-bit images."""
        return material.pixels(255 * uniform(self.seed, *material.size, material.channels))
