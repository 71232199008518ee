"""Estimate the arguments of natural synthetic anomalies for a product from images of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_integer, check_number
from nsa_augment._shared.scale import Scale
from nsa_augment.calibration.background import Background, find_background
from nsa_augment.calibration.extent import measure_extent
from nsa_augment.calibration.picking import Images, ImageSample, draw_images
from nsa_augment.calibration.placing import CALLS, ENOUGH, relax
from nsa_augment.calibration.preset_text import preset_text
from nsa_augment.calibration.variation import Variation, measure_variation
from nsa_augment.tasks import NaturalSyntheticAnomaly

Kind: TypeAlias = Literal["object", "aligned", "texture"]
Reasoned: TypeAlias = dict[str, tuple[Any, str]]

KINDS: Mapping[Kind, str] = MappingProxyType(
    {
        "object": "an object on a plain background",
        "aligned": "an object that always lies in the same place, without a plain background",
        "texture": "a texture",
    }
)
ANY_SIZE = (0.06, 0.80)
SMALL_AREA = 0.1
"""Fraction of the image below which the largest patch is small, so that one more is allowed."""


@dataclass(frozen=True)
class Calibration:
    """Estimated arguments, and why.

    Parameters
    ----------
    arguments : mapping
        Keyword arguments of `NaturalSyntheticAnomaly`.
    reasons : mapping
        One sentence for each argument.
    notes : tuple of str
        What should be known besides: images resized, a default taken, too few patches placed.
    kind : "object", "aligned" or "texture"
        Object on a plain background; no plain background, but the same layout in all images; anything else.
    placed_share : float
        Share of calls with these arguments that place a patch.
    image_count, given_count : int
        How many images were looked at, and how many there were.
    images : (N, h, w, C) uint8 array
        The images looked at, at working size.
    background : Background
        What was measured about the background.
    variation : Variation
        What was measured about the differences between images.

    Examples
    --------
    >>> from nsa_augment.samples import draw_sample
    >>> found = calibrate([draw_sample("tablet", index, size=128).image for index in range(4)])
    >>> found.kind, found.arguments["gradient"], found.arguments["min_object"]
    ('object', 'source', 0.7)
    >>> found.task(label="binary").background == (found.arguments["background"],)
    True
    """

    arguments: Mapping[str, Any]
    reasons: Mapping[str, str]
    notes: tuple[str, ...]
    kind: Kind
    placed_share: float
    image_count: int
    given_count: int
    images: NDArray[np.uint8] = field(repr=False, compare=False)
    background: Background = field(repr=False, compare=False)
    variation: Variation = field(repr=False, compare=False)

    def task(self, **overrides: Any) -> NaturalSyntheticAnomaly:
        """The task with these arguments; `overrides` replace or complete them."""
        return NaturalSyntheticAnomaly(**{**self.arguments, **overrides})

    def to_yaml(self) -> str:
        """Text of a preset file: the arguments, each with its reason, as `preset=` accepts the file."""
        lines = [
            f"Estimated from {self.image_count} of {self.given_count} images, as {KINDS[self.kind]}.",
            f"{self.placed_share:.0%} of {CALLS} calls placed a patch.",
            *(f"Note: {note}." for note in self.notes),
        ]
        return preset_text(self.arguments, self.reasons, lines)


def calibrate(images: Images, *, max_images: int = 64, seed: int = 0, max_value: float | None = None) -> Calibration:
    """Estimate the arguments of natural synthetic anomalies for a product.

    The paper chose them by eye, product by product [1]_; this follows its reasons. The functions that measure say how:
    `find_background`, `measure_extent`, `measure_variation`.

    Parameters
    ----------
    images : folder, sequence of image files, or sequence of (H, W) or (H, W, C) arrays
        Normal images of one product. Those of another size than most are resized.
    max_images : int
        How many are looked at, picked evenly.
    seed : int
        Of the calls that are tried.
    max_value : float, optional
        Value of grey level 255; None: 255, 65535 or 1 by dtype. 4095 for 12-bit images.

    Returns
    -------
    Calibration

    Raises
    ------
    TypeError, ValueError
        If there are no images, if one cannot be read or does not fit the others, or if all are blank.

    References
    ----------
    .. [1] Schlüter et al., "Natural Synthetic Anomalies for Self-Supervised Anomaly Detection and Localization",
       ECCV 2022, Table 4.

    Examples
    --------
    >>> from nsa_augment.samples import draw_sample
    >>> found = calibrate([draw_sample("hide", index, size=128).image for index in range(4)])
    >>> found.kind, found.arguments["background"], found.arguments["gradient"]
    ('texture', None, 'mixed')
    """
    max_images = check_integer("max_images", max_images, 1)
    seed = check_integer("seed", seed, 0)
    if max_value is not None:
        max_value = check_number("max_value", max_value, 1e-9)
    sample = draw_images(images, max_images, Scale(max_value))
    background, variation = find_background(sample.images), measure_variation(sample.images)
    kind = _kind(background, variation)
    reasoned = {**_geometry(kind, background), **_blending(kind, variation)}
    arguments = {name: value for name, (value, _) in reasoned.items()}
    reasons = {name: reason for name, (_, reason) in reasoned.items()}
    arguments, share, changed = relax(arguments, sample.images, seed)
    for name in changed:
        reasons[name] = f"not {reasoned[name][0]}, with which too few calls placed a patch; {reasons[name]}"
    if max_value is not None:
        arguments["max_value"], reasons["max_value"] = max_value, "as given"
    return Calibration(
        MappingProxyType(arguments),
        MappingProxyType(reasons),
        _notes(sample, share, changed),
        kind,
        share,
        len(sample.images),
        sample.given,
        sample.images,
        background,
        variation,
    )


def _kind(background: Background, variation: Variation) -> Kind:
    if background.plain:
        return "object"
    return "aligned" if variation.aligned else "texture"


def _geometry(kind: Kind, background: Background) -> Reasoned:
    if kind != "object":
        habit = "as the paper does for " + ("textures" if kind == "texture" else "objects without a plain background")
        return {
            "max_patches": (4 if kind == "texture" else 3, habit),
            "height_range": (ANY_SIZE, habit),
            "width_range": (ANY_SIZE, habit),
            "scale_range": ((0.5, 2.0) if kind == "texture" else (0.7, 1.3), habit),
            "background": (None, background.reason),
        }
    extent = measure_extent(background.masks)
    small = extent.height_range[1] * extent.width_range[1] < SMALL_AREA
    lying = "objects lie anyhow; their extent is" if extent.turned else "the object's extent is"
    size = "{} {:.2f} of the image, and larger patches would {}"
    limits = {
        name: size.format(lying, side, "find no place" if bounds[1] < min(side, 0.8) - 0.01 else "exceed it")
        for name, side, bounds in (
            ("height", extent.height, extent.height_range),
            ("width", extent.width, extent.width_range),
        )
    }
    return {
        "max_patches": (4 if small else 3, "patches are small" if small else "patches can be large"),
        "height_range": (extent.height_range, limits["height"]),
        "width_range": (extent.width_range, limits["width"]),
        "scale_range": ((0.7, 1.3), "as the paper does for objects"),
        "background": ((background.brightness, background.threshold), background.reason),
        "min_object": (extent.min_object, f"the object fills {extent.fill:.2f} of its tightest bounding box"),
        "min_overlap": (0.25, "as the paper does for objects"),
    }


def _blending(kind: Kind, variation: Variation) -> Reasoned:
    if variation.typical is None:
        midpoint = "a default: one image alone does not show how much normal images differ"
    else:
        midpoint = f"two normal images differ by {variation.typical:.1f} grey levels at a typical place"
    reasons = {
        "object": "a sharp outline makes artefacts under mixed gradients",
        "aligned": f"images have the same layout (correlation {variation.likeness or 0:.2f}), so they show an object",
        "texture": "no object with a sharp outline, so mixed gradients keep the texture below a patch",
    }
    return {
        "gradient": ("mixed" if kind == "texture" else "source", reasons[kind]),
        "logistic_midpoint": (variation.midpoint, midpoint),
        "logistic_steepness": (variation.steepness, "ln 10 / midpoint: no change has odds of 1 : 10"),
    }


def _notes(sample: ImageSample, share: float, changed: list[str]) -> tuple[str, ...]:
    notes = []
    if len(sample.images) == 1:
        notes.append("only one image: logistic_midpoint and logistic_steepness are defaults")
    if sample.resized:
        height, width = sample.shape
        notes.append(f"{sample.resized} images of other sizes were resized to {height} x {width}, the size of most")
    if changed:
        notes.append(f"changed so that more calls place a patch: {', '.join(changed)}")
    if share < ENOUGH:
        notes.append(f"only {share:.0%} of the calls placed a patch: the object or the images may be too small")
    return tuple(notes)
