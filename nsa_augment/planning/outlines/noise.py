"""Thresholded gradient noise: the outlines of DRAEM and its successors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import cached
from nsa_augment._shared.checks import check_choice, check_integer, check_number, check_numbers, fail, set_field
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.elementary import cosine, sine, sine_of_turns
from nsa_augment._shared.randomness import uniform
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.planning.outlines.base import Outline, OutlineBox

NOISE_SCALES = (0, 5)
NOISE_THRESHOLD = 0.5
LARGEST_EXPONENT = 10
SEEDS = 2**32
COVER_DRAWS = 20
LEAST_COVER = 0.1
COMBINATIONS = ("union", "intersection")
SINGLE = "single"
"""Name of one layer among the ways to combine layers."""

Layer: TypeAlias = tuple[int, int, float, int]


@dataclass(frozen=True)
class Noise(Outline):
    """Where gradient noise, roughly in [-1, 1], exceeds a threshold.

    Parameters
    ----------
    layers : tuple of (cells_y, cells_x, angle, seed)
        Cells of the grid of gradients along each axis of the box; rotation of the noise about the centre of the box,
        radians (counter-clockwise in image coordinates, y down); seed of the gradients. Outside the rotated box there
        is no noise.
    threshold : float
    combine : "union" or "intersection"
        How to combine several layers.

    Examples
    --------
    >>> Noise(((2, 4, 0.0, 1),), threshold=0.1).mask((4, 12)).sum(axis=1).tolist()
    [2, 4, 3, 1]
    """

    layers: tuple[Layer, ...]
    threshold: float = NOISE_THRESHOLD
    combine: str = "union"

    name: ClassVar[str] = "noise"
    scalable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        accepted = "a non-empty sequence of (cells_y >= 1, cells_x >= 1, angle, seed)"
        if not isinstance(self.layers, (list, tuple)) or not self.layers:
            raise fail(TypeError if self.layers else ValueError, "noise layers", accepted, self.layers)
        set_field(self, "layers", tuple(_check_layer(layer, accepted) for layer in self.layers))
        set_field(self, "threshold", check_number("noise threshold", self.threshold, -1, 1))
        check_choice("noise combine", self.combine, COMBINATIONS)

    def mask(self, size: Size) -> BinaryMap:
        """(height, width) uint8 map, 1 where the noise exceeds the threshold."""
        return np.array(_noise_mask(self.layers, self.threshold, self.combine, (size[0], size[1])))

    @classmethod
    def draw(cls, rng: np.random.Generator, box: OutlineBox) -> Noise:
        """Draw up to 20 outlines with the task's scales and threshold, until one covers 10 % of the box.

        If none does, the one that covers most is used. It has one layer. Tasks may set another cover (`noise_cover`),
        and several combinations (`noise_combinations`: "single", or "union" or "intersection" of two layers).
        """
        scales = getattr(box.arguments, "noise_scales", NOISE_SCALES)
        level = getattr(box.arguments, "noise_threshold", NOISE_THRESHOLD)
        cover = getattr(box.arguments, "noise_cover", LEAST_COVER)
        ways = getattr(box.arguments, "noise_combinations", (SINGLE,))
        best, most = None, -1
        for _ in range(COVER_DRAWS):
            way = ways[0] if len(ways) == 1 else ways[int(rng.integers(len(ways)))]
            layers = tuple(draw_layer(rng, scales) for _ in range(1 if way == SINGLE else 2))
            outline = cls(layers, level, COMBINATIONS[0] if way == SINGLE else way)
            covered = int(np.count_nonzero(outline.mask(box.size)))
            if covered > most:
                best, most = outline, covered
            if covered >= cover * box.size[0] * box.size[1]:
                break
        assert best is not None
        return best


@dataclass(frozen=True)
class FineNoise(Noise):
    """Noise whose islands stay visible and labelled however small they are. Parameters are those of `Noise`."""

    name: ClassVar[str] = "fine_noise"
    fine: ClassVar[bool] = True


@cached(2)
def _noise_mask(layers: tuple[Layer, ...], threshold: float, combine: str, size: Size) -> BinaryMap:
    """Cached, because one call draws, places, checks and applies an outline."""
    maps = [gradient_noise(size, *layer) > threshold for layer in layers]
    joined = np.logical_or.reduce(maps) if combine == "union" else np.logical_and.reduce(maps)
    return np.asarray(joined).view(np.uint8)


def draw_layer(rng: np.random.Generator, scales: Sequence[int]) -> Layer:
    """Draw 2^e cells per axis, e uniform on the whole numbers in `scales`, and a rotation of -90 to 90 degrees."""
    cells_y, cells_x = (2**exponent for exponent in rng.integers(scales[0], scales[1] + 1, 2).tolist())
    return cells_y, cells_x, float(uniform(rng, -math.pi / 2, math.pi / 2)), int(rng.integers(SEEDS))


def gradient_noise(size: Size, cells_y: int, cells_x: int, angle: float, seed: int) -> NDArray[np.float64]:
    """Perlin's gradient noise, roughly in [-1, 1], on a grid of unit gradients that is rotated about its centre.

    The directions of the gradients are hashed from the seed and the position in the grid, so that the noise of a seed
    can be evaluated at any size, and does not depend on any library's random numbers.
    """
    bits = np.arange((cells_y + 1) * (cells_x + 1), dtype=np.uint64)
    bits += np.uint64((seed * SEEDS + 0x9E3779B97F4A7C15) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    turns = ((bits ^ (bits >> np.uint64(31))) >> np.uint64(11)).astype(np.int64)
    gradients = np.stack([sine_of_turns(turns + 2**51, 2**53), sine_of_turns(turns, 2**53)], axis=1)
    return _interpolate(size, gradients.reshape(cells_y + 1, cells_x + 1, 2), cosine(angle), sine(angle))


@compiled
def _interpolate(size: Size, gradients: NDArray[np.float64], cosine: float, sine: float) -> NDArray[np.float64]:
    height, width = size
    cells_y, cells_x = gradients.shape[0] - 1, gradients.shape[1] - 1
    noise = np.zeros((height, width), np.float64)
    for row in range(height):
        for column in range(width):
            dy, dx = row - (height - 1) / 2, column - (width - 1) / 2
            y = (dy * cosine + dx * sine + (height - 1) / 2) * cells_y / height
            x = (dx * cosine - dy * sine + (width - 1) / 2) * cells_x / width
            if not (0 <= y < cells_y and 0 <= x < cells_x):
                continue
            top, left = int(y), int(x)
            y, x = y - top, x - left
            first, second = gradients[top, left], gradients[top, left + 1]
            third, fourth = gradients[top + 1, left], gradients[top + 1, left + 1]
            upper = first[0] * y + first[1] * x, second[0] * y + second[1] * (x - 1)
            lower = third[0] * (y - 1) + third[1] * x, fourth[0] * (y - 1) + fourth[1] * (x - 1)
            fade_y, fade_x = y * y * y * (y * (6 * y - 15) + 10), x * x * x * (x * (6 * x - 15) + 10)
            above = upper[0] + fade_x * (upper[1] - upper[0])
            below = lower[0] + fade_x * (lower[1] - lower[0])
            noise[row, column] = np.sqrt(2.0) * (above + fade_y * (below - above))
    return noise


def _check_layer(layer: object, accepted: str) -> Layer:
    cells_y, cells_x, angle, seed = check_numbers("noise layers", layer, accepted, 4)
    limit = 2**LARGEST_EXPONENT
    return (
        check_integer("cells_y of noise", int(cells_y) if cells_y.is_integer() else cells_y, 1, limit),
        check_integer("cells_x of noise", int(cells_x) if cells_x.is_integer() else cells_x, 1, limit),
        check_number("angle of noise", angle, -math.pi, math.pi),
        check_integer("seed of noise", int(seed) if seed.is_integer() else seed, 0, SEEDS - 1),
    )
