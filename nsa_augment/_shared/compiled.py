"""Compilation of functions with Numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile with Numba: cached on disk, without the GIL, without threads (safe in forked workers).

    If no cache folder is writable, every process compiles anew.

    A compiled function may only call compiled functions of its own file: the cache of a file does not notice a change
    in another.
    """
    try:
        return cast("Function", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no cache folder is writable
        return cast("Function", numba.njit(nogil=True)(function))
