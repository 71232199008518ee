"""Reading image files, and writing results whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""(H, W) or (H, W, 3) RGB."""

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def list_images(folder: Path) -> list[Path]:
    """Image files of a folder, sorted by name; ValueError if there are none."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    images = [path for path in files if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    if not images:
        raise ValueError(f"no images in {folder}: looked for {', '.join(SUFFIXES)}")
    return images


def read_image(path: Path, *, grey: bool = False) -> Image:
    """Pixels of a file, (H, W, 3) RGB or (H, W) if `grey`; a ValueError names a file that is no image."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR) if data.size else None
    if pixels is None:
        raise ValueError(f"cannot decode image file {path}: not an image, or damaged")
    return np.asarray(pixels if grey else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file under a temporary name, then rename it."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
