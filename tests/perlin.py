"""Perlin's noise by its formula, with Python's numbers: judges the package, shares no code with it."""

import math

import numpy as np


def hashed(seed, number):
    """A number in [0, 1): splitmix64."""
    bits = (seed * 2**32 + number + 0x9E3779B97F4A7C15) % 2**64
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB % 2**64
    return ((bits ^ bits >> 31) >> 11) / 2**53


def noise_at(layer, size, row, column):
    """Perlin's formula for one pixel: the four gradients around it, each times its smooth weight."""
    cells_y, cells_x, angle, seed = layer
    middle = (size[0] - 1) / 2, (size[1] - 1) / 2
    offset = complex(column - middle[1], row - middle[0])
    turned = offset * np.exp(1j * angle)  # rotation in the (x, y) plane
    x, y = (turned.real + middle[1]) * cells_x / size[1], (turned.imag + middle[0]) * cells_y / size[0]
    if not (0 <= y < cells_y and 0 <= x < cells_x):
        return 0.0
    total = 0.0
    for i in (int(y), int(y) + 1):
        for j in (int(x), int(x) + 1):
            turn = 2 * math.pi * hashed(seed, i * (cells_x + 1) + j)
            apart = abs(y - i), abs(x - j)
            weight = math.prod(1 - (6 * d**5 - 15 * d**4 + 10 * d**3) for d in apart)
            total += weight * (math.cos(turn) * (y - i) + math.sin(turn) * (x - j))
    return math.sqrt(2) * total
