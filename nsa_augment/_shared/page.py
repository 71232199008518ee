"""Pages of pictures: rows of tiles with captions, column names, and colour bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from nsa_augment._shared.boxes import Box

Pixels: TypeAlias = NDArray[np.uint8]

TILE = 256
GAP = 10
MARGIN = 16
CAPTION = 22
BAR = 14
BAR_SPACE = 78
INK = (30, 30, 30)
BLANK = (238, 238, 238)


@dataclass(frozen=True)
class Row:
    """Tiles of one height, (h, w, 3) uint8 RGB (None: nothing to show), and the caption below them."""

    caption: str
    tiles: Sequence[Pixels | None]


@dataclass(frozen=True)
class ColourBar:
    """Name, with unit, and value at the upper end of a colour bar that starts at 0."""

    name: str
    top: float

    @property
    def height(self) -> int:
        """Pixels that the bar takes with its name, a word a line."""
        return TILE + max(len(self.name.split()), 3) * CAPTION


def colours(share: NDArray[np.floating]) -> Pixels:
    """Colours of values in [0, 1]: (h, w) to (h, w, 3) uint8 RGB."""
    levels = np.rint(share * 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)[:, :, ::-1], np.uint8)


def draw_page(title: str, columns: Sequence[str], rows: Sequence[Row], bars: Sequence[ColourBar]) -> Pixels:
    """Draw rows of tiles below their column names, and colour bars beside them.

    Parameters
    ----------
    title : str
    columns : sequence of str
        Names of the columns, one for each tile of a row.
    rows : sequence of Row
        With at least one tile.
    bars : sequence of ColourBar

    Returns
    -------
    (H, W, 3) uint8 RGB array

    Examples
    --------
    >>> row = Row("a caption", (np.zeros((20, 30, 3), np.uint8), None))
    >>> draw_page("a title", ("left", "right"), [row], [ColourBar("label", 1.0)]).shape
    (398, 180, 3)
    """
    shapes = [[tile.shape for tile in row.tiles if tile is not None] for row in rows]
    width = max(shape[1] for row in shapes for shape in row)
    heights = [max(shape[0] for shape in row) for row in shapes]
    lefts = [MARGIN + column * (width + GAP) for column in range(len(columns))]
    top = MARGIN + 2 * CAPTION
    bottom = top + max(sum(heights) + len(rows) * CAPTION, sum(bar.height for bar in bars))
    page = PILImage.new("RGB", (lefts[-1] + width + BAR_SPACE + MARGIN, bottom + MARGIN), "white")
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, MARGIN), title, fill=INK, font=ImageFont.load_default(17))
    for left, name in zip(lefts, columns, strict=True):
        pen.text((left, MARGIN + CAPTION + 4), name, fill=INK, font=ImageFont.load_default(14))
    y = top
    for row, height in zip(rows, heights, strict=True):
        _draw_row(page, pen, row, [Box.at(y, left, (height, width)) for left in lefts])
        y += height + CAPTION
    y = top
    for bar in bars:
        _draw_bar(page, pen, (lefts[-1] + width + GAP, y), bar)
        y += bar.height
    return np.asarray(page)


def _draw_row(page: PILImage.Image, pen: ImageDraw.ImageDraw, row: Row, places: Sequence[Box]) -> None:
    for place, tile in zip(places, row.tiles, strict=True):
        if tile is not None:
            page.paste(PILImage.fromarray(tile), (place.x0, place.y0))
            continue
        pen.rectangle((place.x0, place.y0, place.x1 - 1, place.y1 - 1), fill=BLANK)
        middle = (place.x0 + place.x1) / 2, (place.y0 + place.y1) / 2
        pen.text(middle, "not defined", fill=INK, font=ImageFont.load_default(12), anchor="mm")
    pen.text((MARGIN, places[0].y1 + 3), row.caption, fill=INK, font=ImageFont.load_default(12))


def _draw_bar(page: PILImage.Image, pen: ImageDraw.ImageDraw, corner: tuple[int, int], bar: ColourBar) -> None:
    x, y = corner
    ramp = np.repeat(np.linspace(1, 0, TILE)[:, np.newaxis], BAR, axis=1)
    page.paste(PILImage.fromarray(colours(ramp)), corner)
    font = ImageFont.load_default(12)
    for share in (0.0, 0.5, 1.0):
        at = y + (1 - share) * (TILE - 1)
        pen.line((x + BAR, at, x + BAR + 3, at), fill=INK)
        pen.text((x + BAR + 6, at), f"{share * bar.top:.3g}", fill=INK, font=font, anchor="lm")
    pen.multiline_text((x, y + TILE + 6), bar.name.replace(" ", "\n"), fill=INK, font=font)
