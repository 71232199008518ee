"""Decoding of image files: by OpenCV, or by Pillow where OpenCV cannot or mixes colours with alpha."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.pictures import picture_planes
from nsa_augment._shared.types import Image

DAMAGED = "not an image, or damaged"
LARGE = 2**26
"""Pixels; larger images are refused if their file has less than a byte per `BOMB` pixels."""
BOMB = 100
ORIENTATION = 274
"""The EXIF tag."""
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_AVIF_BRANDS = (b"ftypavif", b"ftypavis")


def decode(data: NDArray[np.uint8], *, grey: bool, deep: bool) -> Image:
    """Decode the contents of an image file; of several frames the first.

    Parameters
    ----------
    data : (N,) uint8 array
    grey : bool
        Decode to one channel.
    deep : bool
        Keep 16 bits. Floats are always kept.

    Returns
    -------
    (H, W, 3) RGB or, if `grey`, (H, W) array

    Raises
    ------
    ValueError
        The message says what is wrong with the file.
    """
    picture = header(data)
    if picture is not None and _is_for_pillow(picture):
        return _of_channels(_by_pillow(picture), grey)
    pixels = _by_opencv(data, grey, deep)
    if pixels is None and data[4:12].tobytes() in _AVIF_BRANDS:
        if not _knows_avif():
            raise ValueError("AVIF needs Pillow 11.3 or newer, or an OpenCV that is built with AVIF: neither is here")
        pixels = None if picture is None else _by_pillow(picture)
    if pixels is None:
        raise ValueError(DAMAGED)
    return _of_channels(pixels, grey)


def alpha_of(data: NDArray[np.uint8]) -> Image | None:
    """(H, W) uint8 alpha channel of an image file, or None if it has none."""
    picture = header(data)
    return None if picture is None else picture_planes("image", picture)[1]


def is_stored_grey(data: NDArray[np.uint8]) -> bool:
    """Whether a decodable image file has one channel, not counting alpha."""
    try:
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except Exception:  # cv2.error, or errors of large allocations
        return False
    return pixels is not None and pixels.ndim == 2


def header(data: NDArray[np.uint8]) -> Any:
    """The PIL image of a file, not yet decoded; None if Pillow does not know the format.

    Raises
    ------
    ValueError
        If it claims a size that its few bytes cannot hold.
    """
    from PIL import Image as PILImage

    PILImage.init()
    prefix = data[:16].tobytes()
    for factory, accepts in list(PILImage.OPEN.values()):  # Image.open would warn about large images
        try:
            if accepts is None or accepts(prefix) is not True:
                continue
            picture = factory(io.BytesIO(data.tobytes()), "")
        except Exception:
            continue
        width, height = picture.size
        if width * height > max(LARGE, BOMB * data.size):
            raise ValueError(f"it claims to have {width} x {height} pixels, in {data.size} bytes")
        return picture
    return None


def _is_for_pillow(picture: Any) -> bool:
    """OpenCV mixes colours of transparent pixels with others in GIF and TIFF; up to 4.11 it does not turn WebP."""
    bits = picture.tag_v2.get(258) if picture.format == "TIFF" else ()
    turned = picture.format == "WEBP" and picture.getexif().get(ORIENTATION, 1) != 1
    return turned or picture.format == "GIF" or (picture.mode == "RGBA" and bits == (8, 8, 8, 8))


def _by_pillow(picture: Any) -> Image | None:
    try:
        return picture_planes("image", picture)[0]
    except ValueError:
        return None


def _by_opencv(data: NDArray[np.uint8], grey: bool, deep: bool) -> Image | None:
    """RGB, grey, or None; floats with their own number of channels."""
    attempts = [(cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR) | (cv2.IMREAD_ANYDEPTH if deep else 0)]
    if data[:4].tobytes() in _TIFF_MAGIC:  # of floats
        attempts += [cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH]
    for flags in attempts:
        try:
            pixels = cv2.imdecode(data, flags)
        except Exception:  # cv2.error, and what allocating much memory raises
            continue
        if pixels is not None:
            pixels = pixels.astype(np.float32) if pixels.dtype == np.float64 else pixels
            return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels)
    return None


def _of_channels(pixels: Image | None, grey: bool) -> Image:
    if pixels is None:
        raise ValueError(DAMAGED)
    if grey == (pixels.ndim == 2):
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY if grey else cv2.COLOR_GRAY2RGB))


def _knows_avif() -> bool:
    from PIL import Image as PILImage

    return "AVIF" in PILImage.SAVE or bool(cv2.haveImageWriter("image.avif"))
