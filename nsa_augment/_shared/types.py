"""Array and value types shared by every folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[Any]
"""(H, W) or (H, W, C): uint8, uint16, or float32 and float64 in [0, 1] (or up to `max_value`)."""

BinaryMap: TypeAlias = NDArray[np.uint8]
"""(H, W), values 0 and 1."""

Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels."""

Corner: TypeAlias = tuple[int, int]
"""(y, x): the upper left pixel of a box."""

Corners: TypeAlias = tuple[int, int, int, int]
"""(y0, x0, y1, x1): a box, in compiled functions."""

Gradient: TypeAlias = Literal["source", "mixed"]
"""Guidance field of Poisson blending: the source's gradients, or the stronger of both images."""

BackgroundModel: TypeAlias = Callable[[Image], NDArray[Any]]
"""image -> (H, W) bool object mask."""


def cube(image: Image) -> Image:
    """(H, W, C) view of an (H, W) or (H, W, C) image."""
    return image[:, :, np.newaxis] if image.ndim == 2 else image
