"""Scenes, for which plans are drawn and applied: an image, its source at the size used, and their object masks."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_object_mask, check_pair, fail
from nsa_augment._shared.notices import Hush, warn_caller
from nsa_augment._shared.resizing import resize
from nsa_augment._shared.scale import BY_DTYPE, IMAGE_DTYPES, Scale
from nsa_augment._shared.types import BackgroundModel, BinaryMap, Image, Size
from nsa_augment.scenes.foreground import Foreground, Pairs

SIZE_TOLERANCE = 1.25
sizes_expected = Hush()
"""Suppresses warnings of resized sources in this thread inside the block, whose caller reports them."""
SOURCE_FITS = ("resize", "native")
"""Whether a source is resized to the size of the image, or used at its own size."""


@dataclass(frozen=True)
class ObjectModel:
    """Model that distinguishes object pixels from the background, and the scale of grey levels.

    Parameters
    ----------
    background : None, pairs, or callable
        As returned by `check_background`; None: no constraints.
    scale : Scale
        Value of an image that stands for grey level 255.
    """

    background: Pairs | BackgroundModel | None = None
    scale: Scale = BY_DTYPE

    def __hash__(self) -> int:
        """Hash of any model, even if its callable has none."""
        background = self.background
        return hash((background if isinstance(background, Hashable) else id(background), self.scale))

    def foreground(self, image: Image, mask: BinaryMap | None = None, *, constrained: bool) -> Foreground | None:
        """Object mask of an image, given or from the model; None without constraints."""
        return Foreground(image, self.background, mask, self.scale) if constrained else None


@dataclass(frozen=True)
class PreparedSource:
    """A source prepared for images of one size, with its object mask.

    Made by the `prepare_source` of a task; tasks with the same `background`, `max_value` and `source_fit` accept it.

    Parameters
    ----------
    image : array
        Pixels, at the size of the images or (native) of the source as given.
    given_shape : (height, width)
        Size of the source as given, pixels.
    foreground : Foreground or None
        Object mask; None without constraints.
    model : ObjectModel or None
        The model that makes the mask; None if a mask was given.
    """

    image: Image
    given_shape: Size
    foreground: Foreground | None
    model: ObjectModel | None = None

    @property
    def nbytes(self) -> int:
        """Size in memory, including mask and table, which are computed for it."""
        tables = 0 if self.foreground is None else self.foreground.mask.nbytes + self.foreground.table.nbytes
        return self.image.nbytes + tables


@dataclass(frozen=True)
class Scene:
    """An image, its source, their object masks (None without constraints), and the region allowed for patches."""

    image: Image
    source: PreparedSource
    foreground: Foreground | None
    scale: Scale = BY_DTYPE
    allowed: BinaryMap | None = None

    @property
    def size(self) -> Size:
        """(height, width) of the image."""
        height, width = self.image.shape[:2]
        return height, width


def build_scene(
    image: Image,
    source: Image | PreparedSource | None,
    model: ObjectModel,
    mask: NDArray[Any] | None = None,
    source_mask: NDArray[Any] | None = None,
    dtypes: Collection[np.dtype[Any]] = IMAGE_DTYPES,
    *,
    source_fit: str = "resize",
    allowed: NDArray[Any] | None = None,
) -> Scene:
    """Check an image and its source, also against each other, and build their object masks.

    Placement is constrained if there is a background model, or a mask of either image; an image with neither counts as
    all object.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, of one of `dtypes`
    source : array of the same dtype and channels, PreparedSource, or None
        None: the image itself.
    model : ObjectModel
    mask, source_mask : (H, W) bool or integer array, optional
        Object masks of image and source that replace the model.
    source_fit : str
        One of `SOURCE_FITS`.
    allowed : (H, W) bool or integer array, optional
        Region in which patches may change the image.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.
    """
    model.scale.check_image("image", image, dtypes)
    height, width = image.shape[:2]
    constrained = any(item is not None for item in (model.background, mask, source_mask))
    if mask is not None:
        mask = check_object_mask("mask", mask, (height, width))
    if allowed is not None:
        allowed = check_object_mask("allowed", allowed, (height, width), "pixels > 0 may change")
    foreground = model.foreground(image, mask, constrained=constrained)
    if source is None and source_mask is None:
        source = PreparedSource(image, (height, width), foreground, model)
    elif not isinstance(source, PreparedSource):
        given = image if source is None else source
        source = prepare_source(
            given, (height, width), model, source_mask, constrained=constrained, source_fit=source_fit
        )
    else:
        used_size = (height, width) if source_fit == "resize" else source.given_shape
        _check_prepared(source, used_size, model, source_mask)
        if constrained and source.foreground is None:
            source = replace(source, foreground=model.foreground(source.image, constrained=True))
    if foreground is None and source.foreground is not None:
        foreground = Foreground(image, None)
    check_pair(image, source.image)
    return Scene(image, source, foreground, model.scale, allowed)


def _check_prepared(source: PreparedSource, size: Size, model: ObjectModel, source_mask: NDArray[Any] | None) -> None:
    if source.image.shape[:2] != size:
        raise fail(ValueError, "source", f"prepared for images of {size[0]} x {size[1]} pixels", source.image)
    if source_mask is not None:
        raise fail(ValueError, "source_mask", "None with a prepared source, which has its own", source_mask)
    unconstrained = source.foreground is None and source.model is not None and source.model.scale == model.scale
    if not unconstrained and source.model not in (None, model):
        raise fail(ValueError, "source", f"prepared by a task of the same object model, {model}", source.model)


def prepare_source(
    source: Image,
    size: Size,
    model: ObjectModel,
    source_mask: NDArray[Any] | None = None,
    *,
    constrained: bool = False,
    source_fit: str = "resize",
) -> PreparedSource:
    """Check a source image, and resize it and its object mask to the size at which they are used.

    Parameters
    ----------
    source : (H, W) or (H, W, C) array, uint8, uint16, or float32 and float64 in [0, 1] (or up to `max_value`)
    size : (height, width)
        Size of the images, pixels. A source of another size is resized, with a warning if scale or aspect
        ratio differs by more than 25 %.
    model : ObjectModel
    source_mask : array, optional
        (H, W) bool or integer object mask of the source as given; replaces the model.
    constrained : bool
        Whether placement needs an object mask even without a model or mask; every pixel is object then.
    source_fit : "resize" or "native"
        Native: the source keeps its size, without a warning.
    """
    model.scale.check_image("source", source)
    height, width = source.shape[:2]
    if source_mask is not None:
        source_mask = check_object_mask("source_mask", source_mask, (height, width))
    if source_fit == "resize" and (height, width) != size:
        _warn_of_size((height, width), size)
        shrinks = height >= size[0] and width >= size[1]
        flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        resized = resize(source.reshape(height, width, -1), size, flags)
        source = resized if source.ndim == 3 else resized[:, :, 0]
        if source_mask is not None:
            source_mask = np.asarray(cv2.resize(source_mask, size[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
    constrained = constrained or model.background is not None or source_mask is not None
    foreground = model.foreground(source, source_mask, constrained=constrained)
    return PreparedSource(source, (height, width), foreground, model if source_mask is None else None)


def _warn_of_size(given: Size, wanted: Size) -> None:
    ratios = given[0] / wanted[0], given[1] / wanted[1]
    differences = *ratios, ratios[0] / ratios[1]
    if not sizes_expected.depth and any(not 1 / SIZE_TOLERANCE <= ratio <= SIZE_TOLERANCE for ratio in differences):
        warn_caller(
            f"source of {given[0]} x {given[1]} pixels is resized to the image's {wanted[0]} x {wanted[1]}: "
            f"scale or aspect ratio differs by more than {100 * (SIZE_TOLERANCE - 1):g} %"
        )
