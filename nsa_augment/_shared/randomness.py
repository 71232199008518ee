"""Random numbers that are bitwise equal on every machine.

Generators draw the same integers, and the same numbers in [0, 1), everywhere. NumPy scales its distributions by a fused
operation on Arm, which rounds differently; here there are two operations.
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
