"""The worker's end of its pipes: chunks come in, results go out, until the parent closes them or dies."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection, parent_process
from queue import SimpleQueue
from typing import Any

import cv2

from nsa_augment.datasets._chunks import Chunk

Outcome = tuple[bool, Any, str]
"""Whether the chunk succeeded; its result, or the error; the error's traceback as text."""


def serve(
    function: Callable[[Chunk], Any],
    tasks: connection.Connection[Any, Any],
    results: connection.Connection[Any, Any],
) -> None:
    """Work on chunks until there are no more: the main function of a worker process.

    Another thread keeps emptying the pipe of chunks, so that the parent never waits for this process while this
    process waits for the parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the parent handles Ctrl-C
    cv2.setNumThreads(1)
    inbox: SimpleQueue[Chunk | None] = SimpleQueue()
    stopped = threading.Event()
    threading.Thread(target=_receive, args=(tasks, inbox, stopped), daemon=True).start()
    with suppress(BrokenPipeError):  # the parent no longer waits for the result
        while (chunk := inbox.get()) is not None and not stopped.is_set():
            results.send(_outcome(function, chunk))


def _receive(
    tasks: connection.Connection[Any, Any], inbox: SimpleQueue[Chunk | None], stopped: threading.Event
) -> None:
    """Fill the inbox until the parent closes the pipe; end this process at once if the parent is gone."""
    try:
        with suppress(Exception):  # the pipe ends, perhaps in the middle of a chunk
            while (chunk := tasks.recv()) is not None:
                inbox.put(chunk)
    finally:
        stopped.set()
        inbox.put(None)
    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _outcome(function: Callable[[Chunk], Any], chunk: Chunk) -> Outcome:
    try:
        return True, function(chunk), ""
    except Exception as error:
        return False, _sendable(error), traceback.format_exc()


def _sendable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
