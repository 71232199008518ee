"""One item of a dataset from its recipe and its index: a pure function, wherever and whenever it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import BoundedCache
from nsa_augment._shared.decoding import is_stored_grey
from nsa_augment._shared.images import check_values, encode_png, read_image
from nsa_augment._shared.types import Image
from nsa_augment.datasets._folder import digest, read_bytes
from nsa_augment.datasets.layouts import number
from nsa_augment.datasets.recipe import Recipe
from nsa_augment.planning.plan import SynthesisPlan
from nsa_augment.planning.silence import silence_expected
from nsa_augment.scenes.scene import PreparedSource
from nsa_augment.sources import SourcePool
from nsa_augment.synthesis import SynthesisResult

ATTEMPTS = 100
"""Limit of draws of an image, a source and a plan for one item; they end with the first visible change."""

CACHE_MIB = 256


@dataclass(frozen=True)
class Item:
    """Line of the manifest, and content of the files by path below the folder of the dataset."""

    record: dict[str, Any]
    files: dict[str, bytes]


class ItemMaker:
    """Makes the items of a recipe; keeps decoded images, up to some hundred MiB.

    Parameters
    ----------
    recipe : Recipe
    folder : path-like, optional
        Where the images are; None: where the recipe says.

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

    def __init__(self, recipe: Recipe, folder: str | os.PathLike[str] | None = None) -> None:
        self.recipe = recipe
        self._folder = Path(recipe.folder if folder is None else folder)
        self._task = recipe.make_task()
        self._grey: dict[str, bool] = {}
        self._images = BoundedCache(CACHE_MIB * 2**20)
        self._sources = SourcePool([self._folder / name for name in recipe.pool], CACHE_MIB, self._task.max_value)

    def make(self, index: int) -> Item:
        """Item `index`: an anomaly, or (from `recipe.count` on) a normal image."""
        if index >= self.recipe.count:
            return self._normal(index)
        for image, source, result in self._draws(index):
            if result.mask.any():
                return self._anomaly(index, image, source, result)
        return self._anomaly(index, image, source, self._synthesize(image, source, replace(result.plan, patches=())))

    def remake(self, record: Mapping[str, Any]) -> Item:
        """The item of a line of the manifest, by its plan; drawing nothing."""
        if record["kind"] == "normal":
            return self._normal(record["index"])
        plan = SynthesisPlan.from_dict(record["plan"])
        result = self._synthesize(record["image"], record["source"], plan)
        return self._anomaly(record["index"], record["image"], record["source"], result)

    def placed_draws(self, index: int) -> int:
        """How many draws of an item find a place for a patch, whether it changes anything or not."""
        return sum(bool(result.plan.patches) for _, _, result in self._draws(index))

    def _draws(self, index: int) -> Iterator[tuple[str, str | None, SynthesisResult]]:
        """Image, source and what is made of them, drawn again and again."""
        rng = np.random.default_rng([self.recipe.seed, index])
        for _ in range(ATTEMPTS):
            image, source = self._draw_names(rng)
            yield image, source, self._synthesize(image, source, rng)

    def _draw_names(self, rng: np.random.Generator) -> tuple[str, str | None]:
        """Names of an image and of its source: another one, if there is another."""
        pool = self.recipe.pool
        image, shift = int(rng.integers(len(pool))), 1 + int(rng.integers(max(len(pool) - 1, 1)))
        source = pool[(image + shift) % len(pool)] if self._task.needs_source else None
        return pool[image], source

    def _synthesize(self, name: str, source: str | None, how: np.random.Generator | SynthesisPlan) -> SynthesisResult:
        image = self._read(name)
        prepared: PreparedSource | None = None
        if source is not None:
            self._is_grey(source)
            prepared = self._sources.prepare(self._folder / source, image, self._task)
        try:
            if isinstance(how, SynthesisPlan):
                return self._task.apply(image, prepared, how)
            with silence_expected():
                return self._task(image, prepared, how)
        except (TypeError, ValueError) as error:
            raise ValueError(f"cannot use {self._folder / name} with source {source}: {error}") from error

    def _read(self, name: str) -> Image:
        """Pixels of an image, with the channels and bits of its file; floats in 16 bits."""

        def make() -> tuple[Image, int]:
            path, scale = self._folder / name, self._task.scale
            pixels = read_image(path, grey=self._is_grey(name), deep=True, scale=scale)
            if pixels.dtype.kind == "f":
                check_values(path, pixels, scale)
                pixels = scale.as_dtype(pixels, np.dtype(np.uint16), scale.maximum(pixels.dtype))
            return pixels, pixels.nbytes

        image: Image = self._images.get(name, make)
        return image

    def _is_grey(self, name: str) -> bool:
        """Whether a file has one channel; on its first use it is compared with the recipe."""
        if name not in self._grey:
            path = self._folder / name
            data = read_bytes(path)
            if digest(data) != self.recipe.images[name]:
                raise ValueError(f"image file {path} has changed since the dataset was begun")
            self._grey[name] = is_stored_grey(np.frombuffer(data, np.uint8))
        return self._grey[name]

    def _anomaly(self, index: int, image: str, source: str | None, result: SynthesisResult) -> Item:
        layout, placed = self.recipe.layout_kind, bool(result.plan.patches)
        contents = {"image": encode_png(result.image)}
        paths = layout.paths()
        if not placed and layout.unchanged is not None:
            paths["image"] = layout.unchanged
        else:
            contents["mask"] = encode_png(result.mask * np.uint8(255))
            contents["label"] = encode_png(_sixteen_bits(result.label, self.recipe.label_scale))
            contents |= layout.extra_files(result)
        names = {"task": self.recipe.task, "number": number(index, self.recipe.count)}
        files = {role: (paths[role].format(**names), data) for role, data in contents.items()}
        drawn = {
            "source": source,
            "plan": result.plan.to_dict(),
            "seed": [self.recipe.seed, index],
            **layout.record_fields(result),
        }
        return self._item(index, "anomaly" if placed else "unchanged", image, files, drawn)

    def _normal(self, index: int) -> Item:
        path, name = self.recipe.normals[index - self.recipe.count]
        return self._item(index, "normal", name, {"image": (path, encode_png(self._read(name)))}, {})

    def _item(
        self, index: int, kind: str, image: str, files: dict[str, tuple[str, bytes]], drawn: dict[str, Any]
    ) -> Item:
        described = {role: {"path": path, "sha256": digest(data)} for role, (path, data) in files.items()}
        record = {"index": index, "kind": kind, "files": described, "image": image, **drawn}
        return Item({**record, "versions": self.recipe.versions}, dict(files.values()))


def _sixteen_bits(label: NDArray[np.float32], scale: int) -> NDArray[np.uint16]:
    levels = np.multiply(label, np.float32(scale))
    return np.asarray(np.add(levels, np.float32(0.5), out=levels), np.uint16)
