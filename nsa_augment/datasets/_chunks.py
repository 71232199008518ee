"""What workers do: they make the items of a chunk and return their records."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from nsa_augment._shared.cache import clears
from nsa_augment._shared.registry import modules_of_other_packages
from nsa_augment.datasets._folder import digest
from nsa_augment.datasets._items import Item, ItemMaker
from nsa_augment.datasets._nearness import NEAR, comparable, is_near
from nsa_augment.datasets._workspace import inside, write
from nsa_augment.datasets.recipe import RECIPE, current_versions, load_recipe


@dataclass(frozen=True)
class Chunk:
    """Some items of a dataset, with the records of those made before.

    Parameters
    ----------
    out : str
        Folder of the dataset, the same for all workers.
    recipe : str
        Digest of its recipe.
    run : str
        Differs from call to call: files checked in another run may have changed.
    items : sequence of (index, line of the manifest or None)
    places : sequence of (argument, path)
        Where the normal images and their masks are, if not at the paths of the recipe.
    modules : sequence of str
        Modules that define kinds for the process that hands out the chunk; a worker imports them, too.
    """

    out: str
    recipe: str
    run: str
    items: tuple[tuple[int, str | None], ...]
    places: tuple[tuple[str, str], ...] = ()
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A finished item; its line is None if it existed before."""

    index: int
    kind: str
    line: str | None


def split(
    out: Path, indices: Iterable[int], line: Callable[[int], str | None], size: int, places: Mapping[str, str]
) -> Iterator[Chunk]:
    """Split items into chunks, with the lines of those made before."""
    recipe, run = digest((out / RECIPE).read_bytes()), uuid4().hex
    place, modules, numbers = os.path.abspath(out), modules_of_other_packages(), iter(indices)
    while items := tuple((index, line(index)) for index in islice(numbers, size)):
        yield Chunk(place, recipe, run, items, tuple(places.items()), modules)


def make_chunk(chunk: Chunk) -> list[Made]:
    """Make the items whose files are missing or differ from their records."""
    out = Path(chunk.out)
    maker = _maker_of(chunk)
    for name, here in current_versions().items():
        if here != (wanted := maker.recipe.versions.get(name)):
            raise ValueError(f"{name} must be {wanted} in every worker, got {here}")
    made = []
    for index, line in chunk.items:
        record = None if line is None else json.loads(line)
        if record is not None and maker.holds(record) and not list(wrong_files(out, record)):
            made.append(Made(index, record["kind"], None))
            continue
        item = maker.make(index)
        for path, data in item.files.items():
            write(out, path, (data,))
        if record is not None and record["kind"] != "normal":
            _remove_renamed(out, record, item)
        made.append(Made(index, item.record["kind"], json.dumps(item.record)))
    return made


def _remove_renamed(out: Path, record: dict[str, Any], item: Item) -> None:
    """Remove files of an item whose names have changed, as a larger `count` has more digits."""
    for described in record["files"].values():
        if described["path"] not in item.files:
            with suppress(OSError, ValueError):
                inside(out, described["path"]).unlink()


def wrong_files(out: Path, record: dict[str, Any], kept: dict[str, bytes] | None = None) -> Iterator[tuple[str, str]]:
    """Yield the path of each file that differs from its record, and what is wrong with it.

    The contents of the others go into `kept`.
    """
    for described in record["files"].values():
        path = described["path"]
        try:
            data = inside(out, path).read_bytes()
        except FileNotFoundError:
            yield path, "missing"
        except (OSError, ValueError) as error:
            yield path, f"cannot be read: {getattr(error, 'strerror', None) or error}"
        else:
            if digest(data) != described["sha256"]:
                yield path, "changed"
            elif kept is not None:
                kept[path] = data


def check_chunk(chunk: Chunk) -> list[list[tuple[str, str]]]:
    """Regenerate items from their plans and name the files that differ: a list per item."""
    out = Path(chunk.out)
    maker = _maker_of(chunk)
    return [list(_check_item(out, maker, index, line)) for index, line in chunk.items]


def _check_item(out: Path, maker: ItemMaker, index: int, line: str | None) -> Iterator[tuple[str, str]]:
    if line is None:
        yield f"item {index}", "has no line in the manifest"
        return
    record, files = json.loads(line), dict[str, bytes]()
    wrong = list(wrong_files(out, record, files))
    yield from wrong
    try:
        again = maker.remake(record)
    except (ValueError, TypeError, KeyError) as error:
        yield f"item {index}", f"cannot be made again: {error}"
        return
    differing = [path for path, data in files.items() if again.files.get(path) != data]
    other_record = comparable(again.record) != comparable(record)
    if (differing or other_record) and not wrong and is_near(maker, record, again, files):
        yield record["files"]["image"]["path"], NEAR
        return
    for path in differing:
        yield path, "differs from what its plan makes"
    if other_record:
        yield f"item {index}", "differs in the manifest from what its plan makes"


def forget() -> None:
    """Free the memory of decoded images."""
    _maker.cache_clear()


def _maker_of(chunk: Chunk) -> ItemMaker:
    """The maker of a chunk's items, after importing the modules that define the sender's kinds."""
    missing = _import(chunk.modules)
    try:
        return _maker(chunk.out, chunk.recipe, chunk.run, chunk.places)
    except ValueError as error:
        if not missing:
            raise
        raise ValueError(f"{error}; this worker could not import {', '.join(missing)}") from error


@lru_cache(maxsize=1)
def _import(modules: tuple[str, ...]) -> list[str]:
    """Import modules; returns those that failed, with reasons, which matter only if the dataset needs them."""
    missing = []
    for module in modules:
        try:
            import_module(module)
        except Exception as error:
            missing.append(f"{module} ({type(error).__name__}: {error})")
    return missing


@lru_cache(maxsize=1)
def _maker(out: str, recipe: str, run: str, places: tuple[tuple[str, str], ...]) -> ItemMaker:
    """Keeps decoded images between chunks; reads the recipe from its file, which keeps chunks small."""
    path = Path(out) / RECIPE
    if digest(path.read_bytes()) != recipe:
        raise ValueError(f"{path} has changed while the dataset was in use")
    return ItemMaker(load_recipe(Path(out)).moved(**dict(places)))


clears(forget)
