"""An image, its source at the image's size, and their object masks: what plans are drawn for and applied to."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import cv2
from numpy.typing import NDArray

from nsa_augment.checks import check_image, check_object_mask
from nsa_augment.foreground import Foreground
from nsa_augment.resizing import resize
from nsa_augment.types import Image, Shape

SIZE_TOLERANCE = 1.25


@dataclass(frozen=True)
class PreparedSource:
    """A source brought to the size of the images it is used for, with its object mask (see `prepare_source`)."""

    image: Image
    given_shape: Shape
    foreground: Foreground | None

    @property
    def nbytes(self) -> int:
        """Size in memory, with mask and table, which this makes."""
        tables = 0 if self.foreground is None else self.foreground.mask.nbytes + self.foreground.table.nbytes
        return self.image.nbytes + tables


@dataclass(frozen=True)
class Scene:
    """An image, its source, and their object masks (both None without constraints)."""

    image: Image
    source: PreparedSource
    foreground: Foreground | None
    max_value: float | None = None

    @property
    def shape(self) -> Shape:
        """(height, width) of the image."""
        height, width = self.image.shape[:2]
        return height, width


def prepare_source(
    source: Image,
    shape: Shape,
    background: Any = None,
    source_mask: NDArray[Any] | None = None,
    *,
    constrained: bool = False,
    max_value: float | None = None,
) -> PreparedSource:
    """Check a source image and bring it, and its object mask, to the size of the images it is used for.

    Parameters
    ----------
    source : (H, W) or (H, W, C) array, uint8, uint16, or float32 and float64 in [0, 1] (or up to `max_value`)
    shape : (height, width)
        Size of the images, pixels. A source of another size is resized, with a warning when scale or aspect
        ratio differ by more than 25 %.
    background : None, pairs or callable
        Background model, as the `background` argument of the tasks.
    source_mask : array, optional
        (H, W) bool or integer object mask of the source as given; replaces the model.
    constrained : bool
        Whether placement asks for an object mask although neither model nor mask is given: then every pixel is
        object.
    max_value : float, optional
        Value of grey level 255; None: by dtype.
    """
    check_image("source", source, max_value)
    height, width = source.shape[:2]
    if source_mask is not None:
        source_mask = check_object_mask("source_mask", source_mask, (height, width))
    if (height, width) != shape:
        _warn_of_size((height, width), shape)
        shrinks = height >= shape[0] and width >= shape[1]
        flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        resized = resize(source.reshape(height, width, -1), shape, flags)
        source = resized if source.ndim == 3 else resized[:, :, 0]
        if source_mask is not None:
            source_mask = cv2.resize(source_mask, shape[::-1], interpolation=cv2.INTER_NEAREST)
    constrained = constrained or background is not None or source_mask is not None
    foreground = Foreground(source, background, source_mask, max_value=max_value) if constrained else None
    return PreparedSource(source, (height, width), foreground)


def _warn_of_size(given: Shape, wanted: Shape) -> None:
    ratios = given[0] / wanted[0], given[1] / wanted[1]
    differences = *ratios, ratios[0] / ratios[1]
    if any(not 1 / SIZE_TOLERANCE <= ratio <= SIZE_TOLERANCE for ratio in differences):
        warnings.warn(
            f"source of {given[0]} x {given[1]} pixels is resized to the image's {wanted[0]} x {wanted[1]}: "
            "scale or aspect ratio differ by more than 25 %",
            UserWarning,
            stacklevel=5,
        )
