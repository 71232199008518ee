"""The folder of a dataset while it is written: by one process at a time, and without partial files.

Files are written under temporary names in the dataset's folder `.nsa-augment`, and then renamed. Nothing is flushed
to disk (fsync): a killed process loses nothing by that, and after a power failure the next run remakes the files that
differ from their digests.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nsa_augment._shared.checks import fail
from nsa_augment._shared.files import TEMPORARY, write_file
from nsa_augment.datasets._lock import acquire, release
from nsa_augment.datasets.recipe import RECIPE

WORK = ".nsa-augment"
LOCK = "lock"


def check_ours(out: Path) -> None:
    """Refuse a folder with other files than those of a dataset."""
    if not out.exists():
        return
    if not out.is_dir():
        raise fail(ValueError, "out", "a folder", str(out))
    entries = {entry.name for entry in out.iterdir()}
    if entries - {WORK, ".DS_Store"} and RECIPE not in entries:
        raise ValueError(f"out must be a new or empty folder, or an existing dataset, got {out} with other files")


@contextmanager
def opened(out: Path) -> Iterator[None]:
    """Keep other processes out of a dataset; removes partial files of a killed process."""
    work = out / WORK
    handle = _enter(work)
    try:
        for stale in work.glob(f"*{TEMPORARY}"):
            with suppress(OSError):  # a worker that outlives its parent may be writing or renaming it
                stale.unlink()
        yield
    finally:
        finished = not any(entry.name != LOCK for entry in work.iterdir())
        release(work / LOCK, handle, remove=finished)
        if finished:
            with suppress(OSError):  # another process may already have entered
                work.rmdir()


def _enter(work: Path) -> int:
    while True:
        work.mkdir(parents=True, exist_ok=True)
        try:
            handle = acquire(work / LOCK)
        except FileNotFoundError:  # the previous process has just removed the folder
            continue
        if handle is None:
            raise ValueError(f"another process is writing the dataset {work.parent}")
        return handle


def clear(out: Path) -> None:
    """Remove files that are no part of the finished dataset, while it is open."""
    for entry in (out / WORK).iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != LOCK:
            with suppress(FileNotFoundError):
                entry.unlink()


def write(out: Path, name: str, content: Iterable[bytes]) -> None:
    """Write a file of a dataset, whole or not at all; an OSError names it."""
    write_file(out / name, content, out / WORK)


def inside(out: Path, name: str) -> Path:
    """Path of a file of a dataset by its name; ValueError if it, or what it links to, lies elsewhere."""
    path = Path(os.path.realpath(out / name))
    if not path.is_relative_to(os.path.realpath(out)):
        raise ValueError("it lies outside the dataset")
    return path
