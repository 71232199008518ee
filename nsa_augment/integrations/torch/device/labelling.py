"""The labels, for many windows at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.scale import FLOAT_RESOLUTION
from nsa_augment.integrations.torch.device.blending import exact
from nsa_augment.integrations.torch.device.disk_median import RADIUS, disk_median
from nsa_augment.integrations.torch.device.placed import Placed
from nsa_augment.integrations.torch.device.windows import Windows, box_sum, by_size, repeat_edges
from nsa_augment.labelling import Label
from nsa_augment.labelling.change import MARGIN, MEDIAN_RADIUS
from nsa_augment.labelling.labels import BinaryLabel, ContinuousLabel, FactorLabel, LogisticLabel
from nsa_augment.planning import SynthesisPlan

MAJORITY = (2 * MEDIAN_RADIUS + 1) ** 2 // 2
MOST_LEVEL = 255.0


@dataclass(frozen=True)
class Changes:
    """The changes by blending, per pixel of a batch.

    Parameters
    ----------
    before, after : (B, C, H, W) tensors
    region, fine : (B, H, W) uint8 tensors of 0 and 1
        Where patches were blended; `fine`: only those with fine outlines, if any.
    maximum : float
        Value of grey level 255.
    """

    before: Tensor
    after: Tensor
    region: Tensor
    fine: Tensor | None
    maximum: float

    @property
    def channels(self) -> int:
        """Number of channels of the images."""
        return self.before.shape[1]

    @property
    def whole(self) -> bool:
        """Whether changes are whole grey levels."""
        return self.before.dtype == torch.uint8 and self.maximum == MOST_LEVEL

    def read(self, windows: Windows) -> Tensor:
        """(n, h, w) change summed over channels, in grey levels: int16, or float64."""
        before, after = windows.read(self.before), windows.read(self.after)
        if self.whole:
            return (after.to(torch.int16) - before).abs_().sum(2, dtype=torch.int16)
        return (exact(after) - exact(before)).abs().sum(2) * 255 / self.maximum


@dataclass(frozen=True)
class Kind:
    """Computation of a kind of label.

    Parameters
    ----------
    reach : int
        Pixels that the label extends beyond patches.
    of_levels : callable, optional
        (label, levels, mask) -> label, from the median change; None: the label is the mask, times the factor if
        `weighted`.
    weighted : bool
    """

    reach: int = MEDIAN_RADIUS
    of_levels: Callable[[Label, Tensor, Tensor], Tensor] | None = None
    weighted: bool = False


def _continuous(label: Label, levels: Tensor, mask: Tensor) -> Tensor:
    return levels


def _logistic(label: Label, levels: Tensor, mask: Tensor) -> Tensor:
    assert isinstance(label, LogisticLabel)
    return mask * (0.5 + 0.5 * torch.tanh(label.steepness / 2 * (exact(levels) - label.midpoint))).float()


KINDS: Mapping[type[Label], Kind] = MappingProxyType(
    {
        BinaryLabel: Kind(),
        FactorLabel: Kind(weighted=True),
        LogisticLabel: Kind(of_levels=_logistic),
        ContinuousLabel: Kind(MARGIN, _continuous),
    }
)
"""Computation by kind of label."""


def label_changes(changes: Changes, placed: Placed, plans: Sequence[SynthesisPlan | None], label: Label) -> Tensor:
    """(B, H, W) float32 labels of a batch."""
    count, _, height, width = changes.before.shape
    device, kind = changes.before.device, KINDS[type(label)]
    labels = torch.zeros(count, height, width, device=device)
    groups = list(_windows(placed, kind.reach, (height, width), device))
    if not groups:
        return labels
    candidates = torch.zeros(
        (count, height + 2 * MEDIAN_RADIUS, width + 2 * MEDIAN_RADIUS), dtype=torch.uint8, device=device
    )
    threshold = changes.channels * (1 if changes.whole else 1 + FLOAT_RESOLUTION)
    sums = [changes.read(windows) for windows in groups]
    inner = _without(candidates, MEDIAN_RADIUS)
    for windows, change in zip(groups, sums, strict=True):
        windows.write(inner, windows.read(changes.region) & (change > threshold))
    repeat_edges(candidates, MEDIAN_RADIUS)
    masks = [_mask(candidates, windows, changes.fine) for windows in groups]
    if kind.of_levels is None:
        factors = _factors(placed, plans, (height, width), device) if kind.weighted else None
        for windows, mask in zip(groups, masks, strict=True):
            windows.write(labels, mask.float() if factors is None else mask * windows.read(factors))
        return labels
    medians = _levels(changes, groups, sums, masks, beyond=kind.reach > MEDIAN_RADIUS)
    for windows, levels, mask in zip(groups, medians, masks, strict=True):
        windows.write(labels, kind.of_levels(label, levels, mask))
    if changes.fine is not None:
        _label_fine(changes, groups, sums, masks, labels, kind.of_levels, label)
    return labels


def _windows(placed: Placed, reach: int, within: tuple[int, int], device: torch.device) -> list[Windows]:
    """Windows around all patches, including the reach of their labels."""
    if not len(placed):
        return []
    boxes = placed.destination.copy()
    boxes[:, :2] = np.maximum(boxes[:, :2] - reach, 0)
    boxes[:, 2:] = np.minimum(boxes[:, 2:] + reach, within)
    return [Windows.around(placed.number[chosen], boxes[chosen], within, device) for chosen in by_size(boxes, device)]


def _without(padded: Tensor, margin: int) -> Tensor:
    return padded[:, margin:-margin, margin:-margin]


def _mask(candidates: Tensor, windows: Windows, fine: Tensor | None) -> Tensor:
    around = windows.grown(MEDIAN_RADIUS).read(candidates)
    mask = (box_sum(around, MEDIAN_RADIUS) > MAJORITY).to(torch.uint8)
    return mask if fine is None else mask | (_without(around, MEDIAN_RADIUS) & windows.read(fine))


def _levels(
    changes: Changes, groups: Sequence[Windows], sums: Sequence[Tensor], masks: Sequence[Tensor], beyond: bool
) -> list[Tensor]:
    """Medians of mask times change, averaged over channels, in float32 grey levels; `beyond`: outside the mask, too."""
    count, _, height, width = changes.before.shape
    dtype = torch.int16 if changes.whole else torch.float32
    padded = torch.zeros((count, height + 2 * RADIUS, width + 2 * RADIUS), dtype=dtype, device=changes.before.device)
    for windows, change, mask in zip(groups, sums, masks, strict=True):
        windows.write(
            _without(padded, RADIUS), mask * change if changes.whole else (mask * change / changes.channels).float()
        )
    repeat_edges(padded, RADIUS)
    around = [windows.grown(RADIUS).read(padded) for windows in groups]
    needed = [None] * len(masks) if beyond else masks
    most = 255 * changes.channels + 1 if changes.whole else None
    medians = [disk_median(values, most, where) for values, where in zip(around, needed, strict=True)]
    return [(exact(each) / changes.channels).float() for each in medians] if changes.whole else medians


def _label_fine(
    changes: Changes,
    groups: Sequence[Windows],
    sums: Sequence[Tensor],
    masks: Sequence[Tensor],
    labels: Tensor,
    of_levels: Callable[[Label, Tensor, Tensor], Tensor],
    label: Label,
) -> None:
    """Raise labels on fine outlines to the label of the mean change of their pixels in the 5 x 5 around."""
    assert changes.fine is not None
    count, _, height, width = changes.before.shape
    shape = (count, height + 2 * MEDIAN_RADIUS, width + 2 * MEDIAN_RADIUS)
    totals = torch.zeros(shape, dtype=exact(labels[:0]).dtype, device=labels.device)
    pixels = torch.zeros_like(totals)
    counted = [windows.read(changes.fine) & mask for windows, mask in zip(groups, masks, strict=True)]
    for windows, change, pixel in zip(groups, sums, counted, strict=True):
        windows.write(_without(totals, MEDIAN_RADIUS), pixel * (exact(change) / changes.channels))
        windows.write(_without(pixels, MEDIAN_RADIUS), pixel.to(pixels.dtype))
    for windows, pixel in zip(groups, counted, strict=True):
        around = windows.grown(MEDIAN_RADIUS)
        total, number = (box_sum(around.read(each), MEDIAN_RADIUS) for each in (totals, pixels))
        levels = (pixel * total / number.clamp_min(1)).clamp(0, MOST_LEVEL).float()
        windows.write(labels, torch.maximum(windows.read(labels), of_levels(label, levels, pixel)))


def _factors(
    placed: Placed, plans: Sequence[SynthesisPlan | None], size: tuple[int, int], device: torch.device
) -> Tensor:
    """(B, H, W) interpolation factors; where patches overlap, that of the last one."""
    factors = np.zeros((len(plans), *size), np.float32)
    strengths = [1.0 if plan is None else plan.severity for plan in plans]
    for reach in (MEDIAN_RADIUS, 0):
        for number, box, factor in zip(placed.number, placed.destination.tolist(), placed.factor, strict=True):
            Box(*box).grown(reach, size).of(factors[number])[...] = strengths[number] * factor
    return torch.from_numpy(factors).to(device)
