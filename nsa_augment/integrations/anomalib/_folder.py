"""A temporary folder that exists as long as something refers to it."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any


class TemporaryFolder:
    """A folder that is removed once the process that created it no longer refers to it; copies share it.

    Parameters
    ----------
    prefix : str
        Start of its name.
    """

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        weakref.finalize(self, _remove, self.path, os.getpid())

    def __deepcopy__(self, memo: dict[int, Any]) -> TemporaryFolder:
        return self

    def __reduce__(self) -> tuple[type[Path], tuple[str]]:
        return Path, (str(self.path),)


def _remove(path: Path, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(path, ignore_errors=True)
