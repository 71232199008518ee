"""Estimate the arguments of natural synthetic anomalies for a product from its images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_integer
from nsa_augment._shared.mask_files import Masks
from nsa_augment._shared.scale import Scale
from nsa_augment._shared.wording import counted
from nsa_augment.calibration._kinds import KINDS, ProductKind, find_kind
from nsa_augment.calibration._picking import Images, PickedImages, pick_images
from nsa_augment.calibration.background import Background, find_background
from nsa_augment.calibration.levels import Levels, measure_levels
from nsa_augment.calibration.preset_files import preset_text
from nsa_augment.calibration.trials import (
    CALLS,
    ENOUGH,
    ENOUGH_VISIBLE,
    ask_for_change,
    placed_share,
    relax,
    visible_share,
)
from nsa_augment.calibration.variation import Variation, measure_variation
from nsa_augment.tasks import NaturalSyntheticAnomaly

_THIN = "no object mask: it may miss thin lines, and all changes are labelled"


@dataclass(frozen=True)
class Calibration:
    """Estimated arguments, with reasons.

    Parameters
    ----------
    arguments : mapping
        Keyword arguments of `NaturalSyntheticAnomaly`.
    reasons : mapping
        One sentence for each argument.
    notes : tuple of str
        Remarks: images resized, a default used, too few patches placed.
    kind : "masked", "crisp", "object", "aligned" or "texture"
        Object under given masks; two flat levels of brightness; object on a plain background; no plain background, but
        the same layout in all images; anything else.
    placed_share : float
        Share of calls with these arguments that place a patch.
    visible_share : float
        Share of their patches whose logistic label reaches 1/2 somewhere.
    image_count, given_count : int
        Number of images used, and of all images.
    images : (N, h, w, C) uint8 array
        The images used, at working size.
    background : Background
        Measurements of the background.
    variation : Variation
        Measurements of the differences between images.
    levels : Levels
        Measurements of flat brightness levels.

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
    kind: str
    placed_share: float
    visible_share: float
    image_count: int
    given_count: int
    images: NDArray[np.uint8] = field(repr=False, compare=False)
    background: Background = field(repr=False, compare=False)
    variation: Variation = field(repr=False, compare=False)
    levels: Levels = field(repr=False, compare=False)

    def task(self, **overrides: Any) -> NaturalSyntheticAnomaly:
        """The task with these arguments; `overrides` replace or complete them."""
        return NaturalSyntheticAnomaly(**{**self.arguments, **overrides})

    @property
    def summary(self) -> str:
        """The kind of product in words, and the number of images used."""
        return f"{KINDS[self.kind].description} ({self.image_count} of {counted(self.given_count, 'image')})"

    @property
    def placing(self) -> str:
        """`placed_share` and `visible_share` in words."""
        visible = f"{self.visible_share:.0%} of the patches have a label of 1/2 or more"
        return f"{self.placed_share:.0%} of {CALLS} calls placed a patch, {visible}"

    def to_yaml(self) -> str:
        """Text of a preset file for `preset=`: the arguments, each with its reason."""
        given = counted(self.given_count, "image")
        lines = [
            f"Estimated from {self.image_count} of {given}, as {KINDS[self.kind].description}.",
            f"{self.placing}.",
            *(f"Note: {note}." for note in self.notes),
        ]
        return preset_text(self.arguments, self.reasons, lines)


def calibrate(
    images: Images,
    *,
    max_images: int = 64,
    seed: int = 0,
    max_value: float | None = None,
    recursive: bool = False,
    object_masks: Masks | None = None,
) -> Calibration:
    """Estimate the arguments of natural synthetic anomalies for a product.

    The paper chose them by eye, product by product [1]_; the estimates follow its reasons. `find_background`,
    `measure_extent` and `measure_variation` explain the measurements.

    Parameters
    ----------
    images : folder, sequence of image files, or sequence of (H, W) or (H, W, C) arrays
        Normal images of one product. Those of another size than most are scaled, aspect intact, and cropped.
    max_images : int
        Maximum number of images to use, evenly spaced.
    seed : int
        Seed of the calls that try out the arguments.
    max_value : float, optional
        Value of grey level 255; None: 255, 65535 or 1 by dtype. 4095 for 12-bit images.
    recursive : bool
        Whether to read the subfolders of a folder, too.
    object_masks : sequence of (H, W) arrays, folder or "alpha", optional
        Object masks, instead of a background of one brightness: arrays; or, if `images` are files, a folder with masks
        of the same names, or the alpha channel. The task needs them, too.

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
    scale = Scale(max_value)
    picked = pick_images(images, max_images, scale, recursive, object_masks)
    background = find_background(picked.images, picked.masks)
    variation = measure_variation(picked.images, picked.masks)
    levels = measure_levels(picked.images)
    if levels.crisp and background.plain:
        background = replace(background, plain=False, reason=_THIN)
    kind = find_kind(background, variation, levels)
    reasoned = kind.arguments(background, variation, levels)
    arguments = {name: value for name, (value, _) in reasoned.items()}
    reasons = {name: reason for name, (_, reason) in reasoned.items()}
    arguments, trials, changed = relax(arguments, picked.images, seed, picked.masks)
    visible = visible_share(NaturalSyntheticAnomaly(**arguments), trials)
    if visible < ENOUGH_VISIBLE:
        reason = f"without it only {visible:.0%} of the patches have a label of 1/2 or more"
        arguments, trials = ask_for_change(arguments, trials, picked.images, seed, picked.masks)
        reasons |= {name: reason for name in arguments.keys() - reasons.keys()}
        visible = visible_share(NaturalSyntheticAnomaly(**arguments), trials)
    share = placed_share(trials)
    for name in changed:
        reasons[name] = f"not {reasoned[name][0]}, as too few calls placed a patch then; {reasons[name]}"
    if scale.max_value is not None:
        arguments["max_value"], reasons["max_value"] = scale.max_value, "as given"
    return Calibration(
        MappingProxyType(arguments),
        MappingProxyType(reasons),
        _notes(picked, share, changed, kind),
        kind.name,
        share,
        visible,
        len(picked.images),
        picked.given,
        picked.images,
        background,
        variation,
        levels,
    )


def _notes(picked: PickedImages, share: float, changed: list[str], kind: type[ProductKind]) -> tuple[str, ...]:
    notes = [] if picked.sliver is None else [picked.sliver]
    if len(picked.images) == 1:
        notes.append("only one image: logistic_midpoint and logistic_steepness are defaults")
    if picked.resized:
        height, width = picked.shape
        scaled = f"scaled and cropped to {height} x {width}, the size of most"
        notes.append(f"images of other sizes were {scaled}: {picked.resized}")
    if picked.objectless:
        notes.append(f"images with empty object masks were dropped: {picked.objectless}")
    if changed:
        notes.append(f"changed so that more calls place a patch: {', '.join(changed)}")
    if share < ENOUGH:
        notes.append(f"only {share:.0%} of the calls placed a patch: the object or the images may be too small")
    if kind.advice is not None:
        notes.append(kind.advice)
    return tuple(notes)
