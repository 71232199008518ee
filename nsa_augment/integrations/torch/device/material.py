"""The input of plans for a batch: images, their sources, and the object masks of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nsa_augment._shared.types import Image, Size
from nsa_augment.integrations.torch.device.bank import Bank
from nsa_augment.integrations.torch.device.objects import object_maps
from nsa_augment.integrations.torch.device.shown import full_scale, shown
from nsa_augment.integrations.torch.device.synthesis import Sources
from nsa_augment.integrations.torch.tensors import to_array, to_numpy
from nsa_augment.scenes import PreparedSource
from nsa_augment.tasks import AnomalyTask


@dataclass(frozen=True)
class Material:
    """Images of a batch and their sources.

    Parameters
    ----------
    images : (B, C, H, W) tensor
    objects : (B, H, W) uint8 tensor of 0 and 1, or None
        Object masks of the images; None without constraints.
    sources : Sources
    maximum : float
        Value of full intensity.
    prepared : sequence of PreparedSource or None
        Prepared source of each image, if prepared on the CPU.
    own : bool
        Whether the source of each image is the image itself.
    """

    images: Tensor
    objects: Tensor | None
    sources: Sources
    maximum: float
    prepared: Sequence[PreparedSource | None]
    own: bool = False

    @property
    def size(self) -> Size:
        """(height, width) of the images."""
        height, width = self.images.shape[-2:]
        return height, width

    def used_size(self, number: int) -> Size:
        """(height, width) at which the source of an image is used."""
        prepared = self.prepared[number]
        height, width = self.sources.images.shape[-2:] if prepared is None else prepared.image.shape[:2]
        return height, width

    def given_size(self, number: int) -> Size:
        """(height, width) of the source of an image before resizing."""
        prepared = self.prepared[number]
        if prepared is not None:
            return prepared.given_shape
        height, width = self.sources.images.shape[-2:]
        return height, width

    def for_planning(self, task: AnomalyTask) -> list[tuple[Image, Any, dict[str, NDArray[Any] | None]]]:
        """Input of the task's plan for each image: image, source, and masks."""
        masks = None if self.objects is None else to_numpy(self.objects)
        source_masks = None if self.sources.objects is None or self.own else to_numpy(self.sources.objects)
        found = []
        for number, image in enumerate(self.images):
            source: Any = self.prepared[number]
            at = self.sources.number[number]
            source_mask = None if source is not None or source_masks is None else source_masks[at]
            if source is None and not self.own:
                source = shown(self.sources.images[at], task)
            given = {"mask": None if masks is None else masks[number], "source_mask": source_mask}
            found.append((shown(image, task), source, given))
        return found


class Given(NamedTuple):
    """What a module is called with, checked.

    Parameters
    ----------
    images : (B, C, H, W) tensor
    sources : (B, C, H', W') tensor or None
        A source per image; None: from the bank, or the batch.
    masks, source_masks : (B, H, W) uint8 tensor of 0 and 1, or None
        Object masks.
    task : AnomalyTask
    bank : Bank or None
        None: sources are images of the batch.
    numbers : sequence of int, or None
        Indices of the images' sources in the bank.
    """

    images: Tensor
    sources: Tensor | None
    masks: Tensor | None
    source_masks: Tensor | None
    task: AnomalyTask
    bank: Bank | None
    numbers: Sequence[int] | None


def gather(given: Given) -> Material:
    """Bring images and sources together."""
    images, sources, masks, source_masks, task, bank, numbers = given
    count = len(images)
    maximum = full_scale(images, task)
    objects = object_maps(images, task, maximum) if masks is None else masks
    prepared: list[PreparedSource | None] = [None] * count
    own = False
    if sources is not None:
        found, prepared = _sized(images, sources, source_masks, task, maximum)
    elif bank is not None:
        assert numbers is not None
        found, prepared = bank.sources(list(numbers)), [bank.prepared[number] for number in numbers]
    else:
        own = not task.needs_source
        found = Sources(images, np.arange(count) if own else np.roll(np.arange(count), 1), objects)
    return Material(images, *_alike(objects, found, images), maximum, prepared, own)


def _alike(objects: Tensor | None, sources: Sources, images: Tensor) -> tuple[Tensor | None, Sources]:
    """Object masks of images and sources, or of neither: a side without masks counts as all object."""
    if objects is None and sources.objects is not None:
        objects = torch.ones(images[:, 0].shape, dtype=torch.uint8, device=images.device)
    elif objects is not None and sources.objects is None:
        every = torch.ones(sources.images[:, 0].shape, dtype=torch.uint8, device=images.device)
        sources = Sources(sources.images, sources.number, every)
    return objects, sources


def _sized(
    images: Tensor, sources: Tensor, source_masks: Tensor | None, task: AnomalyTask, maximum: float
) -> tuple[Sources, list[PreparedSource | None]]:
    """Sources of a call; those that differ in size from the images are resized on the CPU."""
    count, _, height, width = images.shape
    if sources.shape[-2:] == images.shape[-2:] or task.source_fit == "native":
        objects = object_maps(sources, task, maximum) if source_masks is None else source_masks
        return Sources(sources.detach(), np.arange(count), objects), [None] * count
    prepared = [
        task.prepare_source(to_array(one), (height, width), None if mask is None else to_numpy(mask))
        for one, mask in zip(sources, [None] * count if source_masks is None else source_masks, strict=True)
    ]
    return Bank(prepared, images.dtype, images.device).sources(list(range(count))), list(prepared)
