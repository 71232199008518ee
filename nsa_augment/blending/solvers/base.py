"""Base class of all solvers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.registry import Registry
from nsa_augment._shared.scale import IMAGE_DTYPES, Scale
from nsa_augment._shared.types import BinaryMap, Gradient, Image
from nsa_augment.blending.uncut import UncutPatch

SOLVERS: Registry[Solver] = Registry("solvers")
"""The solvers by name."""


class Solver(ABC):
    """A way to solve the equation of Poisson blending. A subclass with a `name` registers itself; it has no instances.

    Attributes
    ----------
    name : str
        The value of `solver=` that selects it.
    dtypes : tuple of numpy.dtype
        Dtypes of images that it accepts.
    takes_uncut : bool
        Whether it has `clone_uncut`.
    """

    name: ClassVar[str]
    dtypes: ClassVar[tuple[np.dtype[Any], ...]] = IMAGE_DTYPES
    takes_uncut: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if {"precision", "clone"} & vars(cls).keys() and "clone_uncut" not in vars(cls):
            cls.takes_uncut = False
        SOLVERS.register(cls)

    @classmethod
    def check_scale(cls, scale: Scale) -> None:
        """Raise ValueError if it does not support images with this scale."""
        return

    @classmethod
    def precision(cls, pixels: Image) -> Image:
        """Source pixels in the dtype in which it works."""
        return pixels

    @staticmethod
    @abstractmethod
    def clone(canvas: Image, source: Image, mask: BinaryMap, gradient: Gradient, max_value: float) -> None:
        """Blend `source` into `canvas` in place.

        Parameters
        ----------
        canvas : (h, w, C) array
            Changed in place.
        source : (h, w, C) array
            As `precision` returned it.
        mask : (h, w) uint8 array
            0 outside the patch, up to 255 inside; its bounding box is the array without its outermost ring.
        gradient : "source" or "mixed"
        max_value : float
            Value of grey level 255.
        """

    @staticmethod
    def clone_uncut(
        image: Image, box: Box, patch: UncutPatch, region: BinaryMap, place: Box, gradient: Gradient, max_value: float
    ) -> None:
        """Cut, resize and clone in one step; parameters as for `clone` and `nsa_augment.Blending.blend_uncut`."""
        raise NotImplementedError
