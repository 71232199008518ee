"""The folder of a dataset while it is written: one process at a time, and no file that is not whole.

Files are written below the folder `.nsa-augment` of the dataset under names that end in `.tmp`, and renamed. Nothing is
flushed to the disk (fsync): a killed process loses nothing by that, and after a power failure the next run finds files
that differ from their digests and makes them again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from nsa_augment._shared.checks import fail
from nsa_augment.datasets.recipe import RECIPE

WORK = ".nsa-augment"
LOCK = "lock"
TEMPORARY = ".tmp"


def check_ours(out: Path) -> None:
    """Refuse a folder that holds something else than a dataset of ours."""
    if not out.exists():
        return
    if not out.is_dir():
        raise fail(ValueError, "out", "a folder", str(out))
    entries = {entry.name for entry in out.iterdir()}
    if entries - {WORK, ".DS_Store"} and RECIPE not in entries:
        raise ValueError(f"out must be a new or empty folder, or a dataset begun before, got {out} with other files")


@contextmanager
def opened(out: Path) -> Iterator[None]:
    """Keep other processes out of a dataset; files that a killed process left half-written are removed.

    The lock is the kernel's: it vanishes with the process, however that ends.
    """
    work = out / WORK
    handle = _lock(work)
    try:
        for stale in work.glob(f"*{TEMPORARY}"):
            stale.unlink(missing_ok=True)  # a worker that outlives its parent may just rename it
        yield
    finally:
        if not any(entry.name != LOCK for entry in work.iterdir()):
            (work / LOCK).unlink()
            with suppress(OSError):  # another process may have come in already
                work.rmdir()
        os.close(handle)


def _lock(work: Path) -> int:
    try:
        import fcntl  # not on every system
    except ModuleNotFoundError as error:
        raise OSError("datasets need Linux or macOS: this system cannot lock files") from error
    while True:
        work.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(work / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # the process before us has just removed the folder
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise ValueError(f"another process is writing the dataset {work.parent}") from error
        except OSError as error:
            os.close(handle)
            raise OSError(error.errno, f"cannot lock the folder ({error.strerror})", str(work.parent)) from error
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)


def clear(out: Path) -> None:
    """Remove what is not part of the finished dataset, while it is open."""
    for entry in (out / WORK).iterdir():
        if entry.name != LOCK:
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)


def write_file(out: str | Path, name: str, content: Iterable[bytes]) -> None:
    """Write a file of a dataset, whole or not at all.

    Raises
    ------
    OSError
        Names the file.
    """
    target = os.path.join(out, name)
    temporary = os.path.join(out, WORK, f"{uuid4().hex}{TEMPORARY}")
    try:
        with open(temporary, "xb") as file:
            file.writelines(content)
        os.replace(temporary, target)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        raise OSError(error.errno, error.strerror, target) from error
