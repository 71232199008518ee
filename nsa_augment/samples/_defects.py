"""Photographs of defective individuals of the sample products, with exact masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_choice, check_integer

from ._canvas import Drawing, expose, levels, seen
from ._flaws import Recipe
from ._object_defects import BOLT, TABLET, ZIPPER
from ._products import PRODUCTS, check_size, draw_pose, drawn_at, foreground_of
from ._texture_defects import HIDE, WEAVE

__all__ = ["DEFECTS", "DefectSample", "draw_defect"]

RECIPES: Mapping[str, Mapping[str, Recipe]] = {
    "bolt": BOLT,
    "tablet": TABLET,
    "zipper": ZIPPER,
    "weave": WEAVE,
    "hide": HIDE,
}
DEFECTS: Mapping[str, tuple[str, ...]] = MappingProxyType({name: tuple(recipes) for name, recipes in RECIPES.items()})
"""The kinds of defects by product, of ``scratch``, ``hole``, ``stain``, ``bend``, ``missing``, ``colour``."""

KINDS = ("scratch", "hole", "stain", "bend", "missing", "colour")
STREAM = 1951  # keeps these individuals apart from those of `draw_sample`
CHANGED = 2.0  # grey levels of 255
PRESENT = 0.02
GAP = 0.02  # image sides


@dataclass(frozen=True)
class DefectSample:
    """One photograph of a defective product, and the same individual without the defect.

    Parameters
    ----------
    image : ndarray of uint8, shape (size, size, 3)
        RGB, 0..255.
    foreground : ndarray of bool, shape (size, size)
        Pixels of the object, including its defect; True everywhere for textures.
    mask : ndarray of bool, shape (size, size)
        Pixels of the defect: where the image before sensor noise differs from that of the individual without
        the defect by more than 2 of 255 grey levels in any channel (or, if that is less, as in small images of
        a thin scratch, by more than half of the largest difference), and where the product is visible in either
        of the two. The ground is therefore in the mask where a piece of the product is missing or has moved,
        but not where only its shadow changed. Where a bent product happens to look as before, gaps of less
        than 1/50 of the image side between changed pixels are filled.
    normal : ndarray of uint8, shape (size, size, 3)
        The individual without the defect, photographed with the same sensor noise.

    Examples
    --------
    >>> sample = draw_defect("hide", "hole", 0)
    >>> change = abs(sample.image.astype(int) - sample.normal).max(axis=-1)
    >>> bool(change[~sample.mask].max() < 8 < change[sample.mask].max())
    True
    """

    image: NDArray[np.uint8]
    foreground: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    normal: NDArray[np.uint8]


def _mask(normal: Drawing, flawed: Drawing, size: int, gain: float) -> NDArray[np.bool_]:
    change = np.abs(levels(flawed, size, gain) - levels(normal, size, gain)).max(axis=-1)
    change[seen(np.maximum(normal.cover, flawed.cover), size) <= PRESENT] = 0.0
    return np.asarray(change > min(CHANGED, float(change.max()) / 2))


def _without_gaps(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    width = round(GAP * mask.shape[0])
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width | 1, width | 1))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disk)) > 0


def draw_defect(product: str, kind: str, index: int, *, size: int = 256, seed: int = 0) -> DefectSample:
    """Photograph one individual of a product that has a defect.

    The defect is drawn with the product, before the lens blurs it and the sensor adds noise. It lies on the
    product and varies in place, size, direction, appearance and strength from one index to the next. The
    individuals differ from those of `draw_sample`.

    Parameters
    ----------
    product : str
        A key of `DEFECTS`.
    kind : str
        One of ``DEFECTS[product]``.
    index : int
        Number of the individual, at least 0.
    size : int
        Side of the image in pixels, 32..2048. The individual and its defect are the same at every size.
    seed : int
        Seed of the whole set, at least 0.

    Returns
    -------
    DefectSample
        Image, foreground, mask of the defect, and the image without the defect. They depend only on
        the five arguments.

    Raises
    ------
    ValueError
        For an unknown product, a kind that the product does not have, or an index, size or seed out of range.
    TypeError
        For a product or kind that is not a string, or an index, size or seed that is not an integer.

    Examples
    --------
    >>> DEFECTS["tablet"]
    ('scratch', 'hole', 'stain', 'missing', 'colour')
    >>> sample = draw_defect("tablet", "missing", 3, size=64)
    >>> sample.image.shape, sample.mask.shape
    ((64, 64, 3), (64, 64))
    >>> bool(0 < sample.mask.mean() < 0.5)
    True
    """
    check_choice("product", product, DEFECTS)
    check_choice("kind", kind, DEFECTS[product])
    index = check_integer("index", index, 0)
    seed = check_integer("seed", seed, 0)
    size = check_size(size)
    drawn = PRODUCTS[product]
    rng = np.random.default_rng([seed, STREAM, list(PRODUCTS).index(product), KINDS.index(kind), index])
    pose = draw_pose(drawn, rng)
    noise = int(rng.integers(2**31))
    normal = drawn.draw(pose, drawn_at(size))
    flawed = drawn.draw(pose, drawn_at(size), RECIPES[product][kind](rng, pose))
    image, whole = (expose(each, size, pose.gain, np.random.default_rng(noise)) for each in (flawed, normal))
    mask = _mask(normal, flawed, size, pose.gain)
    if kind == "bend":
        mask = _without_gaps(mask)
    return DefectSample(image=image, foreground=foreground_of(flawed, size), mask=mask, normal=whole)
