"""Atomic writing of files: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

TEMPORARY = ".tmp"
"""End of the names of files being written."""


def write_file(
    path: str | os.PathLike[str], content: Iterable[bytes], folder: str | os.PathLike[str] | None = None
) -> None:
    """Write a file under a temporary name, then rename it.

    Parameters
    ----------
    path : path-like
        Replaced if it exists.
    content : iterable of bytes
    folder : path-like, optional
        Folder of the temporary file, on the same file system; None: beside `path`.

    Raises
    ------
    OSError
        The message names the file; nothing is left behind.
    """
    target = Path(path)
    temporary = Path(target.parent if folder is None else folder) / f".{uuid4().hex}{TEMPORARY}"
    try:
        with open(temporary, "xb") as file:
            file.writelines(content)
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise
