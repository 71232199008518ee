"""Plain folders, the base of the layouts for object detection and segmentation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from nsa_augment.datasets.layouts.base import Layout, Records

if TYPE_CHECKING:
    from nsa_augment.datasets.recipe import Recipe


class PlainFolders(Layout):
    """Separate folders for images, masks and soft labels, with a subfolder per part of a split dataset.

    `metadata.jsonl` beside the images describes them for Hugging Face's loader `imagefolder`.
    """

    image = "images/{split}{number}.png"
    mask = "masks/{split}{number}.png"
    label = "labels/{split}{number}.png"

    def index_files(self, recipe: Recipe) -> dict[str, Callable[[Recipe, Records], Iterable[str]]]:
        """Adds the metadata of the images in each folder."""
        folders = [f"images/{part}" for part in recipe.pools] if recipe.options.split else ["images"]
        texts = {f"{folder}/metadata.jsonl": partial(_metadata_text, folder) for folder in folders}
        return {**super().index_files(recipe), **texts}


class MasksLayout(PlainFolders):
    """Images, masks and soft labels, each in a folder, with the same names."""

    name = "masks"
    earlier = Layout


def _metadata_text(folder: str, recipe: Recipe, records: Records) -> Iterator[str]:
    """A line per image of a folder."""
    for record in records():
        place, _, name = record["image_path"].rpartition("/")
        if place == folder:
            anomaly = record["kind"] == "anomaly"
            yield json.dumps({"file_name": name, "label": record["label"], "anomaly": anomaly}) + "\n"
