"""Chunks in processes of this machine that may be killed at any time.

Each worker has two pipes of its own, and none shares a lock with another: whatever a worker is doing when it is killed,
the others and the parent do not wait for it. A pool with shared queues can hang there.
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
"""Chunks that a worker has: one to work on, and one so that it need not wait for the next."""
MAX_DEATHS = 3
"""How many workers may die of a chunk."""
WATCH_SECONDS = 1.0
"""How often it is checked whether workers are alive, where no pipe tells."""


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
        outgoing.close()  # the worker has the only one now: the pipe ends when it dies
        self.chunks: deque[Chunk] = deque()

    def send(self, chunk: Chunk) -> None:
        """Hand a chunk out; whether the worker is alive is seen when its result is due."""
        self.chunks.append(chunk)
        with suppress(OSError):
            self._tasks.send(chunk)

    def receive(self) -> Result:
        """The result of its first chunk; _DiedError if it cannot come any more."""
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
        """Have it end after the chunk that it works on, whose result is lost."""
        with suppress(OSError):
            self._tasks.send(None)
        self._tasks.close()
        self.results.close()

    def bury(self) -> None:
        """Leave nothing of a worker that has died."""
        self.process.kill()
        self.stop()
        self.process.join()


class Processes:
    """Worker processes, started afresh (spawned); one that dies is replaced, and its chunks done again.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, function: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Generator[Result, None, None]:
        """Results in the order in which they are finished."""
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
        """Keep workers supplied; whether there is something to wait for."""
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
    """Chunks that no worker has: those of workers that died first."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._source = iter(chunks)
        self._lost: deque[Chunk] = deque()
        self._deaths: Counter[Chunk] = Counter()

    def __next__(self) -> Chunk:
        return self._lost.popleft() if self._lost else next(self._source)

    def put_back(self, chunks: Sequence[Chunk]) -> None:
        """Chunks to be handed out next."""
        self._lost.extendleft(reversed(chunks))

    def take_back(self, chunks: Sequence[Chunk]) -> None:
        """Those of a worker that has died, probably of the first one, which it was working on."""
        self.put_back(chunks)
        for chunk in islice(chunks, 1):
            self._deaths[chunk] += 1
            if self._deaths[chunk] > MAX_DEATHS:
                first, last = chunk.items[0][0], chunk.items[-1][0]
                message = f"workers died {MAX_DEATHS + 1} times at items {first} to {last}"
                causes = "no memory left, or a script without its __main__ guard?"
                raise ChildProcessError(f"{message} ({causes}); run the same command again to continue")


def _ready(workers: list[_Worker[Any]]) -> list[_Worker[Any]]:
    """Workers with a result, or that have died."""
    ready = connection.wait([worker.results for worker in workers], WATCH_SECONDS)
    if ready:
        return [worker for worker in workers if worker.results in ready]
    return [worker for worker in workers if not worker.process.is_alive()]


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back until the end of the block; processes started in it never get it: it is for the parent alone.

    Systems without signal masks may show the end of a worker that is interrupted while it starts.
    """
    with _interrupts_deferred(), _interrupts_masked():
        yield


@contextmanager
def _interrupts_masked() -> Iterator[None]:
    """For this thread, and for processes that it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # starts before the first process, and would lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """For this process, whose other threads (those of libraries) can receive the signal as well."""
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
