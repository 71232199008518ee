"""A batch on the processor: image by image, by the task itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nsa_augment._shared.types import Image
from nsa_augment.integrations.torch.device.material import Given
from nsa_augment.integrations.torch.tensors import to_array, to_numpy
from nsa_augment.planning import SynthesisPlan
from nsa_augment.scenes import PreparedSource
from nsa_augment.synthesis import SynthesisResult
from nsa_augment.tasks import AnomalyTask


class Call(NamedTuple):
    """Arguments of the task for an image of a batch."""

    image: Image
    source: Image | PreparedSource | None
    masks: dict[str, NDArray[np.uint8] | None]


def calls_for(given: Given) -> list[Call]:
    """A call of the task for each image."""
    images, sources, masks, source_masks, task, bank, numbers = given
    own: list[Any] = [to_array(image) for image in images]
    found: list[Any] = [None] * len(own)
    own_masks, found_masks = (
        [None] * len(own) if maps is None else list(to_numpy(maps)) for maps in (masks, source_masks)
    )
    if sources is not None:
        found = [to_array(source) for source in sources]
    elif bank is not None and numbers is not None:
        found = [bank.prepared[number] for number in numbers]
    elif task.needs_source:
        found, found_masks = own[-1:] + own[:-1], own_masks[-1:] + own_masks[:-1]
    return [
        Call(image, source, {"mask": mask, "source_mask": source_mask})
        for image, source, mask, source_mask in zip(own, found, own_masks, found_masks, strict=True)
    ]


def draw_and_apply(
    calls: Sequence[Call], rngs: Sequence[np.random.Generator | None], task: AnomalyTask
) -> list[SynthesisResult | None]:
    """Results for the images with a generator."""
    return [
        None if rng is None else task(call.image, call.source, rng, **call.masks)
        for call, rng in zip(calls, rngs, strict=True)
    ]


def apply_each(
    calls: Sequence[Call], plans: Sequence[SynthesisPlan | None], task: AnomalyTask
) -> list[SynthesisResult | None]:
    """Results for the images with a plan."""
    return [
        None if plan is None else task.apply(call.image, call.source, plan, **call.masks)
        for call, plan in zip(calls, plans, strict=True)
    ]


def as_batch(images: Tensor, results: Sequence[SynthesisResult | None]) -> tuple[Tensor, Tensor]:
    """(B, C, H, W) images and (B, H, W) float32 labels of results; images without one are unchanged."""
    changed = images.detach().clone()
    labels = torch.zeros_like(changed[:, 0], dtype=torch.float32, memory_format=torch.contiguous_format)
    for image, label, result in zip(changed, labels, results, strict=True):
        if result is None:
            continue
        for area in result.areas:
            y0, x0, y1, x1 = area.box
            image[:, y0:y1, x0:x1] = torch.from_numpy(area.box.of(result.image)).permute(2, 0, 1)
            label[y0:y1, x0:x1] = torch.from_numpy(area.label)
    return changed, labels
