"""Compilation of functions with Numba."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from types import FunctionType, ModuleType
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import types
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile with Numba: cached on disk, without the GIL, without threads (safe in forked workers).

    As in NumPy, division by zero raises nothing: checks cost time, and no function divides by what can be 0.
    If no cache folder is writable, every process compiles anew. Compiled functions may use others, and constants, of
    any file: a change of one compiles all anew that use it. Numba compiles once more for every literal number that
    compiled code passes on; here a literal is a number like any other.
    """
    made: Any = numba.njit(nogil=True, error_model="numpy")(function)
    if made is not function:
        made.get_call_template = partial(_template_of_numbers, made)
        with suppress(RuntimeError):  # no cache folder is writable
            made._cache = _Cache(function)
    return cast("Function", made)


def _template_of_numbers(function: Dispatcher, given: Any, named: Any) -> Any:
    """What `function` returns for arguments of these types, literals taken as numbers."""
    number: Callable[[Any], Any] = types.unliteral
    named = {name: number(kind) for name, kind in named.items()}
    return type(function).get_call_template(function, tuple(map(number, given)), named)


class _Cache(cast("Any", FunctionCache)):  # type: ignore[misc]
    """Numba's cache, whose entries know a function's own file only, with what a function uses as a part of the key."""

    def _index_key(self, *signature: Any) -> tuple[Any, ...]:
        digest = hashlib.sha256()
        for part in _used(self._py_func, set()):
            digest.update(part)
        return (*super()._index_key(*signature), digest.hexdigest())


def _used(function: FunctionType, known: set[FunctionType]) -> Iterator[bytes]:
    """Code of a function and of the compiled functions it uses, and the values of its global names."""
    if function in known:
        return
    known.add(function)
    code = function.__code__
    yield repr((code.co_code, code.co_consts, code.co_names)).encode()
    for name in code.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, Dispatcher):
            yield from _used(value.py_func, known)
        elif isinstance(value, np.ndarray):
            yield value.tobytes()
        elif not isinstance(value, ModuleType):
            yield repr(value).encode()
