"""Windows of equal size into the images of a batch, and the grouping of boxes of many sizes into few windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nsa_augment._shared.types import Size

Boxes = NDArray[np.int64]
"""(n, 4): half-open boxes y0, x0, y1, x1."""

COST = {"cpu": 40_000.0}
"""Pixels of padding that cost as much as another group, by device."""
COST_ELSEWHERE = 1_000_000.0


@dataclass(frozen=True)
class Windows:
    """Windows of one size.

    Parameters
    ----------
    number : (n,) int64 array
        Index of the image of each window.
    corners : (n, 2) int64 array
        Row and column of the upper left pixel of each window.
    size : (height, width)
    """

    number: NDArray[np.int64]
    corners: NDArray[np.int64]
    size: Size
    device: torch.device

    def __post_init__(self) -> None:
        indices = torch.from_numpy(np.column_stack([self.number, self.corners]).T.copy())
        object.__setattr__(self, "_indices", tuple(indices.to(self.device, non_blocking=True)))

    @classmethod
    def around(cls, number: NDArray[np.int64], boxes: Boxes, within: Size, device: torch.device) -> Windows:
        """The smallest windows of equal size that contain the boxes and lie within images of a size."""
        size = _largest(boxes)
        return cls(number, np.minimum(boxes[:, :2], np.array(within) - size), size, device)

    def read(self, images: Tensor) -> Tensor:
        """(n, h, C, w) copy of the pixels of (B, C, H, W) images, or (n, h, w) of (B, H, W) maps."""
        return _view(images, self.size)[self._indices]  # type: ignore[attr-defined,no-any-return]

    def write(self, images: Tensor, values: Tensor) -> None:
        """Replace the pixels, in place."""
        _view(images, self.size).index_put_(self._indices, values)  # type: ignore[attr-defined]

    def relative(self, boxes: Boxes) -> Boxes:
        """Boxes of images, relative to the upper left pixels of the windows."""
        return np.asarray(boxes - np.concatenate([self.corners] * 2, axis=1), np.int64)

    def grown(self, margin: int) -> Windows:
        """The windows with a margin on all sides, in images padded by it: the corners stay the same."""
        height, width = self.size
        return Windows(self.number, self.corners, (height + 2 * margin, width + 2 * margin), self.device)


def _view(images: Tensor, size: Size) -> Tensor:
    """View of all windows of a size, by image, row and column."""
    view = images.unfold(-2, size[0], 1).unfold(-2, size[1], 1)
    return view if images.ndim == 3 else view.permute(0, 2, 3, 4, 1, 5)


def _largest(boxes: Boxes) -> Size:
    height, width = (boxes[:, 2:] - boxes[:, :2]).max(axis=0).tolist()
    return height, width


def by_size(boxes: Boxes, device: torch.device) -> Iterator[NDArray[np.int64]]:
    """Indices of the boxes, in groups of similar size.

    Boxes are sorted by area, and divided so that the cost of padding them to the largest of their group and of the
    groups themselves is least.
    """
    order = np.argsort(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), kind="stable")
    heights, widths = (boxes[order, 2:] - boxes[order, :2]).T
    overhead = COST.get(device.type, COST_ELSEWHERE)
    best, start = np.zeros(len(order) + 1), np.zeros(len(order) + 1, np.int64)
    for stop in range(1, len(order) + 1):
        height = np.maximum.accumulate(heights[stop - 1 :: -1] if stop < len(order) else heights[::-1])
        width = np.maximum.accumulate(widths[stop - 1 :: -1] if stop < len(order) else widths[::-1])
        costs = best[stop - 1 :: -1] + height * width * np.arange(1, stop + 1) + overhead
        count = int(np.argmin(costs)) + 1
        best[stop], start[stop] = costs[count - 1], stop - count
    stop = len(order)
    while stop:
        yield order[start[stop] : stop]
        stop = int(start[stop])


def in_rounds(number: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Indices of the items of a batch in rounds: the first of every image, then the second of every image..."""
    order = np.argsort(number, kind="stable")
    sorted_ = number[order]
    first = np.searchsorted(sorted_, sorted_)
    rank = np.arange(len(order)) - first
    return [order[rank == place] for place in range(int(rank.max()) + 1)] if len(order) else []


def box_sum(maps: Tensor, radius: int) -> Tensor:
    """Sums over squares of side ``2 * radius + 1``; the result is smaller by the radius on every side.

    Examples
    --------
    >>> box_sum(torch.ones(1, 5, 6, dtype=torch.uint8), 2).tolist()
    [[[25, 25]]]
    """
    for axis in (-2, -1):
        length = maps.shape[axis] - 2 * radius
        pairs = maps.narrow(axis, 0, maps.shape[axis] - 1) + maps.narrow(axis, 1, maps.shape[axis] - 1)
        total = maps.narrow(axis, 2 * radius, length).clone()
        for offset in range(0, 2 * radius, 2):
            total += pairs.narrow(axis, offset, length)
        maps = total
    return maps


def with_edges(maps: Tensor, margin: int) -> Tensor:
    """(B, H, W) maps with their edges repeated."""
    if maps.dtype.is_floating_point:
        return F.pad(maps[:, None], (margin,) * 4, mode="replicate")[:, 0]
    height, width = maps.shape[-2:]
    padded = maps.new_empty((*maps.shape[:-2], height + 2 * margin, width + 2 * margin))
    padded[..., margin : margin + height, margin : margin + width] = maps
    return repeat_edges(padded, margin)


def repeat_edges(padded: Tensor, margin: int) -> Tensor:
    """Fill the margin of padded maps with their edges, in place."""
    height, width = padded.shape[-2] - 2 * margin, padded.shape[-1] - 2 * margin
    padded[..., :margin] = padded[..., margin : margin + 1]
    padded[..., margin + width :] = padded[..., margin + width - 1 : margin + width]
    padded[..., :margin, :] = padded[..., margin : margin + 1, :]
    padded[..., margin + height :, :] = padded[..., margin + height - 1 : margin + height, :]
    return padded


def to_device(values: Sequence[Any] | NDArray[Any], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Numbers from the CPU as a tensor on the device."""
    return torch.as_tensor(np.asarray(values), dtype=dtype).to(device, non_blocking=True)
