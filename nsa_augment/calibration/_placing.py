"""Whether the arguments work: the share of calls that place a patch, and what to relax where it is low."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.types import BinaryMap
from nsa_augment.planning.silence import silence_expected
from nsa_augment.tasks import NaturalSyntheticAnomaly

CALLS = 64
LEAST_SIDE = 10
"""Pixels; smaller patches cannot be blended."""
ENOUGH = 0.9
"""Share of calls that must place a patch before anything is relaxed."""
MIN_OBJECTS = (0.5, 0.25, 0.1)
"""Lower values of `min_object`, tried first; the first two are those of Table 4."""
SIZE_STEPS = 6
SIZE_STEP = 0.7
"""Largest sizes are multiplied by this, up to `SIZE_STEPS` times, once `min_object` is as low as it can be."""


def placed_share(
    task: NaturalSyntheticAnomaly, images: NDArray[np.uint8], seed: int, masks: BinaryMap | None = None
) -> float:
    """Share of calls of a task, on images with sources drawn from the same images, that place a patch.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    >>> placed_share(NaturalSyntheticAnomaly(), images, seed=0) > 0.8
    True
    """
    rng = np.random.default_rng(seed)
    count = len(images)
    others = [(call + int(rng.integers(1, max(count, 2)))) % count for call in range(CALLS)]
    of = [None] * count if masks is None else list(masks)
    with silence_expected():
        plans = [
            task.plan(images[call % count], images[other], rng, mask=of[call % count], source_mask=of[other])
            for call, other in enumerate(others)
        ]
    return float(np.mean([bool(plan.patches) for plan in plans]))


def relax(
    arguments: dict[str, Any], images: NDArray[np.uint8], seed: int, masks: BinaryMap | None = None
) -> tuple[dict[str, Any], float, list[str]]:
    """Change arguments until enough calls place a patch.

    In this order: the smallest sizes are raised to what can be blended, where images are small; `min_object` is
    lowered; the largest sizes are lowered.

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
        The first that place a patch in nine tenths of the calls, or else the best.
    share : float
        Share of calls that place a patch.
    changed : list of str
        Names of the changed arguments.
    """
    best, best_share = arguments, placed_share(NaturalSyntheticAnomaly(**arguments), images, seed, masks)
    for candidate in _relaxations(arguments, images.shape[1:3]):
        if best_share >= ENOUGH:
            break
        share = placed_share(NaturalSyntheticAnomaly(**candidate), images, seed, masks)
        if share > best_share:
            best, best_share = candidate, share
    return best, best_share, [name for name in arguments if best[name] != arguments[name]]


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
