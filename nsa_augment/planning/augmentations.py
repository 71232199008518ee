"""Random augmentations of a texture before it is blended into an image, as in DRAEM and GLASS."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_choice, check_number, fail, set_field
from nsa_augment._shared.colours import grey_values, turn_colours
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.elementary import cosine, exponential, logarithm, sine
from nsa_augment._shared.randomness import uniform
from nsa_augment._shared.types import Image
from nsa_augment._shared.wording import counted
from nsa_augment.planning.jitter import Jitter

Levels: TypeAlias = NDArray[np.float32]
"""(h, w, C) grey levels 0 to 255."""
Values: TypeAlias = tuple[float, ...]
Range: TypeAlias = tuple[float, float]

NEVER = 256.0
"""Threshold that no grey level reaches."""
LEAST_LEVEL = 1e-30
"""Grey level that replaces black in logarithms."""


@dataclass(frozen=True)
class Operation:
    """A kind of augmentation.

    Parameters
    ----------
    apply : callable
        (levels, values) -> levels, which may lie outside 0 to 255.
    ranges : tuple of (low, high)
        Range of each value, uniform.
    whole : bool
        Whether values are whole numbers.
    """

    apply: Callable[[Levels, Values], Image]
    ranges: tuple[Range, ...] = ()
    whole: bool = False

    def draw(self, rng: np.random.Generator) -> Values:
        """Draw one value from each range."""
        if self.whole:
            return tuple(float(rng.integers(int(low), int(high) + 1)) for low, high in self.ranges)
        return tuple(float(uniform(rng, low, high)) for low, high in self.ranges)


def _gamma(levels: Levels, values: Values) -> Image:
    powers = np.resize(np.array(values), levels.shape[2])
    return np.asarray(255 * exponential(powers * logarithm(np.maximum(levels, LEAST_LEVEL) / 255)))


def _brightness(levels: Levels, values: Values) -> Image:
    return levels * values[0] + values[1]


def _sharpness(levels: Levels, values: Values) -> Image:
    """Blur with a small filter, or sharpen; the outermost pixels stay."""
    smooth = levels.astype(np.float64)
    height, width, _ = levels.shape
    if min(height, width) > 2:
        total = 4 * smooth[1:-1, 1:-1]
        for row in range(3):
            for column in range(3):
                total += levels[row : row + height - 2, column : column + width - 2]
        smooth[1:-1, 1:-1] = total / 13
    return np.asarray(smooth + values[0] * (levels - smooth))


def _hue_saturation(levels: Levels, values: Values) -> Image:
    """Turn the hue by a fraction of the colour circle, and add grey levels to the saturation."""
    if levels.shape[2] != 3:
        return levels
    return 255 * turn_colours(np.ascontiguousarray(levels / 255), values[0], values[1] / 255)


def _solarise(levels: Levels, values: Values) -> Image:
    """Invert the levels from a threshold on, or, with a probability of one half, none."""
    threshold = values[0] if values[1] < 0.5 else NEVER
    return np.where(levels < threshold, levels, 255 - levels)


def _posterise(levels: Levels, values: Values) -> Image:
    step = 2 ** (8 - values[0])
    return np.asarray(np.floor(levels / step) * step)


def _invert(levels: Levels, values: Values) -> Image:
    return 255 - levels


def _autocontrast(levels: Levels, values: Values) -> Image:
    """Stretch each channel to [0, 255], ignoring a percentage of its pixels at either end."""
    low, high = np.percentile(levels, (values[0], 100 - values[0]), axis=(0, 1))
    flat = high <= low
    low, high = np.where(flat, 0, low), np.where(flat, 255, high)
    return np.asarray((levels - low) * (255 / (high - low)))


def _stretch(levels: Levels, values: Values) -> Image:
    return _autocontrast(levels, (0.0,))


def _equalise(levels: Levels, values: Values) -> Image:
    """Equalise the histogram of each channel."""
    whole = levels.astype(np.uint8)
    between = levels - whole
    changed = levels.copy()
    for channel in range(levels.shape[2]):
        plane = whole[:, :, channel]
        below = np.cumsum(np.bincount(plane.ravel(), minlength=256))
        least = below[plane.min()]
        if below[-1] > least:
            table = np.maximum(below - least, 0) * (255 / (below[-1] - least))
            changed[:, :, channel] = table[plane] + between[:, :, channel] * np.diff(table, append=255)[plane]
    return np.asarray(changed)


def _rotation(levels: Levels, values: Values) -> Image:
    """Rotate about the centre, degrees; pixels from outside are black."""
    angle = math.radians(values[0])
    return _turned(np.pad(levels, ((1, 2), (1, 2), (0, 0))), cosine(angle), sine(angle))


@compiled
def _turned(padded: Levels, cosine: float, sine: float) -> Levels:
    """Rotate with bilinear interpolation; `padded` has one row and column before the levels, and two after them."""
    height, width, channels = padded.shape[0] - 3, padded.shape[1] - 3, padded.shape[2]
    turned = np.zeros((height, width, channels), np.float32)
    for row in range(height):
        for column in range(width):
            dy, dx = row - (height - 1) / 2, column - (width - 1) / 2
            y, x = dx * sine + dy * cosine + (height + 1) / 2, dx * cosine - dy * sine + (width + 1) / 2
            if not (0 <= y < height + 1 and 0 <= x < width + 1):
                continue
            top, left = int(y), int(x)
            down, right = y - top, x - left
            for c in range(channels):
                above = padded[top, left, c] * (1 - right) + padded[top, left + 1, c] * right
                below = padded[top + 1, left, c] * (1 - right) + padded[top + 1, left + 1, c] * right
                turned[row, column, c] = above * (1 - down) + below * down
    return turned


def _jitter(**factors: int) -> Callable[[Levels, Values], Image]:
    """Colour jitter with some of the values as its changes."""

    def apply(levels: Levels, values: Values) -> Image:
        jitter = Jitter(**{name: values[place] for name, place in factors.items()})
        return 255 * jitter.apply(np.asarray(levels / 255, np.float32))

    return apply


def _flip(axis: int) -> Callable[[Levels, Values], Image]:
    return lambda levels, values: np.flip(levels, axis)


def _grey(levels: Levels, values: Values) -> Image:
    if levels.shape[2] != 3:
        return levels
    return np.repeat(grey_values(levels)[:, :, np.newaxis], 3, axis=2)


GAMMA = (0.5, 2.0)
SHIFT = 0.2

AUGMENTATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "gamma": Operation(_gamma, (GAMMA, GAMMA, GAMMA)),
        "brightness": Operation(_brightness, ((0.8, 1.2), (-30, 30))),
        "sharpness": Operation(_sharpness, ((0, 2),)),
        "hue_saturation": Operation(_hue_saturation, ((-50 / 510, 50 / 510), (-50, 50))),
        "solarise": Operation(_solarise, ((32, 128), (0, 1))),
        "posterise": Operation(_posterise, ((1, 8),), whole=True),
        "invert": Operation(_invert),
        "autocontrast": Operation(_autocontrast, ((0, 20),)),
        "equalise": Operation(_equalise),
        "rotation": Operation(_rotation, ((-45, 45),)),
        "contrast": Operation(_jitter(contrast=0), ((-SHIFT, SHIFT),)),
        "exposure": Operation(_jitter(brightness=0), ((-SHIFT, SHIFT),)),
        "colour": Operation(_jitter(saturation=0, hue=1), ((-SHIFT, SHIFT), (-SHIFT, SHIFT))),
        "flip_horizontal": Operation(_flip(1)),
        "flip_vertical": Operation(_flip(0)),
        "grey": Operation(_grey),
        "stretch": Operation(_stretch),
    }
)
"""The kinds of augmentations by name."""

DRAEM = tuple(AUGMENTATIONS)[:10]
"""Kinds in DRAEM, with its ranges."""
GLASS = (
    "contrast",
    "exposure",
    "colour",
    "flip_horizontal",
    "flip_vertical",
    "grey",
    "stretch",
    "equalise",
    "rotation",
)
"""Kinds in GLASS, with its ranges."""


@dataclass(frozen=True)
class Augmentation:
    """An augmentation of a texture, with its drawn values.

    Parameters
    ----------
    kind : str
        One of `AUGMENTATIONS`.
    values : tuple of float
        One for each range of the kind, within the range.

    Examples
    --------
    >>> Augmentation("invert").apply(np.full((1, 1, 1), 55, np.float32)).item()
    200.0
    """

    kind: str
    values: Values = ()

    def __post_init__(self) -> None:
        check_choice("kind of augmentation", self.kind, AUGMENTATIONS)
        ranges = AUGMENTATIONS[self.kind].ranges
        accepted = f"a sequence of {counted(len(ranges), 'number')} for {self.kind!r}"
        if not isinstance(self.values, (list, tuple)):
            raise fail(TypeError, "values of augmentation", accepted, self.values)
        if len(self.values) != len(ranges):
            raise fail(ValueError, "values of augmentation", accepted, self.values)
        checked = [
            check_number(f"values of {self.kind}", value, *limits)
            for value, limits in zip(self.values, ranges, strict=True)
        ]
        set_field(self, "values", tuple(checked))

    @classmethod
    def draw(cls, rng: np.random.Generator, kind: str) -> Augmentation:
        """Draw values uniform in the ranges of a kind."""
        return cls(kind, AUGMENTATIONS[kind].draw(rng))

    def apply(self, levels: Levels) -> Levels:
        """Augmented copy of (h, w, C) grey levels, clipped to 0 to 255."""
        return np.asarray(np.clip(AUGMENTATIONS[self.kind].apply(levels, self.values), 0, 255), np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"kind": self.kind, "values": list(self.values)}

    @classmethod
    def from_dict(cls, data: Any) -> Augmentation:
        """Inverse of `to_dict`."""
        accepted = "a mapping with the keys ['kind', 'values']"
        if not isinstance(data, Mapping):
            raise fail(TypeError, "augmentation", accepted, data)
        if set(data) != {"kind", "values"}:
            raise fail(ValueError, "augmentation", accepted, dict(data))
        return cls(**data)
