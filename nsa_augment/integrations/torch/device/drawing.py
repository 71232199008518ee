"""Plans of a whole batch, drawn with object masks that stay on the device.

Random numbers are drawn on the CPU, by the functions of the tasks; the device counts the object's pixels at the
candidate places, for all patches of the batch at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.checks import fail
from nsa_augment._shared.types import Size
from nsa_augment.blending import BLENDINGS, Blending
from nsa_augment.integrations.torch.device.material import Material
from nsa_augment.integrations.torch.device.placed import rectangle
from nsa_augment.integrations.torch.device.resizing import Resizing
from nsa_augment.integrations.torch.device.windows import Windows, by_size, to_device
from nsa_augment.planning import GivenUp, Jitter, PatchPlacement, Reason, SynthesisPlan
from nsa_augment.planning.drawing import DRAWS, draw_size
from nsa_augment.planning.selection import SELECTIONS, threshold
from nsa_augment.planning.silence import listen
from nsa_augment.tasks import AnomalyTask

FIRST_DRAWS = 4
"""Destinations tried first; many patches need no more."""
MOST_PIXELS = 2**26
"""Most pixels read in one step."""


@dataclass
class Draft:
    """A patch while its plan is drawn."""

    number: int
    rng: np.random.Generator
    sources: NDArray[np.int64]
    """(n, 4) candidate boxes in the source, up to the first empty one."""
    extent: Size
    source: Box | None = None
    size: Size = (0, 0)
    destination: Box | None = None
    given_up: GivenUp | None = None
    positions: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))


def check_drawable(task: AnomalyTask) -> None:
    """Raise unless plans of a task can be drawn here."""
    accepted = "with plans_on='device' (plans_on='processor' draws all)"
    if task.shape is not None:
        raise fail(ValueError, "shape", f"None {accepted}", task.shape)
    if SELECTIONS[task.selection].extents is None:
        known = [name for name, selection in SELECTIONS.items() if selection.extents is not None]
        raise fail(ValueError, "selection", f"one of {', '.join(map(repr, known))} {accepted}", task.selection)
    for name, value in (("candidates", 1), ("min_change", 0), ("variant", None)):
        if (given := getattr(task, name, value)) != value:
            raise fail(ValueError, name, f"{value} {accepted}", given)


def draw_plans(
    material: Material, rngs: Sequence[np.random.Generator | None], task: AnomalyTask
) -> list[SynthesisPlan | None]:
    """A plan for each image with a generator, from the same distribution as the task's."""
    blending = BLENDINGS[task.blending].bind(task)
    factors = [
        1.0 if rng is None or task.factor_range is None else float(rng.uniform(*task.factor_range)) for rng in rngs
    ]
    drafts = [
        _draft(number, rng, material, task)
        for number, rng in enumerate(rngs)
        if rng is not None
        for _ in range(1 + int(rng.binomial(task.max_patches - 1, 0.5)))
    ]
    _find_sources(drafts, material, task)
    for draft in drafts:
        _resize(draft, material, task, blending)
    if task.shift:
        _find_destinations([draft for draft in drafts if draft.given_up is None], material, task)
    return [
        None
        if rng is None
        else _plan([each for each in drafts if each.number == number], material, task, blending, factor)
        for number, (rng, factor) in enumerate(zip(rngs, factors, strict=True))
    ]


def _draft(number: int, rng: np.random.Generator, material: Material, task: AnomalyTask) -> Draft:
    extents = SELECTIONS[task.selection].extents
    assert extents is not None
    source_size = material.used_size(number)
    rows, columns = extents(rng, material.size, source_size, task)
    sides = []
    for (low, high, before, after), length in zip((rows, columns), source_size, strict=True):
        anchors = rng.integers(low, high, DRAWS)
        sides.append((np.maximum(anchors - before, 0), np.minimum(anchors + after, length)))
    (y0, y1), (x0, x1) = sides
    empty = np.flatnonzero((y1 - y0) * (x1 - x0) == 0)
    boxes = np.stack([y0, x0, y1, x1], axis=1)[: empty[0] if len(empty) else DRAWS]
    return Draft(number, rng, boxes, (rows[2] + rows[3], columns[2] + columns[3]))


def _find_sources(drafts: Sequence[Draft], material: Material, task: AnomalyTask) -> None:
    """Find each patch's first candidate whose box is sufficiently filled by the object."""
    objects = material.sources.objects
    for draft in drafts:
        if not len(draft.sources):
            draft.given_up = GivenUp(Reason.EMPTY, draft.extent)
        elif objects is None:
            draft.source = Box(*draft.sources[0].tolist())
    asked = [draft for draft in drafts if draft.given_up is None]
    if objects is None or not asked:
        return
    tables = F.pad(objects.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32), (1, 0, 1, 0))
    counts = [len(draft.sources) for draft in asked]
    numbers = np.repeat([material.sources.number[draft.number] for draft in asked], counts)
    boxes = np.concatenate([draft.sources for draft in asked])
    at, y0, x0, y1, x1 = to_device(np.column_stack([numbers, boxes]).T.copy(), torch.int64, objects.device)
    covered = tables[at, y1, x1] - tables[at, y0, x1] - tables[at, y1, x0] + tables[at, y0, x0]
    totals = tables[:, -1, -1].cpu().numpy()
    shares = covered.cpu().numpy() / np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    for draft, found in zip(asked, np.split(shares > threshold(task.min_object), np.cumsum(counts)[:-1]), strict=True):
        if found.any():
            draft.source = Box(*draft.sources[int(np.argmax(found))].tolist())
        else:
            empty = totals[material.sources.number[draft.number]] == 0
            reason = Reason.NO_SOURCE_OBJECT if empty else Reason.NO_SOURCE_PLACE
            draft.given_up = GivenUp(reason, draft.extent)


def _resize(draft: Draft, material: Material, task: AnomalyTask, blending: Blending) -> None:
    """Size at the destination, and candidates for it."""
    if draft.source is None:
        return
    draft.size = draw_size(material.size, draft.source.size, task, draft.rng)
    if min(draft.size) < 1:
        draft.given_up = GivenUp(Reason.EMPTY, draft.size)
    elif rectangle(blending, draft.size) is None:
        draft.given_up = GivenUp(Reason.TOO_SMALL, draft.size, blending.needs)
    elif not task.shift:
        draft.destination = draft.source
    elif min(whole - side for whole, side in zip(material.size, draft.size, strict=True)) < 2:
        draft.given_up = GivenUp(Reason.TOO_LARGE, draft.size)
    else:
        limits = (whole - side for whole, side in zip(material.size, draft.size, strict=True))
        draft.positions = np.stack([draft.rng.integers(1, limit, DRAWS) for limit in limits], axis=1)


def _find_destinations(drafts: Sequence[Draft], material: Material, task: AnomalyTask) -> None:
    """Find each patch's first candidate at which enough of its object lands on the object of the image."""
    if material.objects is None or material.sources.objects is None:
        for draft in drafts:
            draft.destination = _box_at(draft.positions[0], draft.size)
        return
    sizes = np.array([(0, 0, *draft.size) for draft in drafts], np.int64).reshape(-1, 4)
    for chosen in by_size(sizes, material.images.device) if drafts else ():
        _find_alike([drafts[index] for index in chosen], sizes[chosen], material, task)


def _find_alike(drafts: list[Draft], sizes: NDArray[np.int64], material: Material, task: AnomalyTask) -> None:
    """Find the destinations of patches of similar size."""
    assert material.objects is not None
    counted = _resized_objects(drafts, sizes, material)
    filled = counted.sum((1, 2), dtype=torch.int32).cpu().numpy()
    height, width = counted.shape[1:]
    padded = F.pad(material.objects, (0, width, 0, height))
    enough = filled / np.prod(sizes[:, 2:], axis=1) > threshold(task.min_object)
    asked = [index for index in range(len(drafts)) if filled[index] > 0 and enough[index]]
    for index in set(range(len(drafts))) - set(asked):
        drafts[index].given_up = GivenUp(Reason.NO_OBJECT_LEFT, drafts[index].size)
    start, wanted = 0, FIRST_DRAWS
    while asked and start < DRAWS:
        count = min(max(MOST_PIXELS // (len(asked) * height * width), 1), wanted, DRAWS - start)
        corners = np.concatenate([drafts[index].positions[start : start + count] for index in asked])
        numbers = np.repeat([drafts[index].number for index in asked], count)
        shown = Windows(numbers, corners, (height, width), counted.device).read(padded)
        own = counted[to_device(asked, torch.int64, counted.device)]
        shared = (shown.reshape(len(asked), count, height, width) & own[:, None]).sum((2, 3), dtype=torch.int32)
        found = shared.cpu().numpy() / filled[asked, None] > threshold(task.min_overlap)
        for index, accepted in zip(asked, found, strict=True):
            if accepted.any():
                place = drafts[index].positions[start + int(np.argmax(accepted))]
                drafts[index].destination = _box_at(place, drafts[index].size)
        asked = [index for index in asked if drafts[index].destination is None]
        start, wanted = start + count, 4 * wanted
    for index in asked:
        empty = not bool(material.objects[drafts[index].number].any())
        reason = Reason.NO_IMAGE_OBJECT if empty else Reason.NO_DESTINATION
        drafts[index].given_up = GivenUp(reason, drafts[index].size)


def _resized_objects(drafts: Sequence[Draft], sizes: NDArray[np.int64], material: Material) -> Tensor:
    """(n, h, w) object maps of resized patches, in the upper left corners."""
    objects = material.sources.objects
    assert objects is not None
    boxes = np.array([draft.source for draft in drafts], np.int64)
    numbers = material.sources.number[[draft.number for draft in drafts]]
    read = Windows.around(numbers, boxes, (objects.shape[1], objects.shape[2]), objects.device)
    size = int(sizes[:, 2].max()), int(sizes[:, 3].max())
    resizing = Resizing.between(sizes, size, read.relative(boxes), read.size, objects.device)
    rows, columns = (
        to_device(np.arange(length) < sizes[:, [axis]], torch.uint8, objects.device)
        for axis, length in zip((2, 3), size, strict=True)
    )
    return resizing.of_maps(read.read(objects)) & rows[:, :, None] & columns[:, None, :]


def _box_at(corner: NDArray[np.int64], size: Size) -> Box:
    return Box.at(int(corner[0]), int(corner[1]), size)


def _plan(
    drafts: Sequence[Draft], material: Material, task: AnomalyTask, blending: Blending, factor: float
) -> SynthesisPlan:
    strength = getattr(task, "jitter", 0)
    patches = tuple(
        PatchPlacement(
            draft.source,
            draft.destination,
            factor,
            blending.gradient,
            jitter=Jitter.draw(draft.rng, strength) if strength else None,
        )
        for draft in drafts
        if draft.source is not None and draft.destination is not None
    )
    number, rng = drafts[0].number, drafts[0].rng
    given_up = tuple(draft.given_up for draft in drafts if draft.given_up is not None)
    plan = SynthesisPlan(material.size, material.given_size(number), patches, given_up, task.source_fit)
    plan = plan.of_severity(task.draw_severity(rng))
    listen(task, plan)
    return plan
