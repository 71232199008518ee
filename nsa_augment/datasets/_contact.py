"""The contact sheet: some anomalies of a dataset with the outlines of their masks and their labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from nsa_augment._shared.images import encode_png, read_image
from nsa_augment._shared.page import ColourBar, Row, colours, draw_page
from nsa_augment._shared.scale import BY_DTYPE
from nsa_augment._shared.types import Image
from nsa_augment.datasets._journal import Lines
from nsa_augment.datasets.recipe import Recipe

CONTACT = "contact.png"
SHOWN = 8
ACROSS = 2
SIDE = 256
OUTLINE = (255, 60, 200)


def contact_sheet(out: Path, recipe: Recipe, lines: Lines, placed: Sequence[int]) -> bytes:
    """PNG of items spread evenly over those `placed`: image, outline of the mask, label."""
    chosen = sorted({placed[round(share * (len(placed) - 1))] for share in np.linspace(0, 1, SHOWN)})
    files = [json.loads(lines.get(index) or "")["files"] for index in chosen]
    labels = [read_image(out / each["label"]["path"], grey=True, deep=True) for each in files]
    kind = recipe.label_kind
    top, bar = round(kind.maximum * kind.file_scale), ColourBar(f"{kind.name} label", kind.maximum)
    if kind.unit is not None:
        top = max(int(label.max()) for label in labels)
        bar = ColourBar(f"change in {kind.unit}", top / kind.file_scale)
    pairs = [_pair(out, each, np.minimum(label / max(top, 1), 1)) for each, label in zip(files, labels, strict=True)]
    blank = [(None, None)] * (-len(pairs) % ACROSS)
    rows = []
    for start in range(0, len(pairs), ACROSS):
        names = "   ".join(each["image"]["path"] for each in files[start : start + ACROSS])
        tiles = [tile for pair in (*pairs, *blank)[start : start + ACROSS] for tile in pair]
        rows.append(Row(names, tiles))
    title = f"{recipe.count} images, task {recipe.task}, seed {recipe.seed}"
    return encode_png(draw_page(title, ("image and outline", "label") * ACROSS, rows, [bar]))


def _pair(out: Path, files: dict[str, Any], share: Image) -> tuple[Image, Image]:
    """Tiles of one item: with the outline of its mask, and with its label."""
    image = _scaled(BY_DTYPE.as_dtype(read_image(out / files["image"]["path"], deep=True), np.dtype(np.uint8)))
    mask = _scaled(read_image(out / files["mask"]["path"], grey=True))
    contours, _ = cv2.findContours((mask > 0).view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    outlined = cv2.drawContours(image.copy(), contours, -1, OUTLINE, 1)
    share = _scaled(share)[:, :, np.newaxis]
    label = np.where(share > 0, 0.3 * image + 0.7 * colours(share[:, :, 0]), 0.6 * image)
    return np.asarray(outlined), label.astype(np.uint8)


def _scaled(pixels: Image) -> Image:
    height, width = pixels.shape[:2]
    scale = min(SIDE / height, 2 * SIDE / width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST))
