"""Plain folders, the base of the layouts that detectors and segmentation models read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from nsa_augment.datasets.layouts.base import Layout, Records

if TYPE_CHECKING:
    from nsa_augment.datasets.recipe import Recipe


class PlainFolders(Layout):
    """Images, masks and soft labels in folders of their own, with a folder for each part of a split dataset.

    `metadata.jsonl` beside the images describes them for the loader `imagefolder` of Hugging Face.
    """

    image = "images/{split}{number}.png"
    mask = "masks/{split}{number}.png"
    label = "labels/{split}{number}.png"

    def index_files(self, recipe: Recipe) -> dict[str, Callable[[Recipe, Records], Iterable[str]]]:
        """With the metadata of the images in each folder."""
        folders = [f"images/{part}" for part in recipe.pools] if recipe.options.split else ["images"]
        texts = {f"{folder}/metadata.jsonl": partial(_metadata_text, folder) for folder in folders}
        return {**super().index_files(recipe), **texts}


class MasksLayout(PlainFolders):
    """Images, masks and soft labels in a folder each, under the same names."""

    name = "masks"
    earlier = Layout


def _metadata_text(folder: str, recipe: Recipe, records: Records) -> Iterator[str]:
    """A line for each image of a folder."""
    for record in records():
        place, _, name = record["image_path"].rpartition("/")
        if place == folder:
            anomaly = record["kind"] == "anomaly"
            yield json.dumps({"file_name": name, "label": record["label"], "anomaly": anomaly}) + "\n"
