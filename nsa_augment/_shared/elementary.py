"""Elementary functions in a fixed order of sums and products, which every processor and library rounds alike.

Those of NumPy, of Numba and of the C library differ in their last bit from one processor to another.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

_SINE = tuple((-1) ** (power // 2) / math.factorial(power) for power in range(1, 20, 2))
_COSINE = tuple((-1) ** (power // 2) / math.factorial(power) for power in range(0, 20, 2))


def _polynomial(coefficients: tuple[float, ...], x: Reals) -> Reals:
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def sine_of_turns(numerator: NDArray[np.int64], denominator: int) -> Reals:
    """sin(2 pi numerator / denominator), within one unit in the last place; exact where it is 0, 1/2 or 1.

    Examples
    --------
    >>> sine_of_turns(np.array([0, 1, 3, 6, 9]), 12).tolist()
    [0.0, 0.49999999999999994, 1.0, 0.0, -1.0]
    """
    eighths = 8 * (np.asarray(numerator, np.int64) % denominator)
    octant = eighths // denominator
    folded = np.where(octant % 2 == 0, eighths % denominator, denominator - eighths % denominator)
    x = np.pi / 4 * (folded / denominator)
    square = x * x
    values = np.where(
        (octant % 4 == 1) | (octant % 4 == 2), _polynomial(_COSINE, square), x * _polynomial(_SINE, square)
    )
    return np.asarray(np.where(octant >= 4, -values, values), np.float64)
