"""The normal images in a dataset, and whether a folder has enough of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nsa_augment._shared.checks import fail
from nsa_augment._shared.images import read_image
from nsa_augment._shared.scale import Scale
from nsa_augment.datasets.layouts.base import LAYOUTS, Layout, number
from nsa_augment.datasets.options import Options, Window

if TYPE_CHECKING:
    from nsa_augment.datasets.recipe import Recipe

NORMAL_STREAM = 1
"""Third part of the seed of a normal image's window, after seed and position: no anomaly shares the stream."""


@dataclass(frozen=True)
class Normal:
    """A normal image of a dataset.

    Parameters
    ----------
    image : str
        Name in the folder of normal images.
    part : str
        Part of the dataset: "train", "val", "test".
    number : str
        Number in the names of its files, if it has all files of an item.
    path : str or None
        Path of its only file otherwise.
    window : Window or None
        Part of the image.
    """

    image: str
    part: str
    number: str = ""
    path: str | None = None
    window: Window | None = None


def normals_of(recipe: Recipe) -> Iterator[Normal]:
    """Normal images of the layout, then the backgrounds."""
    layout, options = recipe.layout_kind, recipe.options
    for position, (template, name) in enumerate(layout.normals(list(recipe.images))):
        path, part = recipe.path(template, "", recipe.task, ""), layout.normal_split(template)
        if options.tile is None:
            yield Normal(name, part, path=path, window=_window(recipe, position, name))
            continue
        for window in options.grid(recipe.sizes[name]):
            stem, dot, suffix = path.rpartition(".")
            yield Normal(name, part, path=f"{stem}_{window[0]}_{window[1]}{dot}{suffix}", window=window)
    for position in range(options.backgrounds):
        part, place = recipe.place_of(position)
        name = recipe.pools[part][place]
        called = f"background_{number(position, options.backgrounds)}"
        yield Normal(name, part, number=called, window=_window(recipe, position, name))


def check_layout(kind: type[Layout], options: Options) -> None:
    """ValueError if a layout does not support the options."""
    layout = kind()
    if options.split and not layout.can_be_split:
        able = [name for name in LAYOUTS if LAYOUTS[name]().can_be_split]
        accepted = (
            f"0 with layout={kind.name!r}, whose path of images has no {{split}} (those of {', '.join(able)} have)"
        )
        raise fail(ValueError, "split", accepted, options.split)
    if options.backgrounds and layout.normals_of_its_own:
        accepted = f"0 with layout={kind.name!r}, which has normal images anyway"
        raise fail(ValueError, "backgrounds", accepted, options.backgrounds)


def check_enough(pools: Mapping[str, Sequence[str]], options: Options) -> None:
    """ValueError if a part of the dataset has fewer normal images than backgrounds."""
    if not options.backgrounds:
        return
    last = [options.place_of(position) for position in range(options.backgrounds)]
    for part, names in enumerate(pools.values()):
        needed = sum(place == part for place, _ in last)
        if needed > len(names):
            which = f" in the part {list(pools)[part]!r}" if options.split else ""
            message = f"backgrounds must be at most {len(names)}, the number of normal images{which}"
            raise ValueError(f"{message}, got {needed}")


def window_sizes(folder: Path, names: Sequence[str], options: Options, scale: Scale) -> dict[str, list[int]]:
    """Height and width of each image, if items are windows; ValueError if one is smaller than a window."""
    if options.window is None:
        return {}
    sizes = {name: list(read_image(folder / name, deep=True, scale=scale).shape[:2]) for name in names}
    argument = "tile" if options.tile else "crop"
    for name, size in sizes.items():
        if any(have < need for have, need in zip(size, options.window, strict=True)):
            accepted = f"at most as large as every image; {folder / name} is {size[0]} x {size[1]}"
            raise fail(ValueError, argument, accepted, options.window)
    return sizes


def _window(recipe: Recipe, position: int, name: str) -> Window | None:
    if recipe.options.window is None:
        return None
    rng = np.random.default_rng([recipe.seed, position, NORMAL_STREAM])
    return recipe.options.draw_window(recipe.sizes[name], rng)
