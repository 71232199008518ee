"""Kinds of products, told apart by measurements, and what the paper does for each."""

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

SMALL_AREA = 0.1
"""Fraction of the image below which the largest patch is small, and one more patch is allowed."""


class ProductKind(ABC):
    """A kind of product; by default without a plain background, so that patches may have any size and place.

    Attributes
    ----------
    name, description : str
    plural : str
        The products for which the paper has such arguments.
    max_patches : int
    scale_range : (minimum, maximum)
    gradient : "source" or "mixed"
    advice : str or None
        What else to try.
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
        """Arguments for where patches come from and go to."""
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
        """Arguments for how patches fit their surroundings, beyond the published method."""
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
            "logistic_steepness": (steepness_of(midpoint), "ln 10 / midpoint: odds of 1 : 10 without change"),
        }

    @classmethod
    def midpoint(cls, variation: Variation) -> tuple[float, str]:
        """`logistic_midpoint`, and a reason."""
        if variation.typical is None:
            return variation.midpoint, "default: one image does not show how much normal images differ"
        return variation.midpoint, f"two normal images typically differ by {variation.typical:.1f} grey levels"


class ObjectKind(ProductKind):
    """An object on a plain background: its extent bounds the patches."""

    name = "object"
    description = "an object on a plain background"
    plural = "objects"

    @classmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """If the background is plain."""
        return background.plain

    @classmethod
    def background(cls, background: Background) -> tuple[float, float] | None:
        """The argument `background`."""
        return background.brightness, background.threshold

    @classmethod
    def joining(cls, levels: Levels) -> Reasoned:
        """Arguments for blending along the outline."""
        return {
            "blending": ("silhouette", "Poisson blending across the outline causes ghosts and black or white spots")
        }

    @classmethod
    def why_gradient(cls, variation: Variation) -> str:
        """The sharp outline."""
        return "mixed gradients cause artefacts at sharp outlines"

    @classmethod
    def geometry(cls, background: Background) -> Reasoned:
        """Arguments from the extent of the object."""
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
            "resize_limits": ("full", "the ranges limit resized patches, too; the published limits are half of that"),
        }


class MaskedKind(ObjectKind):
    """An object whose masks are given, and must be given to the task, too."""

    name = "masked"
    description = "an object under given masks"

    @classmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """If masks are given."""
        return background.given is not None

    @classmethod
    def background(cls, background: Background) -> tuple[float, float] | None:
        """None, as the masks replace it."""
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
        """If images have only two levels."""
        return levels.crisp

    @classmethod
    def joining(cls, levels: Levels) -> Reasoned:
        """Patches are copied."""
        flat = f"images have two levels, {levels.low:.0f} and {levels.high:.0f}"
        return {"blending": ("copy_paste", f"{flat}; Poisson blending would cause grey clouds between them")}

    @classmethod
    def why_gradient(cls, variation: Variation) -> str:
        """None: it has no effect."""
        return "no effect on pasted patches"


class AlignedKind(ProductKind):
    """An object that fills the image, or has no plain background."""

    name = "aligned"
    description = "an object always in the same place, without a plain background"
    plural = "objects without a plain background"

    @classmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """If all images have the same layout."""
        return variation.aligned

    @classmethod
    def why_gradient(cls, variation: Variation) -> str:
        """The common layout."""
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
        "try foreign textures, too (--task texture --preset draem): after short training, they helped to find more "
        "defects of textures, but fewer thin ones"
    )

    @classmethod
    def suits(cls, background: Background, variation: Variation, levels: Levels) -> bool:
        """Always."""
        return True

    @classmethod
    def midpoint(cls, variation: Variation) -> tuple[float, str]:
        """That of the paper, whatever the variation, as detectors learn less from fainter labels."""
        return DEFAULT_MIDPOINT, f"as the paper does for {cls.plural}"

    @classmethod
    def why_gradient(cls, variation: Variation) -> str:
        """The lack of sharp outlines."""
        return "no sharp outline, so mixed gradients can keep the texture below a patch"


KINDS: Mapping[str, type[ProductKind]] = MappingProxyType(
    {kind.name: kind for kind in (MaskedKind, CrispKind, ObjectKind, AlignedKind, TextureKind)}
)
"""Kinds by name, in the order in which they are tried."""


def find_kind(background: Background, variation: Variation, levels: Levels) -> type[ProductKind]:
    """The kind of product in the images."""
    return next(kind for kind in KINDS.values() if kind.suits(background, variation, levels))
