"""Float images whose values lie slightly outside [0, maximum], as after bicubic resizing."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from nsa_augment._shared.scale import Scale
from nsa_augment._shared.types import Image
from nsa_augment.integrations.torch.tensors import image_of
from nsa_augment.sources import Sources

OVERSHOOT = 0.45
"""Most by which bicubic interpolation (a = -0.75) exceeds [0, 1] in two dimensions."""


def checked_image(name: str, image: Any, scale: Scale, clamp: bool) -> Image:
    """An image, clamped if `clamp` is set and it is slightly outside its range; the error otherwise says what helps.

    Examples
    --------
    >>> checked_image("image", np.array([[-0.02, 1.1]]), Scale(), clamp=True).tolist()
    [[0.0, 1.0]]
    """
    slightly = _is_slightly_outside(image, scale)
    if clamp and slightly:
        return np.clip(image, 0, scale.maximum(image.dtype))  # type: ignore[no-any-return]
    try:
        scale.check_image(name, image)
    except ValueError as error:
        if slightly:
            message = f"{error}; clamp=True clips what bicubic resizing leaves outside (by up to {OVERSHOOT})"
            raise ValueError(message) from None
        raise
    return image  # type: ignore[no-any-return]


def checked_sources(sources: Any, scale: Scale, clamp: bool) -> Sources:
    """Sources with tensors as arrays, and clamped as images are."""
    if isinstance(sources, (list, tuple)):
        return [_checked_entry(source, scale, clamp) for source in sources]
    if clamp and callable(sources):
        return partial(_draw_checked, sources, scale)
    return sources  # type: ignore[no-any-return]


def _checked_entry(source: Any, scale: Scale, clamp: bool) -> Any:
    name = "every entry of sources"
    if isinstance(source, Tensor):
        source = image_of(source, name)
    return checked_image(name, source, scale, clamp) if isinstance(source, np.ndarray) else source


def _draw_checked(draw: Any, scale: Scale, rng: np.random.Generator) -> Image:
    return checked_image("sources(rng)", draw(rng), scale, clamp=True)


def _is_slightly_outside(image: Any, scale: Scale) -> bool:
    if not isinstance(image, np.ndarray) or image.dtype not in (np.float32, np.float64) or image.size == 0:
        return False
    limit = scale.maximum(image.dtype)
    low, high = float(image.min()) / limit, float(image.max()) / limit
    return low >= -OVERSHOOT and high <= 1 + OVERSHOOT and (low < 0 or high > 1)
