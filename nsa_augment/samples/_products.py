"""The sample products and photographs of their normal individuals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_choice, check_integer, fail

from ._canvas import Drawing, Pose, expose
from ._flaws import Draw
from ._objects import draw_bolt, draw_tablet, draw_zipper
from ._textures import draw_hide, draw_weave

__all__ = ["PRODUCTS", "Product", "Sample", "check_size", "draw_pose", "draw_sample", "drawn_at",
           "foreground_of"]  # fmt: skip

MIN_SIZE, MAX_SIZE = 32, 2048
DRAWN_AT_LEAST = 512


@dataclass(frozen=True)
class Product:
    """One product of the sample set.

    Parameters
    ----------
    name : str
        Key in `PRODUCTS`.
    preset : str
        Published preset that suits the product.
    description : str
        One line for listings.
    draw : callable
        ``draw(pose, n)`` draws the individual at ``pose`` with ``n`` x ``n`` pixels, as `Drawing`;
        a `Flaw` as third argument gives it a defect.
    shift, turn, spread : float
        Largest displacement from the image's middle (image sides), largest rotation (radians)
        and largest relative deviation of the size, over individuals.

    Examples
    --------
    >>> PRODUCTS["zipper"].preset
    'zipper'
    """

    name: str
    preset: str
    description: str
    draw: Draw = field(repr=False)
    shift: float = 0.0
    turn: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True)
class Sample:
    """One photograph of a normal product.

    Parameters
    ----------
    image : ndarray of uint8, shape (size, size, 3)
        RGB, 0..255.
    foreground : ndarray of bool, shape (size, size)
        Pixels of the object; True everywhere for textures.

    Examples
    --------
    >>> bool(draw_sample("weave", 0, size=32).foreground.all())
    True
    """

    image: NDArray[np.uint8]
    foreground: NDArray[np.bool_]


PRODUCTS: Mapping[str, Product] = MappingProxyType(
    {
        product.name: product
        for product in (
            Product("bolt", "screw", "black-oxide hexagon flange bolt on bright film, in any direction",
                    draw_bolt, shift=0.06, turn=math.pi, spread=0.02),
            Product("tablet", "pill", "cream oval tablet with speckles, score line and letters, on black",
                    draw_tablet, shift=0.03, turn=0.25, spread=0.02),
            Product("zipper", "zipper", "closed zipper with brass teeth on charcoal tape, on bright ground",
                    draw_zipper, shift=0.03, turn=0.03, spread=0.02),
            Product("weave", "carpet", "two-tone twill fabric, filling the image",
                    draw_weave, shift=0.03, turn=0.04, spread=0.03),
            Product("hide", "leather", "pebbled chestnut leather, filling the image",
                    draw_hide, shift=0.4, turn=math.pi, spread=0.06),
        )
    }
)  # fmt: skip
"""The sample products by name: ``bolt``, ``tablet``, ``zipper``, ``weave``, ``hide``."""


def draw_pose(product: Product, rng: np.random.Generator) -> Pose:
    """Draw one individual's pose, shade and illumination.

    Parameters
    ----------
    product : Product
        Gives the ranges.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Pose
        For ``product.draw``, possibly altered with `dataclasses.replace`.

    Examples
    --------
    >>> pose = draw_pose(PRODUCTS["tablet"], np.random.default_rng(0))
    >>> 0.95 <= pose.gain <= 1.05
    True
    """
    x, y, turn, spread, tone, gain = rng.uniform(-1.0, 1.0, 6).tolist()
    return Pose(
        x=product.shift * x,
        y=product.shift * y,
        angle=product.turn * turn,
        scale=1.0 + product.spread * spread,
        roll=float(rng.uniform()),
        tone=tone,
        gain=1.0 + 0.05 * gain,
        falloff=float(rng.uniform(0.0, 2 * math.pi)),
        seed=int(rng.integers(2**31)),
    )


def check_size(size: object) -> int:
    """Return ``size`` as an int if it is a valid side length of images."""
    accepted = f"an integer from {MIN_SIZE} to {MAX_SIZE}"
    if not isinstance(size, Integral) or isinstance(size, bool):
        raise fail(TypeError, "size", accepted, size)
    if not MIN_SIZE <= int(size) <= MAX_SIZE:
        raise fail(ValueError, "size", accepted, size)
    return int(size)


def drawn_at(size: int) -> int:
    """Pixels per side at which a product is drawn before the camera's ``size`` pixels are averaged."""
    return size * math.ceil(DRAWN_AT_LEAST / size)


def foreground_of(drawing: Drawing, size: int) -> NDArray[np.bool_]:
    """Pixels of which the product covers more than half."""
    return np.asarray(cv2.resize(drawing.cover, (size, size), interpolation=cv2.INTER_AREA)) > 0.5


def draw_sample(product: str, index: int, *, size: int = 256, seed: int = 0) -> Sample:
    """Photograph one individual of a product.

    Parameters
    ----------
    product : str
        A key of `PRODUCTS`.
    index : int
        Number of the individual, at least 0.
    size : int
        Side of the image in pixels, 32..2048. The individual is the same at every size.
    seed : int
        Seed of the whole set, at least 0.

    Returns
    -------
    Sample
        Image (size, size, 3) uint8 RGB and foreground (size, size) bool. They depend only on the
        four arguments.

    Raises
    ------
    ValueError
        For an unknown product, or an index, size or seed out of range.
    TypeError
        For a product that is not a string, or an index, size or seed that is not an integer.

    Examples
    --------
    >>> sample = draw_sample("tablet", 3, size=64)
    >>> sample.image.shape
    (64, 64, 3)
    >>> bool(sample.image[sample.foreground].mean() > 100)
    True
    """
    check_choice("product", product, PRODUCTS)
    index = check_integer("index", index, 0)
    seed = check_integer("seed", seed, 0)
    size = check_size(size)
    kind = PRODUCTS[product]
    rng = np.random.default_rng([seed, list(PRODUCTS).index(product), index])
    pose = draw_pose(kind, rng)
    drawing = kind.draw(pose, drawn_at(size))
    return Sample(image=expose(drawing, size, pose.gain, rng), foreground=foreground_of(drawing, size))
