"""The parts of a dataset, its normal images, and the windows of large images it is made from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nsa_augment._shared.checks import check_integer, check_names, check_number, fail
from nsa_augment._shared.types import Image

Window = tuple[int, int, int, int]
"""Top, left, bottom and right of a part of an image, in pixels."""

PARTS = ("train", "val")
LEAST = 2
"""Least normal images per part: an anomaly is made from an image and another one as its source."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a dataset; the defaults are those of datasets of edition 1.

    Parameters
    ----------
    split : float
        Share of the items and of the normal images for validation; 0: no parts.
    backgrounds : int
        Number of normal images among the items.
    tile, crop : (height, width), optional
        Size of the windows that items are made from: on a grid, or anywhere.
    overlap : int
        Overlap of neighbouring tiles in pixels.
    category : str
        Name of the product's folder in layout mvtec.

    Examples
    --------
    >>> Options(split=0.25).place_of(3), Options(split=0.25).place_of(4)
    ((1, 0), (0, 3))
    >>> Options(tile=(64, 64), overlap=16).grid((128, 100))
    [(0, 0, 64, 64), (0, 36, 64, 100), (48, 0, 112, 64), (48, 36, 112, 100), (64, 0, 128, 64), (64, 36, 128, 100)]
    """

    split: float = 0.0
    backgrounds: int = 0
    tile: tuple[int, int] | None = None
    overlap: int = 0
    crop: tuple[int, int] | None = None
    category: str = "product"

    def __post_init__(self) -> None:
        check_number("split", self.split, 0, 0.9)
        check_integer("backgrounds", self.backgrounds, 0)
        for name in ("tile", "crop"):
            object.__setattr__(self, name, _size(name, getattr(self, name)))
        if self.tile and self.crop:
            raise fail(ValueError, "crop", "None with tile", self.crop)
        check_integer("overlap", self.overlap, 0)
        if self.overlap and self.overlap >= min(self.tile or (0,)):
            raise fail(ValueError, "overlap", "smaller than both sides of tile", self.overlap)
        if not isinstance(self.category, str) or not re.fullmatch(r"[\w-][\w.-]*", self.category):
            raise fail(ValueError, "category", "a name of letters, digits, '_', '-' and '.'", self.category)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Options:
        """Inverse of `plain`; errors name the argument."""
        check_names("options", plain, tuple(asdict(cls())))
        return cls(**plain)

    def plain(self) -> dict[str, Any]:
        """All options as plain JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def place_of(self, index: int) -> tuple[int, int]:
        """Part of item `index`, 0 or 1 (validation, spread evenly), and its position there."""
        before, after = int(index * self.split), int((index + 1) * self.split)
        return (1, before) if after > before else (0, index - before)

    def parted(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Normal images of both parts; those for validation are spread evenly over the names."""
        if len(names) < 2 * LEAST:
            message = f"split needs at least {2 * LEAST} normal images, {LEAST} in each part"
            raise ValueError(f"{message}, got {len(names)}")
        size = min(max(round(len(names) * self.split), LEAST), len(names) - LEAST)
        chosen = {names[position * len(names) // size] for position in range(size)}
        return dict(zip(PARTS, ([n for n in names if n not in chosen], [n for n in names if n in chosen]), strict=True))

    @property
    def window(self) -> tuple[int, int] | None:
        """Height and width of windows; None: whole images."""
        return self.tile or self.crop

    def grid(self, shape: Sequence[int]) -> list[Window]:
        """All tiles of an image; they cover it, the last ones ending at its border."""
        if self.tile is None:
            return []
        height, width = self.tile
        tops, lefts = (_starts(*pair, self.overlap) for pair in zip(shape, self.tile, strict=True))
        return [(top, left, top + height, left + width) for top in tops for left in lefts]

    def draw_window(self, shape: Sequence[int], rng: np.random.Generator) -> Window | None:
        """A tile or a crop of an image; None: the whole image."""
        if self.tile is not None:
            tiles = self.grid(shape)
            return tiles[int(rng.integers(len(tiles)))]
        if self.crop is None:
            return None
        top, left = (int(rng.integers(length - size + 1)) for length, size in zip(shape, self.crop, strict=True))
        return top, left, top + self.crop[0], left + self.crop[1]


def part_of(image: Image, window: Window | None) -> Image:
    """The pixels of a window; None: the image itself."""
    if window is None:
        return image
    top, left, bottom, right = window
    return np.ascontiguousarray(image[top:bottom, left:right])


def moved_inside(window: Window | None, size: Sequence[int]) -> Window | None:
    """The window, moved to lie within an image of another size."""
    if window is None:
        return None
    up, across = (max(0, end - length) for end, length in zip(window[2:], size, strict=True))
    return window[0] - up, window[1] - across, window[2] - up, window[3] - across


def _starts(length: int, size: int, overlap: int) -> list[int]:
    return [*range(0, length - size, size - overlap), length - size]


def _size(name: str, value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise fail(ValueError, name, "None or (height, width)", value)
    height, width = (check_integer(name, side, 8) for side in value)
    return height, width
