"""One item of a dataset, as a pure function of its recipe and its index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import BoundedCache
from nsa_augment._shared.decoding import is_stored_grey
from nsa_augment._shared.images import check_values, encode_png, read_image
from nsa_augment._shared.types import Image
from nsa_augment.datasets._fields import MASKS
from nsa_augment.datasets._folder import digest, read_bytes
from nsa_augment.datasets._masks import RecordedMasks
from nsa_augment.datasets.layouts.base import number
from nsa_augment.datasets.options import Window, moved_inside, part_of
from nsa_augment.datasets.recipe import Recipe
from nsa_augment.planning.plan import SynthesisPlan
from nsa_augment.planning.silence import silence_expected
from nsa_augment.scenes.scene import PreparedSource, sizes_expected
from nsa_augment.sources import SourcePool
from nsa_augment.synthesis import SynthesisResult, made_before
from nsa_augment.tasks import AnomalyTask

ATTEMPTS = 100
"""Most draws of image, source and plan for an item; the first visible change ends them."""

CACHE_MIB = 256


GOOD = "good"
"""Label of an image without anomaly, as in MVTec AD."""

WINDOWS = ("window", "source_window")
"""Fields of `Pair` that the manifest holds if items are windows of images."""


@dataclass(frozen=True)
class Pair:
    """Names of an image and of its source, and the windows of them that an item is made from."""

    image: str
    source: str | None
    window: Window | None = None
    source_window: Window | None = None


@dataclass(frozen=True)
class Item:
    """Line of the manifest, and contents of the files by path below the folder of the dataset."""

    record: dict[str, Any]
    files: dict[str, bytes]


class ItemMaker:
    """Makes the items of a recipe; caches decoded images, up to some hundred MiB.

    Parameters
    ----------
    recipe : Recipe

    Examples
    --------
    >>> import tempfile
    >>> from nsa_augment import NaturalSyntheticAnomaly
    >>> from nsa_augment.samples import draw_sample
    >>> folder = Path(tempfile.mkdtemp())
    >>> for index in range(3):
    ...     _ = (folder / f"{index}.png").write_bytes(encode_png(draw_sample("hide", index, size=64).image))
    >>> recipe = Recipe.create(folder, NaturalSyntheticAnomaly(), count=10, seed=1, layout="masks")
    >>> item = ItemMaker(recipe).make(7)
    >>> list(item.files)
    ['images/007.png', 'masks/007.png', 'labels/007.png']
    >>> ItemMaker(recipe).make(7) == item
    True
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._folder = Path(recipe.folder)
        self._masks = {name: RecordedMasks(name, each, self._folder) for name, each in recipe.masks.items()}
        self._tasks = recipe.make_tasks()
        self._grey: dict[str, bool] = {}
        self._images = BoundedCache(CACHE_MIB * 2**20)
        names = [name for names in recipe.pools.values() for name in names]
        self._sources = SourcePool(
            [self._folder / name for name in names],
            CACHE_MIB,
            self._tasks[0].max_value,
            object_masks=self._masks.get("object_masks"),
        )

    def make(self, index: int) -> Item:
        """Item `index`: an anomaly, or (from `recipe.count` on) a normal image."""
        if index >= self.recipe.count:
            return self._normal(index)
        task = self._tasks[self.recipe.class_of(index)]
        for pair, result in self._draws(index):
            if result.mask.any():
                return self._anomaly(index, pair, result)
        return self._anomaly(index, pair, self._synthesize(task, pair, replace(result.plan, patches=())))

    def remake(self, record: Mapping[str, Any], image: Image | None = None) -> Item:
        """The item of a line of the manifest, from its plan, without drawing; with `image`, labelled as that."""
        index = record["index"]
        if index >= self.recipe.count:
            return self._normal(index)
        pair = Pair(record["image"], record["source"], *(record.get(name) for name in WINDOWS))
        task = self._tasks[self.recipe.class_of(index)]
        with nullcontext() if image is None else made_before(image):
            result = self._synthesize(task, pair, SynthesisPlan.from_dict(record["plan"]))
        return self._anomaly(index, pair, result)

    def plans(self, index: int) -> list[SynthesisPlan]:
        """The plans of all draws of an item."""
        return [result.plan for _, result in self._draws(index)]

    def _draws(self, index: int) -> Iterator[tuple[Pair, SynthesisResult]]:
        """Draw image, source and plan repeatedly; yields the names and the result."""
        rng = np.random.default_rng([self.recipe.seed, index])
        task = self._tasks[self.recipe.class_of(index)]
        for _ in range(ATTEMPTS):
            pair = self._draw_pair(index, task, rng)
            yield pair, self._synthesize(task, pair, rng)

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether a line is about the item with its index; with a smaller `count` other items had it."""
        index, path = record["index"], record["files"].get("image", {}).get("path")
        if index < self.recipe.count:
            if record["kind"] == "normal":
                return False
            templates = (self.recipe.layout_kind.image, self.recipe.layout_kind.unchanged)
            return path in [self._path(index, template) for template in templates if template is not None]
        normal = self.recipe.normals[index - self.recipe.count]
        expected = normal.path or self._path(index, self.recipe.layout_kind.image)
        return record["kind"] == "normal" and bool(path == expected)

    def _draw_pair(self, index: int, task: AnomalyTask, rng: np.random.Generator) -> Pair:
        """Draw an image, its source (another image, if there is one), and windows, if the recipe has them."""
        recipe, options = self.recipe, self.recipe.options
        pool = recipe.pools[recipe.place_of(index)[0]]
        image, shift = int(rng.integers(len(pool))), 1 + int(rng.integers(max(len(pool) - 1, 1)))
        source = pool[(image + shift) % len(pool)] if task.needs_source else None
        pair = Pair(pool[image], source)
        if options.window is None:
            return pair
        window = options.draw_window(recipe.sizes[pair.image], rng)
        return replace(
            pair, window=window, source_window=None if source is None else moved_inside(window, recipe.sizes[source])
        )

    def _synthesize(self, task: AnomalyTask, pair: Pair, how: np.random.Generator | SynthesisPlan) -> SynthesisResult:
        whole = self._read(pair.image)
        image = part_of(whole, pair.window)
        prepared = None if pair.source is None else self._prepare(task, pair.source, pair.source_window, image)
        mask, allowed = (self._mask(argument, pair.image, whole, pair.window) for argument in MASKS)
        try:
            if isinstance(how, SynthesisPlan):
                return task.apply(image, prepared, how, mask=mask)
            with silence_expected():
                return task(image, prepared, how, mask=mask, allowed=allowed)
        except (TypeError, ValueError) as error:
            raise ValueError(f"cannot use {self._folder / pair.image} with source {pair.source}: {error}") from error

    def _prepare(self, task: AnomalyTask, name: str, window: Window | None, image: Image) -> PreparedSource:
        """A source, or a window of it, as `task` uses it for an image."""
        self._is_grey(name)
        path = self._folder / name
        with sizes_expected:
            if window is None:
                return self._sources.prepare(path, image, task)
            whole = self._sources.read(path, image, task)
            mask = self._mask("object_masks", name, whole, window)
            return task.prepare_source(part_of(whole, window), image.shape[:2], mask)

    def _mask(self, argument: str, name: str, whole: Image, window: Window | None) -> NDArray[Any] | None:
        """The mask of an image in a window; None without such masks."""
        masks = self._masks.get(argument)
        return None if masks is None else part_of(masks.read(self._folder / name, whole.shape[:2]), window)

    def _read(self, name: str) -> Image:
        """Pixels of an image with the channels and bit depth of its file; floats as 16 bits."""

        def make() -> tuple[Image, int]:
            path, scale = self._folder / name, self._tasks[0].scale
            pixels = read_image(path, grey=self._is_grey(name), deep=True, scale=scale)
            if pixels.dtype.kind == "f":
                check_values(path, pixels, scale)
                pixels = scale.as_dtype(pixels, np.dtype(np.uint16), scale.maximum(pixels.dtype))
            return pixels, pixels.nbytes

        image: Image = self._images.get(name, make)
        return image

    def _is_grey(self, name: str) -> bool:
        """Whether a file has one channel; compares it with the recipe on first use."""
        if name not in self._grey:
            path = self._folder / name
            data = read_bytes(path)
            if digest(data) != self.recipe.images[name]:
                raise ValueError(f"image file {path} has changed since the dataset was begun")
            self._grey[name] = is_stored_grey(np.frombuffer(data, np.uint8))
        return self._grey[name]

    def _anomaly(self, index: int, pair: Pair, result: SynthesisResult) -> Item:
        recipe, layout = self.recipe, self.recipe.layout_kind
        placed = bool(result.plan.patches)
        task = recipe.tasks[recipe.class_of(index)][0]
        only = None if placed else layout.unchanged
        files = (
            self._files(index, result, recipe.class_of(index))
            if only is None
            else {"image": (self._path(index, only), encode_png(result.image))}
        )
        windows = {name: getattr(pair, name) for name in WINDOWS} if pair.window else {}
        drawn = {
            "source": pair.source,
            "plan": result.plan.to_dict(),
            "seed": [recipe.seed, index],
            **windows,
            **layout.record_fields(result),
        }
        facts = task if placed else GOOD, recipe.place_of(index)[0]
        return self._item(index, "anomaly" if placed else "unchanged", pair.image, files, facts, drawn)

    def _files(self, index: int, result: SynthesisResult, number: int) -> dict[str, tuple[str, bytes]]:
        """Path and contents of every file of an item, by role."""
        layout = self.recipe.layout_kind
        contents = {
            "image": encode_png(result.image),
            "mask": encode_png(result.mask * np.uint8(255)),
            "label": encode_png(_sixteen_bits(result.label, self.recipe.label_scale)),
            **layout.class_files(result, number),
        }
        paths = layout.paths()
        return {role: (self._path(index, paths[role]), data) for role, data in contents.items()}

    def _path(self, index: int, template: str) -> str:
        recipe = self.recipe
        if index >= recipe.count:
            normal = recipe.normals[index - recipe.count]
            return recipe.path(template, normal.number, recipe.task, normal.part)
        task, (part, _) = recipe.tasks[recipe.class_of(index)][0], recipe.place_of(index)
        return recipe.path(template, number(index, recipe.count), task, part)

    def _normal(self, index: int) -> Item:
        layout, normal = self.recipe.layout_kind, self.recipe.normals[index - self.recipe.count]
        pixels = part_of(self._read(normal.image), normal.window)
        drawn: dict[str, Any] = {} if normal.window is None else {"window": normal.window}
        if normal.path is None:
            size = pixels.shape[:2]
            mask = self._mask("object_masks", normal.image, self._read(normal.image), normal.window)
            result = self._tasks[0].apply(pixels, pixels, SynthesisPlan(size, size), mask=mask, source_mask=mask)
            files = self._files(index, result, 0)
            drawn |= layout.record_fields(result)
        else:
            files = {"image": (normal.path, encode_png(pixels))}
        return self._item(index, "normal", normal.image, files, (GOOD, normal.part), drawn)

    def _item(
        self,
        index: int,
        kind: str,
        image: str,
        files: dict[str, tuple[str, bytes]],
        facts: tuple[str, str],
        drawn: dict[str, Any],
    ) -> Item:
        described = {role: {"path": path, "sha256": digest(data)} for role, (path, data) in files.items()}
        record = {"index": index, "kind": kind, "files": described, "image": image}
        if self.recipe.edition > 1:
            paths = {f"{role}_path": files[role][0] if role in files else None for role in ("image", "mask")}
            record |= {**paths, "label": facts[0], "split": facts[1]}
        record |= drawn
        return Item({**record, "versions": self.recipe.versions}, dict(files.values()))


def _sixteen_bits(label: NDArray[np.float32], scale: int) -> NDArray[np.uint16]:
    levels = np.multiply(label, np.float32(scale))
    return np.asarray(np.add(levels, np.float32(0.5), out=levels), np.uint16)
