"""The geometry arguments that every task shares: how many patches, how big, from where to where (Table 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from nsa_augment.checks import check_choice, check_integer, check_number, check_numbers, check_range, fail
from nsa_augment.foreground import check_background

SELECTIONS = ("natural", "cutpaste", "cutpaste_scar", "fpi")
SHAPES = (None, "ellipses")
MAX_PATCHES = 1000
RESIZE_LIMITS = ("half", "full")
NATURAL_GAMMA = (2.0, 0.05, 0.03)


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Keyword arguments that decide where patches come from and go to; see `NaturalSyntheticAnomaly`."""

    max_patches: int = 4
    height_range: tuple[float, float] = (0.06, 0.80)
    width_range: tuple[float, float] = (0.06, 0.80)
    background: Any = None
    min_object: float = 0.25
    min_overlap: float = 0.25
    scale_range: tuple[float, float] | None = None
    selection: Literal["natural", "cutpaste", "cutpaste_scar", "fpi"] = "natural"
    shape: Literal["ellipses"] | None = None
    size_gamma: tuple[float, float, float] | None = NATURAL_GAMMA
    resize_limits: Literal["half", "full"] = "half"
    max_value: float | None = None

    def __post_init__(self) -> None:
        self._set("max_patches", check_integer("max_patches", self.max_patches, 1, MAX_PATCHES))
        self._set("height_range", check_range("height_range", self.height_range, 0, 1))
        self._set("width_range", check_range("width_range", self.width_range, 0, 1))
        self._set("background", check_background(self.background))
        self._set("min_object", check_number("min_object", self.min_object, 0, 1))
        self._set("min_overlap", check_number("min_overlap", self.min_overlap, 0, 1))
        if self.scale_range is not None:
            self._set("scale_range", check_range("scale_range", self.scale_range, 0))
        check_choice("selection", self.selection, SELECTIONS)
        check_choice("shape", self.shape, SHAPES)
        if self.shape is not None and self.selection == "cutpaste_scar":
            raise fail(ValueError, "shape", "None with selection='cutpaste_scar', whose patches are strips", self.shape)
        check_choice("resize_limits", self.resize_limits, RESIZE_LIMITS)
        if self.max_value is not None:
            value = check_number("max_value", self.max_value, 0)
            if value == 0:
                raise fail(ValueError, "max_value", "None or a number > 0", self.max_value)
            self._set("max_value", value)
        if self.size_gamma is not None:
            accepted = "None or (shape > 0, scale > 0, offset >= 0)"
            gamma = check_numbers("size_gamma", self.size_gamma, accepted, 3)
            if not (gamma[0] > 0 and gamma[1] > 0 and gamma[2] >= 0):
                raise fail(ValueError, "size_gamma", accepted, self.size_gamma)
            self._set("size_gamma", gamma)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
