"""Pictures of synthetic anomalies as tiles of a page: images, patch boxes, labels in colour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.overlays import bar_top, outlined, rgb, scaled, tile_scale, tinted
from nsa_augment._shared.page import ColourBar, Pixels, Row
from nsa_augment._shared.types import BinaryMap, Image
from nsa_augment.labelling import LABELS
from nsa_augment.planning.silence import silence_expected
from nsa_augment.scenes.foreground import Foreground
from nsa_augment.scenes.scene import PreparedSource, sizes_expected
from nsa_augment.synthesis import SynthesisResult
from nsa_augment.tasks import AnomalyTask
from nsa_augment.tasks.mixture import part_of

EXAMPLE_COLUMNS = ("normal", "source", "result", "label")
ENLARGED_COLUMNS = ("before, enlarged", "after, enlarged")
OUTLINE = (0, 190, 190)
ALLOWED = (255, 120, 0)
PATCH_COLOURS = ((255, 170, 0), (60, 130, 255), (50, 205, 80), (235, 70, 200), (250, 90, 60))

LabelMap: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """A synthetic anomaly and what it was made from.

    Parameters
    ----------
    caption : str
    image, source : arrays
        The normal image, and the source as the task uses it.
    result : SynthesisResult
    foreground : (H, W) uint8 array, optional
        Object mask of the image, drawn as an outline.
    allowed : (H, W) array, optional
        Where patches may land, drawn as another outline.
    prepared : PreparedSource, optional
        The source that the result was made with; None: the image itself.
    """

    caption: str
    image: Image
    source: Image
    result: SynthesisResult
    foreground: BinaryMap | None = None
    allowed: NDArray[Any] | None = None
    prepared: PreparedSource | None = None

    @property
    def scale(self) -> float:
        """Size of a tile as a multiple of the image."""
        return tile_scale(self.image.shape)


def make_example(
    task: AnomalyTask,
    caption: str,
    image: Image,
    source: Image,
    seed: Sequence[int],
    *,
    mask: NDArray[Any] | None = None,
    source_mask: NDArray[Any] | None = None,
    allowed: NDArray[Any] | None = None,
) -> Example:
    """Make an anomaly to show; masks as in calls of a task."""
    prepared = None
    if task.needs_source:
        with sizes_expected:
            prepared = task.prepare_source(source, image.shape[:2], source_mask)
    with silence_expected():
        result = task(image, prepared, np.random.default_rng(seed), mask=mask, allowed=allowed)
    if not part_of(task, result.plan).needs_source:
        prepared = None
    foreground = None if mask is None else mask.astype(np.uint8)
    if foreground is None and task.background is not None:
        foreground = Foreground(image, task.background).mask
    used = image if prepared is None else prepared.image
    return Example(caption, image, used, result, foreground, allowed, prepared)


def make_labels(task: AnomalyTask, example: Example) -> dict[str, LabelMap]:
    """All labels that suit a task, for the plan of an example."""
    return {
        name: task.replaced(label=name).apply(example.image, example.prepared, example.result.plan).label
        for name, label in LABELS.items()
        if label.unsuited(type(task)) is None
    }


def label_bars(shown: Sequence[Mapping[str, LabelMap]]) -> dict[str, ColourBar]:
    """Colour bar of every label: one for all labels without a unit, and one per unit.

    Parameters
    ----------
    shown : sequence of mappings
        The labels on the page, by name.

    Examples
    --------
    >>> bars = label_bars([{"continuous": np.full((1, 1), 40, np.float32)}])
    >>> bars["continuous"], bars["binary"] == bars["logistic"]
    (ColourBar(name='continuous: grey levels', top=40.0), True)
    """
    bars: dict[str, ColourBar] = {}
    for unit in dict.fromkeys(label.unit for label in LABELS.values()):
        names = [name for name, label in LABELS.items() if label.unit == unit]
        top = max(bar_top(LABELS[name], [each[name] for each in shown if name in each]) for name in names)
        title = ", ".join(names) + ("" if unit is None else f": {unit}")
        bars |= dict.fromkeys(names, ColourBar(title, top))
    return bars


def example_row(example: Example, bar: ColourBar) -> Row:
    """Normal image with its object outlined, source, result, and label; boxes show where patches come from and go."""
    normal, source, result = _images(example)
    label = _label_tile(result, example.result.label, example.scale, bar)
    _draw_boxes(label, [patch.destination_box for patch in example.result.plan.patches], example.scale)
    return Row(example.caption, (normal, source, result, label))


def enlarged(example: Example) -> tuple[Pixels | None, Pixels | None]:
    """A square around the largest patch in the image and in the result; None where there is no patch."""
    boxes = [Box(*patch.destination_box) for patch in example.result.plan.patches]
    if not boxes:
        return None, None
    largest = max(boxes, key=lambda box: math.prod(box.size))
    side = min(3 * max(largest.size) // 2, *example.image.shape[:2])
    y, x = (
        min(max((low + high - side) // 2, 0), length - side)
        for low, high, length in zip(largest[:2], largest[2:], example.image.shape, strict=False)
    )
    around = Box.at(y, x, (side, side))
    before, after = (around.of(rgb(image)) for image in (example.image, example.result.image))
    scale = tile_scale(before.shape)
    return scaled(before, scale), scaled(after, scale)


def comparison_columns() -> tuple[str, ...]:
    """What the tiles of `comparison_row` show."""
    return ("normal", "source", "result", *(f"{name} label" for name in LABELS))


def comparison_row(example: Example, labels: Mapping[str, LabelMap], bars: Mapping[str, ColourBar]) -> Row:
    """Normal image, source, result and all labels of one plan."""
    normal, source, result = _images(example)
    tiles = [
        _label_tile(result, labels[name], example.scale, bars[name]) if name in labels else None for name in LABELS
    ]
    return Row(example.caption, (normal, source, result, *tiles))


def _images(example: Example) -> tuple[Pixels, Pixels, Pixels]:
    source_scale = tile_scale(example.source.shape)
    normal, result = (scaled(rgb(image), example.scale) for image in (example.image, example.result.image))
    source = scaled(rgb(example.source), source_scale)
    if example.allowed is not None:
        normal = outlined(normal, example.allowed.astype(np.uint8), ALLOWED)
    if example.foreground is not None:
        normal = outlined(normal, example.foreground, OUTLINE)
    _draw_boxes(source, [patch.source_box for patch in example.result.plan.patches], source_scale)
    return normal, source, result


def _label_tile(result: Pixels, label: LabelMap, scale: float, bar: ColourBar) -> Pixels:
    """Colour the label over a darkened result, more opaque where it is stronger."""
    share = np.clip(scaled(label, scale) / bar.top, 0, 1)
    cover = np.where(share > 0, 0.35 + 0.5 * share, 0)
    return tinted(result, share, cover, 0.75 * (1 - cover))


def _draw_boxes(tile: Pixels, boxes: Sequence[Box], scale: float) -> None:
    for index, (y0, x0, y1, x1) in enumerate(boxes):
        colour = PATCH_COLOURS[index % len(PATCH_COLOURS)]
        low = round(x0 * scale), round(y0 * scale)
        high = round(x1 * scale) - 1, round(y1 * scale) - 1
        cv2.rectangle(tile, low, high, colour, 1)
