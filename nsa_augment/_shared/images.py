"""Image files: found in folders, read with clear errors, encoded."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from nsa_augment._shared.types import Image

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

PNG_OPTIONS = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
"""OpenCV's fast setting; a compression level in addition would double the time, for files of the same size."""


def list_images(folder: str | os.PathLike[str]) -> list[Path]:
    """Image files of a folder (not of its subfolders), sorted by name.

    Raises
    ------
    ValueError
        If the folder does not exist or holds no image file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        reason = "not a folder (give single files as a list of paths)" if folder.exists() else "no such folder"
        raise ValueError(f"{reason}: {folder}")
    shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
    files = sorted(path for path in shown if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise ValueError(f"no images in {folder}: looked for {', '.join(SUFFIXES)}")
    return files


def read_image(path: str | os.PathLike[str], *, grey: bool = False, deep: bool = False) -> Image:
    """Decode an image file.

    Parameters
    ----------
    path : path-like
    grey : bool
        Decode to one channel.
    deep : bool
        Keep the 16 bits of a file that has them.

    Returns
    -------
    (H, W, 3) RGB or, if `grey`, (H, W) array; uint8, or uint16 for a 16-bit file if `deep`

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
            flags = (cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR) | (cv2.IMREAD_ANYDEPTH if deep else 0)
            pixels = cv2.imdecode(data, flags)
        except cv2.error:
            pixels = None
    if pixels is None:
        raise ValueError(f"cannot decode image file {path}: not an image, or damaged")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"cannot use image file {path}: its values are {pixels.dtype}, not 8 or 16 bits")
    return np.asarray(pixels if grey else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def encode_png(image: Image) -> bytes:
    """PNG file of an (H, W) or (H, W, 3) RGB image of 8 or 16 bits.

    Examples
    --------
    >>> encode_png(np.zeros((8, 8), np.uint8))[1:4]
    b'PNG'
    """
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", pixels, PNG_OPTIONS)[1].tobytes()
