"""Resizing of patches of many sizes at once, as in `cv2.resize`: 8 bits in its fixed-point arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nsa_augment.integrations.torch.device.windows import Boxes, to_device

BITS = 11
"""Bits of the weights of bilinear interpolation for 8-bit pixels."""
UNIT = 2**BITS


@dataclass(frozen=True)
class Resizing:
    """Where each pixel of resized patches comes from.

    Parameters
    ----------
    rows, columns : pair of (n, h) or (n, w) int64 arrays
        The two pixels to interpolate between.
    down, across : (n, h) or (n, w) float32 array
        Weight of the second pixel.
    read : (height, width)
        Size of the windows that the patches are read from.
    """

    rows: tuple[NDArray[np.int64], NDArray[np.int64]]
    columns: tuple[NDArray[np.int64], NDArray[np.int64]]
    down: NDArray[np.float32]
    across: NDArray[np.float32]
    read: tuple[int, int]
    device: torch.device

    @classmethod
    def between(
        cls, inner: Boxes, size: tuple[int, int], outer: Boxes, whole: tuple[int, int], device: torch.device
    ) -> Resizing:
        """From boxes within windows of `whole` pixels to boxes within windows of `size` pixels."""
        rows, down = _axis(inner[:, 0], inner[:, 2], size[0], outer[:, 0], outer[:, 2], clipped=True)
        columns, across = _axis(inner[:, 1], inner[:, 3], size[1], outer[:, 1], outer[:, 3], clipped=False)
        return cls(rows, columns, down, across, whole, device)

    def of_pixels(self, pixels: Tensor) -> Tensor:
        """(n, h, C, w) pixels resized from (n, h', C, w'): 8 bits as whole float32 numbers, others in their dtype."""
        if pixels.dtype == torch.uint8:
            return self._in_fixed_point(pixels)
        across = self._across(np.float32(1) - self.across, self.across, pixels.dtype)
        weights = [to_device(each, pixels.dtype, self.device)[:, :, None, None] for each in (1 - self.down, self.down)]
        mixed = _by_matrix(pixels, across)
        upper, lower = (self._rows(mixed, rows) for rows in self.rows)
        return upper * weights[0] + lower * weights[1]

    def of_maps(self, maps: Tensor) -> Tensor:
        """(n, h, w) resized 0/1 maps, rounded to 0 and 1 in 8 bits."""
        return self._in_fixed_point(maps[:, :, None]).to(torch.uint8)[:, :, 0]

    def _in_fixed_point(self, pixels: Tensor) -> Tensor:
        """Sums of two products below 2^24 are exact in float32; the others need integers."""
        across = self._across(*_fixed(self.across), torch.float32)
        mixed = _by_matrix(pixels.float(), across).to(torch.int32) >> 4
        total: Tensor | int = 2
        for rows, weight in zip(self.rows, _fixed(self.down), strict=True):
            weights = to_device(weight, torch.int32, self.device)[:, :, None, None]
            total = total + ((self._rows(mixed, rows) * weights) >> 16)
        assert isinstance(total, Tensor)
        return (total >> 2).clamp(0, 255).float()

    def _rows(self, mixed: Tensor, rows: NDArray[np.int64]) -> Tensor:
        numbers = torch.arange(len(rows), device=self.device)[:, None]
        return mixed[numbers, to_device(rows, torch.int64, self.device)]

    def _across(self, first: NDArray[np.float32], second: NDArray[np.float32], dtype: torch.dtype) -> Tensor:
        """(n, w', w) matrices that interpolate along rows."""
        matrices = torch.zeros(len(first), self.read[1], first.shape[1], dtype=dtype, device=self.device)
        for columns, weights in zip(self.columns, (first, second), strict=True):
            index = to_device(columns, torch.int64, self.device)[:, None]
            matrices.scatter_add_(1, index, to_device(weights, dtype, self.device)[:, None])
        return matrices


def _by_matrix(pixels: Tensor, matrices: Tensor) -> Tensor:
    count, height, channels, _ = pixels.shape
    flat = pixels.reshape(count, height * channels, -1)
    return torch.bmm(flat, matrices).reshape(count, height, channels, -1)


def _fixed(share: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.rint((np.float32(1) - share) * np.float32(UNIT)), np.rint(share * np.float32(UNIT))


def _axis(
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    length: int,
    source_start: NDArray[np.int64],
    source_stop: NDArray[np.int64],
    *,
    clipped: bool,
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]:
    """The two pixels that each pixel lies between along an axis, and the weight of the second.

    Beyond the first and the last pixel OpenCV repeats that pixel: along columns it keeps both weights (`clipped`),
    along rows the first weight is 1, which rounds differently.
    """
    size, source_size = (stop - start)[:, None], (source_stop - source_start)[:, None]
    place = np.clip(np.arange(length) - start[:, None], 0, size - 1)
    position = ((place + 0.5) * (source_size / size) - 0.5).astype(np.float32)
    lower = np.floor(position).astype(np.int64)
    share = position - lower.astype(np.float32)
    if not clipped:
        share[(lower < 0) | (lower >= source_size - 1)] = 0
    first, second = (np.clip(each, 0, source_size - 1) + source_start[:, None] for each in (lower, lower + 1))
    return (first, second), share
