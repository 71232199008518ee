"""Chunks in this process, or in processes of this machine that may be killed at any time."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from typing import Protocol, TypeVar

import cv2

from nsa_augment.datasets.chunks import Chunk, forget

Result = TypeVar("Result")

AHEAD = 4
"""Chunks handed out for each worker."""

MAX_DEATHS = 3
"""So often workers may die while a chunk is handed out."""


class Backend(Protocol):
    """Where chunks are worked on."""

    @property
    def workers(self) -> int:
        """How many chunks are worked on at a time."""

    def run(self, function: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Generator[Result, None, None]:
        """Results in any order; only some chunks are taken ahead."""


class ThisProcess:
    """No workers at all."""

    workers = 1

    def run(self, function: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Generator[Result, None, None]:
        """Results in order."""
        try:
            for chunk in chunks:
                yield function(chunk)
        finally:
            forget()


class Processes:
    """Worker processes, started afresh (spawned); where one dies, all are replaced and lost chunks done again.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, function: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Generator[Result, None, None]:
        """Results in the order in which they are finished."""
        source = iter(chunks)
        lost: deque[Chunk] = deque()
        deaths: Counter[Chunk] = Counter()
        while True:
            pending: dict[Future[Result], Chunk] = {}
            pool = ProcessPoolExecutor(self.workers, get_context("spawn"), _prepare_worker)
            try:
                while self._submit(pool, function, lost, source, pending):
                    for future in wait(pending, return_when=FIRST_COMPLETED).done:
                        result = future.result()
                        deaths.pop(pending.pop(future), None)
                        yield result
                return
            except BrokenProcessPool as error:
                lost.extendleft(pending.values())
                deaths.update(pending.values())
                if doomed := [chunk.items for chunk in pending.values() if deaths[chunk] > MAX_DEATHS]:
                    first, last = doomed[0][0][0], doomed[0][-1][0]
                    message = f"workers died {MAX_DEATHS + 1} times at items {first} to {last}"
                    causes = "no memory left, or a script without its __main__ guard?"
                    raise ChildProcessError(f"{message} ({causes}); run the same command again to go on") from error
            finally:
                pool.shutdown(cancel_futures=True)

    def _submit(
        self,
        pool: ProcessPoolExecutor,
        function: Callable[[Chunk], Result],
        lost: deque[Chunk],
        source: Iterator[Chunk],
        pending: dict[Future[Result], Chunk],
    ) -> bool:
        """Keep workers supplied; whether there is something to wait for.

        Interrupts are held back meanwhile, which processes started here inherit: Ctrl-C is for the parent alone.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            lost.extend(islice(source, AHEAD * self.workers - len(pending) - len(lost)))
            while lost and len(pending) < AHEAD * self.workers:
                future = pool.submit(function, lost[0])
                pending[future] = lost.popleft()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return bool(pending)


def _prepare_worker() -> None:
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for chunks for ever."""
    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
