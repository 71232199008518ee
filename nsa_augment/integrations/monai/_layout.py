"""Conversion between MONAI's channel-first images and (H, W, C) arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor  # type: ignore[import-not-found, unused-ignore]
from torch import Tensor

from nsa_augment._shared.checks import fail
from nsa_augment._shared.types import Image
from nsa_augment.integrations._planes import check_planes
from nsa_augment.integrations.torch.tensors import to_numpy
from nsa_augment.sources import Sources

AXES = {"xy": (2, 1, 0), "yx": (1, 2, 0)}
"""Orders of the spatial axes, and the permutations from (C, ...) to (H, W, C)."""


def image_from(value: Any, axes: str, name: str, max_channels: int) -> Image:
    """(H, W, C) array of a channel-first image.

    Parameters
    ----------
    value : (C, x, y) or (C, y, x) tensor or array
        Spatial axes in the order of `axes`.
    axes : "xy" or "yx"
    name : str
        Name in errors.
    max_channels : int
        Images with more channels are taken for volumes.
    """
    accepted = f"a (C, {axes[0]}, {axes[1]}) tensor or array: this package is 2-D only"
    if not isinstance(value, Tensor | np.ndarray):
        raise fail(TypeError, name, accepted, value)
    if value.ndim != 3 or _is_volume(value):
        raise fail(ValueError, name, accepted, tuple(value.shape))
    check_planes(name, value.shape[0], max_channels)
    array = to_numpy(value) if isinstance(value, Tensor) else value
    return np.ascontiguousarray(array.transpose(AXES[axes]))


def channel_first(image: Image, axes: str) -> Tensor:
    """Channel-first tensor of an (H, W) or (H, W, C) array."""
    cube = image.reshape(*image.shape[:2], -1)
    return torch.from_numpy(np.ascontiguousarray(cube.transpose(np.argsort(AXES[axes]))))


def upright_sources(sources: Sources | None, axes: str, max_channels: int) -> Sources | None:
    """Sources for `open_pool`: files as they are, images of a list or a callable as (H, W, C) arrays."""
    if callable(sources):
        return partial(_draw_upright, sources, axes, max_channels)
    if isinstance(sources, Sequence) and not isinstance(sources, str):
        name = "every entry of sources"
        return [
            image_from(source, axes, name, max_channels) if isinstance(source, Tensor | np.ndarray) else source
            for source in sources
        ]
    return sources


def _draw_upright(draw: Callable[[np.random.Generator], Any], axes: str, limit: int, rng: np.random.Generator) -> Image:
    return image_from(draw(rng), axes, "sources(rng)", limit)


def _is_volume(value: Any) -> bool:
    """Whether a loaded image has three spatial axes and no channels."""
    if not isinstance(value, MetaTensor):
        return False
    loaded = np.ravel(value.meta.get("spatial_shape", ()))
    return len(loaded) == 3 and tuple(loaded) == tuple(value.shape)
