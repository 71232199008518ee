"""Warnings that point to the caller's code, and commands to copy."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import ParamSpec

Arguments = ParamSpec("Arguments")

_PACKAGE = __name__.partition(".")[0]


class Notice(UserWarning):
    """A fact about the images that the user should know; commands print it as one line."""


class _Postponed(threading.local):
    calls: list[Callable[[], None]] | None = None


_POSTPONED = _Postponed()


@contextmanager
def postponed() -> Iterator[list[Callable[[], None]]]:
    """Collect the notices of this thread inside the block in a list, to be called later in any thread.

    Examples
    --------
    >>> with postponed() as notices:
    ...     warn_caller("later")
    >>> len(notices)
    1
    """
    before, _POSTPONED.calls = _POSTPONED.calls, []
    try:
        yield _POSTPONED.calls
    finally:
        _POSTPONED.calls = before


def postponable(function: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Decorator that postpones calls of a function with the notices."""

    @wraps(function)
    def give(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        if _POSTPONED.calls is None:
            function(*args, **kwargs)
        else:
            _POSTPONED.calls.append(partial(function, *args, **kwargs))

    return give


@postponable
def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line outside this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


class Hush(threading.local):
    """Depth of blocks, in this thread, in which the caller itself reports what a warning would say.

    Examples
    --------
    >>> hush = Hush()
    >>> with hush:
    ...     hush.depth
    1
    """

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1


def command_line(*words: str | os.PathLike[str]) -> str:
    """A command as typed in a shell, with quotes where needed.

    Examples
    --------
    >>> command_line("nsa-augment", "preview", "images")
    'nsa-augment preview images'
    """
    texts = [os.fspath(word) for word in words]
    return subprocess.list2cmdline(texts) if os.name == "nt" else shlex.join(texts)
