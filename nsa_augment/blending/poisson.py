"""Poisson blending, which keeps the source's gradients, and the image's values at the border of the patch."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import cv2
import numpy as np

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.scale import BY_DTYPE, Scale
from nsa_augment._shared.types import BinaryMap, Gradient, Image, Size
from nsa_augment.blending.base import Blending, Patch
from nsa_augment.blending.feather import Feather
from nsa_augment.blending.solvers import SOLVERS, Solver
from nsa_augment.blending.uncut import UncutPatch

MIN_PIXELS = 50
FEATHER = Feather()


@dataclass(frozen=True)
class Poisson(Blending):
    """Clone all of the patch, including background (to avoid seams), without its outermost ring.

    Parameters
    ----------
    solver : str
        One of `SOLVERS`.
    gradient : "source" or "mixed"
        Guidance field of new patches, and of those that name none in a plan.
    scale : Scale
        Value of the image that stands for grey level 255.
    """

    solver: str = "spectral"
    gradient: Gradient = "source"
    scale: Scale = BY_DTYPE

    name: ClassVar[str] = "poisson"
    min_side: ClassVar[int] = 5
    needs: ClassVar[str] = (
        f"Poisson blending needs at least {min_side} x {min_side} pixels, and {MIN_PIXELS} inside the outermost ring."
    )

    def __post_init__(self) -> None:
        SOLVERS.check("solver", self.solver).check_scale(self.scale)

    @classmethod
    def bind(cls, task: Any) -> Poisson:
        """Blending with the solver and the gradient of a task, if it has them."""
        return cls(getattr(task, "solver", cls.solver), getattr(task, "gradient", cls.gradient), task.scale)

    def joining(self, fine: bool) -> Blending:
        """Feather for fine outlines: within three pixels of its edge, Poisson blending changes almost nothing."""
        return FEATHER if fine else self

    @property
    def dtypes(self) -> Collection[np.dtype[Any]]:
        """Dtypes of the solver."""
        return self._solver.dtypes

    def footprint(self, bitmap: BinaryMap) -> BinaryMap:
        """The bitmap without the outermost ring of its box."""
        inner: BinaryMap = bitmap.copy()
        inner[0] = inner[-1] = 0
        inner[:, 0] = inner[:, -1] = 0
        return inner

    def fits(self, footprint: BinaryMap) -> bool:
        """At least 50 pixels, and a box of at least 5 x 5 pixels (ring included)."""
        if int(np.count_nonzero(footprint)) < MIN_PIXELS:
            return False
        _, _, width, height = cv2.boundingRect(footprint)
        return min(height, width) + 2 >= self.min_side

    def fits_rectangle(self, size: Size) -> bool:
        """As `fits`, from the size alone."""
        height, width = size
        return min(size) >= self.min_side and (height - 2) * (width - 2) >= MIN_PIXELS

    def precision(self, pixels: Image) -> Image:
        """Precision of the solver."""
        return self._solver.precision(pixels)

    @property
    def takes_uncut(self) -> bool:  # type: ignore[override]
        """Whether the solver does."""
        return self._solver.takes_uncut

    def blend_uncut(self, image: Image, box: Box, patch: UncutPatch, region: BinaryMap, place: Box) -> None:
        """By the solver."""
        gradient, maximum = patch.gradient or self.gradient, self.scale.maximum(image.dtype)
        self._solver.clone_uncut(image, box, patch, region, place, gradient, maximum)

    def blend(self, canvas: Image, patch: Patch) -> None:
        """Apply Poisson blending with the patch's gradient; the mask is scaled to ceil(255 * factor)."""
        x, y, width, height = cv2.boundingRect(patch.footprint)
        level = math.ceil(255 * patch.factor)
        if width > 0 and level > 0:
            box = slice(y - 1, y + height + 1), slice(x - 1, x + width + 1)
            mask, gradient = patch.footprint[box] * np.uint8(level), patch.gradient or self.gradient
            self._solver.clone(canvas[box], patch.pixels[box], mask, gradient, self.scale.maximum(canvas.dtype))

    @cached_property
    def _solver(self) -> type[Solver]:
        return SOLVERS[self.solver]
