"""Sources on the device, loaded once, at the size of the images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nsa_augment._shared.checks import fail
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
    images: Tensor
    objects: Tensor | None

    @classmethod
    def of(cls, prepared: list[PreparedSource], dtype: torch.dtype, device: torch.device) -> Bank:
        """Stack sources; smaller ones are padded."""
        images = _stacked([to_tensor(source.image) for source in prepared]).to(device, dtype)
        masks = [source.foreground.mask for source in prepared if source.foreground is not None]
        objects = _stacked([torch.from_numpy(np.array(mask)) for mask in masks]).to(device) if masks else None
        return cls(prepared, images, objects)

    def sources(self, number: list[int]) -> Sources:
        """The source of each image of a batch."""
        return Sources(self.images, np.array(number, np.int64), self.objects)


class SourceBank:
    """Sources of a module, loaded for the size, channels and dtype of the first images.

    Parameters
    ----------
    sources : folder, list, array or tensor
        As for `SourcePool`, except a callable or a dataset, whose images cannot be kept.
    max_value : float, optional
        Value of grey level 255 in arrays.
    object_masks : folder or "alpha", optional
        Object masks of sources that are files.
    """

    def __init__(self, sources: Any, max_value: float | None, object_masks: Any) -> None:
        self._pool = SourcePool(sources, 0, max_value, object_masks=object_masks)
        if not self._pool.countable:
            accepted = "a folder, a list, an array or a tensor, which can be loaded once"
            raise fail(TypeError, "sources", accepted, sources)
        self._kept: dict[tuple[Any, ...], Bank] = {}

    def __len__(self) -> int:
        return len(self._pool)

    def bank(self, image: Image, dtype: torch.dtype, device: torch.device, task: AnomalyTask) -> Bank:
        """The sources for images like `image`."""
        key = image.shape, dtype, device
        if key not in self._kept:
            prepared = [self._pool.prepare(self._pool[index], image, task) for index in range(len(self._pool))]
            self._kept = {key: Bank.of(prepared, dtype, device)}
        return self._kept[key]


def _stacked(tensors: list[Tensor]) -> Tensor:
    """Stack tensors of several sizes, padded with zeros at the bottom and on the right."""
    size: Size = max(one.shape[-2] for one in tensors), max(one.shape[-1] for one in tensors)
    stack = tensors[0].new_zeros((len(tensors), *tensors[0].shape[:-2], *size))
    for place, one in zip(stack, tensors, strict=True):
        place[..., : one.shape[-2], : one.shape[-1]] = one
    return stack
