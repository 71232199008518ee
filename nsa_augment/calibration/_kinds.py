"""Kinds of products, told apart by what was measured, and what the paper does for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

from nsa_augment._shared.types import Gradient
from nsa_augment.calibration.background import Background
from nsa_augment.calibration.extent import LARGEST, SMALLEST, Extent, measure_extent
from nsa_augment.calibration.levels import Levels
from nsa_augment.calibration.variation import DEFAULT_MIDPOINT, Variation, steepness_of

Reasoned: TypeAlias = dict[str, tuple[Any, str]]

_CHOSEN_PLACE: Reasoned = {"candidates": (4, "the best of four places, where source and image differ alike all around")}

SMALL_AREA = 0.1
"""Fraction of the image below which the largest patch is small, so that one more is allowed."""


class ProductKind(ABC):
    """A kind of product, by default one without a plain background, where patches may have any size and place.

    Attributes
    ----------
    name, description : str
    plural : str
        What the paper has such arguments for.
    max_patches : int
    scale_range : (minimum, maximum)
    gradient : "source" or "mixed"
    advice : str or None
        What to try beside these arguments.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    plural: ClassVar[str]
    max_patches: ClassVar[int] = 3
    scale_range: ClassVar[tuple[float, float]] = (0.7, 1.3)
    gradient: ClassVar[Gradient] = "source"
    advice: ClassVar[str | None] = None

    @classmethod
    @abstractmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """Whether the images show such a product."""

    @classmethod
    @abstractmethod
    def why_gradient(cls, variation: Variation) -> str:
        """The reason for `gradient`."""

    @classmethod
    def geometry(cls, background: Background) -> Reasoned:
        """Arguments that decide where patches come from and go to."""
        habit = f"as the paper does for {cls.plural}"
        return {
            "max_patches": (cls.max_patches, habit),
            "height_range": ((SMALLEST, LARGEST), habit),
            "width_range": ((SMALLEST, LARGEST), habit),
            "scale_range": (cls.scale_range, habit),
            "background": (None, background.reason),
        }

    @classmethod
    def joining(cls, levels: Levels) -> Reasoned:
        """Arguments that decide how patches fit in with their surroundings, beyond the published method."""
        return {}

    @classmethod
    def arguments(cls, background: Background, variation: Variation, levels: Levels) -> Reasoned:
        """All arguments, each with a reason."""
        midpoint, reason = cls.midpoint(variation)
        return {
            **cls.geometry(background),
            **cls.joining(levels),
            "gradient": (cls.gradient, cls.why_gradient(variation)),
            "logistic_midpoint": (midpoint, reason),
            "logistic_steepness": (steepness_of(midpoint), "ln 10 / midpoint: no change has odds of 1 : 10"),
        }

    @classmethod
    def midpoint(cls, variation: Variation) -> tuple[float, str]:
        """`logistic_midpoint`, and a reason."""
        if variation.typical is None:
            return variation.midpoint, "a default: one image alone does not show how much normal images differ"
        return variation.midpoint, f"two normal images differ by {variation.typical:.1f} grey levels at a typical place"


class ObjectKind(ProductKind):
    """An object on a plain background: its extent bounds the patches."""

    name = "object"
    description = "an object on a plain background"
    plural = "objects"

    @classmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """With a plain background."""
        return background.plain

    @classmethod
    def background(cls, background: Background) -> tuple[float, float] | None:
        """What tells the object from the background."""
        return background.brightness, background.threshold

    @classmethod
    def joining(cls, levels: Levels) -> Reasoned:
        """Along its outline."""
        return {
            **_CHOSEN_PLACE,
            "blending": ("silhouette", "Poisson blending across the outline makes ghosts and black or white spots"),
        }

    @classmethod
    def why_gradient(cls, variation: Variation) -> str:
        """Its outline."""
        return "a sharp outline makes artefacts under mixed gradients"

    @classmethod
    def geometry(cls, background: Background) -> Reasoned:
        """From the extent of the object."""
        extent = measure_extent(background.masks)
        small = extent.height_range[1] * extent.width_range[1] < SMALL_AREA
        habit = f"as the paper does for {cls.plural}"
        return {
            "max_patches": (4, "patches are small") if small else (3, "patches can be large"),
            "height_range": (extent.height_range, _why_size(extent, extent.height, extent.height_range)),
            "width_range": (extent.width_range, _why_size(extent, extent.width, extent.width_range)),
            "scale_range": (cls.scale_range, habit),
            "background": (cls.background(background), background.reason),
            "min_object": (extent.min_object, f"the object fills {extent.fill:.2f} of its tightest bounding box"),
            "min_overlap": (0.25, habit),
            "resize_limits": ("full", "the ranges bound resized patches, too; published limits are half of them"),
        }


class MaskedKind(ObjectKind):
    """An object whose masks are given, and must be given to the task, too."""

    name = "masked"
    description = "an object under given masks"

    @classmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """With masks."""
        return background.given is not None

    @classmethod
    def background(cls, background: Background) -> tuple[float, float] | None:
        """Nothing: the masks do."""
        return None


def _why_size(extent: Extent, side: float, bounds: tuple[float, float]) -> str:
    owner = "objects lie at different angles; their extent is" if extent.turned else "the object's extent is"
    limit = "not fit" if bounds[1] < min(side, LARGEST) - 0.01 else "exceed it"
    return f"{owner} {side:.2f} of the image, and larger patches would {limit}"


class CrispKind(ProductKind):
    """Two flat levels with sharp edges, such as printed circuits, line art and text."""

    name = "crisp"
    description = "two flat levels of brightness with sharp edges"
    plural = "objects without a plain background"

    @classmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """With nothing but two levels."""
        return levels.crisp

    @classmethod
    def joining(cls, levels: Levels) -> Reasoned:
        """As they are."""
        flat = f"images have two levels, {levels.low:.0f} and {levels.high:.0f}"
        return {"blending": ("copy_paste", f"{flat}; Poisson blending would make grey clouds between them")}

    @classmethod
    def why_gradient(cls, variation: Variation) -> str:
        """It has no effect."""
        return "without effect where patches are pasted"


class AlignedKind(ProductKind):
    """An object that fills the image, or has no plain background."""

    name = "aligned"
    description = "an object that always lies in the same place, without a plain background"
    plural = "objects without a plain background"

    @classmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """With the same layout in all images."""
        return variation.aligned

    @classmethod
    def joining(cls, levels: Levels) -> Reasoned:
        """Without masks there is only the choice of the place."""
        return _CHOSEN_PLACE

    @classmethod
    def why_gradient(cls, variation: Variation) -> str:
        """The layout."""
        return f"images have the same layout (correlation {variation.likeness or 0:.2f}), so they show an object"


class TextureKind(ProductKind):
    """Anything else."""

    name = "texture"
    description = "a texture"
    plural = "textures"
    max_patches = 4
    scale_range = (0.5, 2.0)
    gradient = "mixed"
    advice = (
        "try foreign textures, too (--task texture --preset draem): in short trainings, detectors of textures found "
        "more with them, but fewer thin defects"
    )

    @classmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """Always."""
        return True

    @classmethod
    def midpoint(cls, variation: Variation) -> tuple[float, str]:
        """The paper's, whatever the variation: detectors learn less from fainter labels."""
        return DEFAULT_MIDPOINT, f"as the paper does for {cls.plural}"

    @classmethod
    def why_gradient(cls, variation: Variation) -> str:
        """Nothing speaks against it."""
        return "no object with a sharp outline, so mixed gradients keep the texture below a patch"


KINDS: Mapping[str, type[ProductKind]] = MappingProxyType(
    {kind.name: kind for kind in (MaskedKind, CrispKind, ObjectKind, AlignedKind, TextureKind)}
)
"""By name; the first that suits is taken."""


def find_kind(background: Background, variation: Variation, levels: Levels) -> type[ProductKind]:
    """The kind of product that images show."""
    return next(kind for kind in KINDS.values() if kind.suits(background, variation, levels))
