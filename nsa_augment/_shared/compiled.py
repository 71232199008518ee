"""How the functions of the package that are compiled are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile with Numba: cached on disk, without the GIL, without threads (safe in forked workers).

    Where no cache folder can be written to, it is compiled anew in every process.

    A compiled function may only call compiled functions of its own file: the cache of a file does not notice a change
    in another.
    """
    try:
        return cast("Function", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no folder for the cache can be written to
        return cast("Function", numba.njit(nogil=True)(function))
