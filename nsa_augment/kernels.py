"""What every compiled function of the package shares: how it is compiled, and the median of a binary map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from nsa_augment.types import BinaryMap

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile with Numba: cached on disk, without the GIL, without threads (safe in forked workers)."""
    return cast("Function", numba.njit(cache=True, nogil=True)(function))


@compiled
def binary_median(binary: BinaryMap, radius: int) -> BinaryMap:
    """Median of a 0/1 map over a square of side ``2 * radius + 1``, edges repeated.

    The median of zeros and ones is a majority vote, so counting replaces sorting: column sums slide down the
    map and are added along each row, in constant time per pixel.

    Parameters
    ----------
    binary : (H, W) uint8 array of 0 and 1, C-contiguous
    radius : int
        At most 7, so that a count fits into 8 bits.

    Returns
    -------
    (H, W) uint8 array of 0 and 1
    """
    height, width = binary.shape
    median = np.empty((height, width), np.uint8)
    columns = np.zeros(width + 2 * radius, np.uint8)
    counts = np.empty(width, np.uint8)
    majority = (2 * radius + 1) ** 2 // 2
    inner = columns[radius : radius + width]
    for offset in range(-radius, radius):
        row = binary[min(max(offset, 0), height - 1)]
        for x in range(width):
            inner[x] += row[x]
    for y in range(height):
        entering = binary[min(y + radius, height - 1)]
        for x in range(width):
            inner[x] += entering[x]
        columns[:radius] = inner[0]
        columns[radius + width :] = inner[width - 1]
        counts[:] = columns[:width]
        for shift in range(1, 2 * radius + 1):
            shifted = columns[shift : shift + width]
            for x in range(width):
                counts[x] += shifted[x]
        target = median[y]
        for x in range(width):
            target[x] = counts[x] > majority
        leaving = binary[max(y - radius, 0)]
        for x in range(width):
            inner[x] -= leaving[x]
    return median
