"""The backends, which work on chunks: this process, worker processes, or a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping
from multiprocessing import current_process
from typing import Protocol, TypeVar

from nsa_augment._shared.checks import check_choice, check_integer, fail
from nsa_augment._shared.processors import processors
from nsa_augment.datasets._chunks import Chunk, forget
from nsa_augment.datasets._cluster import Cluster
from nsa_augment.datasets._processes import Processes

Result = TypeVar("Result")

MOST_WORKERS = 60 if os.name == "nt" else 1024
"""Windows waits for at most 63 processes at a time."""
CHUNK = 16
"""Most items in a chunk: enough that sending them takes no time compared with making them."""
CHUNKS_EACH = 4
"""Least chunks per worker, if there are enough items, so that all finish at about the same time."""


class Backend(Protocol):
    """Where chunks are worked on."""

    @property
    def workers(self) -> int:
        """Number of chunks worked on in parallel."""

    def run(self, function: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Generator[Result, None, None]:
        """Yield results in any order; takes only a few chunks in advance."""


class ThisProcess:
    """The backend without workers."""

    workers = 1

    def run(self, function: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Generator[Result, None, None]:
        """Yield results in order."""
        try:
            for chunk in chunks:
                yield function(chunk)
        finally:
            forget()


def _open_processes(workers: int | None, scheduler: str | None) -> Backend:
    if scheduler is not None:
        raise fail(ValueError, "scheduler", "left out with backend='processes'", scheduler)
    if workers is None:
        workers = min(processors(), MOST_WORKERS)
    check_integer("workers", workers, 0, MOST_WORKERS)
    if workers and current_process().daemon:
        raise fail(ValueError, "workers", "0 in a daemonic process, which cannot start others", workers)
    return Processes(workers) if workers else ThisProcess()


def _open_dask(workers: int | None, scheduler: str | None) -> Backend:
    if scheduler is None:
        raise fail(ValueError, "scheduler", "an address like tcp://host:8786 with backend='dask'", scheduler)
    if workers is not None:
        raise fail(ValueError, "workers", "left out with backend='dask', which has its own", workers)
    return Cluster(scheduler)


BACKENDS: Mapping[str, Callable[[int | None, str | None], Backend]] = {
    "processes": _open_processes,
    "dask": _open_dask,
}
"""Functions that open the backends, given the arguments `workers` and `scheduler` of `generate`."""


def open_backend(workers: int | None, backend: str = "processes", scheduler: str | None = None) -> Backend:
    """Check these arguments of `generate` and make the backend."""
    check_choice("backend", backend, BACKENDS)
    return BACKENDS[backend](workers, scheduler)


def chunk_size(items: int, backend: Backend) -> int:
    """Number of items in a chunk, small enough to keep all workers busy."""
    return max(1, min(CHUNK, items // (CHUNKS_EACH * backend.workers)))
