"""Pictures of synthetic anomalies: a labelled grid, one example a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from nsa_augment.images import as_dtype
from nsa_augment.synthesis import SynthesisResult
from nsa_augment.types import BinaryMap, Box, Image

Pixels: TypeAlias = NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]

COLUMNS = ("normal", "source", "result", "label")
TILE = 256
GAP = 10
MARGIN = 16
CAPTION = 22
BAR = 14
BAR_SPACE = 78
INK: Colour = (30, 30, 30)
OUTLINE: Colour = (0, 190, 190)
PATCH_COLOURS: tuple[Colour, ...] = ((255, 170, 0), (60, 130, 255), (50, 205, 80), (235, 70, 200), (250, 90, 60))


@dataclass(frozen=True)
class Example:
    """One row of the grid.

    Parameters
    ----------
    caption : str
    image, source : arrays
        The normal image, and the source at the size of the image.
    result : SynthesisResult
    foreground : (H, W) uint8 array, optional
        Object mask of the image, drawn as an outline.
    """

    caption: str
    image: Image
    source: Image
    result: SynthesisResult
    foreground: BinaryMap | None = None


def draw_grid(examples: Sequence[Example], title: str, label_name: str, label_max: float) -> Pixels:
    """Draw examples in rows of normal image, source, result and label, with a colour bar for the label.

    Boxes of one colour show where a patch was cut (on the source) and where it went (on the label); a thin line on
    the normal image outlines its object.

    Parameters
    ----------
    examples : sequence of Example
    title : str
    label_name : str
        Name and unit of the label, beside the colour bar.
    label_max : float
        Label at the upper end of the colour bar.

    Returns
    -------
    (H, W, 3) uint8 RGB array
    """
    rows = [_tiles(example, label_max) for example in examples]
    width = max(tile.shape[1] for row in rows for tile in row)
    heights = [row[0].shape[0] for row in rows]
    lefts = [MARGIN + column * (width + GAP) for column in range(len(COLUMNS))]
    top = MARGIN + 2 * CAPTION
    bottom = top + sum(heights) + len(rows) * CAPTION
    page = PILImage.new("RGB", (lefts[-1] + width + BAR_SPACE + MARGIN, bottom + MARGIN), "white")
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, MARGIN), title, fill=INK, font=ImageFont.load_default(17))
    for left, name in zip(lefts, COLUMNS, strict=True):
        pen.text((left, MARGIN + CAPTION + 4), name, fill=INK, font=ImageFont.load_default(14))
    y = top
    for example, row, height in zip(examples, rows, heights, strict=True):
        for left, tile in zip(lefts, row, strict=True):
            page.paste(PILImage.fromarray(tile), (left, y))
        pen.text((MARGIN, y + height + 3), example.caption, fill=INK, font=ImageFont.load_default(12))
        y += height + CAPTION
    _draw_bar(page, pen, (lefts[-1] + width + GAP, top), min(heights[0], TILE), label_name, label_max)
    return np.asarray(page)


def _tiles(example: Example, label_max: float) -> list[Pixels]:
    scale = TILE / example.image.shape[0]
    scale = min(scale, 2 * TILE / example.image.shape[1])
    images = (example.image, example.source, example.result.image)
    normal, source, result = (_scaled(_rgb(image), scale) for image in images)
    label = _overlay(result, _scaled(example.result.label, scale), label_max)
    if example.foreground is not None:
        mask = cv2.resize(example.foreground, normal.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        normal = np.asarray(cv2.drawContours(normal, contours, -1, OUTLINE, 1), np.uint8)
    patches = example.result.plan.patches
    _draw_boxes(source, [patch.source_box for patch in patches], scale)
    _draw_boxes(label, [patch.destination_box for patch in patches], scale)
    return [normal, source, result, label]


def _rgb(image: Image) -> Pixels:
    levels = as_dtype(image, np.dtype(np.uint8)).reshape(*image.shape[:2], -1)
    repeated = np.repeat(levels[:, :, :1], 3, axis=2) if levels.shape[2] < 3 else levels[:, :, :3]
    return np.ascontiguousarray(repeated)


def _scaled(pixels: NDArray[np.uint8] | NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
    size = max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return cv2.resize(pixels, size, interpolation=flags)  # type: ignore[return-value]


def _overlay(pixels: Pixels, label: NDArray[np.float32] | Pixels, label_max: float) -> Pixels:
    """Colour the label over a darkened image, the stronger the more opaque."""
    share = np.clip(label / label_max, 0, 1)[:, :, np.newaxis]
    opacity = np.where(share > 0, 0.35 + 0.5 * share, 0)
    return np.asarray((1 - opacity) * 0.75 * pixels + opacity * _colours(share[:, :, 0]), np.uint8)


def _colours(share: NDArray[np.floating]) -> Pixels:
    levels = np.rint(share * 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)[:, :, ::-1], np.uint8)


def _draw_boxes(tile: Pixels, boxes: Sequence[Box], scale: float) -> None:
    for index, (y0, x0, y1, x1) in enumerate(boxes):
        colour = PATCH_COLOURS[index % len(PATCH_COLOURS)]
        low = round(x0 * scale), round(y0 * scale)
        high = round(x1 * scale) - 1, round(y1 * scale) - 1
        cv2.rectangle(tile, low, high, colour, 1)


def _draw_bar(
    page: PILImage.Image, pen: ImageDraw.ImageDraw, corner: tuple[int, int], height: int, name: str, label_max: float
) -> None:
    x, y = corner
    ramp = np.repeat(np.linspace(1, 0, height)[:, np.newaxis], BAR, axis=1)
    page.paste(PILImage.fromarray(_colours(ramp)), corner)
    font = ImageFont.load_default(12)
    for share in (0.0, 0.5, 1.0):
        at = y + (1 - share) * (height - 1)
        pen.line((x + BAR, at, x + BAR + 3, at), fill=INK)
        pen.text((x + BAR + 6, at), f"{share * label_max:g}", fill=INK, font=font, anchor="lm")
    pen.multiline_text((x, y + height + 6), name.replace(" ", "\n"), fill=INK, font=font)
