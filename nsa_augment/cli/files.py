"""Files that commands write: refused before any work is done, and written whole."""

from __future__ import annotations

from pathlib import Path

import typer

from nsa_augment._shared.files import write_file
from nsa_augment._shared.images import encode_png
from nsa_augment._shared.page import Pixels

PICTURE_SUFFIXES = (".png",)


def check_file(option: str, file: Path, suffixes: tuple[str, ...] = PICTURE_SUFFIXES) -> None:
    """Refuse a file that could not be written.

    Parameters
    ----------
    option : str
        What errors call it.
    file : Path
    suffixes : tuple of str
        How its name may end.

    Raises
    ------
    ValueError
        If its name ends otherwise, or its folder does not exist.

    Examples
    --------
    >>> check_file("--output", Path("page.jpg"))
    Traceback (most recent call last):
    ValueError: --output must end in .png, got page.jpg
    """
    if file.suffix.lower() not in suffixes:
        raise ValueError(f"{option} must end in {' or '.join(suffixes)}, got {file}")
    if not file.parent.is_dir():
        raise ValueError(f"{option} must lie in an existing folder, got {file}")


def write_picture(file: Path, page: Pixels) -> None:
    """Write a page as PNG, and say so."""
    write_file(file, (encode_png(page),))
    typer.echo(f"wrote {file} ({page.shape[1]} x {page.shape[0]})")
