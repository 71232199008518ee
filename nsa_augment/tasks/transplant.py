"""Real defects from a bank of images with masks, moved onto normal images."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, get_args

import cv2
import numpy as np

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.checks import check_choice, set_field
from nsa_augment._shared.types import BinaryMap, Gradient, Size
from nsa_augment.planning import Bitmap, Filling, FineBitmap, GivenUp, PatchPlacement, Reason, SynthesisPlan
from nsa_augment.planning.defects import Defect, DefectImage, defects_of, list_defects
from nsa_augment.planning.drawing import plan_patches
from nsa_augment.planning.patterns import DefectFile
from nsa_augment.planning.placement import allowed_positions, draw_destination
from nsa_augment.planning.sizes import HalfSizes, resized_size
from nsa_augment.scenes import Scene
from nsa_augment.tasks.base import AnomalyTask

MARGIN = 2
"""Pixels that Poisson blending needs around a defect."""
FINE_BELOW = 4.0
"""Pixels; half the largest width of a defect that is blended and labelled as a fine outline."""


@dataclass(frozen=True, kw_only=True)
class DefectBankAnomaly(AnomalyTask):
    """Real defects, cut along their masks, resized, moved onto normal images and blended.

    Other arguments are those of `NaturalSyntheticAnomaly`, without those for the size, outline and source of patches.
    A given source is ignored.

    Parameters
    ----------
    bank : path-like
        Folder of images with masks: in the layout of MVTec AD (``test/``, ``ground_truth/``), or ``images/`` and
        ``masks/``. Every connected component of a mask with at least 9 pixels is a defect. An image is drawn
        uniformly, then one of its defects. Plans name the files.
    max_patches : int
        Number of defects: the first is always tried, each further one with probability 1/2.
    scale_range : (minimum, maximum) or None
        Limits of the random resizing; None: defects keep their size as a fraction of the image.
    min_overlap : float in [0, 1]
        More than this fraction of the defect must land on the object of the image; 1: all of it.
    gradient : "source" or "mixed"
        Guidance field of Poisson blending.
    blending : "feather" or another
        A copy with a soft edge keeps the look of a defect; Poisson blending adopts the colours of the image at the
        edge, and makes it fainter. Defects up to 7 pixels wide have fine outlines, which Poisson blending copies.
    label : "binary", "continuous" or "logistic"

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nsa_augment.samples import write_samples
    >>> place = Path(tempfile.mkdtemp())
    >>> _ = write_samples(place, "hide", size=96, train=1, good=0, defective=2)
    >>> result = DefectBankAnomaly(bank=place / "hide")(np.full((64, 64, 3), 120, np.uint8), rng=0)
    >>> result.plan.patches[0].filling.pattern.name, bool(result.mask.any())
    ('defect', True)
    """

    bank: str = ""
    max_patches: int = 1
    scale_range: tuple[float, float] | None = (0.7, 1.3)
    min_overlap: float = 0.9
    gradient: Gradient = "source"
    solver: str = "spectral"
    blending: str = "feather"

    name: ClassVar[str] = "bank"
    title: ClassVar[str] = "Defect bank"
    needs_source: ClassVar[bool] = False
    required: ClassVar[frozenset[str]] = frozenset({"bank"})
    no_preset_columns: ClassVar[frozenset[str]] = frozenset({"max_patches", "scale_range", "min_overlap", "blending"})
    unused: ClassVar[frozenset[str]] = frozenset(
        {"height_range", "width_range", "size_gamma", "selection", "shape", "min_object", "resize_limits", "candidates"}
        | {"source_fit", "noise_scales", "noise_threshold", "stroke_width"}
    )

    def __post_init__(self) -> None:
        check_choice("gradient", self.gradient, get_args(Gradient))
        super().__post_init__()
        _ = self._images
        set_field(self, "bank", os.fspath(self.bank))

    @property
    def ranges_in_use(self) -> tuple[str, ...]:
        """No ranges: sizes are those of the defects."""
        return ()

    def draw(self, scene: Scene, rng: np.random.Generator) -> SynthesisPlan:
        """Draw number, defects, sizes and places."""
        count = 1 + int(rng.binomial(self.max_patches - 1, 0.5))
        return plan_patches(scene, self, self._bound_blending, lambda: self._draw_patch(scene, rng), count)

    def _draw_patch(self, scene: Scene, rng: np.random.Generator) -> PatchPlacement | GivenUp:
        pair = self._images[int(rng.integers(len(self._images)))]
        defects = defects_of(pair, MARGIN)
        defect = defects[int(rng.integers(len(defects)))]
        size = self._draw_size(defect, scene.size, rng)
        outline = Bitmap.of(defect.mask)
        if _is_thin(outline.mask(size)):
            outline = FineBitmap.of(defect.mask)
        bitmap = outline.mask(size)
        blending = self._bound_blending.joining(outline.fine)
        footprint = blending.footprint(bitmap)
        if not blending.fits(footprint):
            return GivenUp(Reason.TOO_SMALL, size, blending.needs)
        destination = draw_destination(
            rng,
            scene.size,
            size,
            source_object=None if scene.foreground is None else bitmap,
            image_object=None if scene.foreground is None else scene.foreground.mask,
            min_overlap=self.min_overlap,
            positions=None if scene.allowed is None else allowed_positions(scene.allowed, footprint),
        )
        if isinstance(destination, Reason):
            return GivenUp(destination, size)
        filling = Filling(DefectFile(str(pair.image), defect.box))
        whole = Box(0, 0, *scene.source.image.shape[:2])
        gradient = self._bound_blending.gradient
        return PatchPlacement(whole, destination, 1.0, gradient, outline, filling=filling)

    def _draw_size(self, defect: Defect, image: Size, rng: np.random.Generator) -> Size:
        """Draw the size of the box: the same fraction of the image as in its source, then resized."""
        pairs = zip(defect.box.size, defect.image_size, image, strict=True)
        height, width = (max(round(side * there / here), 1) for side, here, there in pairs)
        if self.scale_range is None:
            return height, width
        return resized_size(rng, (height, width), self.scale_range, HalfSizes((1, image[0]), (1, image[1])))

    @cached_property
    def _images(self) -> tuple[DefectImage, ...]:
        return list_defects(self.bank)


def _is_thin(bitmap: BinaryMap) -> bool:
    """Whether no pixel is farther than 4 pixels from the outside."""
    padded = np.pad(bitmap, 1)
    return bool(cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max() < FINE_BELOW)
