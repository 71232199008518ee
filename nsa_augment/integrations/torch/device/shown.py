"""What of images is copied to the processor: the pixels that plans depend on."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from nsa_augment._shared.types import Image
from nsa_augment.integrations.torch.tensors import to_array
from nsa_augment.tasks import PUBLISHED, AnomalyTask


def reads_pixels(task: AnomalyTask) -> bool:
    """Whether plans depend on pixels, not only on object masks."""
    return type(task) not in PUBLISHED or task.candidates > 1 or task.min_change > 0


def shown(image: Tensor, task: AnomalyTask) -> Image:
    """(H, W, C) array for drawing plans: the pixels, or zeros if plans do not depend on them."""
    if reads_pixels(task):
        return to_array(image)
    channels, height, width = image.shape
    return np.broadcast_to(np.zeros((), to_array(image[:, :1, :1]).dtype), (height, width, channels))


def full_scale(images: Tensor, task: AnomalyTask) -> float:
    """Value of full intensity of (B, C, H, W) images."""
    return task.scale.maximum(to_array(images[0, :, :1, :1]).dtype)
