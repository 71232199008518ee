"""Caches: bounded in bytes or in entries, and all emptied by one call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast, overload
from weakref import WeakSet

Function = TypeVar("Function", bound=Callable[..., Any])
Value = TypeVar("Value")

_CLEARERS: list[Callable[[], None]] = []


def clears(function: Callable[[], None]) -> Callable[[], None]:
    """Decorator that makes `clear_caches` call a function."""
    _CLEARERS.append(function)
    return function


def cached(entries: int) -> Callable[[Function], Function]:
    """`functools.lru_cache`, emptied by `clear_caches`."""

    def decorate(function: Function) -> Function:
        remembering = lru_cache(maxsize=entries)(function)
        clears(remembering.cache_clear)
        return cast("Function", remembering)

    return decorate


def clear_caches() -> None:
    """Release the memory that is kept between calls.

    This frees decoded sources and their object masks, sine matrices, intermediate arrays of every thread, and tables.
    It affects only speed; arrays in use stay valid.

    Examples
    --------
    >>> import nsa_augment
    >>> nsa_augment.clear_caches()
    """
    for clear in _CLEARERS:
        clear()


class KeptProperty(Generic[Value]):
    """`functools.cached_property` without its lock, which before Python 3.12 blocks all instances."""

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> KeptProperty[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._make(instance)
        return value


class BoundedCache:
    """A cache of the most recently used values, limited in bytes; empty after pickling."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._values: dict[Hashable, tuple[Any, int]] = {}
        self._lock = threading.Lock()
        _BOUNDED.add(self)

    def get(self, key: Hashable, make: Callable[[], tuple[Any, int]]) -> Any:
        """The value of `key`; if missing, `make` returns it and its size in bytes."""
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

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._values.clear()
            self.size = 0

    def __len__(self) -> int:
        return len(self._values)

    def __reduce__(self) -> tuple[type[BoundedCache], tuple[int]]:
        return BoundedCache, (self.capacity,)


_BOUNDED: WeakSet[BoundedCache] = WeakSet()


@clears
def _clear_bounded() -> None:
    for cache in tuple(_BOUNDED):
        cache.clear()
