"""The labels of a change, each with its unit, its range and the tasks that it suits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.cache import cached
from nsa_augment._shared.elementary import exponential
from nsa_augment._shared.registry import Registry
from nsa_augment._shared.types import BinaryMap
from nsa_augment.labelling.change import MEDIAN_RADIUS, Change
from nsa_augment.labelling.disk_median import DISK_RADIUS, Ranks, look_up_medians

LABELS: Registry[Label] = Registry("labels")
"""The labels by name."""


@dataclass(frozen=True, eq=False)
class AreaChange:
    """The change by blending inside one area of an image, from which labels are computed.

    Parameters
    ----------
    change : (h, w) array
        Sum over channels of the change in grey levels, as `nsa_augment.labelling.change.difference` returns it.
    mask : (h, w) uint8 array of 0 and 1
        M: where the image changed visibly.
    channels : int
    patches : sequence of (box, factor)
        Boxes of the blended patches in coordinates of the area, and their interpolation factors, in order.
    fine : (h, w) uint8 array of 0 and 1, optional
        Where patches with fine outlines were blended, whose change a median over a disk would remove.
    """

    change: Change
    mask: BinaryMap
    channels: int
    patches: tuple[tuple[Box, float], ...] = ()
    fine: BinaryMap | None = None


class Label(ABC):
    """Training target made from a change. A subclass with a `name` registers itself.

    Attributes
    ----------
    name : str
        The value of `label=` that selects it.
    unit : str or None
        Unit of the values; None: fractions of 1.
    maximum : float
        Largest possible value; the smallest is 0.
    file_scale : int
        Factor of the values in 16-bit files.
    """

    name: ClassVar[str]
    unit: ClassVar[str | None] = None
    maximum: ClassVar[float] = 1.0
    file_scale: ClassVar[int] = 65535

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        LABELS.register(cls)

    @classmethod
    def bind(cls, task: Any) -> Label:
        """The label with the arguments of a task."""
        return cls()

    @classmethod
    def unsuited(cls, task: type[Any]) -> str | None:
        """Why it does not suit a class of tasks; None if it does."""
        return None

    @abstractmethod
    def compute(self, area: AreaChange) -> NDArray[np.float32]:
        """(h, w) float32 array, 0 away from `area.mask`."""


class BinaryLabel(Label):
    """The mask M: changed by more than one grey level inside a patch, smoothed by a 5 x 5 median."""

    name = "binary"

    def compute(self, area: AreaChange) -> NDArray[np.float32]:
        """0 and 1."""
        return area.mask.astype(np.float32)


class ContinuousLabel(Label):
    """The amount of change: its median over a disk of radius 5, grey levels."""

    name = "continuous"
    unit = "grey levels"
    maximum = 255.0
    file_scale = 256

    def compute(self, area: AreaChange) -> NDArray[np.float32]:
        """0 to 255."""
        return continuous_label(area.change, area.mask, area.channels, area.fine)


@dataclass(frozen=True)
class LogisticLabel(Label):
    """The continuous label squashed to [0, 1): 1/2 where the change equals the midpoint.

    Parameters
    ----------
    midpoint : float
        y0 of Table 4, grey levels.
    steepness : float
        k of Table 4, per grey level.
    """

    midpoint: float
    steepness: float

    name = "logistic"

    @classmethod
    def bind(cls, task: Any) -> LogisticLabel:
        """The label with `logistic_midpoint` and `logistic_steepness` of a task."""
        return cls(task.logistic_midpoint, task.logistic_steepness)

    def compute(self, area: AreaChange) -> NDArray[np.float32]:
        """0 to 1."""
        return logistic_label(area.change, area.mask, area.channels, self.midpoint, self.steepness, area.fine)


class FactorLabel(Label):
    """The mask M times the interpolation factor."""

    name = "factor"

    @classmethod
    def unsuited(cls, task: type[Any]) -> str | None:
        """Tasks without an interpolation factor."""
        return (
            None if task.factor_range is not None else "only tasks that interpolate, as FPI and PII do, have a factor"
        )

    def compute(self, area: AreaChange) -> NDArray[np.float32]:
        """0 to 1."""
        return factor_label(area.mask, area.patches)


def continuous_label(
    change: Change, mask: BinaryMap, channels: int, fine: BinaryMap | None = None
) -> NDArray[np.float32]:
    """Median of mask * mean change over a disk of radius 5 (81 pixels, edges repeated), grey levels.

    Parameters
    ----------
    change : (h, w) array
        As returned by `difference`.
    mask : (h, w) uint8 array of 0 and 1
        As returned by `change_mask`.
    channels : int
    fine : (h, w) uint8 array of 0 and 1, optional
        Where the label is at least the mean change over the masked pixels of `fine` in the 5 x 5 around.

    Returns
    -------
    (h, w) float32 array
    """
    reached = cv2.dilate(mask, np.ones((2 * DISK_RADIUS + 1,) * 2, np.uint8)).astype(np.uint8, copy=False)
    return _levels(change, mask, channels, fine, reached)


def largest_level(change: Change, mask: BinaryMap, channels: int, fine: BinaryMap | None = None) -> float:
    """Largest value of the continuous label inside the mask; parameters as for `continuous_label`."""
    return float(np.max(_levels(change, mask, channels, fine, mask)))


def _levels(
    change: Change, mask: BinaryMap, channels: int, fine: BinaryMap | None, needed: BinaryMap
) -> NDArray[np.float32]:
    """The continuous label at the needed pixels, 0 elsewhere; the whole mask is among them."""
    ranks, levels = _ranks(change, mask, channels)
    label = look_up_medians(ranks, mask, needed, levels.astype(np.float32))
    return label if fine is None else np.maximum(label, _fine_levels(change, mask & fine, channels))


def _fine_levels(change: Change, counted: BinaryMap, channels: int) -> NDArray[np.float32]:
    """Mean change over the counted pixels in the 5 x 5 around each of them, grey levels; elsewhere 0."""
    around = (2 * MEDIAN_RADIUS + 1,) * 2
    totals = cv2.boxFilter(counted * change, cv2.CV_64F, around, normalize=False, borderType=cv2.BORDER_CONSTANT)
    pixels = cv2.boxFilter(counted, cv2.CV_64F, around, normalize=False, borderType=cv2.BORDER_CONSTANT)
    means = counted * totals / (channels * np.maximum(pixels, 1))
    return np.asarray(np.clip(means, 0, ContinuousLabel.maximum), np.float32)


def logistic_label(
    change: Change,
    mask: BinaryMap,
    channels: int,
    midpoint: float,
    steepness: float,
    fine: BinaryMap | None = None,
) -> NDArray[np.float32]:
    """Mask / (1 + exp(-steepness * (continuous label - midpoint))).

    Parameters
    ----------
    change, mask, channels
        As for `continuous_label`.
    midpoint : float
        y0 of Table 4, grey levels.
    steepness : float
        k of Table 4, per grey level.
    fine : array, optional
        As for `continuous_label`.

    Returns
    -------
    (h, w) float32 array in [0, 1]
    """
    ranks, levels = _ranks(change, mask, channels)
    if change.dtype == np.uint16:
        logistic = _integer_logistic(channels, midpoint, steepness)
    else:
        logistic = _logistic(levels, midpoint, steepness)
    label = look_up_medians(ranks, mask, mask, logistic)
    if fine is None:
        return label
    counted = mask & fine
    at_least = counted * _logistic(_fine_levels(change, counted, channels), midpoint, steepness)
    return np.asarray(np.maximum(label, at_least), np.float32)


def _logistic(levels: NDArray[np.floating], midpoint: float, steepness: float) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        exponent = np.asarray(steepness * (levels.astype(np.float64) - midpoint))
    decay = exponential(-np.abs(exponent))
    half = 0.5 * (1 - decay) / (1 + decay)
    return np.asarray(np.where(exponent < 0, 0.5 - half, 0.5 + half), np.float32)


@cached(64)
def _integer_logistic(channels: int, midpoint: float, steepness: float) -> NDArray[np.float32]:
    """Logistic label of every integer change, up to the first value after which it is constant."""
    logistic = _logistic(_integer_levels(channels), midpoint, steepness)
    others = np.flatnonzero(logistic != logistic[-1])
    return np.array(logistic[: np.max(others, initial=-1) + 2])


def factor_label(mask: BinaryMap, patches: Sequence[tuple[Box, float]]) -> NDArray[np.float32]:
    """Mask * interpolation factor; where patches with different factors overlap, that of the last one.

    Parameters
    ----------
    mask : (h, w) uint8 array of 0 and 1
        As returned by `change_mask`.
    patches : sequence of (box, factor)
        In the order of blending.

    Returns
    -------
    (h, w) float32 array in [0, 1]
    """
    factors = np.zeros(mask.shape, np.float32)
    for reach in (MEDIAN_RADIUS, 0):
        for box, factor in patches:
            Box(*box).grown(reach, mask.shape).of(factors)[...] = factor
    return factors * mask


def _ranks(change: Change, mask: BinaryMap, channels: int) -> tuple[Ranks, NDArray[np.float64]]:
    """Integer map that orders the pixels of the mask by their change, and the grey level of each integer."""
    if change.dtype == np.uint16:
        return change.view(np.int16), _integer_levels(channels)
    values, inverse = np.unique(change * mask, return_inverse=True)
    return inverse.reshape(change.shape).astype(np.int32), values / channels


@cached(64)
def _integer_levels(channels: int) -> NDArray[np.float64]:
    return np.arange(255 * channels + 1) / channels
