"""Random numbers that are the same bits on every machine.

Generators draw the same integers, and the same numbers in [0, 1), everywhere. The scaling of NumPy's distributions is
fused into one operation on Arm, and rounds otherwise there: here it is two.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray


@overload
def uniform(rng: np.random.Generator, low: float, high: float) -> float: ...
@overload
def uniform(rng: np.random.Generator, low: float, high: float, size: int | tuple[int, ...]) -> NDArray[np.float64]: ...
def uniform(rng: np.random.Generator, low: float, high: float, size: Any = None) -> Any:
    """As `rng.uniform`."""
    return low + (high - low) * rng.random(size)


@overload
def normal(rng: np.random.Generator, mean: float, deviation: float) -> float: ...
@overload
def normal(
    rng: np.random.Generator, mean: float, deviation: float, size: int | tuple[int, ...]
) -> NDArray[np.float64]: ...
def normal(rng: np.random.Generator, mean: float, deviation: float, size: Any = None) -> Any:
    """As `rng.normal`."""
    return mean + deviation * rng.standard_normal(size)
