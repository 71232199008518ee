"""The sample set as files, in the folders of MVTec AD."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_choice, check_integer, fail
from nsa_augment._shared.files import write_file
from nsa_augment._shared.images import encode_png

from ._defects import DEFECTS, draw_defect
from ._products import PRODUCTS, check_size, draw_sample

__all__ = ["free_folders", "write_samples"]

FIRST_TEST = 1_000_000  # the normal test images do not depend on the number of training images


def free_folders(folder: str | os.PathLike[str], products: str | Iterable[str] | None = None) -> dict[str, Path]:
    """The folders for products, all empty or missing.

    Parameters
    ----------
    folder : path-like
        Parent folder of the products' folders.
    products : str, iterable of str, or None
        Keys of `PRODUCTS`; None for all.

    Returns
    -------
    dict
        Folder by product, in the order given.

    Raises
    ------
    ValueError
        For an unknown product, no product, or a folder that is in use.
    TypeError
        For a `folder` that is no path or `products` that are no strings.

    Examples
    --------
    >>> free_folders("no such folder", "bolt")["bolt"].name
    'bolt'
    """
    if not isinstance(folder, (str, os.PathLike)):
        raise fail(TypeError, "folder", "a path", folder)
    names = list(dict.fromkeys(_names(products)))
    if not names:
        raise fail(ValueError, "products", "at least one of " + ", ".join(map(repr, PRODUCTS)), products)
    targets = {name: Path(folder) / name for name in names}
    for name, target in targets.items():
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise fail(ValueError, "folder", f"a folder in which {name!r} does not exist or is empty", str(folder))
    return targets


def write_samples(
    folder: str | os.PathLike[str],
    products: str | Iterable[str] | None = None,
    *,
    size: int = 256,
    train: int = 48,
    good: int = 12,
    defective: int = 8,
    seed: int = 0,
) -> list[Path]:
    """Write products as files in the layout of MVTec AD, for tools that read that data set.

    For a bolt: ``bolt/train/good/000.png``, ``bolt/test/good/000.png``, ``bolt/test/scratch/000.png``,
    ``bolt/ground_truth/scratch/000_mask.png``, and so on. Images are 8-bit RGB, masks 0 or 255. No individual
    appears twice.

    Parameters
    ----------
    folder : path-like
        Parent folder of the products' folders; created if missing.
    products : str, iterable of str, or None
        Keys of `PRODUCTS`; None for all.
    size : int
        Side of the images in pixels, 32..2048.
    train, good : int
        Number of normal images in ``train/good`` and ``test/good`` of each product.
    defective : int
        Number of defective images per kind of defect.
    seed : int
        Seed of the whole set, at least 0.

    Returns
    -------
    list of Path
        The products' folders.

    Raises
    ------
    ValueError
        For an unknown product, a number out of range, or a product's folder that is not empty, before anything is
        written.
    TypeError
        For an argument of the wrong type.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (bolt,) = write_samples(folder, "bolt", size=32, train=2, good=1, defective=1)
    ...     sorted(path.name for path in bolt.glob("test/*"))
    ['bend', 'colour', 'good', 'missing', 'scratch', 'stain']
    """
    targets = free_folders(folder, products)
    size = check_size(size)
    train = check_integer("train", train, 0, FIRST_TEST)
    good = check_integer("good", good, 0)
    defective = check_integer("defective", defective, 0)
    seed = check_integer("seed", seed, 0)
    for name, finished in targets.items():
        finished.parent.mkdir(parents=True, exist_ok=True)
        target = Path(tempfile.mkdtemp(dir=finished.parent, prefix=f".{name}."))
        try:
            _draw(name, target, size=size, train=train, good=good, defective=defective, seed=seed)
            target.chmod(finished.parent.stat().st_mode & 0o777)
            target.replace(finished)
        finally:
            shutil.rmtree(target, ignore_errors=True)
    return list(targets.values())


def _draw(name: str, target: Path, *, size: int, train: int, good: int, defective: int, seed: int) -> None:
    """Write one product into a folder."""
    for part, first, count in (("train", 0, train), ("test", FIRST_TEST, good)):
        images = _new_folder(target / part / "good")
        for number in range(count):
            _write(images / f"{number:03d}.png", draw_sample(name, first + number, size=size, seed=seed).image)
    for kind in DEFECTS[name]:
        images, masks = _new_folder(target / "test" / kind), _new_folder(target / "ground_truth" / kind)
        for number in range(defective):
            sample = draw_defect(name, kind, number, size=size, seed=seed)
            _write(images / f"{number:03d}.png", sample.image)
            _write(masks / f"{number:03d}_mask.png", sample.mask.astype(np.uint8) * 255)


def _names(products: Any) -> list[str]:
    if products is None:
        return list(PRODUCTS)
    if not isinstance(products, Iterable):
        raise fail(TypeError, "products", "a product, an iterable of products, or None", products)
    names = [products] if isinstance(products, str) else list(products)
    for name in names:
        if not isinstance(name, str):
            raise fail(TypeError, "products", "one of " + ", ".join(map(repr, PRODUCTS)), name)
        check_choice("products", name, PRODUCTS)
    return names


def _new_folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, image: NDArray[np.uint8]) -> None:
    write_file(path, (encode_png(image),))
