"""Object masks: by the background model of Table 4 (b, t_brightness), a callable, or a given mask."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.cache import KeptProperty, cached
from nsa_augment._shared.checks import channels, check_number, check_numbers, check_object_mask, fail
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.medians import binary_median
from nsa_augment._shared.scale import BY_DTYPE, FLOAT_RESOLUTION, Scale
from nsa_augment._shared.types import BackgroundModel, BinaryMap, Image

MEDIAN_RADIUS = 3

Pairs: TypeAlias = tuple[tuple[float, float], ...]
Intervals: TypeAlias = NDArray[np.uint16] | NDArray[np.float64]
_ACCEPTED = "None, a pair (brightness, tolerance) in grey levels, several such pairs, or a callable image -> mask"


def check_background(value: Any) -> Pairs | BackgroundModel | None:
    """Check the `background` argument, and return None, a tuple of pairs, or a callable.

    Examples
    --------
    >>> check_background((200, 60))
    ((200.0, 60.0),)
    """
    if value is None or callable(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise fail(TypeError, "background", _ACCEPTED, value)
    entries = list(value)
    pairs = entries if entries and all(hasattr(entry, "__iter__") for entry in entries) else [entries]
    numbers = [check_numbers("background", pair, _ACCEPTED, 2) for pair in pairs]
    return tuple(
        (check_number("background brightness", b, 0, 255), check_number("background tolerance", t, 0, 255))
        for b, t in numbers
    )


def object_mask(image: Image, pairs: Pairs, scale: Scale = BY_DTYPE) -> NDArray[np.bool_]:
    """Object pixels of an image under brightness pairs.

    A pixel is object where the mean over its channels differs from b by more than t under *every* pair (b, t);
    the map is then smoothed by a 7 x 7 median, edges repeated [1]_.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, uint8, uint16, float32 or float64
    pairs : sequence of (b, t)
        Background brightness and tolerance in grey levels (0..255, for every dtype).
    scale : Scale
        Value that stands for grey level 255.

    Returns
    -------
    (H, W) bool array

    References
    ----------
    .. [1] Schlüter et al., "Natural Synthetic Anomalies", ECCV 2022, Table 4 (b, t_brightness).

    Examples
    --------
    >>> image = np.full((20, 20), 200, np.uint8)
    >>> image[5:15, 5:15] = 90
    >>> int(object_mask(image, [(200, 60)]).sum())
    80
    """
    cube = np.ascontiguousarray(image.reshape(*image.shape[:2], channels(image)))
    intervals = _background_sums(tuple(pairs), cube.shape[2], cube.dtype, scale.maximum(cube.dtype))
    return binary_median(_outside(cube, intervals), MEDIAN_RADIUS).view(np.bool_)


@cached(64)
def _background_sums(pairs: Pairs, count: int, dtype: np.dtype[Any], scale: float) -> Intervals:
    """Rows (lowest, highest): ranges of channel sums that are background under one of the pairs."""
    if dtype != np.uint8 or scale != 255:
        slack = FLOAT_RESOLUTION if dtype.kind == "f" else 0.0
        return np.array([(b - t - slack, b + t + slack) for b, t in pairs], np.float64) * scale * count / 255
    means = np.arange(255 * count + 1) / count
    sums = [np.flatnonzero(np.abs(means - b) <= t) for b, t in pairs]
    return np.array([(run[0], run[-1]) for run in sums if run.size], np.uint16).reshape(-1, 2)


@compiled
def _outside(image: Image, intervals: Intervals) -> BinaryMap:
    """1 where the channel sum of a pixel lies in none of the intervals."""
    height, width, count = image.shape
    outside = np.ones((height, width), np.uint8)
    sums = np.empty(width, intervals.dtype)
    for y in range(height):
        row, found = image[y], outside[y]
        sums[:] = 0
        if count == 3:
            for x in range(width):
                sums[x] = (sums[x] + row[x, 0]) + row[x, 1] + row[x, 2]
        else:
            for c in range(count):
                for x in range(width):
                    sums[x] += row[x, c]
        for interval in range(intervals.shape[0]):
            low, high = intervals[interval]
            for x in range(width):
                found[x] &= (sums[x] < low) | (sums[x] > high)
    return outside


class Foreground:
    """Object mask of an image, computed on first use, as far as needed, and cached.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
    background : None, pairs, or callable
        As returned by `check_background`; None means that every pixel is object.
    mask : (H, W) uint8 array of 0 and 1, optional
        Object mask that replaces the background model.
    scale : Scale
        Value that stands for grey level 255.
    """

    def __init__(
        self,
        image: Image,
        background: Pairs | BackgroundModel | None,
        mask: BinaryMap | None = None,
        scale: Scale = BY_DTYPE,
    ) -> None:
        self._image = image
        self._scale = scale
        self._background = background
        self._given = mask

    @KeptProperty
    def mask(self) -> BinaryMap:
        """(H, W) uint8 map, 1 where the image shows the object."""
        if self._given is not None:
            return self._given
        if self._background is None:
            return np.ones(self._image.shape[:2], np.uint8)
        if isinstance(self._background, tuple):
            return object_mask(self._image, self._background, self._scale).view(np.uint8)
        shown = self._image.view()
        shown.flags.writeable = False
        return check_object_mask("background(image)", self._background(shown), self._image.shape[:2])

    @KeptProperty
    def table(self) -> NDArray[np.int32]:
        """(H + 1, W + 1) int32 summed-area table of `mask`: object pixels above and left of each corner."""
        return cv2.integral(self.mask)  # type: ignore[return-value]

    @property
    def is_empty(self) -> bool:
        """Whether the image shows no object."""
        return not self.mask.view(np.bool_).any()

    def crop(self, box: Box) -> BinaryMap:
        """Part of `mask` inside `box`; if the model is local, only this part is computed."""
        part, inside = self.around(Box(*box))
        return inside.of(part)

    def around(self, box: Box) -> tuple[BinaryMap, Box]:
        """A contiguous map with the part of `mask` inside `box`, and the box in its coordinates."""
        if "mask" in self.__dict__ or self._given is not None or not isinstance(self._background, tuple):
            return self.mask, box
        area = box.grown(MEDIAN_RADIUS, self._image.shape[:2])
        local = object_mask(area.of(self._image), self._background, self._scale)
        return local.view(np.uint8), box.relative_to(area)
