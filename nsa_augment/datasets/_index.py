"""Texts of the files about a whole dataset, from the lines of its journal or manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from nsa_augment.datasets._journal import Lines
from nsa_augment.datasets.layouts.base import Records
from nsa_augment.datasets.recipe import Recipe


def index_texts(recipe: Recipe, lines: Lines) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the path and the text, in parts, of every file that the layout writes about the dataset."""
    for path, text in recipe.layout_kind.index_files(recipe).items():
        yield path, _parts(recipe, lines, text)


def _parts(recipe: Recipe, lines: Lines, text: Callable[[Recipe, Records], Iterable[str]]) -> Iterator[str]:
    """ValueError if the lines do not hold what the layout needs."""
    try:
        yield from text(recipe, lambda: map(json.loads, lines.in_order()))
    except (LookupError, TypeError, AttributeError) as error:
        what = f"a line of {lines.path.name} does not hold what layout {recipe.layout!r} wrote there"
        raise ValueError(f"{what} ({type(error).__name__}: {error})") from error
