"""Conversion between the images of PyTorch users and (H, W, C) arrays."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nsa_augment._shared.checks import fail
from nsa_augment._shared.foreign import picture_pixels
from nsa_augment._shared.images import read_image
from nsa_augment._shared.pictures import is_picture
from nsa_augment._shared.scale import FULL_SCALES
from nsa_augment._shared.types import Image

_ACCEPTED = (
    "a (C, H, W) tensor, an (H, W) or (H, W, C) array, a PIL image, the path of an image file, or a tuple, mapping or "
    "item holding one"
)


def to_array(image: Tensor) -> Image:
    """Convert a (C, H, W) tensor, on any device, to an (H, W, C) array; half precision becomes float32."""
    planes = to_numpy(image)
    pixels = planes.transpose(1, 2, 0)
    if pixels.flags.c_contiguous or planes.dtype not in FULL_SCALES or planes.size == 0:
        return np.ascontiguousarray(pixels)
    merged: Image = cv2.merge(list(planes))  # NumPy takes up to 30 times as long
    return np.reshape(merged, pixels.shape)


def to_numpy(tensor: Tensor) -> NDArray[Any]:
    """Convert a tensor, on any device, to an array of its shape; half precision becomes float32."""
    tensor = tensor.detach().cpu()
    if tensor.dtype in (torch.float16, torch.bfloat16):
        tensor = tensor.float()
    return tensor.numpy()  # type: ignore[no-any-return, unused-ignore]


def to_tensor(image: Image) -> Tensor:
    """Convert an (H, W) or (H, W, C) array to a (C, H, W) tensor, a copy."""
    height, width = image.shape[:2]
    return torch.from_numpy(np.array(image.reshape(height, width, -1).transpose(2, 0, 1), order="C"))


def image_of(item: Any, name: str) -> Image:
    """The image in an item of a dataset, as an array.

    Parameters
    ----------
    item
        A (C, H, W) tensor, an (H, W) or (H, W, C) array, a PIL image, the path of an image file, which is read as RGB
        with its own depth; a tuple or list that starts with one; a mapping or an object with one as `image`.
    name : str
        Name in errors.

    Raises
    ------
    TypeError, ValueError
        If there is no image in `item`.
    """
    if isinstance(item, tuple | list) and item:
        item = item[0]
    elif isinstance(item, Mapping):
        item = item.get("image", item)
    elif hasattr(item, "image"):
        item = item.image
    if isinstance(item, Tensor):
        if item.ndim != 3:
            raise fail(ValueError, name, _ACCEPTED, tuple(item.shape))
        return to_array(item)
    if isinstance(item, str | PathLike):
        return read_image(item, deep=True)
    if is_picture(item):
        return picture_pixels(name, item)
    if not isinstance(item, np.ndarray):
        raise fail(TypeError, name, _ACCEPTED, item)
    return item
