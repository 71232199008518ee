"""Image files: found in folders, read with clear errors, written without leaving half a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment.checks import fail
from nsa_augment.types import Image

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


def list_images(folder: str | os.PathLike[str]) -> list[Path]:
    """Image files of a folder (not of its subfolders), sorted by name.

    Raises
    ------
    ValueError
        If the folder does not exist or holds no image file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"no such folder: {folder}")
    shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
    files = sorted(path for path in shown if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise ValueError(f"no images in {folder}: looked for {', '.join(SUFFIXES)}")
    return files


def read_image(path: str | os.PathLike[str], *, grey: bool = False) -> NDArray[np.uint8]:
    """Decode an image file to 8 bits.

    Parameters
    ----------
    path : path-like
    grey : bool
        Decode to one channel.

    Returns
    -------
    (H, W, 3) RGB or, if `grey`, (H, W) uint8 array

    Raises
    ------
    ValueError
        If the file cannot be read or is no image; the message names it.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ValueError(f"cannot read image file {path}: {error.strerror or error}") from error
    pixels = None
    if data.size:
        try:
            pixels = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
        except cv2.error:
            pixels = None
    if pixels is None:
        raise ValueError(f"cannot decode image file {path}: not an image, or damaged")
    return np.asarray(pixels if grey else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def as_dtype(image: Image, dtype: np.dtype[Any]) -> Image:
    """The same grey levels as uint8 or as float32 in [0, 1]."""
    if image.dtype == dtype:
        return image
    if dtype == np.float32 and image.dtype == np.uint8:
        return np.asarray(image / np.float32(255), np.float32)
    if dtype == np.uint8 and image.dtype == np.float32:
        return np.asarray(np.rint(np.clip(image, 0, 1) * np.float32(255)), np.uint8)
    raise fail(TypeError, "source", "an image of dtype uint8 or float32", image)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file under a temporary name, then rename it."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
