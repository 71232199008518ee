"""What `AnomalyModule` accepts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nsa_augment._shared.checks import fail
from nsa_augment._shared.scale import FLOAT_SLACK, MAX_CHANNELS
from nsa_augment._shared.wording import counted
from nsa_augment.blending import BLENDINGS
from nsa_augment.blending.solvers.spectral import Spectral
from nsa_augment.integrations.torch.device.bank import SourceBank
from nsa_augment.integrations.torch.device.blending import BLENDS
from nsa_augment.integrations.torch.device.labelling import KINDS
from nsa_augment.integrations.torch.device.objects import given_maps
from nsa_augment.integrations.torch.device.shown import full_scale
from nsa_augment.labelling import LABELS
from nsa_augment.tasks import PUBLISHED, AnomalyTask

DTYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)
_ACCEPTED = f"a (B, C, H, W) tensor with 1 to {MAX_CHANNELS} channels, uint8, or float in [0, 1] (or up to max_value)"


def check_task(task: AnomalyTask) -> AnomalyTask:
    """A task, or an error if the module does not support it."""
    names = ", ".join(repr(published.name) for published in PUBLISHED)
    if not isinstance(task, PUBLISHED):
        raise fail(ValueError, "task", f"one of {names} for AnomalyModule", task.name)
    known = [kind.name for kind in BLENDS]
    if BLENDINGS[task.blending] not in BLENDS:
        raise fail(ValueError, "blending", f"one of {', '.join(map(repr, known))} for AnomalyModule", task.blending)
    labels = [kind.name for kind in KINDS]
    if LABELS[task.label] not in KINDS:
        raise fail(ValueError, "label", f"one of {', '.join(map(repr, labels))} for AnomalyModule", task.label)
    if getattr(task, "solver", Spectral.name) != Spectral.name:
        raise fail(ValueError, "solver", f"{Spectral.name!r} for AnomalyModule", getattr(task, "solver", None))
    return task


def check_images(name: str, images: Any, task: AnomalyTask) -> None:
    """Raise unless the module can process a batch."""
    if not isinstance(images, Tensor) or images.dtype not in DTYPES:
        raise fail(TypeError, name, _ACCEPTED, images.dtype if isinstance(images, Tensor) else images)
    if images.ndim != 4 or 0 in images.shape or images.shape[1] > MAX_CHANNELS:
        raise fail(ValueError, name, _ACCEPTED, tuple(images.shape))
    if images.dtype == torch.uint8 and task.max_value is None:
        return
    maximum = full_scale(images, task)
    low, high = (float(value) for value in torch.aminmax(images.detach()))
    if not (low >= -FLOAT_SLACK * maximum and high <= (1 + FLOAT_SLACK) * maximum):  # also true for NaN
        raise ValueError(f"{name} must be {_ACCEPTED}, got values from {low:g} to {high:g}")


def check_sources(sources: Any, images: Tensor, task: AnomalyTask) -> None:
    """Raise unless the sources of a call match its images."""
    check_images("sources", sources, task)
    if sources.dtype != images.dtype:
        raise fail(TypeError, "sources", f"of the images' dtype {images.dtype}", sources.dtype)
    if sources.device != images.device:
        raise fail(ValueError, "sources", f"on the images' device {images.device}", sources.device)
    if sources.shape[:2] != images.shape[:2]:
        accepted = f"a batch of size {len(images)} with {counted(images.shape[1], 'channel')}, as the images"
        raise fail(ValueError, "sources", accepted, tuple(sources.shape))


def check_numbers(numbers: Tensor | None, images: Tensor, bank: SourceBank) -> list[int]:
    """Indices of sources of a bank, or an error."""
    accepted = f"a (B, C, H, W) tensor, or {len(images)} integers below {len(bank)}, as drawn_sources() returns them"
    if numbers is None or numbers.is_floating_point() or len(numbers) != len(images):
        raise fail(ValueError, "sources", accepted, numbers)
    found = [int(number) for number in numbers]
    if min(found) < 0 or max(found) >= len(bank):
        raise fail(ValueError, "sources", accepted, found)
    return found


def check_masks(
    images: Tensor, sources: Tensor | None, masks: Tensor | None, source_masks: Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    """Object masks of a call as 0 and 1, or an error."""
    if masks is not None:
        masks = given_maps("masks", masks, (len(images), *images.shape[-2:]), images.device)
    if source_masks is not None:
        if sources is None:
            raise fail(ValueError, "source_masks", "None unless sources are given with the call", source_masks)
        source_masks = given_maps("source_masks", source_masks, (len(images), *sources.shape[-2:]), images.device)
    return masks, source_masks
