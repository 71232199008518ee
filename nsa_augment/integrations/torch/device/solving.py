"""Poisson's equation on many rectangles of different sizes at once: sine transforms as matrix products."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sines(start: Tensor, count: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Sine matrices of different sizes, padded with zeros, and the eigenvalues of their rows.

    Parameters
    ----------
    start, count : (n,) int64 tensors
        First pixel of each rectangle along an axis, and number of its pixels.
    length : int
        Length of the axis.

    Returns
    -------
    (n, length, length) float32 tensor
        Row k, column j: sqrt(2 / (count + 1)) sin(pi (k + 1) (j - start + 1) / (count + 1)); its own inverse,
        transposed.
    (n, length) float32 tensor
        Eigenvalues of the second difference, -4 sin(pi (k + 1) / 2 (count + 1))^2.
    """
    places = torch.arange(length, device=start.device)
    mode, place = places + 1, places - start[:, None] + 1
    period = 2 * (count + 1)[:, None]
    product = (mode[:, None] * place[:, None, :]).remainder(period[:, None])
    matrices = torch.sin(product.float() * (2 * math.pi / period[:, None].float()))
    matrices *= (2 / (count + 1).float()).sqrt()[:, None, None]
    inside = (place >= 1) & (place <= count[:, None])
    known = mode <= count[:, None]
    matrices *= inside[:, None, :] & known[:, :, None]
    values = -4 * torch.sin(mode.float() * (math.pi / period.float())).square()
    return matrices, torch.where(known, values, -1.0)


def solve_poisson(divergence: Tensor, start: tuple[Tensor, Tensor], count: tuple[Tensor, Tensor]) -> Tensor:
    """Solve the discrete Poisson equation on rectangles, with zeros around them.

    Parameters
    ----------
    divergence : (n, h, C, w) float32 tensor
        Right-hand sides; values outside the rectangles are ignored.
    start, count : pairs of (n,) int64 tensors
        First row and column of each rectangle, and numbers of its rows and columns.

    Returns
    -------
    (n, h, C, w) float32 tensor
        v with v[y-1, x] + v[y+1, x] + v[y, x-1] + v[y, x+1] - 4 v[y, x] = divergence[y, x] inside, 0 outside.

    Examples
    --------
    >>> one = torch.ones(1, dtype=torch.int64)
    >>> solve_poisson(torch.full((1, 3, 1, 3), -4.0), (one, one), (one, one))[0, :, 0].round().tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    height, width = divergence.shape[1], divergence.shape[3]
    (down, values_down), (across, values_across) = (
        sines(first, size, length) for first, size, length in zip(start, count, (height, width), strict=True)
    )
    modes = _both(divergence, down, across.mT)
    modes /= values_down[:, :, None, None] + values_across[:, None, None, :]
    return _both(modes, down.mT, across)


def _both(values: Tensor, left: Tensor, right: Tensor) -> Tensor:
    n, height, channels, width = values.shape
    values = torch.bmm(values.reshape(n, height * channels, width), right)
    return torch.bmm(left, values.reshape(n, height, channels * width)).reshape(n, height, channels, width)
