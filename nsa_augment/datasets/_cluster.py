"""The backend for a Dask cluster whose machines share a file system."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from textwrap import shorten
from typing import Any, TypeVar

import cv2

from nsa_augment.datasets._chunks import Chunk

Result = TypeVar("Result")

AHEAD = 4
"""Chunks handed out per worker."""
CONNECT_SECONDS = 10
PATIENCE_SECONDS = 60
"""Seconds that a cluster may be without workers."""
LOSSES = (OSError, CancelledError, asyncio.CancelledError)
"""Errors of a connection; Dask's own name for a closed one is an `OSError`."""


class Cluster:
    """A running Dask cluster; chunks of workers that die go to others.

    Parameters
    ----------
    scheduler : str
        Its address, like "tcp://host:8786".
    """

    def __init__(self, scheduler: str) -> None:
        try:
            self._dask: Any = import_module("distributed")
        except ModuleNotFoundError as error:
            message = "backend='dask' needs distributed: install it with pip install 'nsa-augment[distributed]'"
            raise ValueError(message) from error
        self._scheduler = scheduler
        with self._connect() as client, self._watched(client):
            self.workers = sum(client.nthreads().values())
        if not self.workers:
            raise ValueError(f"scheduler must have workers, got none at {scheduler}")

    def _connect(self) -> Any:
        try:
            return self._dask.Client(self._scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
        except OSError as error:
            raise OSError(f"cannot reach a Dask scheduler at {self._scheduler}: {error}") from error

    def run(self, function: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Generator[Result, None, None]:
        """Yield results as they finish."""
        source = iter(chunks)
        pending: set[Any] = set()
        with self._connect() as client:
            while True:
                for chunk in islice(source, AHEAD * self.workers - len(pending)):
                    with self._watched(client):
                        pending.add(client.submit(_on_one_thread, function, chunk, pure=False))
                if not pending:
                    return
                done = self._wait(client, pending)
                pending -= done
                for future in done:
                    with self._watched(client, future):
                        result = future.result()
                    yield result

    def _wait(self, client: Any, pending: set[Any]) -> set[Any]:
        """Some finished futures; none if they take long."""
        with self._watched(client):
            try:
                with client.as_current():
                    return set(self._dask.wait(pending, PATIENCE_SECONDS, return_when="FIRST_COMPLETED").done)
            except asyncio.TimeoutError:
                if client.nthreads():
                    return set()
        raise self._lost("it has had no worker for a minute")

    @contextmanager
    def _watched(self, client: Any, future: Any = None) -> Generator[None, None, None]:
        """Tell errors of the connection from those of a chunk, which its future has."""
        try:
            yield
        except (Exception, asyncio.CancelledError) as error:
            is_killed = isinstance(error, self._dask.KilledWorker)
            is_own = future is not None and future.status == "error" and not is_killed
            is_lost = is_killed or client.status != "running" or isinstance(error, LOSSES)
            if is_own or not is_lost:
                raise
            raise self._lost(str(error)) from error

    def _lost(self, what: str) -> ChildProcessError:
        message = f"lost the Dask cluster at {self._scheduler}: {shorten(what, 400)}"
        return ChildProcessError(f"{message}; run the same command again to continue")


def _on_one_thread(function: Callable[[Chunk], Result], chunk: Chunk) -> Result:
    cv2.setNumThreads(1)
    return function(chunk)
