"""Files that commands write: refused before any work is done, and written whole."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import typer
from PIL import Image as PILImage

from nsa_augment._shared.files import write_file
from nsa_augment._shared.images import encode_png
from nsa_augment._shared.page import Pixels
from nsa_augment.sources import check_sources
from nsa_augment.tasks import AnomalyTask

PICTURE_SUFFIXES = (".png",)


def check_file(option: str, file: Path, suffixes: tuple[str, ...] = PICTURE_SUFFIXES) -> None:
    """Refuse a file that could not be written.

    Parameters
    ----------
    option : str
        Name of the option, for errors.
    file : Path
    suffixes : tuple of str
        Accepted file name extensions.

    Raises
    ------
    ValueError
        If its extension is another, or its folder does not exist.

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


def usable(files: list[Path], skip_damaged: bool) -> list[Path]:
    """The files; with `skip_damaged`, without those that cannot be decoded."""
    return check_sources(files, skip_damaged=True) if skip_damaged else files


def tell_of_sizes(files: Sequence[Path], tasks: Sequence[AnomalyTask]) -> None:
    """Print one line if the images differ in size, with what happens to sources of another size."""
    task = next((task for task in tasks if task.needs_source), None)
    sizes = {size for file in files if (size := _size(file)) is not None}
    if len(sizes) < 2 or task is None:
        return
    areas = sorted(sizes, key=lambda size: size[0] * size[1])
    (height, width), (largest_height, largest_width) = areas[0], areas[-1]
    become = {
        "resize": "sources are resized to the image" + ", --set source_fit=native keeps their scale" * task.shift,
        "native": "sources keep their scale",
    }
    typer.echo(
        f"{len(files)} images of {len(sizes)} sizes, {height} x {width} to {largest_height} x {largest_width}: "
        f"{become[task.source_fit]}",
        err=True,
    )


def _size(file: Path) -> tuple[int, int] | None:
    """(height, width) from the header of an image file; None if Pillow cannot read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with PILImage.open(file) as opened:
                return opened.height, opened.width
        except (OSError, ValueError, SyntaxError, PILImage.DecompressionBombError):
            return None


def write_picture(file: Path, page: Pixels) -> None:
    """Write a page as PNG, and print its file name."""
    write_file(file, (encode_png(page),))
    typer.echo(f"wrote {file} ({page.shape[1]} x {page.shape[0]})")
