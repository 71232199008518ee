"""Foreign textures inside noise outlines: DRAEM, MemSeg, and the local part of GLASS."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.checks import (
    check_choice,
    check_integer,
    check_number,
    check_numbers,
    check_range,
    fail,
    set_field,
)
from nsa_augment._shared.images import list_images
from nsa_augment._shared.randomness import normal, uniform
from nsa_augment._shared.types import BinaryMap, Image, Size
from nsa_augment.planning import OUTLINES, Filling, FineBitmap, GivenUp, Outline, PatchPlacement, Reason, SynthesisPlan
from nsa_augment.planning.augmentations import AUGMENTATIONS, DRAEM, GLASS, Augmentation
from nsa_augment.planning.cutting import is_fine, patch_bitmap
from nsa_augment.planning.drawing import plan_patches
from nsa_augment.planning.outlines.noise import COMBINATIONS, SINGLE, FineNoise
from nsa_augment.planning.patterns import PROCEDURAL, Pattern, Picture, Shuffled, TextureFile
from nsa_augment.scenes import PreparedSource, Scene
from nsa_augment.scenes.scene import sizes_expected
from nsa_augment.tasks.base import AnomalyTask

OPACITY = (0.2, 1.0)
AUGMENTED = 3
WAYS = (SINGLE, *COMBINATIONS)

TEXTURE_PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "draem": MappingProxyType({"noise_cover": 0.0, "structure": 0.0, "normal_share": 0.5}),
        "memseg": MappingProxyType(
            {"noise_cover": 0.0, "opacity_range": (0.15, 1.0), "augmented": 0, "structure": 0.5}
        ),
        "glass": MappingProxyType(
            {
                "noise_combinations": WAYS,
                "noise_cover": 0.0,
                "opacity_range": (0.2, 0.8),
                "opacity_normal": (0.5, 0.1),
                "augmentations": GLASS,
                "structure": 0.0,
            }
        ),
    }
)
"""Arguments of `TextureAnomaly` by method, as in the published code."""


@dataclass(frozen=True, kw_only=True)
class TextureAnomaly(AnomalyTask):
    """Foreign textures inside noise outlines over the whole image, as in DRAEM [1]_, MemSeg [2]_ and GLASS [3]_.

    The texture is the source given with the call, whatever it shows; or a file of `textures`; or, with neither,
    procedural. There is one patch, the whole image; under constraints, only object pixels change. Other arguments are
    those of `NaturalSyntheticAnomaly`, without those for the size, number and place of patches.

    Parameters
    ----------
    shape : None, "fine_noise", "noise", or the name of another outline
        Fine noise: thresholded noise whose changed pixels are all labelled, as in the published masks. None: the whole
        image.
    noise_scales, noise_threshold
        As for `NaturalSyntheticAnomaly`.
    noise_combinations : tuple of "single", "union" and "intersection"
        Combinations to draw from: one layer of noise, or the union or intersection of two.
    noise_cover : float in [0, 1]
        The first of up to 20 outlines that covers this share of the image is taken, or else the largest. 0: the first.
    min_object : float in [0, 1]
        Outlines, up to 200, are drawn until the object (in the allowed region) fills more than this share of them;
        0: any.
    opacity_range : (minimum, maximum)
        Weight of the texture, in [0, 1], drawn uniformly; the rest is the image.
    opacity_normal : (mean, standard deviation) or None
        Draws the weight from a normal distribution instead, clipped to `opacity_range`.
    textures : path-like, optional
        Folder of images of textures, with subfolders; plans name the files.
    structure : float in [0, 1]
        Probability that the texture is the image itself, with 8 x 8 cells shuffled.
    augmented : int
        Number of changes of a texture (except the image itself), of different kinds.
    augmentations : tuple of str
        Kinds of changes to draw from, see `nsa_augment.planning.augmentations.AUGMENTATIONS`.
    normal_share : float in [0, 1]
        Share of images that stay normal: their plans are empty.
    label : "binary", "continuous", "logistic" or "factor"

    References
    ----------
    .. [1] Zavrtanik, Kristan, Skocaj, "DRAEM", ICCV 2021.
    .. [2] Yang, Wu, Feng, "MemSeg", 2022, arXiv:2205.00908.
    .. [3] Chen, Luo, Lv, Zhang, "A Unified Anomaly Synthesis Strategy with Gradient Ascent for Industrial Anomaly
       Detection and Localization", ECCV 2024.

    Examples
    --------
    >>> image = np.full((64, 64, 3), 128, np.uint8)
    >>> result = TextureAnomaly.from_preset("glass")(image, rng=0)
    >>> patch = result.plan.patches[0]
    >>> patch.shape.combine, 0.2 <= patch.factor <= 0.8, len(patch.filling.augmentations)
    ('intersection', True, 3)
    """

    shape: str | None = FineNoise.name
    noise_combinations: tuple[str, ...] = (SINGLE,)
    noise_cover: float = 0.02
    min_object: float = 0.0
    opacity_range: tuple[float, float] = OPACITY
    opacity_normal: tuple[float, float] | None = None
    textures: str | None = None
    structure: float = 0.25
    augmented: int = AUGMENTED
    augmentations: tuple[str, ...] = DRAEM
    normal_share: float = 0.0
    blending: str = "linear"

    name: ClassVar[str] = "texture"
    title: ClassVar[str] = "Texture"
    needs_source: ClassVar[bool] = False
    factor_range: ClassVar[tuple[float, float] | None] = OPACITY
    no_preset_columns: ClassVar[frozenset[str]] = frozenset({"min_object", "blending"})
    unused: ClassVar[frozenset[str]] = frozenset(
        {"max_patches", "height_range", "width_range", "size_gamma", "selection", "min_overlap", "scale_range"}
        | {"resize_limits", "candidates", "source_fit"}
    )
    own_presets: ClassVar[Mapping[str, Mapping[str, Any]]] = TEXTURE_PRESETS

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, choices in (("noise_combinations", WAYS), ("augmentations", AUGMENTATIONS)):
            set_field(self, name, _check_names(name, getattr(self, name), choices))
        for name in ("noise_cover", "structure", "normal_share"):
            set_field(self, name, check_number(name, getattr(self, name), 0, 1))
        set_field(self, "opacity_range", check_range("opacity_range", self.opacity_range, 0, 1))
        if self.opacity_normal is not None:
            set_field(self, "opacity_normal", _check_normal(self.opacity_normal))
        set_field(self, "augmented", check_integer("augmented", self.augmented, 0, len(self.augmentations)))
        if self.textures is not None:
            if not isinstance(self.textures, (str, os.PathLike)):
                raise fail(TypeError, "textures", "None or a folder of images", self.textures)
            set_field(self, "textures", os.fspath(self.textures))
            _ = self._files

    @property
    def ranges_in_use(self) -> tuple[str, ...]:
        """No ranges: the patch is the image."""
        return ()

    def prepare_source(self, source: Image, shape: Size, source_mask: NDArray[Any] | None = None) -> PreparedSource:
        """As for all tasks, but without a notice about textures of another size."""
        with sizes_expected:
            return super().prepare_source(source, shape, source_mask)

    def draw(self, scene: Scene, rng: np.random.Generator) -> SynthesisPlan:
        """Draw whether the image stays normal, an outline, the weight of the texture, the texture and its changes."""
        if self.normal_share > 0 and rng.random() < self.normal_share:
            normal = GivenUp(Reason.LEFT_NORMAL, scene.size)
            return SynthesisPlan(scene.size, scene.source.given_shape, (), (normal,), self.source_fit)
        return plan_patches(scene, self, self._bound_blending, lambda: self._draw_patch(scene, rng))

    def _draw_patch(self, scene: Scene, rng: np.random.Generator) -> PatchPlacement | GivenUp:
        whole, source = Box(0, 0, *scene.size), Box(0, 0, *scene.source.image.shape[:2])
        outline = self._draw_outline(scene, rng)
        if isinstance(outline, Reason):
            return GivenUp(outline, scene.size)
        blending = self._bound_blending.joining(is_fine(outline))
        if not blending.fits(blending.footprint(patch_bitmap(outline, whole, scene.size))):
            return GivenUp(Reason.TOO_SMALL, scene.size, blending.needs)
        low, high = self.opacity_range
        if self.opacity_normal is None:
            opacity = float(uniform(rng, low, high))
        else:
            opacity = min(max(float(normal(rng, *self.opacity_normal)), low), high)
        filling = self._draw_filling(scene, rng)
        return PatchPlacement(source, whole, opacity, self._bound_blending.gradient, outline, filling=filling)

    def _draw_outline(self, scene: Scene, rng: np.random.Generator) -> Outline | Reason | None:
        """Draw an outline that meets the object, cut to the allowed region."""
        if scene.foreground is not None and scene.foreground.is_empty:
            return Reason.NO_IMAGE_OBJECT
        within = [scene.allowed, None if scene.foreground is None else scene.foreground.mask]
        masks = [mask for mask in within if mask is not None]
        free: BinaryMap | None = np.bitwise_and.reduce(masks) if masks else None
        if free is not None and not free.any():
            return Reason.NOT_ALLOWED
        outline: Outline | None = None
        if self.shape is not None:
            extents = (0, 1, 0, scene.size[0]), (0, 1, 0, scene.size[1])
            placed = OUTLINES[self.shape].place(rng, scene.size, extents, (1, 1), free, self)
            if placed is None:
                return Reason.NO_OUTLINE if free is None or self.min_object == 0 else Reason.NO_SOURCE_PLACE
            outline = placed[1]
        if scene.allowed is None:
            return outline
        return FineBitmap.of(patch_bitmap(outline, Box(0, 0, *scene.size), scene.size) & scene.allowed)

    def _draw_filling(self, scene: Scene, rng: np.random.Generator) -> Filling:
        if self.structure > 0 and rng.random() < self.structure:
            return Filling(Shuffled.draw(rng, scene.size))
        pattern = self._draw_texture(scene, rng)
        kinds = rng.choice(len(self.augmentations), self.augmented, replace=False)
        return Filling(pattern, tuple(Augmentation.draw(rng, self.augmentations[kind]) for kind in kinds))

    def _draw_texture(self, scene: Scene, rng: np.random.Generator) -> Pattern:
        if scene.source.image is not scene.image:
            return Picture()
        if self.textures is not None:
            return TextureFile(str(self._files[int(rng.integers(len(self._files)))]))
        return PROCEDURAL[int(rng.integers(len(PROCEDURAL)))].draw(rng)

    @cached_property
    def _files(self) -> list[Path]:
        return list_images(self.textures or "", recursive=True)

    def _scene(
        self,
        image: Image,
        source: Image | PreparedSource | None,
        mask: NDArray[Any] | None,
        source_mask: NDArray[Any] | None,
        source_fit: str | None = None,
        allowed: NDArray[Any] | None = None,
    ) -> Scene:
        with sizes_expected:
            return super()._scene(image, source, mask, source_mask, source_fit, allowed)


def _check_names(name: str, value: Any, choices: Any) -> tuple[str, ...]:
    accepted = f"a non-empty sequence of different names of {', '.join(map(repr, choices))}"
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise fail(TypeError, name, accepted, value)
    for each in value:
        check_choice(f"every entry of {name}", each, choices)
    if not value or len(set(value)) < len(value):
        raise fail(ValueError, name, accepted, value)
    return tuple(value)


def _check_normal(value: Any) -> tuple[float, float]:
    accepted = "None or (mean, standard deviation >= 0)"
    mean, deviation = check_numbers("opacity_normal", value, accepted, 2)
    if deviation < 0:
        raise fail(ValueError, "opacity_normal", accepted, value)
    return mean, deviation
