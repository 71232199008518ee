"""The median of a binary map."""

from __future__ import annotations

import numpy as np

from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.types import BinaryMap


@compiled
def binary_median(binary: BinaryMap, radius: int) -> BinaryMap:
    """Median of a 0/1 map over a square of side ``2 * radius + 1``, edges repeated.

    The median of zeros and ones is a majority vote, so counting replaces sorting: column sums slide down the
    map and are added along each row. Both sizes in use are written out, which lets the compiler use 8-bit vectors.

    Parameters
    ----------
    binary : (H, W) uint8 array of 0 and 1, C-contiguous
    radius : 2 or 3

    Returns
    -------
    (H, W) uint8 array of 0 and 1
    """
    height, width = binary.shape
    median = np.empty((height, width), np.uint8)
    columns = np.zeros(width + 2 * radius, np.uint8)
    inner = columns[radius : radius + width]
    for offset in range(-radius, radius + 1):
        entering = binary[min(max(offset, 0), height - 1)]
        for x in range(width):
            inner[x] += entering[x]
    for y in range(height):
        if y > 0:
            entering, leaving = binary[min(y + radius, height - 1)], binary[max(y - radius - 1, 0)]
            for x in range(width):
                inner[x] += entering[x] - leaving[x]
        columns[:radius] = inner[0]
        columns[radius + width :] = inner[width - 1]
        vote = median[y]
        if radius == 2:
            for x in range(width):
                count = columns[x] + columns[x + 1] + columns[x + 2] + columns[x + 3] + columns[x + 4]
                vote[x] = np.uint8(count) > np.uint8(12)
        else:
            for x in range(width):
                count = columns[x] + columns[x + 1] + columns[x + 2] + columns[x + 3] + columns[x + 4]
                vote[x] = np.uint8(count + columns[x + 5] + columns[x + 6]) > np.uint8(24)
    return median
