"""Images of other libraries as NumPy arrays, recognised by their attributes, without importing the libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nsa_augment._shared.checks import fail
from nsa_augment._shared.pictures import is_picture, picture_planes
from nsa_augment._shared.types import Image


def is_tensor(value: Any) -> bool:
    """Whether a value is a (channel-first) tensor."""
    return all(hasattr(value, name) for name in ("detach", "cpu", "numpy", "ndim"))


def is_dataset(value: Any) -> bool:
    """Whether a value has a length and indices."""
    return hasattr(value, "__len__") and hasattr(value, "__getitem__") and not isinstance(value, (str, Mapping))


def tensor_pixels(name: str, tensor: Any) -> Image:
    """(H, W) or (H, W, C) array of an (H, W) or (C, H, W) tensor.

    Raises
    ------
    ValueError
        If the tensor has other axes.
    """
    if tensor.ndim not in (2, 3):
        raise ValueError(f"{name} must be a tensor (H, W) or (C, H, W), got shape {tuple(tensor.shape)}")
    pixels = np.asarray(tensor.detach().cpu().numpy())
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(np.moveaxis(pixels, 0, -1))


def picture_pixels(name: str, picture: Any, channel_order: str = "rgb") -> Image:
    """Array of a PIL image, upright, without its alpha channel, with its channels in `channel_order`.

    Raises
    ------
    ValueError
        As for `picture_planes`.
    """
    pixels, _ = picture_planes(name, picture)
    return np.ascontiguousarray(pixels[:, :, ::-1]) if pixels.ndim == 3 and channel_order == "bgr" else pixels


def as_pixels(name: str, value: Any, channel_order: str = "rgb") -> Image:
    """Array of an image: an array (returned unchanged), a PIL image or a tensor.

    Raises
    ------
    TypeError, ValueError
        If the value is no image.
    """
    if is_tensor(value):
        return tensor_pixels(name, value)
    if is_picture(value):
        return picture_pixels(name, value, channel_order)
    if not isinstance(value, np.ndarray):
        raise fail(TypeError, name, "an image: an array, a PIL image, or a tensor (C, H, W)", value)
    return value


def item_image(name: str, item: Any, channel_order: str = "rgb") -> Image:
    """Array of the image in an item of a dataset: the item, its first entry, or its entry "image".

    Raises
    ------
    TypeError, ValueError
        If there is no image.
    """
    if isinstance(item, Mapping):
        if "image" not in item:
            raise fail(TypeError, name, 'images, tuples that start with one, or dicts with "image"', item)
        item = item["image"]
    elif isinstance(item, (tuple, list)):
        item = item[0] if item else None
    return as_pixels(name, item, channel_order)
