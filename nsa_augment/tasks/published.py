"""The self-supervised tasks of the paper, rows of Table 5, with their parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

import numpy as np

from nsa_augment._shared.checks import check_choice, check_number, fail, set_field
from nsa_augment._shared.types import Gradient
from nsa_augment.planning import SynthesisPlan, draw_plan
from nsa_augment.planning.jitter import MAX_JITTER
from nsa_augment.scenes import Scene
from nsa_augment.tasks.base import AnomalyTask

FACTOR_RANGE = (0.05, 0.95)
"""Range of the interpolation factor of FPI and PII (Table 5)."""
VARIANTS: dict[str, tuple[str, ...]] = {
    "normal": ("cutpaste",),
    "scar": ("cutpaste_scar",),
    "union": ("cutpaste", "cutpaste_scar"),
}
"""Selections from which a variant of CutPaste draws."""
VARIANT_JITTER = 0.1


@dataclass(frozen=True, kw_only=True)
class NaturalSyntheticAnomaly(AnomalyTask):
    """Natural synthetic anomalies: patches of a normal image, resized, moved and Poisson-blended into another.

    The defaults are the preset "tile"; `from_preset` takes any row of Table 4 [1]_.

    Parameters
    ----------
    max_patches : int
        n_max: the first patch is always tried, each further one with probability 1/2.
    height_range, width_range : (minimum, maximum)
        Size of a patch as a fraction of the image, in [0, 1].
    background : None, (b, t), sequence of (b, t), or callable
        Object pixels differ from brightness b by more than t grey levels (0..255), under every pair; or a
        callable image -> (H, W) bool object mask; None: no constraints.
    min_object : float in [0, 1]
        The object must fill more than this fraction of a patch; 1: all of it.
    min_overlap : float in [0, 1]
        More than this fraction of the patch's object must land on the object of the image; 1: all of it.
    scale_range : (minimum, maximum) or None
        Limits of the random resizing; None: patches are not resized.
    gradient : "source" or "mixed"
        Guidance field of the blending: the source's gradients, or the stronger of both images.
    label : "binary", "continuous" or "logistic"
        0/1, the change in grey levels, or the change squashed to [0, 1].
    logistic_midpoint : float
        y0: change at which the logistic label is 1/2, grey levels (0..255).
    logistic_steepness : float
        k, per grey level.
    selection : "natural", "cutpaste", "cutpaste_scar", "fine_scar" or "fpi"
        How size and place in the source are drawn (Table 6): the paper's own; area and aspect ratio; thin rotated
        strips; squares. "fine_scar": strips that stay visible and labelled where they are thin.
    shape : None, "ellipses", "noise", "polygon" or "stroke"
        Patches are rectangles, unions of five random ellipses (ablation D), thresholded gradient noise, polygons, or
        curved strokes.
    noise_scales : (lowest, highest)
        Noise has 2^e cells per axis of a patch, e uniform on the whole numbers from lowest to highest.
    noise_threshold : float in [-1, 1]
        Noise, about in [-1, 1], exceeds this inside the outline.
    stroke_width : (minimum, maximum)
        Width of strokes, in pixels of a 256-pixel image; at least 1.41 pixels of the image.
    size_gamma : (shape, scale, offset) or None
        The half-size of a patch is offset + Gamma(shape, scale) of the image, clipped to the ranges; None: uniform.
    resize_limits : "half" or "full"
        Whether the ranges limit the resized patch as half-sizes (published code) or as sizes (text of the paper).
    candidates : int in [1, 100]
        Number of accepted places (fewer if 200 draws do not yield them) from which the one is taken where
        source - image varies least along the border of the patch. 1: the first, as published.
    min_change : float in [0, 100]
        A patch is redrawn, up to 20 draws in all, until its continuous label exceeds this multiple of
        `logistic_midpoint` somewhere, and dropped if it never does. 1: the logistic label of each patch alone exceeds
        1/2. 0: every patch is kept, as published.
    severity : float in (0, 1], or (minimum, maximum)
        Factor of the change of every pixel, drawn uniformly per call from a pair: the strength of anomalies, for a
        curriculum or for faint ones. Labels follow the reduced change; `min_change` applies to the full one.
    max_value : float, optional
        Value of grey level 255 in the images; None: 255, 65535 or 1 by dtype. 4095 for 12-bit images.
    source_fit : "resize" or "native"
        A source of another size than the image is resized to it, or used at its own size, so that patches have the
        source's own scale and aspect ratio before `scale_range` is applied. Sizes of patches are fractions of the
        image either way, and patches are cut at the border of a smaller source. FPI and PII need "resize".
    solver : "spectral" or "opencv"
        Implementation of Poisson blending: sine transforms, for any dtype, or `cv2.seamlessClone`, for 8 bits.
    blending : "poisson", "silhouette", "copy_paste" or "linear"
        How patches are blended into the image; the published method is Poisson. "silhouette" needs object masks:
        Poisson where source and image agree about the object, else protrusions and holes (see `Silhouette`).

    Notes
    -----
    `label`, `shape`, `solver` and `blending` also take the names of kinds that you or other packages define.

    References
    ----------
    .. [1] Schlüter, Tan, Hou, Kainz, "Natural Synthetic Anomalies for Self-Supervised Anomaly Detection and
       Localization", ECCV 2022, arXiv:2109.15222.

    Examples
    --------
    >>> image, source = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    >>> task = NaturalSyntheticAnomaly.from_preset("leather", label="logistic")
    >>> result = task(image, source, rng=1)
    >>> result.image.shape, result.label.dtype.name, int(result.mask.max())
    ((128, 128, 3), 'float32', 1)
    >>> plan = SynthesisPlan.from_dict(result.plan.to_dict())
    >>> bool((task.apply(image, source, plan).label == result.label).all())
    True
    """

    scale_range: tuple[float, float] | None = (0.5, 2.0)
    gradient: Gradient = "mixed"
    label: str = "logistic"
    solver: str = "spectral"
    blending: str = "poisson"

    name: ClassVar[str] = "nsa"
    title: ClassVar[str] = "NSA (natural synthetic anomalies)"
    no_preset_columns: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_choice("gradient", self.gradient, get_args(Gradient))
        super().__post_init__()


@dataclass(frozen=True, kw_only=True)
class CutPasteAnomaly(AnomalyTask):
    """CutPaste: patches of the image itself, pasted elsewhere without blending [1]_.

    By default with the patch selection of `NaturalSyntheticAnomaly`, as in the paper's comparison (Table 5 of [2]_).
    Other arguments are those of `NaturalSyntheticAnomaly`, without `gradient` and `solver`.

    Parameters
    ----------
    label : "binary", "continuous" or "logistic"
    scale_range : (minimum, maximum) or None
        None: patches are not resized. Presets do not set it.
    jitter : float in [0, 0.5]
        Strength of the colour jitter of each patch.
    variant : None, "normal", "scar" or "union"
        The settings of the CutPaste paper, regardless of `max_patches` and `background`: a single patch, no foreground
        constraints (unless masks are given with the call), jitter 0.1 (unless given); "normal": by area and aspect
        ratio; "scar": a thin rotated strip; "union": either of them at random.

    References
    ----------
    .. [1] Li, Sohn, Yoon, Pfister, "CutPaste: Self-Supervised Learning for Anomaly Detection and Localization",
       CVPR 2021.
    .. [2] Schlüter et al., "Natural Synthetic Anomalies", ECCV 2022.

    Examples
    --------
    >>> image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    >>> result = CutPasteAnomaly(variant="normal", jitter=0)(image, rng=0)
    >>> bool(np.isin(result.image, image).all())
    True
    """

    jitter: float | None = None
    variant: Literal["normal", "scar", "union"] | None = None

    name: ClassVar[str] = "cutpaste"
    title: ClassVar[str] = "CutPaste"
    needs_source: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("variant", self.variant, (None, *VARIANTS))
        if self.variant is not None and self.selection != type(self).selection:
            raise fail(ValueError, "selection", f"left out with variant={self.variant!r}", self.selection)
        if self.variant is not None and self.shape is not None:
            raise fail(ValueError, "shape", f"left out with variant={self.variant!r}", self.shape)
        if self.variant is not None:
            set_field(self, "background", None)
            set_field(self, "max_patches", 1)
        strength = (0.0 if self.variant is None else VARIANT_JITTER) if self.jitter is None else self.jitter
        set_field(self, "jitter", check_number("jitter", strength, 0, MAX_JITTER))

    def draw(self, scene: Scene, rng: np.random.Generator) -> SynthesisPlan:
        """Draw also the colour jitter, and one of the selections of the variant."""
        drawn = self
        if self.variant is not None:
            options = VARIANTS[self.variant]
            drawn = replace(self, variant=None, selection=options[int(rng.integers(len(options)))])
        return draw_plan(scene, drawn, self._bound_blending, rng, jitter=self.jitter or 0.0)


@dataclass(frozen=True, kw_only=True)
class ForeignPatchInterpolation(AnomalyTask):
    """FPI: patches of another image, interpolated in place [1]_.

    By default with the patch selection of `NaturalSyntheticAnomaly`; `selection="fpi"` is the original one. The factor
    is uniform in [0.05, 0.95], drawn once per image. Other arguments are those of `NaturalSyntheticAnomaly`, without
    `gradient` and `solver`; patches stay in place: no `scale_range`, a single candidate.

    Parameters
    ----------
    label : "factor", "binary", "continuous" or "logistic"
        "factor" is the binary label times the interpolation factor.

    References
    ----------
    .. [1] Tan, Hou, Batten, Qiu, Kainz, "Detecting Outliers with Foreign Patch Interpolation", MELBA 2022.

    Examples
    --------
    >>> image, source = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    >>> result = ForeignPatchInterpolation(selection="fpi")(image, source, rng=0)
    >>> bool(result.label.max() == np.float32(result.plan.patches[0].factor))
    True
    """

    label: str = "factor"
    blending: str = "linear"

    name: ClassVar[str] = "fpi"
    title: ClassVar[str] = "FPI (foreign patch interpolation)"
    shift: ClassVar[bool] = False
    no_preset_columns: ClassVar[frozenset[str]] = AnomalyTask.no_preset_columns | {"candidates"}
    factor_range: ClassVar[tuple[float, float] | None] = FACTOR_RANGE


@dataclass(frozen=True, kw_only=True)
class PoissonImageInterpolation(ForeignPatchInterpolation):
    """PII: like FPI, but interpolates gradients, by Poisson blending with mixed gradients [1]_.

    Parameters
    ----------
    label : "factor", "binary", "continuous" or "logistic"
    solver : "spectral" or "opencv"
        Implementation of Poisson blending.

    References
    ----------
    .. [1] Tan, Hou, Day, Simpson, Rueckert, Kainz, "Detecting Outliers with Poisson Image Interpolation",
       MICCAI 2021.

    Examples
    --------
    >>> image, source = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    >>> PoissonImageInterpolation()(image, source, rng=0).plan.patches[0].gradient
    'mixed'
    """

    solver: str = "spectral"
    blending: str = "poisson"

    name: ClassVar[str] = "pii"
    title: ClassVar[str] = "PII (Poisson image interpolation)"
    gradient: ClassVar[Gradient] = "mixed"


PUBLISHED = (NaturalSyntheticAnomaly, CutPasteAnomaly, ForeignPatchInterpolation, PoissonImageInterpolation)
"""The tasks of Table 5."""
