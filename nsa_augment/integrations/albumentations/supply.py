"""The sources of a transform: drawn, read, and prepared for each target of a call."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from nsa_augment._shared.checks import channels, fail
from nsa_augment._shared.foreign import as_pixels
from nsa_augment._shared.mask_files import ALPHA, read_mask
from nsa_augment._shared.types import Image
from nsa_augment.integrations.albumentations.arguments import pick_source
from nsa_augment.integrations.albumentations.targets import ImageTarget
from nsa_augment.scenes.scene import PreparedSource
from nsa_augment.sources import Source, SourcePool, Sources, decode, open_pool
from nsa_augment.tasks import AnomalyTask

PREVIOUS = "previous"
Transform: TypeAlias = Callable[[Image, np.random.Generator, random.Random], Image]


class Supply:
    """The sources of a transform.

    Parameters
    ----------
    task : AnomalyTask
    sources : as for `NSA`
    paired : mapping of target to sources, optional
    cache_mib : float
    channel_order : "rgb" or "bgr"
    object_masks : folder or "alpha", optional
        Object masks of `sources`.
    """

    def __init__(
        self,
        task: AnomalyTask,
        sources: Sources | None,
        paired: Mapping[str, Sources] | None,
        cache_mib: float,
        channel_order: str,
        object_masks: str | os.PathLike[str] | None = None,
    ) -> None:
        self._task, self._channel_order = task, channel_order
        self.from_previous = isinstance(sources, str) and sources == PREVIOUS
        self._previous: dict[str, Image] | None = None
        given = None if self.from_previous else sources
        self._pool = open_pool(given, cache_mib, task.max_value, channel_order, object_masks)
        pools = {key: open_pool(one, cache_mib, task.max_value, channel_order) for key, one in (paired or {}).items()}
        self._paired = {key: pool for key, pool in pools.items() if pool is not None}
        for key, pool in self._paired.items():
            _check_pairs(key, self._pool, pool)
        self._prepared: tuple[Any, Any, PreparedSource] | None = None

    @property
    def empty(self) -> bool:
        """Whether there are no sources except those given with calls."""
        return self._pool is None and not self.from_previous

    def draw(self, generator: np.random.Generator) -> Mapping[str, Source] | None:
        """A source for the first target, and for each target with paired sources; None if there is none yet."""
        if self.from_previous or self._pool is None:
            return self._previous
        if not self._paired:
            return {"image": self._pool.draw(generator)}
        index = self._pool.draw_index(generator)
        return {"image": self._pool[index], **{key: pool[index] for key, pool in self._paired.items()}}

    def remember(self, targets: list[ImageTarget], reference: Image) -> None:
        """Keep the images of a call for the next one."""
        if self.from_previous:
            others = [target for target in targets if not target.stack_shape and target.key != target.kind]
            unlike = {t.key: t.value.copy() for t in others if channels(t.value) != channels(reference)}
            self._previous = {"image": reference.copy(), **unlike}

    def given(self, name: str, value: Any, generator: np.random.Generator) -> Mapping[str, Image]:
        """The sources given with a call."""
        sources = pick_source(name, value, generator)
        for source in sources.values():
            self._task.scale.check_image(name, source)
        return sources

    def transformed(
        self, source: Source, image: Image, transform: Transform, generator: np.random.Generator, other: random.Random
    ) -> Image:
        """A source after `source_transform`, as a NumPy array."""
        pixels = self._read(source, image)
        result = as_pixels("source_transform(source)", transform(pixels, generator, other))
        self._task.scale.check_image("source_transform(source)", result)
        return result

    def mask_record(self, source: Source) -> str | None:
        """The record of the object mask of a source, for replays: its place."""
        return None if self._pool is None else self._pool.mask_record(source)

    def prepare(self, record: Any, image: Image, mask_record: str | None = None) -> PreparedSource:
        """A recorded source as the task uses it for images like `image`; keeps the last one."""
        kept, form = self._prepared, (image.shape, image.dtype)
        if kept is not None and kept[0] is record and kept[1] == form:
            return kept[2]
        source = Path(record) if isinstance(record, str) else record
        if self._pool is None:
            pixels = decode(source, image, self._task.scale, self._channel_order)
            mask = None
            if mask_record is not None and isinstance(source, Path):
                file = None if mask_record == ALPHA else Path(mask_record)
                mask = read_mask("object_masks", source, file, (pixels.shape[0], pixels.shape[1]))
            prepared = self._task.prepare_source(pixels, image.shape[:2], mask)
        else:
            prepared = self._pool.prepare(source, image, self._task)
        self._prepared = record, form, prepared
        return prepared

    def forget(self) -> None:
        """Free the source of a call."""
        self._prepared = None

    def _read(self, source: Source, image: Image) -> Image:
        if self._pool is None:
            return decode(source, image, self._task.scale, self._channel_order)
        return self._pool.read(source, image, self._task)


def as_record(source: Source) -> Any:
    """The record of a source, for replays: its path as a string, or the array itself."""
    return str(source) if isinstance(source, Path) else source


def _check_pairs(key: str, pool: SourcePool | None, paired: SourcePool) -> None:
    name = f"paired_sources[{key!r}]"
    if pool is None or not (pool.countable and paired.countable):
        raise ValueError(f"{name} must be a folder or a list, and so must sources, got a callable, or no sources")
    if len(pool) != len(paired):
        raise ValueError(f"{name} must hold as many images as sources ({len(pool)}), got {len(paired)}")
    for one, other in zip(
        map(pool.__getitem__, range(len(pool))), map(paired.__getitem__, range(len(pool))), strict=True
    ):
        if isinstance(one, Path) and isinstance(other, Path) and one.stem != other.stem:
            raise fail(ValueError, name, f"files of the same names as sources (one for {one.name})", other.name)
