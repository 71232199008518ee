"""Sources on the device, loaded once, at the size of the images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nsa_augment._shared.types import Image, Size
from nsa_augment.integrations.torch.device.synthesis import Sources
from nsa_augment.integrations.torch.tensors import to_tensor
from nsa_augment.scenes import PreparedSource
from nsa_augment.sources import SourcePool
from nsa_augment.tasks import AnomalyTask


@dataclass(frozen=True)
class Bank:
    """Prepared sources, on the host for planning and on the device for blending."""

    prepared: list[PreparedSource]
    dtype: torch.dtype
    device: torch.device

    @cached_property
    def images(self) -> Tensor:
        """(M, C, H, W), smaller sources padded."""
        return _stacked([to_tensor(source.image) for source in self.prepared]).to(self.device, self.dtype)

    @cached_property
    def objects(self) -> Tensor | None:
        """(M, H, W) bool, if the task asks for objects."""
        masks = [source.foreground.mask for source in self.prepared if source.foreground is not None]
        return _stacked([torch.from_numpy(np.array(mask)) for mask in masks]).to(self.device) if masks else None

    def sources(self, number: list[int]) -> Sources:
        """The source of each image of a batch."""
        return Sources(self.images, np.array(number, np.int64), self.objects)


class SourceBank:
    """Sources of a module, loaded for the size, channels and dtype of the first images.

    Parameters
    ----------
    pool : SourcePool
        Not of a callable or a dataset, whose images cannot be kept.
    """

    def __init__(self, pool: SourcePool) -> None:
        self._pool = pool
        self._kept: dict[tuple[Any, ...], Bank] = {}

    def __len__(self) -> int:
        return len(self._pool)

    def bank(self, image: Image, dtype: torch.dtype, device: torch.device, task: AnomalyTask) -> Bank:
        """The sources for images like `image`."""
        key = image.shape, dtype, device
        if key not in self._kept:
            prepared = [self._pool.prepare(self._pool[index], image, task) for index in range(len(self._pool))]
            self._kept = {key: Bank(prepared, dtype, device)}
        return self._kept[key]


def _stacked(tensors: list[Tensor]) -> Tensor:
    """Stack tensors of several sizes, padded with zeros at the bottom and on the right."""
    size: Size = max(one.shape[-2] for one in tensors), max(one.shape[-1] for one in tensors)
    stack = tensors[0].new_zeros((len(tensors), *tensors[0].shape[:-2], *size))
    for place, one in zip(stack, tensors, strict=True):
        place[..., : one.shape[-2], : one.shape[-1]] = one
    return stack
