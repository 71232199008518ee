"""Finished items as lines of JSON in an append-only file; memory holds only their positions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

from nsa_augment._shared.plain import parse_json
from nsa_augment.datasets._workspace import WORK, write

JOURNAL = "journal.jsonl"
MANIFEST = "manifest.jsonl"


class Lines:
    """Lines of a journal or manifest by their index; the last one of an index counts, invalid lines are skipped.

    Parameters
    ----------
    path : Path
    total : int
        Number of items; indices are smaller.
    """

    def __init__(self, path: Path, total: int) -> None:
        self.path = path
        self._starts = np.full(total, -1, np.int64)
        self._lengths = np.zeros(total, np.int32)
        self.end = 0
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                if (index := _index(line, total)) is not None:
                    self._starts[index], self._lengths[index] = self.end, len(line)
                self.end += len(line)
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115

    def get(self, index: int) -> str | None:
        """The line of an item, without its end; None if it has none."""
        if self._starts[index] < 0:
            return None
        self._file.seek(int(self._starts[index]))
        return self._file.read(int(self._lengths[index])).decode().rstrip("\n")

    def in_order(self) -> Iterator[str]:
        """All lines by index, each with its end."""
        for index in range(len(self._starts)):
            yield f"{self.get(index)}\n"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Journal(Lines):
    """The journal of a dataset in the making; begins with the manifest if the dataset was finished before.

    Parameters
    ----------
    out : Path
        Folder of the dataset.
    total : int
        Number of items; indices are smaller.
    """

    def __init__(self, out: Path, total: int) -> None:
        path = out / WORK / JOURNAL
        if not path.exists():
            finished = out / MANIFEST
            with open(finished if finished.exists() else os.devnull, "rb") as before:
                write(out, f"{WORK}/{JOURNAL}", before)
        super().__init__(path, total)
        self._appended = open(path, "ab", buffering=0)  # noqa: SIM115
        self._appended.truncate(self.end)

    def append(self, lines: Iterable[tuple[int, str]]) -> None:
        """Record finished items; a process killed meanwhile leaves a torn line, which is skipped."""
        encoded = [(index, f"{text}\n".encode()) for index, text in lines]
        left = memoryview(b"".join(data for _, data in encoded))
        try:
            while left:
                left = left[self._appended.write(left) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        for index, data in encoded:
            self._starts[index], self._lengths[index] = self.end, len(data)
            self.end += len(data)

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._appended.close()


def _index(line: bytes, total: int) -> int | None:
    try:
        record = parse_json(line.decode())
        index, files, kind = record["index"], record["files"], record["kind"]
        texts = [kind, *(part[name] for part in files.values() for name in ("path", "sha256"))]
        whole = all(isinstance(text, str) for text in texts)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return index if whole and type(index) is int and 0 <= index < total else None
