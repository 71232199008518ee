"""Source images: from a folder, a list of paths or arrays, or a callable; with a bounded cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from nsa_augment._shared.cache import BoundedCache
from nsa_augment._shared.checks import channels, check_number, fail
from nsa_augment._shared.images import list_images, read_image
from nsa_augment._shared.scale import BY_DTYPE, Scale
from nsa_augment._shared.types import Image
from nsa_augment.scenes.scene import PreparedSource
from nsa_augment.tasks import AnomalyTask

Source: TypeAlias = Path | Image
Sources: TypeAlias = str | os.PathLike[str] | Sequence[Any] | Callable[[np.random.Generator], Image]

_ACCEPTED = "a folder, a non-empty list of image paths or arrays, or a callable rng -> image"


class SourcePool:
    """Normal images to cut patches from.

    Parameters
    ----------
    sources : path-like, sequence or callable
        A folder of images, a list of image paths or arrays, or a callable that is given a
        `numpy.random.Generator` and returns an image.
    cache_mib : float
        Decoded images, brought to the size in use, and their object masks and tables are kept up to this many
        MiB (in every process that uses the pool). 0 keeps nothing.
    max_value : float, optional
        Value of grey level 255 in arrays; None: 255, 65535 or 1 by dtype.

    Raises
    ------
    TypeError, ValueError
        If `sources` is something else, or the folder is missing or holds no images.

    Examples
    --------
    >>> images = [np.full((8, 8), level, np.uint8) for level in (10, 20)]
    >>> pool = SourcePool(images)
    >>> int(pool.draw(np.random.default_rng(0))[0, 0])
    20
    """

    def __init__(self, sources: Sources, cache_mib: float = 256, max_value: float | None = None) -> None:
        self._cache = BoundedCache(int(check_number("cache_mib", cache_mib, 0) * 2**20))
        scale = Scale(max_value)
        self._draw: Callable[[np.random.Generator], Image] | None = None
        self._sources: list[Source] = []
        if isinstance(sources, (str, os.PathLike)):
            self._sources = list(list_images(sources))
        elif isinstance(sources, Sequence):
            self._sources = [_check_source(source, scale) for source in sources]
            if not self._sources:
                raise fail(ValueError, "sources", _ACCEPTED, sources)
        elif callable(sources):
            self._draw = sources
        else:
            raise fail(TypeError, "sources", _ACCEPTED, sources)
        self._kept = {id(source) for source in self._sources}
        self._scale = scale
        self._arguments = sources, cache_mib, max_value

    def __reduce__(self) -> tuple[type[SourcePool], tuple[Sources, float, float | None]]:
        return SourcePool, self._arguments

    def __len__(self) -> int:
        return len(self._sources)

    def draw(self, rng: np.random.Generator) -> Source:
        """A path or an array, each with the same probability (or what the callable returns)."""
        if self._draw is not None:
            source = self._draw(rng)
            self._scale.check_image("sources(rng)", source)
            return source
        return self._sources[int(rng.integers(len(self._sources)))]

    def read(self, source: Source, image: Image, task: AnomalyTask) -> Image:
        """Pixels of a source in the dtype of `image`, as `decode` makes them; those of files are kept in the cache."""
        if not isinstance(source, Path):
            return decode(source, image, task.scale)

        def make() -> tuple[Image, int]:
            pixels = decode(source, image, task.scale)
            return pixels, pixels.nbytes

        pixels: Image = self._cache.get((source, channels(image) == 1, image.dtype, task.scale), make)
        return pixels

    def prepare(self, source: Source, image: Image, task: AnomalyTask) -> PreparedSource:
        """A source as `task` uses it for images of the size, channels and dtype of `image`, kept in the cache."""

        def make() -> tuple[PreparedSource, int]:
            prepared = task.prepare_source(decode(source, image, task.scale), image.shape[:2])
            return prepared, prepared.nbytes

        if not isinstance(source, Path) and id(source) not in self._kept:
            return make()[0]
        key = source if isinstance(source, Path) else id(source)
        prepared: PreparedSource = self._cache.get((key, image.shape, image.dtype, task.object_model), make)
        return prepared


def decode(source: Source, image: Image, scale: Scale = BY_DTYPE) -> Image:
    """Pixels of a source in the dtype of `image`: a file as grey if `image` has one channel, else as RGB."""
    if isinstance(source, Path):
        source = read_image(source, grey=channels(image) == 1, deep=image.dtype != np.uint8)
    return scale.as_dtype(source, image.dtype)


def _check_source(source: Any, scale: Scale) -> Source:
    if isinstance(source, (str, os.PathLike)):
        return Path(source)
    scale.check_image("every entry of sources", source)
    return source  # type: ignore[no-any-return]
