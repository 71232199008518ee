"""Image files: found in folders, read with clear errors, encoded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.decoding import alpha_of, decode
from nsa_augment._shared.notices import Notice, warn_caller
from nsa_augment._shared.scale import BY_DTYPE, Scale
from nsa_augment._shared.types import Image

SUFFIXES = (
    ".avif",
    ".bmp",
    ".gif",
    ".jfif",
    ".jpeg",
    ".jpg",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)
"""File name extensions of images; of animations the first frame is read."""

SUBFOLDERS = "**"
"""Last part of the path of a folder that includes its subfolders."""

PNG_OPTIONS = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
"""OpenCV's fast setting; with a compression level, too, the time doubles for files of the same size."""


def list_images(folder: str | os.PathLike[str], *, recursive: bool = False) -> list[Path]:
    """Image files of a folder, sorted by path; a `Notice` if there are others in subfolders.

    Parameters
    ----------
    folder : path-like
        ``folder/**`` means the folder with its subfolders.
    recursive : bool
        Whether to read subfolders, too. Names that start with a dot are always skipped.

    Raises
    ------
    ValueError
        If the folder does not exist or has no image file.
    """
    folder = Path(folder)
    if folder.name == SUBFOLDERS:
        folder, recursive = folder.parent, True
    if not folder.is_dir():
        reason = "not a folder (give single files as a list of paths)" if folder.exists() else "no such folder"
        raise ValueError(f"{reason}: {folder}")
    files = sorted(_walk(folder)) if recursive else _images_in(folder)
    skipped = [] if recursive else [path for path in _subfolders(folder) if _images_in(path)]
    names = ", ".join(path.name for path in skipped[:3]) + (", ..." if len(skipped) > 3 else "")
    if not files:
        hint = f"; its subfolders hold images ({names}), which recursive=True or --recursive reads" if skipped else ""
        raise ValueError(f"no images in {folder}: looked for {', '.join(SUFFIXES)}{hint}")
    if skipped:
        message = f"images in subfolders of {folder} are skipped ({names}): recursive=True or --recursive reads them"
        warn_caller(message, Notice)
    return files


def _images_in(folder: Path) -> list[Path]:
    shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted(path for path in shown if path.suffix.lower() in SUFFIXES and path.is_file())


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, _ in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from _images_in(Path(place))


def read_image(
    path: str | os.PathLike[str], *, grey: bool = False, deep: bool = False, scale: Scale = BY_DTYPE
) -> Image:
    """Decode an image file, upright by its EXIF data, without its alpha channel.

    Parameters
    ----------
    path : path-like
    grey : bool
        Decode to one channel.
    deep : bool
        Keep 16 bits and floats; otherwise they become grey levels.
    scale : Scale
        The value that stands for grey level 255; above 255 an error for 8-bit files.

    Returns
    -------
    (H, W, 3) RGB or, if `grey`, (H, W) array; uint8, or, if `deep`, uint16 or float32 as in the file

    Raises
    ------
    ValueError
        If the file cannot be read, is no image, or has values outside the scale; the message names it.
    """
    return _pixels(path, _content(path), grey, deep, scale)


def read_alpha(path: str | os.PathLike[str]) -> Image | None:
    """(H, W) uint8 alpha channel of an image file, upright, or None if it has none; ValueError as `read_image`."""
    data = _content(path)
    try:
        return alpha_of(data)
    except ValueError as error:
        raise ValueError(f"cannot decode image file {path}: {error}") from error


def _content(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    try:
        return np.fromfile(path, np.uint8)
    except OSError as error:
        raise ValueError(f"cannot read image file {path}: {error.strerror or error}") from error


def _pixels(path: str | os.PathLike[str], data: NDArray[np.uint8], grey: bool, deep: bool, scale: Scale) -> Image:
    try:
        pixels = decode(data, grey=grey, deep=deep or scale != BY_DTYPE)
    except ValueError as error:
        raise ValueError(f"cannot decode image file {path}: {error}") from error
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise ValueError(f"cannot use image file {path}: its values must be 8 or 16 bits or floats, got {pixels.dtype}")
    if pixels.dtype == np.uint8 and scale.max_value is not None and scale.max_value > np.iinfo(np.uint8).max:
        raise ValueError(f"cannot use image file {path} with max_value={scale.max_value:g}: it has 8 bits")
    if deep or (scale == BY_DTYPE and pixels.dtype == np.uint8):
        return pixels
    check_values(path, pixels, scale)
    return scale.grey_levels(pixels)


def check_values(path: str | os.PathLike[str], pixels: Image, scale: Scale) -> None:
    """Raise, naming the file, if its values are outside a scale."""
    try:
        scale.check_image("pixels", pixels)
    except ValueError as error:
        bounds = f"from {pixels.min():g} to {pixels.max():g}, not in [0, {scale.maximum(pixels.dtype):g}]"
        hint = "max_value (--max-value) says which value is grey level 255"
        raise ValueError(f"cannot use image file {path}: its values are {bounds}; {hint}") from error


def encode_png(image: Image) -> bytes:
    """PNG file of an (H, W) or (H, W, 3) RGB image of 8 or 16 bits.

    Examples
    --------
    >>> encode_png(np.zeros((8, 8), np.uint8))[1:4]
    b'PNG'
    """
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", pixels, PNG_OPTIONS)[1].tobytes()
