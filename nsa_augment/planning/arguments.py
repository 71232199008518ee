"""Task arguments that a plan depends on: number, size, source and destination of patches (Table 4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from nsa_augment._shared.checks import check_choice, check_integer, check_number, check_range, fail, set_field
from nsa_augment._shared.randomness import uniform
from nsa_augment._shared.scale import Scale
from nsa_augment.labelling import LabelArguments
from nsa_augment.planning.selection import SELECTIONS, SelectionArguments
from nsa_augment.scenes.foreground import check_background
from nsa_augment.scenes.scene import SOURCE_FITS

MAX_PATCHES = 1000
MAX_CANDIDATES = 100
MAX_CHANGE = 100
RESIZE_LIMITS: MappingProxyType[str, int] = MappingProxyType({"half": 1, "full": 2})
"""Limits of the size of a resized patch, as multiples of the limits of the half-size."""


@dataclass(frozen=True, kw_only=True)
class PlanArguments(SelectionArguments, LabelArguments):
    """Keyword arguments for where patches come from and go to; see `NaturalSyntheticAnomaly`."""

    max_patches: int = 4
    background: Any = None
    min_overlap: float = 0.25
    scale_range: tuple[float, float] | None = None
    resize_limits: str = "half"
    candidates: int = 1
    min_change: float = 0.0
    severity: float | tuple[float, float] = 1.0
    max_value: float | None = None
    source_fit: str = "resize"

    def __post_init__(self) -> None:
        SelectionArguments.__post_init__(self)
        LabelArguments.__post_init__(self)
        set_field(self, "max_patches", check_integer("max_patches", self.max_patches, 1, MAX_PATCHES))
        set_field(self, "background", check_background(self.background))
        set_field(self, "min_overlap", check_number("min_overlap", self.min_overlap, 0, 1))
        if self.scale_range is not None:
            set_field(self, "scale_range", check_range("scale_range", self.scale_range, 0))
        check_choice("resize_limits", self.resize_limits, RESIZE_LIMITS)
        set_field(self, "candidates", check_integer("candidates", self.candidates, 1, MAX_CANDIDATES))
        set_field(self, "min_change", check_number("min_change", self.min_change, 0, MAX_CHANGE))
        set_field(self, "severity", _check_severity(self.severity))
        check_choice("source_fit", self.source_fit, SOURCE_FITS)
        set_field(self, "max_value", Scale(self.max_value).max_value)

    @property
    def ranges_in_use(self) -> tuple[str, ...]:
        """Names of the ranges that bound the size of patches, before or after resizing."""
        in_use = self.scale_range is not None or SELECTIONS[self.selection].in_ranges
        return ("height_range", "width_range") if in_use else ()

    @property
    def limits_are_halved(self) -> bool:
        """Whether the ranges bound resized patches as half-sizes, so that half of them is the limit."""
        return self.scale_range is not None and RESIZE_LIMITS[self.resize_limits] == 1

    def draw_severity(self, rng: np.random.Generator) -> float:
        """The severity for one call; nothing is drawn if it is a number."""
        return float(uniform(rng, *self.severity)) if isinstance(self.severity, tuple) else self.severity

    @cached_property
    def scale(self) -> Scale:
        """Value of an image that stands for grey level 255."""
        return Scale(self.max_value)


def _check_severity(value: Any) -> float | tuple[float, float]:
    drawn = isinstance(value, (list, tuple))
    checked = check_range("severity", value, 0, 1) if drawn else check_number("severity", value, 0, 1)
    if np.max(checked) == 0:
        raise fail(ValueError, "severity", "above 0, which would leave every image unchanged", value)
    return checked
