"""Outlines of any shape, given by their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar

import cv2
import numpy as np

from nsa_augment._shared.checks import check_integer, fail, set_field
from nsa_augment._shared.resizing import resize
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.planning.outlines.base import Outline

Kind = TypeVar("Kind", bound="Bitmap")

MAX_PIXELS = 2**28


@dataclass(frozen=True)
class Bitmap(Outline):
    """An outline given by its pixels.

    Parameters
    ----------
    height, width : int
        Size in pixels.
    runs : tuple of int
        Numbers of pixels alternately outside and inside, row by row; the first (outside) may be 0.

    Examples
    --------
    >>> Bitmap(2, 3, (1, 3, 2)).mask((2, 3)).tolist()
    [[0, 1, 1], [1, 0, 0]]
    """

    height: int
    width: int
    runs: tuple[int, ...]

    name: ClassVar[str] = "bitmap"
    drawable: ClassVar[bool] = False
    scalable: ClassVar[bool] = True
    least_share: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            set_field(self, name, check_integer(f"{name} of bitmap", getattr(self, name), 1, MAX_PIXELS))
        accepted = f"numbers of pixels >= 0 that add up to {self.height} x {self.width}, at most {MAX_PIXELS}"
        if not isinstance(self.runs, (list, tuple)):
            raise fail(TypeError, "runs of bitmap", accepted, self.runs)
        runs = tuple(check_integer("every number of runs of bitmap", run, 0) for run in self.runs)
        if not sum(runs) == self.height * self.width <= MAX_PIXELS:
            raise fail(ValueError, "runs of bitmap", accepted, self.runs)
        set_field(self, "runs", runs)

    @classmethod
    def of(cls: type[Kind], mask: BinaryMap) -> Kind:
        """The outline of a map of 0 and 1."""
        flat = mask.ravel()
        edges = np.flatnonzero(np.diff(flat, prepend=0, append=1 - flat[-1]))
        return cls(mask.shape[0], mask.shape[1], tuple(np.diff(edges, prepend=0).tolist()))

    def mask(self, size: Size) -> BinaryMap:
        """(height, width) uint8 map, 1 inside the outline; after resizing, where it covers at least half a pixel."""
        values = np.arange(len(self.runs), dtype=np.uint8) & 1
        whole = np.repeat(values, self.runs).reshape(self.height, self.width)
        if whole.shape == size:
            return whole
        shrinks = size[0] <= self.height and size[1] <= self.width
        flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        shares = resize(whole.astype(np.float32)[:, :, np.newaxis], size, flags)[:, :, 0]
        return np.asarray(shares >= (self.least_share if shrinks else 0.5)).view(np.uint8)


@dataclass(frozen=True)
class FineBitmap(Bitmap):
    """A bitmap that stays visible and labelled where it is thin. Parameters are those of `Bitmap`."""

    name: ClassVar[str] = "fine_bitmap"
    fine: ClassVar[bool] = True
    least_share: ClassVar[float] = 0.1
