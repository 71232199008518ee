"""A cache that is bounded in bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any


class BoundedCache:
    """Least recently used values, up to a number of bytes; empty after pickling."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._values: dict[Hashable, tuple[Any, int]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], tuple[Any, int]]) -> Any:
        """The value of `key`; `make` returns it and its size in bytes where it is missing."""
        with self._lock:
            if key in self._values:
                self._values[key] = self._values.pop(key)
                return self._values[key][0]
        value, size = make()
        if size <= self.capacity:
            with self._lock:
                self.size += size - self._values.pop(key, (None, 0))[1]
                self._values[key] = value, size
                while self.size > self.capacity:
                    oldest = next(iter(self._values))
                    self.size -= self._values.pop(oldest)[1]
        return value

    def __len__(self) -> int:
        return len(self._values)

    def __reduce__(self) -> tuple[type[BoundedCache], tuple[int]]:
        return BoundedCache, (self.capacity,)
