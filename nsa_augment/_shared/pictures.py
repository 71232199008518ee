"""PIL images of any mode as NumPy arrays, upright by their EXIF data, separate from their alpha channel."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from nsa_augment._shared.checks import fail
from nsa_augment._shared.types import Image

_GREY = ("1", "L", "LA", "La")
_CONVERTED = {
    "1": "L",
    "P": "RGB",
    "PA": "RGB",
    "RGBX": "RGB",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "HSV": "RGB",
    "LAB": "RGB",
}
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa", "1", "L", "P", "RGB")
"""Modes with an alpha channel (the last four: possibly, as a transparent colour)."""
_AS_THEY_ARE = ("L", "RGB", "F")


def is_picture(value: Any) -> bool:
    """Whether a value is a PIL image."""
    return hasattr(value, "getbands") and hasattr(value, "convert")


def picture_planes(name: str, picture: Any) -> tuple[Image, Image | None]:
    """The grey levels or colours of a PIL image, and its alpha channel.

    Parameters
    ----------
    name : str
        Name in errors.
    picture : PIL image
        Of any mode that has grey levels or colours; "I" only with values that fit into 16 bits.

    Returns
    -------
    pixels : (H, W) or (H, W, 3) array
        RGB; uint8, uint16 for 16 bits, float32 for mode "F".
    alpha : (H, W) uint8 array, or None
        None if it has none.

    Raises
    ------
    ValueError
        If the image is of another mode, or cannot be decoded.

    Examples
    --------
    >>> from PIL import Image
    >>> pixels, alpha = picture_planes("image", Image.new("RGBA", (2, 1), (9, 8, 7, 6)))
    >>> pixels.tolist(), alpha.tolist()
    ([[[9, 8, 7], [9, 8, 7]]], [[6, 6]])
    """
    try:
        upright = _upright(picture)
        if upright.mode in _ALPHA and upright.has_transparency_data:
            whole = upright.convert("LA") if upright.mode == "La" else upright
            planes = np.array(whole.convert("RGBA"))
            pixels = planes[:, :, 0] if upright.mode in _GREY else planes[:, :, :3]
            return np.ascontiguousarray(pixels), np.ascontiguousarray(planes[:, :, 3])
        converted = upright.convert(_CONVERTED[upright.mode]) if upright.mode in _CONVERTED else upright
        pixels = np.array(converted)
    except Exception as error:
        raise ValueError(f"{name} cannot be decoded: {error}") from error
    if converted.mode in _SIXTEEN_BITS or (converted.mode == "I" and pixels.min() >= 0 and pixels.max() <= 65535):
        return pixels.astype(np.uint16), None
    if converted.mode not in _AS_THEY_ARE:
        known = sorted({*_CONVERTED, *_ALPHA, *_AS_THEY_ARE, *_SIXTEEN_BITS})
        accepted = f"a PIL image of mode {', '.join(known)}, or I with values in [0, 65535]"
        raise fail(ValueError, name, accepted, converted.mode)
    return pixels, None


def _upright(picture: Any) -> Any:
    """Turn and mirror a picture by its EXIF data, if they can be read."""
    from PIL import ImageOps

    picture.load()
    with suppress(Exception):
        return ImageOps.exif_transpose(picture)
    return picture
