"""The layout for readers of YOLO's segmentation format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nsa_augment.datasets._polygons import yolo_lines
from nsa_augment.datasets.layouts.base import CATEGORY, Layout, Records
from nsa_augment.datasets.layouts.masks import PlainFolders
from nsa_augment.synthesis import SynthesisResult

if TYPE_CHECKING:
    from nsa_augment.datasets.recipe import Recipe

_DATA_YAML = f"""\
# The folder of this file is the root; anomalies are for training and validation alike until you split them.
train: images
val: images
names:
  0: {CATEGORY}
"""


class FirstYoloLayout(Layout):
    """Edition 1: the same images for training and validation."""

    label = "soft_labels/{number}.png"
    extra_paths = {"polygons": "labels/{number}.txt"}  # noqa: RUF012
    index = "data.yaml"

    def extra_files(self, result: SynthesisResult) -> dict[str, bytes]:
        """A line per component."""
        return {"polygons": yolo_lines(result.mask).encode()}

    def index_text(self, recipe: Recipe, records: Records) -> Iterator[str]:
        """The same for every dataset."""
        yield _DATA_YAML


class YoloLayout(PlainFolders):
    """Polygons as text files in `labels`, where YOLO expects them; soft labels are in `soft_labels`."""

    name = "yolo"
    label = "soft_labels/{split}{number}.png"
    extra_paths = {"polygons": "labels/{split}{number}.txt"}  # noqa: RUF012
    index = "data.yaml"
    earlier = FirstYoloLayout

    def class_files(self, result: SynthesisResult, number: int) -> dict[str, bytes]:
        """A line per component; none for an image without an anomaly."""
        return {"polygons": yolo_lines(result.mask, number).encode()}

    def index_text(self, recipe: Recipe, records: Records) -> Iterator[str]:
        """Folders of the parts, and the classes."""
        if recipe.options.split:
            yield "# The folder of this file is the root.\ntrain: images/train\nval: images/val\n"
        else:
            yield "# The folder of this file is the root. To validate on other images, generate with --split.\n"
            yield "train: images\nval: images\n"
        yield "names:\n"
        yield from (f"  {number}: {name}\n" for number, name in enumerate(recipe.class_names))
