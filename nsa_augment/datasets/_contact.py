"""The contact sheet: some anomalies of a dataset, with outlines of their masks and with their labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.images import encode_png, read_image
from nsa_augment._shared.overlays import label_bar, outlined, rgb, scaled, tile_scale, tinted
from nsa_augment._shared.page import Pixels, Row, draw_page
from nsa_augment._shared.scale import Scale
from nsa_augment._shared.wording import counted
from nsa_augment.datasets._journal import Lines
from nsa_augment.datasets.recipe import Recipe

CONTACT = "contact.png"
SHOWN = 8
ACROSS = 2
OUTLINE = (255, 60, 200)


def contact_sheet(out: Path, recipe: Recipe, lines: Lines, placed: Sequence[int]) -> bytes:
    """PNG of evenly spaced items of those `placed`: image, outline of the mask, label."""
    chosen = sorted({placed[round(share * (len(placed) - 1))] for share in np.linspace(0, 1, SHOWN)})
    files = [json.loads(lines.get(index) or "")["files"] for index in chosen]
    labels = [read_image(out / each["label"]["path"], grey=True, deep=True) / recipe.label_scale for each in files]
    bar = label_bar(recipe.label_kind, labels)
    levels = recipe.make_task().scale
    pairs = [
        _pair(out, each, np.minimum(label / bar.top, 1), levels) for each, label in zip(files, labels, strict=True)
    ]
    rows = []
    for start in range(0, len(pairs), ACROSS):
        names = ", ".join(each["image"]["path"] for each in files[start : start + ACROSS])
        tiles = [tile for pair in pairs[start : start + ACROSS] for tile in pair]
        rows.append(Row(names, tiles))
    tasks = ", ".join(name for name, _ in recipe.tasks)
    title = f"{counted(recipe.count, 'image')}, task {tasks}, seed {recipe.seed}"
    return encode_png(draw_page(title, ("image and outline", "label") * ACROSS, rows, [bar]))


def _pair(out: Path, files: dict[str, Any], share: NDArray[np.float64], levels: Scale) -> tuple[Pixels, Pixels]:
    """Tiles of one item: with the outline of its mask, and with its label."""
    scale = tile_scale(share.shape)
    image = scaled(rgb(levels.grey_levels(read_image(out / files["image"]["path"], deep=True))), scale)
    mask = scaled(read_image(out / files["mask"]["path"], grey=True), scale)
    share = scaled(share, scale)
    label = tinted(image, share, np.where(share > 0, 0.7, 0), np.where(share > 0, 0.3, 0.6))
    return outlined(image, (mask > 0).view(np.uint8), OUTLINE), label
