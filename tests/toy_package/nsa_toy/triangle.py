"""An outline: a triangle that stands on the lower side of its box, with its tip anywhere on the upper one."""

from dataclasses import dataclass

import numpy as np

from nsa_augment import Outline


@dataclass(frozen=True)
class Triangle(Outline):
    tip: float

    name = "triangle"

    def __post_init__(self):
        if not 0 <= self.tip <= 1:
            raise ValueError(f"tip must be a number in [0, 1], got {self.tip!r}")

    @classmethod
    def draw(cls, rng, box):
        return cls(rng.uniform())

    def mask(self, size):
        height, width = size
        down = (np.arange(height)[:, np.newaxis] + 0.5) / height
        across = (np.arange(width) + 0.5) / width
        inside = (across >= self.tip * (1 - down)) & (across <= self.tip + (1 - self.tip) * down)
        return inside.astype(np.uint8)
