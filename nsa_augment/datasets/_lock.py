"""Locks on files that vanish with the process that holds them."""

from __future__ import annotations

import errno
import os
from importlib import import_module
from pathlib import Path
from typing import Any

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class _UnixLock:
    """`flock`; open files can be removed, so a file is removed while locked."""

    def __init__(self) -> None:
        self._fcntl: Any = import_module("fcntl")

    def lock(self, handle: int) -> None:
        self._fcntl.flock(handle, self._fcntl.LOCK_EX | self._fcntl.LOCK_NB)

    def remove(self, path: Path, handle: int) -> None:
        path.unlink()
        os.close(handle)


class _WindowsLock:
    """`msvcrt.locking`; open files cannot be removed, so a file stays while another process has it open."""

    def __init__(self) -> None:
        self._msvcrt: Any = import_module("msvcrt")

    def lock(self, handle: int) -> None:
        self._msvcrt.locking(handle, self._msvcrt.LK_NBLCK, 1)

    def remove(self, path: Path, handle: int) -> None:
        os.close(handle)
        try:
            path.unlink()
        except OSError:
            return


def _system_lock() -> _UnixLock | _WindowsLock:
    try:
        return _UnixLock()
    except ModuleNotFoundError:
        return _WindowsLock()


def acquire(path: Path) -> int | None:
    """Lock a file, creating it if missing; None if another process holds it.

    Raises
    ------
    FileNotFoundError
        If its folder is missing.
    OSError
        If the file system cannot lock files.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _SYSTEM.lock(handle)
        except OSError as error:
            os.close(handle)
            if error.errno in _HELD:
                return None
            raise OSError(error.errno, f"cannot lock the folder ({error.strerror})", str(path.parent.parent)) from error
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)  # the previous process has removed it meanwhile


def release(path: Path, handle: int, *, remove: bool) -> None:
    """Release a lock; `remove` its file, too."""
    if remove:
        _SYSTEM.remove(path, handle)
    else:
        os.close(handle)


_SYSTEM = _system_lock()
