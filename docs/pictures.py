"""Draw the pictures of pages that show the code of each picture below it: `python docs/pictures.py PAGE...`.

The Python of a page is one program. `show(tile, ...)` in the block below a picture makes that picture; `compare` shows
an image, a result and its label around the patches.
"""

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIDE, GAP, QUALITY = 320, 8, 88
"""Height of a tile and distance between tiles, in pixels; quality of the JPEG."""
ORANGE = (255, 140, 0)
BLOCK = re.compile(r"^!\[[^\]]+\]\((images/\S+|\.\./images/\S+)\)|^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def as_colours(tile: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8; maps of floats in [0, 1] get the colours of heat."""
    if tile.dtype.kind == "f":
        heat = cv2.applyColorMap((255 * np.clip(tile, 0, 1)).astype(np.uint8), cv2.COLORMAP_INFERNO)
        return cv2.cvtColor(heat, cv2.COLOR_BGR2RGB)
    return tile if tile.ndim == 3 else np.repeat(tile[:, :, np.newaxis], 3, axis=2)


def strip(tiles: tuple[np.ndarray, ...]) -> np.ndarray:
    """Tiles of one height side by side, on white."""
    row = []
    for tile in map(as_colours, tiles):
        width = round(SIDE * tile.shape[1] / tile.shape[0])
        row += [cv2.resize(tile, (width, SIDE), interpolation=cv2.INTER_CUBIC), np.full((SIDE, GAP, 3), 255, np.uint8)]
    return np.hstack(row[:-1])


def boxed(image: np.ndarray, *boxes: Any) -> np.ndarray:
    """A copy with the outlines of boxes."""
    drawn = as_colours(image).copy()
    for y0, x0, y1, x1 in boxes:
        cv2.rectangle(drawn, (int(x0), int(y0)), (int(x1) - 1, int(y1) - 1), ORANGE, 2)
    return drawn


def around(tile: np.ndarray, *boxes: Any, margin: int = 24) -> np.ndarray:
    """The square part that holds boxes and a margin, inside the image."""
    top, left = (min(int(box[axis]) for box in boxes) for axis in (0, 1))
    bottom, right = (max(int(box[axis]) for box in boxes) for axis in (2, 3))
    side = min(max(bottom - top, right - left) + 2 * margin, *tile.shape[:2])
    y = min(max((top + bottom - side) // 2, 0), tile.shape[0] - side)
    x = min(max((left + right - side) // 2, 0), tile.shape[1] - side)
    return tile[y : y + side, x : x + side]


def draw(page: Path) -> list[Path]:
    """Run the Python of a page, in a folder that is removed afterwards, and write its pictures."""
    shown: list[np.ndarray] = []

    def show(*tiles: np.ndarray) -> None:
        shown[:] = [strip(tiles)]

    def compare(image: np.ndarray, result: Any) -> None:
        boxes = [patch.destination_box for patch in result.plan.patches]
        label = result.label / max(1.0, float(result.label.max()))
        show(*(around(tile, *boxes) for tile in (image, result.image, label)))

    program: dict[str, Any] = {"show": show, "compare": compare, "boxed": boxed, "around": around}
    target, written = page, []
    page, before = page.resolve(), Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for picture, code in BLOCK.findall(page.read_text(encoding="utf-8")):
                target = (page.parent / picture).resolve() if picture else target
                exec(code, program)
                if code and shown:
                    write(shown.pop(), target)
                    written.append(target)
        finally:
            os.chdir(before)
    return written


def write(picture: np.ndarray, path: Path) -> None:
    """Write an RGB picture as JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for path in draw(Path(name)):
            print(path)
