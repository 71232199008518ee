"""Procedural textures, each from a seed, for users without images of textures."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.elementary import cosine, power_of_two, sine, sine_of_cycles
from nsa_augment._shared.scale import MAX_CHANNELS
from nsa_augment._shared.types import Image, Size
from nsa_augment.planning.outlines.noise import gradient_noise
from nsa_augment.planning.patterns.base import SEEDS, Material, SeededPattern, uniform

PARAMETERS = 16
"""Number of random numbers of a texture before those of its colours."""
LEAST_CONTRAST = 0.25


class _Texture(SeededPattern):
    """A map from 0 to 1, coloured with two levels for each channel; sizes differ only in resolution."""

    def pixels(self, material: Material) -> Image:
        """Every channel ranges between two random levels, at least a quarter of the scale apart."""
        numbers = uniform(self.seed, PARAMETERS + 2 * MAX_CHANNELS)
        first, apart = numbers[PARAMETERS:].reshape(MAX_CHANNELS, 2)[: material.channels].T
        second = (first + LEAST_CONTRAST + (1 - 2 * LEAST_CONTRAST) * apart) % 1
        values = np.clip(self.values(material.size, numbers[:PARAMETERS]), 0, 1)[:, :, np.newaxis]
        return material.pixels(255 * (first + (second - first) * values))

    @abstractmethod
    def values(self, size: Size, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """(height, width) map, roughly in [0, 1], from random numbers in [0, 1)."""


class Fractal(_Texture):
    """Five octaves of gradient noise, possibly stretched along one axis: clouds, stains, grain."""

    name: ClassVar[str] = "fractal"

    def values(self, size: Size, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each octave has half the amplitude and twice the cells of the previous one."""
        cells = 1 + (12 * numbers[:2] ** 2).astype(int)
        return np.asarray(0.5 + 0.8 * _octaves(size, int(cells[0]), int(cells[1]), self.seed))


class Waves(_Texture):
    """Parallel waves, bent by noise: marble, wood, brushed metal."""

    name: ClassVar[str] = "waves"

    def values(self, size: Size, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """A sine of 3 to 24 cycles in any direction."""
        phase = _cycles(size, 3 * power_of_two(3 * numbers[0]), 2 * np.pi * numbers[1])
        bent = phase + 2 * numbers[2] * _octaves(size, 3, 3, self.seed)
        return np.asarray(0.5 + 0.5 * sine_of_cycles(bent))


class Weave(_Texture):
    """Two crossed waves: cloth, grids, knurls."""

    name: ClassVar[str] = "weave"

    def values(self, size: Size, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The larger of two sines of 4 to 32 cycles, at any angle."""
        turn = 2 * np.pi * numbers[0]
        across = turn + np.pi * (0.25 + numbers[1] / 2)
        waves = [
            sine_of_cycles(_cycles(size, 4 * power_of_two(3 * n), way))
            for n, way in zip(numbers[2:4], (turn, across), strict=True)
        ]
        return 0.5 + 0.5 * np.maximum(*waves)


class Cells(_Texture):
    """Distances to scattered points: leather, pebbles, cells."""

    name: ClassVar[str] = "cells"

    def values(self, size: Size, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The distance to the nearest point, with one point in each cell of a grid of 4 to 32 cells."""
        count = int(4 * power_of_two(3 * numbers[0]))
        points = uniform((self.seed + 1) % SEEDS, count, count, 2)
        return _distances(size, points)


PROCEDURAL: tuple[type[SeededPattern], ...] = (Fractal, Waves, Weave, Cells)
"""The textures of this module."""


def _octaves(size: Size, cells_y: int, cells_x: int, seed: int) -> NDArray[np.float64]:
    """Fractal noise, roughly in [-1, 1]."""
    noise = np.zeros(size)
    for octave in range(5):
        layer = gradient_noise(size, cells_y << octave, cells_x << octave, 0.0, (seed + octave) % SEEDS)
        noise += layer / 2**octave
    return noise


def _cycles(size: Size, frequency: float, direction: float) -> NDArray[np.float64]:
    """Cycles of a wave up to each pixel; the longer side has `frequency` of them."""
    y = np.arange(size[0])[:, np.newaxis] * sine(direction)
    return np.asarray((y + np.arange(size[1]) * cosine(direction)) * (frequency / max(size)))


@compiled
def _distances(size: Size, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from each pixel to the nearest point, in cells; each cell of a grid has one point."""
    height, width = size
    count = points.shape[0]
    distances = np.empty((height, width), np.float64)
    for row in range(height):
        y = (row + 0.5) * count / height
        for column in range(width):
            x = (column + 0.5) * count / width
            nearest = 9.0
            for j in range(int(y) - 1, int(y) + 2):
                for i in range(int(x) - 1, int(x) + 2):
                    point = points[j % count, i % count]
                    dy, dx = j + point[0] - y, i + point[1] - x
                    nearest = min(nearest, dy * dy + dx * dx)
            distances[row, column] = np.sqrt(nearest)
    return distances
