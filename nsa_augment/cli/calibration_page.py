"""One page of evidence for a calibration: brightness, outlines, anomalies and labels."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from nsa_augment._shared.overlays import mask_at, outlined, rgb, scaled, tile_scale
from nsa_augment._shared.page import CAPTION, GAP, INK, MARGIN, ColourBar, Pixels, draw_page
from nsa_augment.calibration import Calibration
from nsa_augment.cli.tiles import EXAMPLE_COLUMNS, OUTLINE, example_row, make_example

EXAMPLES = 3
OVERLAYS = 7
SUMMARY_WIDTH, GLOSS = 430, 200
CHART_HEIGHT = 190
CHARACTERS = 105
LINE = 19
GLOSSES = {
    "max_patches": "patches in an image, at most",
    "height_range": "height of a patch, share of the image",
    "width_range": "width of a patch, share of the image",
    "scale_range": "factors by which patches are resized",
    "background": "brightness b and threshold t",
    "min_object": "share of a patch that must be object",
    "min_overlap": "share of that to land on the object",
    "gradient": "what guides the blending",
    "logistic_midpoint": "change labelled 1/2, grey levels",
    "logistic_steepness": "of the label, per grey level",
    "max_value": "value of grey level 255",
}
GREY, TEAL, RED, BAND = (150, 150, 150), (0, 140, 140), (220, 60, 40), (235, 235, 235)
Pen: TypeAlias = ImageDraw.ImageDraw


def value_text(value: Any) -> str:
    """A value as it is typed after --set.

    Examples
    --------
    >>> value_text((200.0, 60.0))
    '200,60'
    """
    if isinstance(value, tuple):
        return ",".join(map(value_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def calibration_page(found: Calibration, name: str, seed: int) -> Pixels:
    """Draw the evidence: arguments and brightness histogram, outlined images, and anomalies with their labels.

    Parameters
    ----------
    found : Calibration
    name : str
        What the images are called in the title.
    seed : int
        Of the anomalies.

    Returns
    -------
    (H, W, 3) uint8 RGB array
    """
    examples = _examples(found, seed)
    width = examples.shape[1]
    return np.vstack([_summary(found, name, width), _overlays(found, width), examples])


def _examples(found: Calibration, seed: int) -> Pixels:
    task, count = found.task(label="logistic", max_value=None), len(found.images)
    bar = ColourBar("label", 1.0)
    rows = []
    for number, first in enumerate(_spread(count, EXAMPLES)):
        second = (first + max(count // 2, 1)) % count
        example = make_example(task, "", found.images[first], found.images[second], [seed, number])
        patches = len(example.result.plan.patches)
        caption = "no place for a patch" if not patches else f"{patches} patch{'es' if patches > 1 else ''}"
        rows.append(example_row(replace(example, caption=caption), bar))
    midpoint = value_text(found.arguments["logistic_midpoint"])
    title = (
        f"Anomalies with these arguments: {found.placing}; "
        f"the label is 1/2 where a place has changed by {midpoint} grey levels"
    )
    return draw_page(title, EXAMPLE_COLUMNS, rows, [bar])


def _spread(count: int, most: int) -> list[int]:
    return np.linspace(0, count - 1, min(most, count)).round().astype(int).tolist()  # type: ignore[no-any-return]


def _summary(found: Calibration, name: str, width: int) -> Pixels:
    """Title, arguments as text, and the histogram beside them."""
    top = MARGIN + 2 * CAPTION
    height = top + max(len(found.arguments) * LINE, CHART_HEIGHT + 2 * CAPTION + 2 * LINE) + GAP
    page = PILImage.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(page)
    title = f"{name}: {found.summary}"
    pen.text((MARGIN, MARGIN), title, fill=INK, font=ImageFont.load_default(17))
    for line, (key, value) in enumerate(found.arguments.items()):
        y = top + line * LINE
        pen.text((MARGIN, y), f"{key} = {value_text(value)}", fill=INK, font=ImageFont.load_default(13))
        pen.text((MARGIN + GLOSS, y), GLOSSES[key], fill=GREY, font=ImageFont.load_default(12))
    _draw_histogram(pen, found, (SUMMARY_WIDTH, top, width - MARGIN, top + CHART_HEIGHT))
    return np.asarray(page)


def _draw_histogram(pen: Pen, found: Calibration, box: tuple[int, int, int, int]) -> None:
    """Bars on a square-root scale, so that a small object can be seen; background grey, object coloured."""
    left, top, right, bottom = box
    background, threshold = found.background.brightness, found.background.threshold
    step = (right - left) / 256

    def across(level: float) -> float:
        return left + min(max(level, 0), 256) * step

    low, high = background - threshold, background + threshold + 1
    if found.background.plain:
        pen.rectangle((across(low), top, across(high), bottom), fill=BAND)
    heights = np.sqrt(found.background.histogram / found.background.histogram.max()) * (bottom - top - CAPTION)
    for level, bar in enumerate(heights.tolist()):
        is_object = found.background.plain and not low <= level < high
        box_of_bar = (across(level), bottom - bar, across(level + 1) - 1, bottom)
        pen.rectangle(box_of_bar, fill=TEAL if is_object else GREY)
    font = ImageFont.load_default(12)
    pen.line((left, bottom, right, bottom), fill=INK)
    for level in range(0, 250, 50):
        pen.text((across(level), bottom + 3), str(level), fill=INK, font=font, anchor="ma")
    pen.text((right, bottom + 3), "brightness", fill=INK, font=font, anchor="ra")
    meaning = "How often each brightness occurs (square-root scale)."
    if found.background.plain:
        _mark(pen, across(background + 0.5), top, bottom, f"b = {background:g}")
        for edge, name in ((low, "b - t"), (high, "b + t")):
            if 0 < edge < 256:
                _mark(pen, across(edge), top, bottom, name)
        meaning += f" Grey: background, |brightness - b| <= t = {threshold:g}. Teal: object."
    reason = found.reasons["background"]
    lines = [meaning, *textwrap.wrap(f"{reason[:1].upper()}{reason[1:]}.", CHARACTERS)]
    pen.multiline_text((left, bottom + CAPTION), "\n".join(lines), fill=INK, font=ImageFont.load_default(12))


def _mark(pen: Pen, x: float, top: int, bottom: int, text: str) -> None:
    pen.line((x, top, x, bottom), fill=RED, width=2)
    pen.text((x + 4, top), text, fill=RED, font=ImageFont.load_default(13))


def _overlays(found: Calibration, width: int) -> Pixels:
    """Some of the images, everything but the object faded."""
    side = (width - 2 * MARGIN - (OVERLAYS - 1) * GAP) // OVERLAYS
    tiles = [_overlay(found, index, side) for index in _spread(len(found.images), OVERLAYS)]
    page = PILImage.new("RGB", (width, tiles[0].shape[0] + 2 * CAPTION + GAP), "white")
    text = (
        "What counts as object (outlined, the rest faded)"
        if found.background.plain
        else "Some of the images: patches may go anywhere"
    )
    ImageDraw.Draw(page).text((MARGIN, 0), text, fill=INK, font=ImageFont.load_default(17))
    for place, tile in enumerate(tiles):
        page.paste(PILImage.fromarray(tile), (MARGIN + place * (side + GAP), CAPTION + 4))
    return np.asarray(page)


def _overlay(found: Calibration, index: int, side: int) -> Pixels:
    image = found.images[index]
    scale = tile_scale(image.shape, (side, side))
    tile = scaled(rgb(image), scale)
    if not found.background.plain:
        return tile
    inside = mask_at(found.background.masks[index], tile)
    faded = np.where(inside[:, :, np.newaxis] > 0, tile, 160 + tile // 4).astype(np.uint8)
    return outlined(faded, inside, OUTLINE)
