"""Whether an item differs from what its plan makes only by the rounding of another version or machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.types import Image
from nsa_augment.datasets._items import Item, ItemMaker

NEAR = "within a grey level of what its plan makes"


def is_near(maker: ItemMaker, record: Mapping[str, Any], again: Item, files: Mapping[str, bytes]) -> bool:
    """Whether the files of an item equal those of its plan up to rounding.

    Pixels outside all patches must be equal, those inside may differ by a grey level per patch there. All other files,
    and the record, must be those that belong to the image as it is; labels may differ by one step of the file, and
    pictures may be encoded differently.

    Parameters
    ----------
    maker : ItemMaker
    record : mapping
        Line of the manifest.
    again : Item
        The item as its plan makes it.
    files : mapping
        Contents of the files of the item by path.
    """
    paths = {role: described["path"] for role, described in record["files"].items()}
    if record["kind"] == "normal" or set(paths.values()) != set(again.files):
        return False
    image, wanted = (_decoded(content[paths["image"]]) for content in (files, again.files))
    if image is None or wanted is None or image.shape != wanted.shape or image.dtype != wanted.dtype:
        return False
    level = maker.recipe.make_tasks()[0].scale.maximum(image.dtype) / 255
    if (_apart(image, wanted) > level * _patches(record, image)).any():
        return False
    relabelled = maker.remake(record, image)
    for role, path in paths.items():
        made = relabelled.files.get(path, b"")
        if files[path] == made or role == "image":
            continue
        found, expected = _decoded(files[path]), _decoded(made)
        if found is None or expected is None or found.shape != expected.shape:
            return False
        if _apart(found, expected).max() > (role == "label"):
            return False
    return comparable(relabelled.record) == comparable(record)


def comparable(record: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the manifest without digests and versions."""
    plain: dict[str, Any] = json.loads(json.dumps({**record, "files": None, "versions": None}))
    return plain


def _decoded(data: bytes) -> Image | None:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if pixels is None or pixels.ndim == 2:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def _apart(first: Image, second: Image) -> NDArray[np.float64]:
    """Largest difference over the channels, (H, W)."""
    apart = np.abs(first.astype(np.float64) - second)
    return apart if apart.ndim == 2 else np.asarray(apart.max(axis=2))


def _patches(record: Mapping[str, Any], image: Image) -> NDArray[np.uint16]:
    """How many patches may change each pixel, (H, W)."""
    count = np.zeros(image.shape[:2], np.uint16)
    for patch in record["plan"]["patches"]:
        Box(*patch["destination_box"]).of(count)[...] += 1
    return count
