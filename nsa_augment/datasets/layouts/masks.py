"""Plain folders, the base of the layouts that detectors and segmentation models read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from nsa_augment.datasets.layouts.base import Layout, Records

if TYPE_CHECKING:
    from nsa_augment.datasets.recipe import Recipe

METADATA = "images/metadata.jsonl"


class PlainFolders(Layout):
    """Images, masks and soft labels in folders of their own, with a folder for each part of a split dataset.

    `images/metadata.jsonl` describes the images for the loader `imagefolder` of Hugging Face.
    """

    image = "images/{split}{number}.png"
    mask = "masks/{split}{number}.png"
    label = "labels/{split}{number}.png"

    def index_files(self, recipe: Recipe) -> dict[str, Callable[[Recipe, Records], Iterable[str]]]:
        """With the metadata of the images."""
        return {**super().index_files(recipe), METADATA: metadata_text}


class MasksLayout(PlainFolders):
    """Images, masks and soft labels in a folder each, under the same names."""

    name = "masks"
    earlier = Layout


def metadata_text(recipe: Recipe, records: Records) -> Iterator[str]:
    """A line for each image, with its name relative to `images`."""
    for record in records():
        name = record["image_path"].partition("/")[2]
        yield json.dumps({"file_name": name, "label": record["label"], "anomaly": record["kind"] == "anomaly"}) + "\n"
