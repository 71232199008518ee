"""The backend of worker processes on this machine, any of which may be killed at any time.

Each worker has its own two pipes and shares no lock: whatever a worker is doing when it is killed, neither the others
nor the parent wait for it. A pool with shared queues can hang then.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import connection, get_context, resource_tracker
from typing import Any, Generic, TypeVar

from nsa_augment.datasets._chunks import Chunk
from nsa_augment.datasets._worker import serve

Result = TypeVar("Result")

AHEAD = 2
"""Chunks that a worker holds: one to work on, and the next, so that it need not wait."""
MAX_DEATHS = 3
"""Number of workers that may die at a chunk before it is an error."""
WATCH_SECONDS = 1.0
"""Seconds between checks that workers are alive, in case no pipe tells."""


class _DiedError(Exception):
    pass


class _Worker(Generic[Result]):
    """A process, and this end of its pipes."""

    def __init__(self, function: Callable[[Chunk], Result]) -> None:
        context = get_context("spawn")
        incoming, self._tasks = context.Pipe(duplex=False)
        self.results, outgoing = context.Pipe(duplex=False)
        self.process = context.Process(target=serve, args=(function, incoming, outgoing), daemon=True)
        self.process.start()
        incoming.close()
        outgoing.close()  # now only the worker has it: the pipe ends when the worker dies
        self.chunks: deque[Chunk] = deque()

    def send(self, chunk: Chunk) -> None:
        """Hand out a chunk; if the worker is dead, `receive` notices."""
        self.chunks.append(chunk)
        with suppress(OSError):
            self._tasks.send(chunk)

    def receive(self) -> Result:
        """The result of the worker's first chunk; _DiedError if the worker has died."""
        try:
            if not self.results.poll():
                raise _DiedError
            made, result, where = self.results.recv()
        except (EOFError, OSError) as error:
            raise _DiedError from error
        self.chunks.popleft()
        if made:
            return result  # type: ignore[no-any-return]
        raise result from ChildProcessError(f"in a worker:\n{where}")

    def stop(self) -> None:
        """End the worker after its current chunk, whose result is lost."""
        with suppress(OSError):
            self._tasks.send(None)
        self._tasks.close()
        self.results.close()

    def bury(self) -> None:
        """Clean up after a worker that has died."""
        self.process.kill()
        self.stop()
        self.process.join()


class Processes:
    """Worker processes, started with spawn; one that dies is replaced, and its chunks are repeated.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, function: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Generator[Result, None, None]:
        """Yield results as they finish."""
        waiting = _Waiting(chunks)
        workers: list[_Worker[Result]] = []
        try:
            while self._supply(function, waiting, workers):
                for worker in _ready(workers):
                    try:
                        result = worker.receive()
                    except _DiedError:
                        workers.remove(worker)
                        worker.bury()
                        waiting.take_back(worker.chunks)
                    else:
                        yield result
        finally:
            for worker in workers:
                worker.stop()
            for worker in workers:
                worker.process.join()

    def _supply(self, function: Callable[[Chunk], Result], waiting: _Waiting, workers: list[_Worker[Result]]) -> bool:
        """Keep workers supplied; returns whether there is something to wait for."""
        new = list(islice(waiting, self.workers - len(workers)))
        waiting.put_back(new)
        with _interrupts_held():
            for _ in new:
                workers.append(_Worker(function))
        for held in range(AHEAD):
            hungry = [worker for worker in workers if len(worker.chunks) == held]
            for worker, chunk in zip(hungry, waiting, strict=False):
                worker.send(chunk)
        return any(worker.chunks for worker in workers)


class _Waiting(Iterator[Chunk]):
    """Chunks that no worker holds; those of dead workers come first."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._source = iter(chunks)
        self._lost: deque[Chunk] = deque()
        self._deaths: Counter[Chunk] = Counter()

    def __next__(self) -> Chunk:
        return self._lost.popleft() if self._lost else next(self._source)

    def put_back(self, chunks: Sequence[Chunk]) -> None:
        """Hand these chunks out next."""
        self._lost.extendleft(reversed(chunks))

    def take_back(self, chunks: Sequence[Chunk]) -> None:
        """Take the chunks of a dead worker, which was working on the first one."""
        self.put_back(chunks)
        for chunk in islice(chunks, 1):
            self._deaths[chunk] += 1
            if self._deaths[chunk] > MAX_DEATHS:
                first, last = chunk.items[0][0], chunk.items[-1][0]
                message = f"workers died {MAX_DEATHS + 1} times at items {first} to {last}"
                causes = "no memory left, or a script without its __main__ guard?"
                raise ChildProcessError(f"{message} ({causes}); run the same command again to continue")


def _ready(workers: list[_Worker[Any]]) -> list[_Worker[Any]]:
    """Workers that have a result or have died."""
    ready = connection.wait([worker.results for worker in workers], WATCH_SECONDS)
    if ready:
        return [worker for worker in workers if worker.results in ready]
    return [worker for worker in workers if not worker.process.is_alive()]


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Delay Ctrl-C until the end of the block; processes started in it never get it, only the parent does.

    Without signal masks, a worker that is interrupted while it starts may print a traceback.
    """
    with _interrupts_deferred(), _interrupts_masked():
        yield


@contextmanager
def _interrupts_masked() -> Iterator[None]:
    """Mask Ctrl-C for this thread and the processes it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # otherwise starts with the first process and lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Defer Ctrl-C for this process, whose other threads (of libraries) can receive the signal, too."""
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if received:
            signal.raise_signal(signal.SIGINT)
