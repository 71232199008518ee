"""Source images: from a folder, images in many forms, a dataset, or a callable; with a bounded cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import BoundedCache
from nsa_augment._shared.checks import channels, check_choice, check_number, fail
from nsa_augment._shared.foreign import as_pixels, is_dataset, is_tensor, item_image
from nsa_augment._shared.images import check_values, list_images, read_image
from nsa_augment._shared.mask_files import ALPHA, MaskFiles
from nsa_augment._shared.scale import BY_DTYPE, Scale
from nsa_augment._shared.soundness import check_damaged, damage, on_every_file
from nsa_augment._shared.types import Image, Size
from nsa_augment.scenes.scene import PreparedSource
from nsa_augment.tasks import AnomalyTask

Source: TypeAlias = Path | Image
Sources: TypeAlias = str | os.PathLike[str] | Sequence[Any] | Image | Callable[[np.random.Generator], Any]
"""A folder, a list, an array, a tensor, a dataset (anything with `len` and integer indices), or a callable."""


class MaskReader(Protocol):
    """Masks of image files."""

    def file_of(self, image: Path, /) -> Path | None:
        """The file with the mask of an image file; None for its alpha channel."""

    def read(self, image: Path, size: Size, /) -> NDArray[Any]:
        """(H, W) mask of an image file of `size`."""


ObjectMasks: TypeAlias = str | os.PathLike[str] | MaskReader | None

CHANNEL_ORDERS = ("rgb", "bgr")
_ACCEPTED = (
    "a folder, a non-empty list of image paths, arrays, PIL images or tensors, an array (N, H, W, C), a tensor "
    "(N, C, H, W), a dataset of images, or a callable rng -> image"
)


class SourcePool:
    """Normal images to cut patches from.

    Parameters
    ----------
    sources : path-like, sequence, array, tensor, dataset or callable
        A folder of images (``folder/**``: with its subfolders); a list of image paths, arrays, PIL images or tensors
        (C, H, W); an array (N, H, W, C) or a tensor (N, C, H, W); a dataset (anything with `len` and integer indices)
        whose items are images, tuples that start with one, or dicts with "image"; or a callable that takes a
        `numpy.random.Generator` and returns an image.
    cache_mib : float
        Size in MiB of the cache of decoded and resized images, their object masks and tables (in each process that
        uses the pool). 0 turns it off.
    max_value : float, optional
        Value of grey level 255 in arrays; None: 255, 65535 or 1 by dtype.
    channel_order : "rgb" or "bgr"
        Order in which files and PIL images are decoded; arrays and tensors are taken as they are.
    recursive : bool
        Whether to read the subfolders of a folder, too.
    object_masks : folder, "alpha", or masks by image file, optional
        Object masks of the sources, instead of the background model of a task; only if the sources are files.

    Raises
    ------
    TypeError, ValueError
        If `sources` is something else, or the folder is missing or has no images.

    Examples
    --------
    >>> images = [np.full((8, 8), level, np.uint8) for level in (10, 20)]
    >>> pool = SourcePool(images)
    >>> int(pool.draw(np.random.default_rng(0))[0, 0])
    20
    """

    def __init__(
        self,
        sources: Sources,
        cache_mib: float = 256,
        max_value: float | None = None,
        channel_order: str = "rgb",
        recursive: bool = False,
        object_masks: ObjectMasks = None,
    ) -> None:
        self._cache = BoundedCache(int(check_number("cache_mib", cache_mib, 0) * 2**20))
        check_choice("channel_order", channel_order, CHANNEL_ORDERS)
        self._scale, self._channel_order = Scale(max_value), channel_order
        self._draw: Callable[[np.random.Generator], Any] | None = None
        self._sources: list[Source] = []
        if isinstance(sources, (str, os.PathLike)):
            self._sources = list(list_images(sources, recursive=recursive))
        elif recursive:
            raise fail(ValueError, "recursive", "False unless sources is a folder", recursive)
        elif isinstance(sources, Sequence) or (isinstance(sources, np.ndarray) or is_tensor(sources)):
            self._sources = [self._checked(source) for source in _entries(sources)]
        elif callable(sources):
            self._draw = sources
        elif is_dataset(sources):
            self._draw = self._dataset_draw(sources)
        else:
            raise fail(TypeError, "sources", _ACCEPTED, sources)
        self._kept = {id(source) for source in self._sources}
        self._arguments = sources, cache_mib, max_value, channel_order, recursive, object_masks
        if isinstance(object_masks, (str, os.PathLike)):
            files = [source for source in self._sources if isinstance(source, Path)]
            if not files or len(files) < len(self._sources):
                accepted = "None unless sources are a folder or a list of image files"
                raise fail(ValueError, "object_masks", accepted, object_masks)
            object_masks = MaskFiles("object_masks", object_masks, files)
        self._masks = object_masks

    def __reduce__(self) -> tuple[type[SourcePool], tuple[Any, ...]]:
        return SourcePool, self._arguments

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: int) -> Source:
        return self._sources[index]

    @property
    def countable(self) -> bool:
        """Whether sources have indices: neither a callable nor a dataset draws them."""
        return self._draw is None

    def draw(self, rng: np.random.Generator) -> Source:
        """Draw a source uniformly: a path or an array (or what the callable returns)."""
        if self._draw is None:
            return self._sources[self.draw_index(rng)]
        source = as_pixels("sources(rng)", self._draw(rng), self._channel_order)
        self._scale.check_image("sources(rng)", source)
        return source

    def draw_index(self, rng: np.random.Generator) -> int:
        """Draw the index of a source uniformly; only if `countable`."""
        return int(rng.integers(len(self._sources)))

    def _checked(self, source: Any) -> Source:
        if isinstance(source, (str, os.PathLike)):
            return Path(source)
        pixels = as_pixels("every entry of sources", source, self._channel_order)
        self._scale.check_image("every entry of sources", pixels)
        return pixels

    def _dataset_draw(self, dataset: Any) -> Callable[[np.random.Generator], Image]:
        if not len(dataset):
            raise fail(ValueError, "sources", _ACCEPTED, dataset)

        def draw(rng: np.random.Generator) -> Image:
            item = dataset[int(rng.integers(len(dataset)))]
            return item_image("items of sources", item, self._channel_order)

        return draw

    def mask_record(self, source: Source) -> str | None:
        """Where the mask of a source comes from: a file, or "alpha"; None if it has none."""
        if self._masks is None or not isinstance(source, Path):
            return None
        return str(self._masks.file_of(source) or ALPHA)

    def read(self, source: Source, image: Image, task: AnomalyTask) -> Image:
        """Pixels of a source in the dtype of `image`, as from `decode`; those of files are cached."""
        if not isinstance(source, Path):
            return decode(source, image, task.scale)

        def make() -> tuple[Image, int]:
            pixels = decode(source, image, task.scale, self._channel_order)
            return pixels, pixels.nbytes

        pixels: Image = self._cache.get((source, channels(image) == 1, image.dtype, task.scale), make)
        return pixels

    def prepare(self, source: Source, image: Image, task: AnomalyTask) -> PreparedSource:
        """A source as `task` uses it for images of the size, channels and dtype of `image`; cached."""

        def make() -> tuple[PreparedSource, int]:
            pixels = decode(source, image, task.scale, self._channel_order)
            mask = None
            if self._masks is not None and isinstance(source, Path):
                mask = self._masks.read(source, pixels.shape[:2])
            prepared = task.prepare_source(pixels, image.shape[:2], mask)
            return prepared, prepared.nbytes

        if not isinstance(source, Path) and id(source) not in self._kept:
            return make()[0]
        key = source if isinstance(source, Path) else id(source)
        prepared: PreparedSource = self._cache.get((key, image.shape, image.dtype, task.source_key), make)
        return prepared


def open_pool(
    sources: Sources | None,
    cache_mib: float,
    max_value: float | None,
    channel_order: str = CHANNEL_ORDERS[0],
    object_masks: ObjectMasks = None,
) -> SourcePool | None:
    """The pool of a transform that may have no sources, with the arguments of `SourcePool`; None without.

    Raises
    ------
    TypeError, ValueError
        As for `SourcePool`, and for object masks without sources.
    """
    if sources is not None:
        return SourcePool(sources, cache_mib, max_value, channel_order, object_masks=object_masks)
    if object_masks is not None:
        raise fail(ValueError, "object_masks", "None unless sources are files", object_masks)
    return None


def decode(source: Source, image: Image, scale: Scale = BY_DTYPE, channel_order: str = "rgb") -> Image:
    """Pixels of a source in the dtype of `image`; files are read as grey if `image` has one channel."""
    if not isinstance(source, Path):
        return scale.as_dtype(source, image.dtype)
    pixels = read_image(source, grey=channels(image) == 1, deep=image.dtype != np.uint8)
    if pixels.ndim == 3 and channel_order == "bgr":
        pixels = np.ascontiguousarray(pixels[:, :, ::-1])
    if pixels.dtype == np.uint8:
        return scale.as_dtype(pixels, image.dtype)
    check_values(source, pixels, scale)
    return scale.as_dtype(pixels, image.dtype, scale.maximum(pixels.dtype))


def check_sources(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    recursive: bool = False,
    skip_damaged: bool = False,
) -> list[Path]:
    """Decode every image file once, to find damaged ones early.

    Parameters
    ----------
    sources : path-like, or sequence of path-like
        A folder of images, or image files.
    recursive : bool
        Whether to read the subfolders of a folder, too.
    skip_damaged : bool
        Whether to skip damaged files; otherwise they are an error.

    Returns
    -------
    list of Path
        The files that can be decoded: for ``sources=`` of a transform, `AnomalyDataset` or `calibrate`.

    Raises
    ------
    TypeError, ValueError
        If files are damaged; one error lists them all.

    Examples
    --------
    >>> import tempfile
    >>> from nsa_augment._shared.images import encode_png
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "good.png").write_bytes(encode_png(np.zeros((8, 8), np.uint8)))
    >>> _ = (folder / "torn.png").write_bytes(encode_png(np.zeros((8, 8), np.uint8))[:50])
    >>> [file.name for file in check_sources(folder, skip_damaged=True)]
    ['good.png']
    """
    if isinstance(sources, (str, os.PathLike)):
        files = list_images(sources, recursive=recursive)
    elif isinstance(sources, Sequence) and sources and all(isinstance(each, (str, os.PathLike)) for each in sources):
        files = [Path(each) for each in sources]
    else:
        raise fail(TypeError, "sources", "a folder or a non-empty list of image files", sources)
    reasons = on_every_file(damage, files)
    damaged = {str(file): reason for file, reason in zip(files, reasons, strict=True) if reason is not None}
    check_damaged(damaged, len(files), skip_damaged)
    return [file for file in files if str(file) not in damaged]


def _entries(sources: Any) -> list[Any]:
    """The images of a list, or of a stack (array or tensor)."""
    if not isinstance(sources, Sequence) and sources.ndim != 4:
        raise ValueError(f"sources must be {_ACCEPTED}, got a single image or a stack of shape {tuple(sources.shape)}")
    if not len(sources):
        raise fail(ValueError, "sources", _ACCEPTED, sources)
    return list(sources)
