"""The layout for readers of COCO instance segmentation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from nsa_augment.datasets._polygons import coco_annotations
from nsa_augment.datasets.layouts.base import Layout, Records
from nsa_augment.datasets.layouts.masks import PlainFolders
from nsa_augment.synthesis import SynthesisResult

if TYPE_CHECKING:
    from nsa_augment.datasets.recipe import Recipe


class FirstCocoLayout(Layout):
    """Edition 1: one file of annotations beside the folders."""

    index = "annotations.json"

    def record_fields(self, result: SynthesisResult) -> dict[str, Any]:
        """Size of the image, and polygon, box and area of each component."""
        return _described(result)

    def index_text(self, recipe: Recipe, records: Records) -> Iterator[str]:
        """All images and annotations."""
        return instances_text(recipe, records)


class CocoLayout(PlainFolders):
    """Plain folders, and polygons in the format of COCO in a file per part of the dataset."""

    name = "coco"
    earlier = FirstCocoLayout

    def record_fields(self, result: SynthesisResult) -> dict[str, Any]:
        """Size of the image, and polygon, box and area of each component."""
        return _described(result)

    def index_files(self, recipe: Recipe) -> dict[str, Callable[[Recipe, Records], Iterable[str]]]:
        """Adds a file of annotations per part of the dataset."""
        parts = {f"annotations/instances_{part}.json": partial(_part_text, part) for part in recipe.pools}
        return {**parts, **super().index_files(recipe)}


def instances_text(recipe: Recipe, records: Records) -> Iterator[str]:
    """One image or annotation per line; identifiers count from 1, as some readers take 0 for none."""
    categories = [{"id": number, "name": name} for number, name in enumerate(recipe.class_names, 1)]
    yield '{"info": {"description": "made by nsa-augment generate"}, "licenses": [],\n'
    yield f'"categories": {json.dumps(categories)},\n"images": ['
    yield from _separated(map(_image, records()))
    yield '\n],\n"annotations": ['
    yield from _separated(_annotations(recipe, records()))
    yield "\n]}\n"


def _part_text(part: str, recipe: Recipe, records: Records) -> Iterator[str]:
    return instances_text(recipe, lambda: (record for record in records() if record["split"] == part))


def _described(result: SynthesisResult) -> dict[str, Any]:
    height, width = result.mask.shape
    return {"size": [width, height], "annotations": coco_annotations(result.mask)}


def _image(record: dict[str, Any]) -> dict[str, Any]:
    width, height = record["size"]
    name = PurePosixPath(record["files"]["image"]["path"]).name
    return {"id": record["index"] + 1, "file_name": name, "width": width, "height": height}


def _annotations(recipe: Recipe, records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    identifier = 0
    for record in records:
        category = recipe.class_of(record["index"]) + 1
        for annotation in record["annotations"]:
            identifier += 1
            image = record["index"] + 1
            yield {"id": identifier, "image_id": image, "category_id": category, "iscrowd": 0, **annotation}


def _separated(values: Iterator[dict[str, Any]]) -> Iterator[str]:
    for position, value in enumerate(values):
        yield ("," if position else "") + "\n" + json.dumps(value)
