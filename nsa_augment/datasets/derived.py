"""Files about a whole dataset, made from the lines of its manifest one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from nsa_augment.datasets.recipe import Recipe

CATEGORY = "anomaly"

_DATA_YAML = f"""\
# The folder of this file is the root; anomalies are for training and validation alike until you split them.
train: images
val: images
names:
  0: {CATEGORY}
"""


def derived_file(recipe: Recipe, lines: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Text of the layout's file about the whole dataset, in parts.

    Parameters
    ----------
    recipe : Recipe
        With a layout that has such a file.
    lines : callable
        Returns the lines of the manifest in order.
    """
    if recipe.layout == "yolo":
        return iter([_DATA_YAML])
    return _coco(lambda: map(json.loads, islice(lines(), recipe.count)))


def _coco(records: Callable[[], Iterator[dict[str, Any]]]) -> Iterator[str]:
    """Text of annotations.json: identifiers count from 1, as some readers take 0 for none."""
    yield '{"info": {"description": "made by nsa-augment generate"}, "licenses": [],\n'
    yield f'"categories": [{{"id": 1, "name": "{CATEGORY}"}}],\n"images": ['
    yield from _separated(map(_coco_image, records()))
    yield '\n],\n"annotations": ['
    yield from _separated(_coco_annotations(records()))
    yield "\n]}\n"


def _coco_image(record: dict[str, Any]) -> dict[str, Any]:
    width, height = record["size"]
    name = PurePosixPath(record["files"]["image"]["path"]).name
    return {"id": record["index"] + 1, "file_name": name, "width": width, "height": height}


def _coco_annotations(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    identifier = 0
    for record in records:
        for annotation in record["annotations"]:
            identifier += 1
            image = record["index"] + 1
            yield {"id": identifier, "image_id": image, "category_id": 1, "iscrowd": 0, **annotation}


def _separated(values: Iterator[dict[str, Any]]) -> Iterator[str]:
    for position, value in enumerate(values):
        yield ("," if position else "") + "\n" + json.dumps(value)
