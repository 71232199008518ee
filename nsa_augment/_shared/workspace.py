"""Memory for intermediate arrays that is kept between calls: fresh pages cost more than the arithmetic on them."""

from __future__ import annotations

import math
import threading
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nsa_augment._shared.cache import clears

LIMIT = 64 * 2**20
"""Bytes; a larger buffer is not kept."""


class _Buffers(dict[str, NDArray[np.uint8]]):
    __hash__ = object.__hash__  # type: ignore[assignment]


class Workspace(threading.local):
    """Named buffers of one thread, as large as the largest array requested under each name.

    Examples
    --------
    >>> workspace = Workspace()
    >>> first = workspace.array("values", (2, 3), np.float32)
    >>> bool(np.shares_memory(first, workspace.array("values", (3,), np.float32)))
    True
    """

    def __init__(self) -> None:
        self._buffers = _Buffers()
        with _LOCK:
            _ALL_BUFFERS.add(self._buffers)

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Array of undefined content, valid until the next call with the same name in this thread."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = np.empty(size, np.uint8)
            if size <= LIMIT:
                self._buffers[name] = buffer
        return buffer[:size].view(dtype).reshape(shape)


_ALL_BUFFERS: WeakSet[_Buffers] = WeakSet()
_LOCK = threading.Lock()


@clears
def _clear_buffers() -> None:
    with _LOCK:
        every = tuple(_ALL_BUFFERS)
    for buffers in every:
        buffers.clear()
