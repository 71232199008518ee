"""Many calls of a task at once, each with its own generator."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np

from nsa_augment._shared.checks import check_generator, check_integer, fail
from nsa_augment._shared.notices import postponed
from nsa_augment._shared.processors import processors
from nsa_augment.synthesis import SynthesisResult

Call: TypeAlias = Callable[..., SynthesisResult]

LEAST_WIDTH = 5
"""Pixels; a narrower stack of grey images is probably one image with channels."""
THREADED = 512 * 512
"""Pixels; for smaller images, threads lose more time to Python's global lock than they save."""
_ACCEPTED = "a sequence of images or an (N, H, W) or (N, H, W, C) array"
_KEPT = (TypeError, ValueError, OSError, MemoryError)
"""Errors that keep their type when the index of the item is added; others become a RuntimeError."""


def run_batch(
    call: Call, images: Any, given: Mapping[str, Any], rng: np.random.Generator | int | None, threads: int | None
) -> list[SynthesisResult]:
    """Results of a task for images, in their order and independent of the number of threads.

    Parameters
    ----------
    call : callable
        The task.
    images : sequence or array
    given : mapping
        Further arguments of the task by name: None, or a sequence or array with one value for each image.
    rng : numpy.random.Generator, int or None
    threads : int or None
        None: one per processor, if each image has at least `THREADED` pixels.
    """
    items = _split("images", images)
    if isinstance(images, np.ndarray) and images.ndim == 3 and images.shape[2] < LEAST_WIDTH:
        raise fail(ValueError, "images", f"{_ACCEPTED} (of one image: image[None])", images)
    columns = {name: _split(_plural(name), values, len(items)) for name, values in given.items() if values is not None}
    limit = _threads_for(items) if threads is None else check_integer("threads", threads, 1)
    generators = check_generator(rng).spawn(len(items))
    calls = [
        (image, {"rng": generator, **{name: values[index] for name, values in columns.items()}})
        for index, (image, generator) in enumerate(zip(items, generators, strict=True))
    ]
    return _Run(call, calls).finish(min(limit, len(calls)))


def _threads_for(images: Sequence[Any]) -> int:
    large = all(isinstance(image, np.ndarray) and math.prod(image.shape[:2]) >= THREADED for image in images)
    return processors() if large else 1


def _plural(name: str) -> str:
    return name if name == "allowed" else f"{name}s"


def _split(name: str, values: Any, count: int | None = None) -> list[Any]:
    """The items of an argument, one per image."""
    accepted = _ACCEPTED if count is None else f"None, or a sequence or array with one item for each image ({count})"
    stacked = isinstance(values, np.ndarray) and values.ndim in (3, 4)
    if not stacked and (isinstance(values, (str, bytes)) or not isinstance(values, Sequence)):
        raise fail(TypeError, name, accepted, values)
    if count is not None and len(values) != count:
        raise ValueError(f"{name} must be {accepted}, got {len(values)}")
    return list(values)


class _Run:
    """Calls that threads make in order, until one fails."""

    def __init__(self, call: Call, calls: Sequence[tuple[Any, Mapping[str, Any]]]) -> None:
        self._call, self._calls = call, calls
        self._numbers = iter(range(len(calls)))
        self._lock = threading.Lock()
        self._results: dict[int, SynthesisResult] = {}
        self._notices: dict[int, list[Callable[[], None]]] = {}
        self._errors: dict[int, Exception] = {}

    def finish(self, threads: int) -> list[SynthesisResult]:
        """Compute all results; the calling thread works, too."""
        with ThreadPoolExecutor(max(threads - 1, 1)) as pool:
            try:
                helpers = [pool.submit(self._work) for _ in range(threads - 1)]
                self._work()
            finally:
                self._stop()
        for helper in helpers:
            helper.result()
        if self._errors:
            number = min(self._errors)
            error = self._errors[number]
            kind = next((kind for kind in _KEPT if isinstance(error, kind)), RuntimeError)
            raise kind(f"item {number} of the batch: {error}") from error
        numbers = range(len(self._calls))
        for give in (give for number in numbers for give in self._notices[number]):
            give()
        return [self._results[number] for number in numbers]

    def _work(self) -> None:
        while (number := self._next()) is not None:
            image, arguments = self._calls[number]
            try:
                with postponed() as self._notices[number]:
                    self._results[number] = self._call(image, **arguments)
            except Exception as error:
                self._errors[number] = error
                self._stop()

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)

    def _stop(self) -> None:
        with self._lock:
            self._numbers = iter(range(0))
