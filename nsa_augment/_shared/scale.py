"""The value of an image that stands for grey level 255."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from nsa_augment._shared.checks import check_number, fail
from nsa_augment._shared.types import Image

MAX_CHANNELS = 64
FLOAT_SLACK = 1e-6
"""Most by which float images may exceed [0, maximum] by rounding, as a part of the maximum."""
FLOAT_RESOLUTION = 2.0**-14
"""Grey levels; smaller differences are the rounding of float32 images."""
FULL_SCALES: dict[np.dtype[Any], float] = {
    np.dtype(np.uint8): 255.0,
    np.dtype(np.uint16): 65535.0,
    np.dtype(np.float32): 1.0,
    np.dtype(np.float64): 1.0,
}
IMAGE_DTYPES: tuple[np.dtype[Any], ...] = tuple(FULL_SCALES)


@dataclass(frozen=True)
class Scale:
    """Value that stands for grey level 255, in images of any dtype.

    Parameters
    ----------
    max_value : float, optional
        The value; None: 255 for uint8, 65535 for uint16, 1 for float32 and float64.

    Examples
    --------
    >>> Scale().maximum(np.dtype(np.uint16)), Scale(4095).maximum(np.dtype(np.uint16))
    (65535.0, 4095.0)
    """

    max_value: float | None = None

    def __post_init__(self) -> None:
        if self.max_value is not None:
            value = check_number("max_value", self.max_value, 0)
            if value == 0:
                raise fail(ValueError, "max_value", "None or a number > 0", self.max_value)
            object.__setattr__(self, "max_value", value)

    def maximum(self, dtype: np.dtype[Any]) -> float:
        """The value that stands for grey level 255 in images of a dtype."""
        return FULL_SCALES[dtype] if self.max_value is None else self.max_value

    def check_image(self, name: str, value: Any, dtypes: Collection[np.dtype[Any]] = IMAGE_DTYPES) -> None:
        """Raise unless `value` is an image that the package can process, of one of `dtypes` and of this scale."""
        if not isinstance(value, np.ndarray) or value.dtype not in dtypes:
            raise fail(TypeError, name, self._accepted(dtypes), value)
        if value.ndim not in (2, 3) or value.size == 0 or (value.ndim == 3 and value.shape[2] > MAX_CHANNELS):
            raise fail(ValueError, name, self._accepted(dtypes), value)
        if value.dtype.kind == "u" and self.max_value is None:
            return
        low, high, limit = float(value.min()), float(value.max()), self.maximum(value.dtype)
        if not (low >= -FLOAT_SLACK * limit and high <= (1 + FLOAT_SLACK) * limit):  # also true for NaN
            accepted = self._accepted(dtypes)
            raise ValueError(f"{name} must be {accepted}, got {value.dtype} values from {low:g} to {high:g}")

    def _accepted(self, dtypes: Collection[np.dtype[Any]]) -> str:
        maximum = self.max_value or "255, 65535 or 1 by dtype"
        kinds = f"{', '.join(map(str, dtypes))} in [0, maximum], the maximum {maximum}"
        return f"a NumPy array (H, W) or (H, W, C) with 1 to {MAX_CHANNELS} channels, {kinds}"

    def as_dtype(self, image: Image, dtype: np.dtype[Any], maximum: float | None = None) -> Image:
        """Convert an image to a dtype of this scale with the same grey levels; unchanged if it already has both.

        Parameters
        ----------
        image : array
        dtype : dtype
        maximum : float, optional
            Value that stands for grey level 255 in `image`; None: the full scale of its dtype, or, where it has
            `dtype` already, that of this scale.

        Examples
        --------
        >>> Scale(4095).as_dtype(np.array([[0, 255]], np.uint8), np.dtype(np.uint16)).tolist()
        [[0, 4095]]
        """
        if image.dtype == dtype and maximum in (None, self.maximum(dtype)):
            return image
        if image.dtype not in FULL_SCALES:
            raise fail(TypeError, "source", f"an image of dtype {', '.join(map(str, FULL_SCALES))}", image)
        scaled = image * (self.maximum(dtype) / (FULL_SCALES[image.dtype] if maximum is None else maximum))
        if dtype.kind == "u":
            scaled = np.rint(np.clip(scaled, 0, self.maximum(dtype)))
        return scaled.astype(dtype)

    def grey_levels(self, image: Image) -> Image:
        """Grey levels 0..255, uint8, of an image of this scale.

        Examples
        --------
        >>> Scale(4095).grey_levels(np.array([[0, 4095]], np.uint16)).tolist()
        [[0, 255]]
        """
        return BY_DTYPE.as_dtype(image, np.dtype(np.uint8), self.maximum(image.dtype))


BY_DTYPE = Scale()
"""The full scale of the dtype."""
