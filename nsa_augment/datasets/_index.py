"""Text of the file about a whole dataset, from the lines of its journal or manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator

from nsa_augment.datasets._journal import Lines
from nsa_augment.datasets.recipe import Recipe


def index_text(recipe: Recipe, lines: Lines) -> Iterator[str]:
    """What the layout writes, in parts; ValueError if the lines do not hold what it needs."""
    try:
        yield from recipe.layout_kind.index_text(recipe, lambda: map(json.loads, lines.in_order()))
    except (LookupError, TypeError, AttributeError) as error:
        what = f"a line of {lines.path.name} does not hold what layout {recipe.layout!r} wrote there"
        raise ValueError(f"{what} ({type(error).__name__}: {error})") from error
