"""Trying out arguments: shares of calls that place a patch and of patches that change enough, and remedies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.types import BinaryMap, Image
from nsa_augment.planning import SynthesisPlan
from nsa_augment.planning.silence import silence_expected
from nsa_augment.scenes.scene import sizes_expected
from nsa_augment.tasks import AnomalyTask, NaturalSyntheticAnomaly

CALLS = 64
LEAST_SIDE = 10
"""Pixels; smaller patches cannot be blended."""
ENOUGH = 0.9
"""Share of calls that place a patch below which arguments are relaxed."""
MIN_OBJECTS = (0.5, 0.25, 0.1)
"""Lower values of `min_object`, tried first; the first two are those of Table 4."""
ENOUGH_VISIBLE = 0.8
"""Share of patches whose logistic label reaches 1/2 below which `min_change` is set."""
MIN_CHANGES = (1.0, 0.75, 0.5, 0.25)
SIZE_STEPS = 6
SIZE_STEP = 0.7
"""Factor of the largest sizes, applied up to `SIZE_STEPS` times once `min_object` is at its lowest."""


class Trial(NamedTuple):
    """One call: an image, a source if the task needs one, their masks, and the plan."""

    image: Image
    source: Image | None
    masks: Mapping[str, Any]
    plan: SynthesisPlan


def draw_trials(
    task: AnomalyTask,
    images: Sequence[Image] | NDArray[np.uint8],
    seed: int,
    masks: BinaryMap | None = None,
    calls: int = CALLS,
) -> list[Trial]:
    """Call a task on images, with sources from the same images if it needs them.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    >>> trials = draw_trials(NaturalSyntheticAnomaly(), images, seed=0)
    >>> placed_share(trials) > 0.8, visible_share(NaturalSyntheticAnomaly(), trials) > 0.4
    (True, True)
    """
    rng = np.random.default_rng(seed)
    count = len(images)
    others = [(call + int(rng.integers(1, max(count, 2)))) % count for call in range(calls)]
    of = [None] * count if masks is None else list(masks)
    trials = []
    with silence_expected(), sizes_expected:
        for call, other in enumerate(others):
            source = images[other] if task.needs_source else None
            of_both = {"mask": of[call % count], "source_mask": None if source is None else of[other]}
            plan = task.plan(images[call % count], source, rng, **of_both)
            trials.append(Trial(images[call % count], source, of_both, plan))
    return trials


def placed_share(trials: list[Trial]) -> float:
    """Share of calls that place a patch."""
    return float(np.mean([bool(trial.plan.patches) for trial in trials]))


def visible_share(task: AnomalyTask, trials: list[Trial]) -> float:
    """Share of patches whose logistic label, for each patch alone, reaches 1/2 somewhere; 1 without patches."""
    labelled = task.replaced(label="logistic")
    reached = [
        labelled.apply(image, source, replace(plan, patches=(patch,)), **masks).label.max() >= 0.5
        for image, source, masks, plan in trials
        for patch in plan.patches
    ]
    return float(np.mean(reached)) if reached else 1.0


def relax(
    arguments: dict[str, Any], images: NDArray[np.uint8], seed: int, masks: BinaryMap | None = None
) -> tuple[dict[str, Any], list[Trial], list[str]]:
    """Change arguments until enough calls place a patch.

    In this order: in small images the smallest sizes are raised to what can be blended; `min_object` is lowered; the
    largest sizes are lowered.

    Parameters
    ----------
    arguments : dict
        Keyword arguments of `NaturalSyntheticAnomaly`.
    images : (N, h, w, C) uint8 array
    seed : int
    masks : (N, h, w) uint8 array, optional
        Object masks for the calls.

    Returns
    -------
    arguments : dict
        The first that place a patch in nine tenths of the calls, or the best.
    trials : list of Trial
        The calls with them.
    changed : list of str
        Names of the changed arguments.
    """
    best, trials = arguments, draw_trials(NaturalSyntheticAnomaly(**arguments), images, seed, masks)
    for candidate in _relaxations(arguments, images.shape[1:3]):
        if placed_share(trials) >= ENOUGH:
            break
        again = draw_trials(NaturalSyntheticAnomaly(**candidate), images, seed, masks)
        if placed_share(again) > placed_share(trials):
            best, trials = candidate, again
    return best, trials, [name for name in arguments if best[name] != arguments[name]]


def ask_for_change(
    arguments: dict[str, Any],
    trials: list[Trial],
    images: NDArray[np.uint8],
    seed: int,
    masks: BinaryMap | None = None,
) -> tuple[dict[str, Any], list[Trial]]:
    """Set `min_change` to the largest value with which enough calls place a patch, if there is one.

    Parameters and results are those of `relax`, with its resulting arguments and calls given.
    """
    least_placed = min(ENOUGH, placed_share(trials))
    for value in MIN_CHANGES:
        candidate = {**arguments, "min_change": value}
        again = draw_trials(NaturalSyntheticAnomaly(**candidate), images, seed, masks)
        if placed_share(again) >= least_placed:
            return candidate, again
    return arguments, trials


def _relaxations(arguments: dict[str, Any], shape: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    sides = dict(zip(("height_range", "width_range"), shape, strict=True))
    current = {**arguments, **{name: _not_too_small(arguments, name, side) for name, side in sides.items()}}
    yield current
    if "min_object" not in arguments:
        return
    for value in MIN_OBJECTS:
        if value < arguments["min_object"]:
            current = {**current, "min_object": value}
            yield current
    for _ in range(SIZE_STEPS):
        current = {**current, **{name: _smaller(current[name]) for name in sides}}
        yield current


def _not_too_small(arguments: dict[str, Any], name: str, side: int) -> tuple[float, float]:
    smallest, largest = arguments[name]
    least = round(LEAST_SIDE / (side * arguments["scale_range"][0]), 2)
    return min(max(smallest, least), largest), largest


def _smaller(size_range: tuple[float, float]) -> tuple[float, float]:
    smallest, largest = size_range
    return smallest, max(round(largest * SIZE_STEP, 2), smallest)
