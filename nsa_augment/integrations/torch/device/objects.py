"""The object masks of a batch of images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nsa_augment._shared.checks import fail
from nsa_augment._shared.scale import FLOAT_RESOLUTION
from nsa_augment.integrations.torch.device.blending import exact
from nsa_augment.integrations.torch.device.windows import box_sum, with_edges
from nsa_augment.integrations.torch.tensors import to_array
from nsa_augment.scenes.foreground import MEDIAN_RADIUS, Foreground
from nsa_augment.tasks import AnomalyTask

MAJORITY = (2 * MEDIAN_RADIUS + 1) ** 2 // 2


def object_maps(images: Tensor, task: AnomalyTask, maximum: float) -> Tensor | None:
    """Object masks from the background model of a task.

    Parameters
    ----------
    images : (B, C, H, W) tensor, uint8 or float
    task : AnomalyTask
    maximum : float
        Value of grey level 255.

    Returns
    -------
    (B, H, W) uint8 tensor of 0 and 1, or None
        None without a model.
    """
    background = task.background
    if background is None:
        return None
    if not isinstance(background, tuple):
        foregrounds = [Foreground(to_array(image), background, scale=task.scale).mask for image in images]
        return torch.from_numpy(np.stack(foregrounds)).to(images.device)
    total = images[:, 0].to(torch.int16) if images.dtype == torch.uint8 else exact(images[:, 0])
    for channel in range(1, images.shape[1]):
        total = total + images[:, channel]
    scale, slack = maximum * images.shape[1] / 255, FLOAT_RESOLUTION if images.is_floating_point() else 1e-9
    outside = torch.ones_like(total, dtype=torch.bool)
    for brightness, tolerance in background:
        low, high = ((brightness + side * (tolerance + slack)) * scale for side in (-1, 1))
        outside &= (total < low) | (total > high)
    return (box_sum(with_edges(outside.to(torch.uint8), MEDIAN_RADIUS), MEDIAN_RADIUS) > MAJORITY).to(torch.uint8)


def given_maps(name: str, masks: Tensor, shape: tuple[int, int, int], device: torch.device) -> Tensor:
    """Object masks of a call as 0 and 1, or an error."""
    accepted = f"None, or a bool or integer tensor of shape {shape} (object pixels > 0)"
    if not isinstance(masks, Tensor) or masks.is_floating_point() or masks.is_complex():
        raise fail(TypeError, name, accepted, masks)
    if tuple(masks.shape) != shape:
        raise fail(ValueError, name, accepted, tuple(masks.shape))
    return (masks.to(device) > 0).to(torch.uint8)
