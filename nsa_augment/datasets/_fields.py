"""The fields of a recipe's file: their checks, and their values for recipes older than they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from typing import Any

from nsa_augment._shared.checks import check_choice, check_integer, fail

MAX_COUNT = 10**9
EDITION = 2
"""Of the layouts and the manifest. Edition 1: mvtec's other files in the class folder, coco with one file of
annotations, no metadata for Hugging Face, no paths, label and split in the manifest."""

FIRST_EDITION: dict[str, Any] = {
    "edition": 1,
    "options": {},
    "more_tasks": [],
    "sizes": {},
    "damaged": [],
    "masks": {},
}
"""Fields that older recipes may lack."""

MASKS = ("object_masks", "allowed_masks")
"""Arguments of `generate`, and keys of the field of masks."""
MASK_FOLDER, MASK_FILES = "folder", "files"
"""Keys of each in that field: a folder or "alpha"; and by image, name and SHA-256 of its mask's file."""


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise fail(TypeError, name, "a string", value)


def _check_texts(name: str, value: Any) -> None:
    if not isinstance(value, list):
        raise fail(TypeError, name, "a list", value)
    for each in value:
        _check_text(f"every entry of {name}", each)


def _check_mapping(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise fail(TypeError, name, "a mapping", value)


def _check_more_tasks(name: str, value: Any) -> None:
    if not isinstance(value, list) or any(not isinstance(more, dict) or len(more) != 2 for more in value):
        raise fail(TypeError, name, "a list of mappings with task and arguments", value)
    for more in value:
        _check_text("task", more.get("task"))
        _check_mapping("arguments", more.get("arguments"))


def _check_images(name: str, value: Any) -> None:
    _check_mapping(name, value)
    for path, content in value.items():
        _check_text(f"digest of {path!r} in {name}", content)
        _check_below(name, path)


def _check_below(name: str, path: str) -> None:
    parts = PurePath(path).parts
    if not parts or ".." in parts or PurePath(path).is_absolute():
        raise fail(ValueError, f"every name in {name}", "one below the folder", path)


def _check_masks(name: str, value: Any) -> None:
    _check_mapping(name, value)
    for argument, described in value.items():
        check_choice(f"every name in {name}", argument, MASKS)
        if not isinstance(described, dict) or set(described) != {MASK_FOLDER, MASK_FILES}:
            raise fail(TypeError, argument, f"a mapping with {MASK_FOLDER} and {MASK_FILES}", described)
        _check_text(MASK_FOLDER, described[MASK_FOLDER])
        _check_mapping(MASK_FILES, described[MASK_FILES])
        for pair in described[MASK_FILES].values():
            _check_texts(MASK_FILES, pair)
            if len(pair) != 2:
                raise fail(ValueError, f"every entry of {MASK_FILES}", "name and SHA-256 of a file", pair)
            _check_below(MASK_FILES, pair[0])


FIELDS: dict[str, Callable[[str, Any], object]] = {
    "folder": _check_text,
    "images": _check_images,
    "task": _check_text,
    "arguments": _check_mapping,
    "count": partial(check_integer, low=1, high=MAX_COUNT),
    "seed": partial(check_integer, low=0),
    "layout": _check_text,
    "versions": _check_mapping,
    "origin": _check_mapping,
    "damaged": _check_texts,
    "edition": partial(check_integer, low=1, high=EDITION),
    "options": _check_mapping,
    "more_tasks": _check_more_tasks,
    "sizes": _check_mapping,
    "masks": _check_masks,
}
"""The checks of a recipe's fields, for reading it."""
