"""Image files of every kind, written by Pillow, with the pixels that Pillow reads from them; and damaged ones."""

import io
import struct
import zlib
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageOps

from nsa_augment.samples import draw_sample

HEIGHT, WIDTH = 64, 48
ALPHA = np.where(np.indices((HEIGHT, WIDTH))[0] > 20, 255, 40).astype(np.uint8)
ALPHA[:, :9] = 0


@cache
def _pixels(index):
    return np.ascontiguousarray(draw_sample("hide", index, size=HEIGHT).image[:, :WIDTH])


def picture(index=0):
    return Image.fromarray(_pixels(index))


def with_alpha(image):
    image.putalpha(Image.fromarray(ALPHA))
    return image


def grey(image):
    return np.asarray(image.convert("L"))


@dataclass(frozen=True)
class Kind:
    """How files of a kind are made of an RGB picture, and how exactly they are read."""

    suffix: str
    make: object
    options: dict = field(default_factory=dict)
    tolerance: int = 0
    maximum: int | None = None


def _same(image):
    return image


KINDS = {
    "RGB": Kind(".png", _same),
    "L": Kind(".png", lambda image: image.convert("L")),
    "LA": Kind(".png", lambda image: with_alpha(image.convert("L"))),
    "RGBA": Kind(".png", with_alpha),
    "P": Kind(".png", lambda image: image.quantize(64)),
    "P, a colour transparent": Kind(".png", lambda image: image.quantize(64), {"transparency": 3}),
    "P, alpha of colours": Kind(".png", lambda image: image.quantize(64), {"transparency": bytes(range(64))}),
    "1": Kind(".png", lambda image: image.convert("1")),
    "16 bits": Kind(".png", lambda image: Image.fromarray(grey(image).astype(np.uint16) * 257)),
    "12 of 16 bits": Kind(".tif", lambda image: Image.fromarray(grey(image).astype(np.uint16) * 16), maximum=4080),
    "float": Kind(".tif", lambda image: Image.fromarray(grey(image).astype(np.float32) / np.float32(255))),
    "TIFF": Kind(".tiff", _same),
    "TIFF RGBA": Kind(".tif", with_alpha),
    "TIFF LA": Kind(".tif", lambda image: with_alpha(image.convert("L"))),
    "TIFF P": Kind(".tif", lambda image: image.quantize(64)),
    "TIFF 1": Kind(".tif", lambda image: image.convert("1"), {"compression": "group4"}),
    "TIFF CMYK": Kind(".tif", lambda image: image.convert("CMYK"), tolerance=1),
    "JPEG": Kind(".jpg", _same, tolerance=2),
    "JPEG L": Kind(".jpeg", lambda image: image.convert("L"), tolerance=2),
    "JPEG CMYK": Kind(".jpg", lambda image: image.convert("CMYK"), tolerance=3),
    "JFIF": Kind(".jfif", _same, {"format": "JPEG"}, tolerance=2),
    "GIF": Kind(".gif", lambda image: image.quantize(64)),
    "GIF, a colour transparent": Kind(".gif", lambda image: image.quantize(64), {"transparency": 3}),
    "GIF, several frames": Kind(".gif", lambda image: image.quantize(64), {"save_all": True, "append_images": [
        Image.new("P", (WIDTH, HEIGHT))]}),
    "WebP": Kind(".webp", _same, {"lossless": True}),
    "WebP RGBA": Kind(".webp", with_alpha, {"lossless": True, "exact": True}),
    "BMP": Kind(".bmp", _same),
    "BMP P": Kind(".bmp", lambda image: image.quantize(64)),
    "PGM": Kind(".pgm", lambda image: image.convert("L")),
    "PPM": Kind(".ppm", _same),
}  # fmt: skip
Image.init()
if "AVIF" in Image.SAVE:
    KINDS |= {"AVIF": Kind(".avif", _same, tolerance=2), "AVIF RGBA": Kind(".avif", with_alpha, tolerance=2)}
ORIENTED = {".jpg": {"quality": 95}, ".png": {}, ".tif": {}, ".webp": {"lossless": True}}
"""Formats whose files may be turned by their EXIF data, with options for writing them."""
KINDS |= {
    f"turned by EXIF {suffix}": Kind(suffix, _same, {**options, "orientation": 6}, 2 * (suffix == ".jpg"))
    for suffix, options in ORIENTED.items()
}


def exif(orientation):
    data = Image.Exif()
    data[0x112] = orientation
    return data


def write(kind, folder, count=3):
    """Files of a kind, and of each what Pillow reads: with its depth, and as 8-bit RGB, both without alpha."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for index in range(count):
        options = dict(kind.options)
        if "orientation" in options:
            options["exif"] = exif(options.pop("orientation"))
        files.append(folder / f"{index}{kind.suffix}")
        kind.make(picture(index)).save(files[-1], **options)
    return files


def by_pillow(file):
    """(H, W) or (H, W, 3) pixels of a file with its own depth, upright, and its alpha channel or None."""
    with Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)
        alpha = np.asarray(image.convert("RGBA"))[..., 3] if image.has_transparency_data else None
        if image.mode in ("I;16", "I", "F"):
            return np.asarray(image).astype(np.float32 if image.mode == "F" else np.uint16), None
        if image.mode in ("L", "LA", "1"):
            return np.asarray(image.convert("L")), alpha
        return np.asarray(image.convert("RGBA" if alpha is not None else "RGB"))[..., :3], alpha


def colours(pixels):
    """RGB of grey or RGB pixels."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)


def eight_bits(pixels, maximum=None):
    """Grey levels of pixels of any depth."""
    if pixels.dtype == np.uint8:
        return pixels
    if maximum is None:
        return (pixels >> 8 if pixels.dtype == np.uint16 else np.rint(pixels * 255)).astype(np.uint8)
    return np.rint(pixels * (255 / maximum)).astype(np.uint8)


# damage


def _claims(data, width, height):
    """A PNG or little-endian TIFF that claims another size."""
    data = bytearray(data)
    if data[:4] == b"\x89PNG":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        return bytes(data)
    start = struct.unpack_from("<I", data, 4)[0]
    for number in range(struct.unpack_from("<H", data, start)[0]):
        at = start + 2 + 12 * number
        tag = struct.unpack_from("<H", data, at)[0]
        if tag in (256, 257):  # width and length
            struct.pack_into("<HII", data, at + 2, 4, 1, width if tag == 256 else height)
    return bytes(data)


def _damage():
    made = {}

    def content(suffix, **options):
        buffer = io.BytesIO()
        picture().save(buffer, {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".gif": "GIF"}[suffix], **options)
        return buffer.getvalue()

    for suffix in (".png", ".jpg", ".tif", ".gif"):
        whole = content(suffix)
        made[f"cut{suffix}"] = whole[: len(whole) // 2]
    made["empty.png"] = b""
    made["text.png"] = b"no image"
    made["other.avif"] = b"\0\0\0\x1cftypavif" + bytes(40)
    made["bomb.png"] = _claims(content(".png"), 30_000, 30_000)
    made["huge.tif"] = _claims(content(".tif"), 50_000, 50_000)
    made["huge.png"] = _claims(content(".png"), 50_000, 50_000)
    return made


DAMAGED = _damage()
"""Content of damaged files, by name."""


def anomaly_dataset(*arguments, **more):
    """An `AnomalyDataset`; the test is skipped where torch is missing."""
    return pytest.importorskip("nsa_augment.integrations.torch").AnomalyDataset(*arguments, **more)
