"""Whether image files can be used: finds damaged files, and 16-bit files that use only a sliver of their range."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from nsa_augment._shared.images import read_image
from nsa_augment._shared.notices import Notice, warn_caller
from nsa_augment._shared.scale import BY_DTYPE, Scale
from nsa_augment._shared.wording import counted

Result = TypeVar("Result")

MOST_THREADS = 8
LISTED = 20
"""Most damaged files that an error lists."""
LOOKED_AT = 8
"""Most files to read, evenly spaced, to find how much of their range they use."""
DEPTHS = (10, 12, 14)
"""Bits of cameras whose images are stored as 16 bits."""


def on_every_file(function: Callable[[Path], Result], files: Sequence[Path]) -> list[Result]:
    """Results of a function for files, in their order, computed by several threads."""
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as threads:
        return list(threads.map(function, files))


def damage(file: Path) -> str | None:
    """What is wrong with an image file, or None if it can be decoded."""
    try:
        read_image(file, deep=True)
    except ValueError as error:
        return str(error)
    return None


def check_damaged(damaged: Mapping[str, str], total: int, skip: bool) -> None:
    """Raise one error that lists all damaged files.

    Parameters
    ----------
    damaged : mapping
        What is wrong with each file, by name.
    total : int
        Number of all files.
    skip : bool
        Whether to continue if there are sound files.

    Raises
    ------
    ValueError
        If there are damaged files that are not to be skipped, or no others.
    """
    if not damaged or (skip and len(damaged) < total):
        return
    listed = "; ".join(list(damaged.values())[:LISTED])
    more = f"; and {len(damaged) - LISTED} more" if len(damaged) > LISTED else ""
    remedy = "" if len(damaged) == total else ": remove them, or skip them (skip_damaged=True or --skip-damaged)"
    raise ValueError(f"{len(damaged)} of {counted(total, 'image file')} cannot be used{remedy}: {listed}{more}")


def sliver_note(maxima: Iterable[int]) -> str | None:
    """Advice if 16-bit images use only a sliver of their range, else None.

    Parameters
    ----------
    maxima : iterable of int
        The largest value of each image.

    Examples
    --------
    >>> sliver_note([3800, 3100])
    '16-bit images use only values up to 3800 of 65535, like 12-bit data: max_value=4095 or --max-value 4095 helps'
    >>> sliver_note([60000])
    """
    largest = max(maxima, default=0)
    bits = next((bits for bits in DEPTHS if 0 < largest < 2**bits), None)
    if bits is None:
        return None
    advice = f"like {bits}-bit data: max_value={2**bits - 1} or --max-value {2**bits - 1} helps"
    return f"16-bit images use only values up to {largest} of 65535, {advice}"


def file_sliver_note(files: Sequence[Path], scale: Scale = BY_DTYPE) -> str | None:
    """`sliver_note` for some of the files; None with a given `max_value`, or if they are damaged."""
    if scale != BY_DTYPE:
        return None
    maxima = []
    for index in np.unique(np.linspace(0, len(files) - 1, LOOKED_AT).round().astype(int)):
        try:
            pixels = read_image(files[index], deep=True)
        except ValueError:
            return None
        if pixels.dtype != np.uint16:
            return None
        maxima.append(int(pixels.max()))
    return sliver_note(maxima)


def notice_sliver(files: Sequence[Path], scale: Scale = BY_DTYPE) -> None:
    """Give `file_sliver_note` as a notice."""
    if (note := file_sliver_note(files, scale)) is not None:
        warn_caller(note, Notice)
