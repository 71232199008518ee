"""Colour jitter of a patch, as in CutPaste training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from nsa_augment._shared.checks import check_number, fail, set_field
from nsa_augment._shared.colours import grey_values, turn_colours
from nsa_augment._shared.randomness import uniform
from nsa_augment._shared.scale import BY_DTYPE, Scale
from nsa_augment._shared.types import Image

MAX_JITTER = 0.5


@dataclass(frozen=True)
class Jitter:
    """Relative changes of the colours of a patch, each in [-0.5, 0.5].

    Parameters
    ----------
    brightness, contrast, saturation : float
        The factor is 1 + change: of all values, of the distance to the patch's mean grey, of that to each pixel's grey.
    hue : float
        Turn of the hue, as a fraction of the colour circle. Saturation and hue change three-channel images only.

    Examples
    --------
    >>> Jitter(brightness=0.1).apply(np.full((1, 1, 3), 100, np.uint8)).ravel().tolist()
    [110, 110, 110]
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = check_number(f"jitter {item.name}", getattr(self, item.name), -MAX_JITTER, MAX_JITTER)
            set_field(self, item.name, value)

    @classmethod
    def draw(cls, rng: np.random.Generator, strength: float) -> Jitter:
        """Draw each change uniform in [-strength, strength]."""
        return cls(*uniform(rng, -strength, strength, 4).tolist())

    def apply(self, pixels: Image, scale: Scale = BY_DTYPE) -> Image:
        """Jittered copy of an (h, w, C) image; `scale` gives the value of grey level 255."""
        maximum = scale.maximum(pixels.dtype)
        values = (pixels / maximum).astype(np.float32) * np.float32(1 + self.brightness)
        coloured = values.shape[2] == 3
        grey = grey_values(values) if coloured else values
        mean = np.float32(grey.mean(dtype=np.float64))
        values = mean + (values - mean) * np.float32(1 + self.contrast)
        if coloured:
            grey = grey_values(values)[:, :, np.newaxis]
            values = np.clip(grey + (values - grey) * np.float32(1 + self.saturation), 0, 1).astype(np.float32)
            values = turn_colours(values, self.hue, 0.0)
        changed = np.clip(values, 0, 1) * maximum
        return np.asarray(np.rint(changed) if pixels.dtype.kind == "u" else changed, pixels.dtype)

    def to_dict(self) -> dict[str, float]:
        """Plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Jitter:
        """Inverse of `to_dict`."""
        accepted = "null or a mapping with some of brightness, contrast, saturation, hue"
        if not isinstance(data, Mapping):
            raise fail(TypeError, "jitter", accepted, data)
        if not set(data) <= set(asdict(cls())):
            raise fail(ValueError, "jitter", accepted, dict(data))
        return cls(**data)
