"""Memory for intermediate arrays that is kept between calls: fresh pages cost more than the arithmetic on them."""

from __future__ import annotations

import threading
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import clears

LIMIT = 8 * 2**20
"""Numbers; a longer buffer is not kept."""


class _Kept(list[NDArray[np.float64]]):
    """At most one buffer."""

    __hash__ = object.__hash__  # type: ignore[assignment]


class Workspace(threading.local):
    """A buffer of one thread, as long as the longest requested.

    Examples
    --------
    >>> workspace = Workspace()
    >>> workspace.floats(6) is workspace.floats(3)
    True
    """

    def __init__(self) -> None:
        self._kept = _Kept()
        with _LOCK:
            _ALL_KEPT.add(self._kept)

    def floats(self, count: int) -> NDArray[np.float64]:
        """At least `count` numbers of undefined value, valid until the next call in this thread."""
        for buffer in self._kept:
            if buffer.size >= count:
                return buffer
        buffer = np.empty(count)
        if count <= LIMIT:
            self._kept[:] = [buffer]
        return buffer


_ALL_KEPT: WeakSet[_Kept] = WeakSet()
_LOCK = threading.Lock()


@clears
def _clear_buffers() -> None:
    with _LOCK:
        every = tuple(_ALL_KEPT)
    for kept in every:
        kept.clear()
