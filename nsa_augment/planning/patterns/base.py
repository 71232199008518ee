"""Base class of all patterns: made for a patch from the plan, and written as JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_integer, set_field
from nsa_augment._shared.records import from_record, to_record
from nsa_augment._shared.registry import Registry
from nsa_augment._shared.scale import BY_DTYPE, Scale
from nsa_augment._shared.types import Image, Size

Seeded = TypeVar("Seeded", bound="SeededPattern")

PATTERNS: Registry[Pattern] = Registry("patterns")
"""The patterns by name."""
SEEDS = 2**32


@dataclass(frozen=True, eq=False)
class Material:
    """Material for patterns.

    Parameters
    ----------
    image : (H, W, C) array
        The normal image.
    source : (h', w', C) array
        Pixels in the source box.
    size : (height, width)
        Size of the patch, pixels.
    scale : Scale
        Value that stands for grey level 255.
    """

    image: Image
    source: Image
    size: Size
    scale: Scale = BY_DTYPE

    @property
    def channels(self) -> int:
        """Number of channels of the image."""
        return int(self.image.shape[2])

    def levels(self, pixels: Image) -> NDArray[np.float32]:
        """Grey levels 0 to 255 of pixels with the image's dtype."""
        return np.asarray(pixels * (255 / self.scale.maximum(pixels.dtype)), np.float32)

    def pixels(self, levels: NDArray[np.floating]) -> Image:
        """Pixels with the image's dtype from grey levels, which are clipped to [0, 255]."""
        dtype = self.image.dtype
        values = np.clip(levels, 0, 255) * (self.scale.maximum(dtype) / 255)
        return np.asarray(np.rint(values) if dtype.kind == "u" else values, dtype)


class Pattern(ABC):
    """A pattern that fills a patch. Subclasses are frozen dataclasses; one with a `name` registers itself.

    Attributes
    ----------
    name : str
        The `kind` in the JSON of a plan.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        PATTERNS.register(cls)

    @abstractmethod
    def pixels(self, material: Material) -> Image:
        """(h, w, C) array with the size of the patch, and the dtype and channels of the image."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: the kind and the fields of the dataclass."""
        return to_record(self)


@dataclass(frozen=True)
class SeededPattern(Pattern):
    """A pattern that depends only on a seed.

    Parameters
    ----------
    seed : int
        In [0, 2**32).
    """

    seed: int

    def __post_init__(self) -> None:
        set_field(self, "seed", check_integer(f"seed of {self.name}", self.seed, 0, SEEDS - 1))

    @classmethod
    def draw(cls: type[Seeded], rng: np.random.Generator) -> Seeded:
        """Draw a seed."""
        return cls(int(rng.integers(SEEDS)))


def pattern_from_dict(data: Any) -> Pattern:
    """Inverse of `Pattern.to_dict`, for any kind; TypeError or ValueError lists the known kinds."""
    kind, arguments = from_record("pattern", PATTERNS, data)
    return kind(**arguments)


def uniform(seed: int, *shape: int) -> NDArray[np.float64]:
    """Numbers in [0, 1), hashed from a seed, independent of any library's random numbers.

    Examples
    --------
    >>> uniform(1, 3).round(3).tolist()
    [0.766, 0.126, 0.701]
    """
    bits = np.arange(np.prod(shape, dtype=np.int64)).astype(np.uint64)
    bits += np.uint64((seed * SEEDS + 0x9E3779B97F4A7C15) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits = (bits ^ (bits >> np.uint64(31))) >> np.uint64(11)
    return np.asarray(bits.reshape(shape) / 2.0**53, np.float64)
