"""One page of evidence for a calibration: brightness, outlines, anomalies and labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from nsa_augment._shared.overlays import mask_at, outlined, rgb, scaled, tile_scale
from nsa_augment._shared.page import (
    CAPTION,
    GAP,
    INK,
    MARGIN,
    SMALL,
    TITLE_SIZE,
    ColourBar,
    Pixels,
    draw_page,
    wrapped,
    write_lines,
)
from nsa_augment.calibration import Calibration
from nsa_augment.cli.tiles import EXAMPLE_COLUMNS, OUTLINE, example_row, make_example

EXAMPLES = 3
OVERLAYS = 7
SUMMARY_WIDTH, GLOSS = 430, 200
CHART_HEIGHT = 190
MIN_WIDTH = 1000
LINE = 19
GLOSSES = {
    "max_patches": "most patches per image",
    "height_range": "patch height, share of the image",
    "width_range": "patch width, share of the image",
    "scale_range": "range of the resize factor",
    "background": "brightness b and threshold t",
    "min_object": "least share of object in a patch",
    "min_overlap": "least share of it put on the object",
    "gradient": "guidance field of the blending",
    "logistic_midpoint": "change with label 1/2, grey levels",
    "logistic_steepness": "steepness of the label, 1/grey level",
    "resize_limits": "limits of resized patches",
    "blending": "how patches are blended in",
    "min_change": "least change, in midpoints",
    "max_value": "value of grey level 255",
}
EXPLAINED = ("blending", "min_change")
"""Arguments whose reasons the page gives, besides that for the background."""
GREY, TEAL, RED, BAND = (150, 150, 150), (0, 140, 140), (220, 60, 40), (235, 235, 235)
Pen: TypeAlias = ImageDraw.ImageDraw


def value_text(value: Any) -> str:
    """A value in the syntax of --set.

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
        Name of the images in the title.
    seed : int
        Seed of the anomalies.

    Returns
    -------
    (H, W, 3) uint8 RGB array
    """
    examples = _examples(found, seed)
    width = max(examples.shape[1], MIN_WIDTH)
    examples = np.pad(examples, ((0, 0), (0, width - examples.shape[1]), (0, 0)), constant_values=255)
    return np.vstack([_summary(found, name, width), _overlays(found, width), examples])


def _examples(found: Calibration, seed: int) -> Pixels:
    task, count = found.task(label="logistic", max_value=None), len(found.images)
    bar = ColourBar("label", 1.0)
    rows = []
    for number, first in enumerate(_spread(count, EXAMPLES)):
        second = (first + max(count // 2, 1)) % count
        given = found.background.given
        masks = {} if given is None else {"mask": given[first], "source_mask": given[second]}
        example = make_example(task, "", found.images[first], found.images[second], [seed, number], **masks)
        patches = len(example.result.plan.patches)
        caption = "no place for a patch" if not patches else f"{patches} patch{'es' if patches > 1 else ''}"
        rows.append(example_row(replace(example, caption=caption), bar))
    midpoint = value_text(found.arguments["logistic_midpoint"])
    title = (
        f"Anomalies with these arguments: {found.placing}; "
        f"the label is 1/2 where the image changes by {midpoint} grey levels"
    )
    return draw_page(title, EXAMPLE_COLUMNS, rows, [bar])


def _spread(count: int, most: int) -> list[int]:
    return np.linspace(0, count - 1, min(most, count)).round().astype(int).tolist()  # type: ignore[no-any-return]


def _summary(found: Calibration, name: str, width: int) -> Pixels:
    """Title, arguments as text, and the histogram beside them."""
    title = wrapped(f"{name}: {found.summary}", TITLE_SIZE, width - 2 * MARGIN)
    notes = _histogram_notes(found, width - MARGIN - SUMMARY_WIDTH)
    top = MARGIN + (len(title) + 1) * CAPTION
    height = top + max(len(found.arguments) * LINE, CHART_HEIGHT + (1 + len(notes)) * CAPTION) + GAP
    page = PILImage.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(page)
    write_lines(pen, (MARGIN, MARGIN), title, TITLE_SIZE)
    for line, (key, value) in enumerate(found.arguments.items()):
        y = top + line * LINE
        pen.text((MARGIN, y), f"{key} = {value_text(value)}", fill=INK, font=ImageFont.load_default(13))
        pen.text((MARGIN + GLOSS, y), GLOSSES[key], fill=GREY, font=ImageFont.load_default(12))
    _draw_histogram(pen, found, (SUMMARY_WIDTH, top, width - MARGIN, top + CHART_HEIGHT))
    write_lines(pen, (SUMMARY_WIDTH, top + CHART_HEIGHT + CAPTION), notes, SMALL)
    return np.asarray(page)


def _draw_histogram(pen: Pen, found: Calibration, box: tuple[int, int, int, int]) -> None:
    """Bars on a square-root scale, which shows small objects, too; background grey, object coloured."""
    left, top, right, bottom = box
    background, threshold = found.background.brightness, found.background.threshold
    step = (right - left) / 256

    def across(level: float) -> float:
        return left + min(max(level, 0), 256) * step

    low, high = background - threshold, background + threshold + 1
    if found.background.plain:
        pen.rectangle((across(low), top, across(high), bottom), fill=BAND)
    heights = np.sqrt(found.background.histogram / found.background.histogram.max()) * (bottom - top - CAPTION)
    for number, bar in enumerate(heights.tolist()):
        is_object = found.background.plain and not low <= number < high
        box_of_bar = (across(number), bottom - bar, across(number + 1) - 1, bottom)
        pen.rectangle(box_of_bar, fill=TEAL if is_object else GREY)
    font = ImageFont.load_default(12)
    pen.line((left, bottom, right, bottom), fill=INK)
    for number in range(0, 250, 50):
        pen.text((across(number), bottom + 3), str(number), fill=INK, font=font, anchor="ma")
    pen.text((right, bottom + 3), "brightness", fill=INK, font=font, anchor="ra")
    if found.background.plain:
        edges = [(low, "b - t"), (background + 0.5, f"b = {background:g}"), (high, "b + t")]
        for line, (level, name) in enumerate(edges):
            if 0 < level < 256:
                _mark(pen, across(level), box, line, name)


def _histogram_notes(found: Calibration, width: int) -> list[str]:
    meaning = "Histogram of brightness (square-root scale)."
    if found.background.plain:
        meaning += f" Grey: background, |brightness - b| <= t = {found.background.threshold:g}. Teal: object."
    reason = found.reasons["background"]
    choices = [f"{name}: {found.reasons[name]}" for name in EXPLAINED if name in found.reasons]
    notes = [meaning, *(f"{text[:1].upper()}{text[1:]}." for text in (reason, *choices))]
    return [line for note in notes for line in wrapped(note, SMALL, width)]


def _mark(pen: Pen, x: float, box: tuple[int, int, int, int], line: int, text: str) -> None:
    """Mark a level, its name on the side with room; each name on another line."""
    left, top, right, bottom = box
    pen.line((x, top, x, bottom), fill=RED, width=2)
    beside, anchor = (x + 4, "la") if x < (left + right) / 2 else (x - 4, "ra")
    pen.text((beside, top + line * LINE), text, fill=RED, font=ImageFont.load_default(13), anchor=anchor)


def _overlays(found: Calibration, width: int) -> Pixels:
    """Some of the images, with everything but the object faded."""
    side = (width - 2 * MARGIN - (OVERLAYS - 1) * GAP) // OVERLAYS
    tiles = [_overlay(found, index, side) for index in _spread(len(found.images), OVERLAYS)]
    page = PILImage.new("RGB", (width, tiles[0].shape[0] + 2 * CAPTION + GAP), "white")
    text = (
        "Detected object (outlined, the rest faded)"
        if found.background.shows_object
        else "Some of the images: patches may land anywhere"
    )
    ImageDraw.Draw(page).text((MARGIN, 0), text, fill=INK, font=ImageFont.load_default(17))
    for place, tile in enumerate(tiles):
        page.paste(PILImage.fromarray(tile), (MARGIN + place * (side + GAP), CAPTION + 4))
    return np.asarray(page)


def _overlay(found: Calibration, index: int, side: int) -> Pixels:
    image = found.images[index]
    scale = tile_scale(image.shape, (side, side))
    tile = scaled(rgb(image), scale)
    if not found.background.shows_object:
        return tile
    inside = mask_at(found.background.masks[index], tile)
    faded = np.where(inside[:, :, np.newaxis] > 0, tile, 160 + tile // 4).astype(np.uint8)
    return outlined(faded, inside, OUTLINE)
