"""Makes, resumes and verifies datasets where Python has nothing that only Unix has, as on Windows.

There, the lock is `msvcrt`'s, and files that are open can be neither replaced nor removed. Worker processes import this
file, so that they have no more than the parent.
"""

import errno
import fcntl
import os
import signal
import subprocess  # looks for msvcrt when it is imported: before the stand-in is there
import sys
import types
from pathlib import Path

assert subprocess
locked = []


def locking(handle, mode, count):
    assert (mode, count) == (MSVCRT.LK_NBLCK, 1)
    try:
        flock(handle, exclusive)
    except BlockingIOError:
        raise PermissionError(errno.EACCES, "Permission denied") from None
    locked.append(handle)


def refuse_open_files(function, checked):
    def changed(*paths, **options):
        path = os.path.realpath(paths[checked])
        if not options and path in {os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir()}:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return function(*paths, **options)

    return changed


flock, exclusive = fcntl.flock, fcntl.LOCK_EX | fcntl.LOCK_NB
MSVCRT = types.ModuleType("msvcrt")
MSVCRT.locking, MSVCRT.LK_NBLCK = locking, 2
sys.modules.update(fcntl=None, msvcrt=MSVCRT, resource=None)
del os.pread, os.sched_getaffinity, signal.pthread_sigmask
os.replace, os.unlink, os.remove = (
    refuse_open_files(os.replace, 1),
    refuse_open_files(os.unlink, 0),
    refuse_open_files(os.remove, 0),
)


class StopError(Exception):
    pass


def main(folder, place):
    from dataset_folders import content, make, screws

    from nsa_augment.datasets import verify

    arguments = {"task": screws(), "count": 12, "layout": "coco"}
    make(folder, place / "whole", **arguments)
    whole = content(place / "whole")
    assert locked, "the stand-in was not used"

    def stop(state):
        if state.done >= 6:
            try:
                make(folder, place / "out", **arguments)
            except ValueError as error:
                raise StopError(error) from error

    try:
        make(folder, place / "out", on_progress=stop, **arguments)
    except StopError as stopped:
        words = str(stopped)
        (place / "out" / ".nsa-augment" / "half.tmp").write_bytes(b"half")
    assert "another process is writing" in words
    assert (place / "out" / ".nsa-augment" / "lock").exists()
    assert 6 <= make(folder, place / "out", **{**arguments, "workers": 1}).kept < 12
    assert content(place / "out") == whole
    assert not (place / "out" / ".nsa-augment").exists()
    assert make(folder, place / "out", **arguments).kept == 12
    assert verify(place / "out", workers=0).problems == ()
    print("as on Unix")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
