"""Pictures of synthetic anomalies as tiles of a page: images, patch boxes, labels in colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.page import TILE, Pixels, Row, colours
from nsa_augment._shared.scale import BY_DTYPE
from nsa_augment._shared.types import BinaryMap, Image
from nsa_augment.scenes.foreground import Foreground
from nsa_augment.synthesis import SynthesisResult
from nsa_augment.tasks import AnomalyTask

EXAMPLE_COLUMNS = ("normal", "source", "result", "label")
LABEL_KINDS: tuple[str, ...] = ("binary", "factor", "continuous", "logistic")
COMPARISON_COLUMNS = ("normal", "source", "result", *(f"{kind} label" for kind in LABEL_KINDS))
OUTLINE = (0, 190, 190)
PATCH_COLOURS = ((255, 170, 0), (60, 130, 255), (50, 205, 80), (235, 70, 200), (250, 90, 60))


@dataclass(frozen=True)
class Example:
    """A synthetic anomaly and what it was made of.

    Parameters
    ----------
    caption : str
    image, source : arrays
        The normal image, and the source at the size of the image.
    result : SynthesisResult
    foreground : (H, W) uint8 array, optional
        Object mask of the image, drawn as an outline.
    """

    caption: str
    image: Image
    source: Image
    result: SynthesisResult
    foreground: BinaryMap | None = None

    @property
    def scale(self) -> float:
        """Size of a tile as a multiple of the image."""
        height, width = self.image.shape[:2]
        return float(min(TILE / height, 2 * TILE / width))


def make_example(task: AnomalyTask, caption: str, image: Image, source: Image, seed: Sequence[int]) -> Example:
    """Make an anomaly to be shown."""
    prepared = task.prepare_source(source, image.shape[:2])
    given = prepared if task.needs_source else None
    result = task(image, given, np.random.default_rng(seed))
    foreground = None if task.background is None else Foreground(image, task.background).mask
    return Example(caption, image, prepared.image if task.needs_source else image, result, foreground)


def example_row(example: Example, label_max: float) -> Row:
    """Normal image with its object outlined, source, result, and label; boxes show where patches come from and go."""
    result = _scaled(_rgb(example.result.image), example.scale)
    label = _label_tile(example, result, example.result.label, label_max)
    _draw_boxes(label, [patch.destination_box for patch in example.result.plan.patches], example.scale)
    return Row(example.caption, (_normal_tile(example), _source_tile(example), result, label))


def comparison_row(task: AnomalyTask, example: Example, label_max: float) -> Row:
    """Normal image, source, result and all labels that a task can make of one plan."""
    result = _scaled(_rgb(example.result.image), example.scale)
    labels: list[Pixels | None] = []
    for kind in LABEL_KINDS:
        if kind == "factor" and task.factor_range is None:
            labels.append(None)
            continue
        source = example.source if task.needs_source else None
        label = replace(task, label=kind).apply(example.image, source, example.result.plan).label
        labels.append(_label_tile(example, result, label, label_max if kind == "continuous" else 1.0))
    return Row(example.caption, (_normal_tile(example), _source_tile(example), result, *labels))


def _normal_tile(example: Example) -> Pixels:
    tile = _scaled(_rgb(example.image), example.scale)
    if example.foreground is None:
        return tile
    mask = cv2.resize(example.foreground, tile.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(tile, contours, -1, OUTLINE, 1), np.uint8)


def _source_tile(example: Example) -> Pixels:
    tile = _scaled(_rgb(example.source), example.scale)
    _draw_boxes(tile, [patch.source_box for patch in example.result.plan.patches], example.scale)
    return tile


def _rgb(image: Image) -> Pixels:
    levels = BY_DTYPE.as_dtype(image, np.dtype(np.uint8)).reshape(*image.shape[:2], -1)
    repeated = np.repeat(levels[:, :, :1], 3, axis=2) if levels.shape[2] < 3 else levels[:, :, :3]
    return np.ascontiguousarray(repeated)


def _scaled(pixels: NDArray[np.uint8] | NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
    size = max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return cv2.resize(pixels, size, interpolation=flags)  # type: ignore[return-value]


def _label_tile(example: Example, result: Pixels, label: NDArray[np.float32], label_max: float) -> Pixels:
    """Colour the label over a darkened result, the stronger the more opaque."""
    share = np.clip(_scaled(label, example.scale) / label_max, 0, 1)[:, :, np.newaxis]
    opacity = np.where(share > 0, 0.35 + 0.5 * share, 0)
    return np.asarray((1 - opacity) * 0.75 * result + opacity * colours(share[:, :, 0]), np.uint8)


def _draw_boxes(tile: Pixels, boxes: Sequence[Box], scale: float) -> None:
    for index, (y0, x0, y1, x1) in enumerate(boxes):
        colour = PATCH_COLOURS[index % len(PATCH_COLOURS)]
        low = round(x0 * scale), round(y0 * scale)
        high = round(x1 * scale) - 1, round(y1 * scale) - 1
        cv2.rectangle(tile, low, high, colour, 1)
