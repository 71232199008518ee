"""Pages of pictures: rows of tiles with captions, column names, and colour bars."""

from __future__ import annotations

import math
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
MIN_WIDTH = 320
"""Least width of a page, in pixels, so that a title fits over narrow tiles."""
TITLE_SIZE, COLUMN_SIZE, SMALL = 17, 14, 12
MISSING = "does not apply"
INK = (30, 30, 30)
BLANK = (238, 238, 238)


@dataclass(frozen=True)
class Row:
    """Tiles, (h, w, 3) uint8 RGB or None, for all or the first columns, and the caption below them."""

    caption: str
    tiles: Sequence[Pixels | None]


@dataclass(frozen=True)
class ColourBar:
    """Name, with unit, and value at the upper end of a colour bar that starts at 0."""

    name: str
    top: float

    @property
    def height(self) -> int:
        """Height of the bar and its name, one word per line, in pixels."""
        return TILE + max(len(self.name.split()), 3) * CAPTION

    @property
    def width(self) -> int:
        """Width of its name and the gap before it, in pixels."""
        return GAP + max(text_width(word, SMALL) for word in self.name.split())


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
        Names of the columns, one per tile of a row.
    rows : sequence of Row
        Rows with at least one tile.
    bars : sequence of ColourBar

    Returns
    -------
    (H, W, 3) uint8 RGB array

    Examples
    --------
    >>> row = Row("a caption", (np.zeros((20, 30, 3), np.uint8), None))
    >>> draw_page("a title", ("left", "right"), [row], [ColourBar("label", 1.0)]).shape
    (398, 320, 3)
    """
    columns_width = _column_width(columns, rows)
    lefts = [MARGIN + column * (columns_width + GAP) for column in range(len(columns))]
    bar_space = max([BAR_SPACE, *(bar.width for bar in bars)]) if bars else 0
    page_width = max(lefts[-1] + columns_width + bar_space + MARGIN, MIN_WIDTH)
    room = page_width - 2 * MARGIN
    heading = wrapped(title, TITLE_SIZE, room)
    captions = [wrapped(row.caption, SMALL, room - bar_space) for row in rows]
    heights = [max(tile.shape[0] for tile in row.tiles if tile is not None) for row in rows]
    top = MARGIN + (len(heading) + 1) * CAPTION
    rows_end = top + sum(heights) + sum(max(len(lines), 1) for lines in captions) * CAPTION
    bottom = max(rows_end, top + sum(bar.height for bar in bars))
    page = PILImage.new("RGB", (page_width, bottom + MARGIN), "white")
    pen = ImageDraw.Draw(page)
    write_lines(pen, (MARGIN, MARGIN), heading, TITLE_SIZE)
    for left, name in zip(lefts, columns, strict=True):
        pen.text((left, top - CAPTION + 4), name, fill=INK, font=ImageFont.load_default(COLUMN_SIZE))
    y = top
    for row, height, lines in zip(rows, heights, captions, strict=True):
        _draw_row(page, pen, row, [Box.at(y, left, (height, columns_width)) for left in lefts])
        write_lines(pen, (MARGIN, y + height + 3), lines, SMALL)
        y += height + max(len(lines), 1) * CAPTION
    y = top
    for bar in bars:
        _draw_bar(page, pen, (lefts[-1] + columns_width + GAP, y), bar)
        y += bar.height
    return np.asarray(page)


def _column_width(columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Width for the widest tile, the names, and the text in place of a missing tile."""
    tiles = [tile for row in rows for tile in row.tiles]
    widths: list[int] = [tile.shape[1] for tile in tiles if tile is not None]
    widths += [text_width(name, COLUMN_SIZE) for name in columns]
    widths += [text_width(MISSING, SMALL) for tile in tiles if tile is None]
    return max(widths)


def text_width(text: str, size: int) -> int:
    """Width of a text in pixels."""
    return math.ceil(ImageFont.load_default(size).getlength(text))


def wrapped(text: str, size: int, width: int) -> list[str]:
    """Break a text into lines of at most `width` pixels; longer words are broken, too.

    Examples
    --------
    >>> wrapped("a few words, and more", 12, 90)
    ['a few words,', 'and more']
    """
    font = ImageFont.load_default(size)
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if font.getlength(joined) <= width:
            lines[-1:] = [joined]
            continue
        lines.append("")
        for character in word:
            if lines[-1] and font.getlength(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return lines


def write_lines(pen: ImageDraw.ImageDraw, corner: tuple[int, int], lines: Sequence[str], size: int) -> None:
    """Write lines of text."""
    for number, line in enumerate(lines):
        pen.text((corner[0], corner[1] + number * CAPTION), line, fill=INK, font=ImageFont.load_default(size))


def _draw_row(page: PILImage.Image, pen: ImageDraw.ImageDraw, row: Row, places: Sequence[Box]) -> None:
    for place, tile in zip(places, row.tiles, strict=False):
        if tile is not None:
            page.paste(PILImage.fromarray(tile), (place.x0, place.y0))
            continue
        pen.rectangle((place.x0, place.y0, place.x1 - 1, place.y1 - 1), fill=BLANK)
        middle = (place.x0 + place.x1) / 2, (place.y0 + place.y1) / 2
        pen.text(middle, MISSING, fill=INK, font=ImageFont.load_default(SMALL), anchor="mm")


def _draw_bar(page: PILImage.Image, pen: ImageDraw.ImageDraw, corner: tuple[int, int], bar: ColourBar) -> None:
    x, y = corner
    ramp = np.repeat(np.linspace(1, 0, TILE)[:, np.newaxis], BAR, axis=1)
    page.paste(PILImage.fromarray(colours(ramp)), corner)
    font = ImageFont.load_default(SMALL)
    for share in (0.0, 0.5, 1.0):
        at = y + (1 - share) * (TILE - 1)
        pen.line((x + BAR, at, x + BAR + 3, at), fill=INK)
        pen.text((x + BAR + 6, at), f"{share * bar.top:.3g}", fill=INK, font=font, anchor="lm")
    pen.multiline_text((x, y + TILE + 6), "\n".join(bar.name.split()), fill=INK, font=font)
