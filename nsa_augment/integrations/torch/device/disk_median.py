"""The median over a disk of radius 5, for all pixels of many windows at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nsa_augment.labelling.disk_median import DISK_PIXELS, DISK_RADIUS
from nsa_augment.labelling.disk_median import disk_median as compiled_median

RADIUS = DISK_RADIUS
BELOW = DISK_PIXELS // 2
"""Most pixels of the disk below the median."""
HALF_WIDTHS = (0, 3, 4, 4, 4, 5, 4, 4, 4, 3, 0)
"""Half widths of the rows of the disk."""


def disk_median(values: Tensor, levels: int | None = None, needed: Tensor | None = None) -> Tensor:
    """Median over a disk.

    Parameters
    ----------
    values : (n, h + 10, w + 10) tensor
        Whole numbers below `levels`, or floats.
    levels : int, optional
        None for floats, which are replaced by their ranks in each window.
    needed : (n, h, w) uint8 tensor of 0 and 1, optional
        Where the median is needed; elsewhere the result is undefined.

    Returns
    -------
    (n, h, w) tensor
        Medians, in the dtype of `values`.

    Examples
    --------
    >>> disk_median(torch.arange(121, dtype=torch.int16).reshape(1, 11, 11), 121).tolist()
    [[[60]]]
    """
    search = _search_compiled if values.device.type == "cpu" else _search
    if levels is not None:
        return search(values, max(levels - 1, 1).bit_length(), needed)
    ordered, order = values.flatten(1).sort(dim=1)
    count = ordered.shape[1]
    dtype = torch.int16 if count < 2**15 else torch.int32
    numbers = torch.arange(count, dtype=dtype, device=values.device).expand_as(order)
    ranks = torch.empty_like(order, dtype=dtype).scatter_(1, order, numbers).reshape(values.shape)
    medians = search(ranks, (count - 1).bit_length(), needed)
    return ordered.gather(1, medians.flatten(1).long()).reshape(medians.shape)


def _search_compiled(values: Tensor, bits: int, needed: Tensor | None) -> Tensor:
    """`_search`, window by window on the CPU."""
    shape = tuple(side - 2 * RADIUS for side in values.shape[1:])
    asked = np.ones((len(values), *shape), np.uint8) if needed is None else needed.numpy()
    ranks = values.contiguous().numpy()
    return torch.from_numpy(np.stack([compiled_median(*window) for window in zip(ranks, asked, strict=True)]))


def _search(values: Tensor, bits: int, needed: Tensor | None) -> Tensor:
    """Binary search from the highest bit: the median is the largest number with at most 40 of 81 values below it."""
    n, height, width = values.shape[0], values.shape[1] - 2 * RADIUS, values.shape[2] - 2 * RADIUS
    values = values.contiguous()
    found = values.new_zeros((n, height, width))
    below = torch.empty(found.shape, dtype=torch.uint8, device=values.device)
    less = torch.empty(found.shape, dtype=torch.bool, device=values.device)
    for bit in range(bits - 1, -1, -1):
        trial = found + (1 << bit)
        below.zero_()
        for row, half in enumerate(HALF_WIDTHS):
            for column in range(RADIUS - half, RADIUS + half + 1):
                torch.lt(values[:, row : row + height, column : column + width], trial, out=less)
                below += less.view(torch.uint8)
        found = torch.where(below <= BELOW, trial, found)
    return found
