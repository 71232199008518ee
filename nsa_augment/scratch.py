"""Memory for intermediate results that is kept between calls: fresh pages cost more than the arithmetic on them."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LIMIT = 64 * 2**20
"""Bytes; a larger buffer is not kept."""


class Scratch(threading.local):
    """Named buffers of one thread, as large as the largest array that was asked for under each name."""

    def __init__(self) -> None:
        self._buffers: dict[str, NDArray[np.uint8]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Array of undefined content, valid until the next call with the same name in this thread."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = np.empty(size, np.uint8)
            if size <= LIMIT:
                self._buffers[name] = buffer
        return buffer[:size].view(dtype).reshape(shape)


SCRATCH = Scratch()
