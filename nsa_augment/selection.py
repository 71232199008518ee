"""How big a patch is and where it is cut from the source (Table 6)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nsa_augment.foreground import Foreground
from nsa_augment.geometry import Geometry
from nsa_augment.sampling import Extent, draw_ellipse_patch, draw_mask, draw_rectangle
from nsa_augment.shapes import Ellipses, PatchShape, Strip
from nsa_augment.types import Box, Shape

CUTPASTE_AREA = (0.02, 0.15)
CUTPASTE_ASPECTS = ((0.3, 1.0), (1.0, 3.3))
FPI_SIDE = (0.1, 0.4)
FPI_MARGIN = 0.1
SCAR_IMAGE = 256
SCAR_WIDTH = (2.0, 16.0)
SCAR_LENGTH = (10.0, 25.0)
SCAR_ANGLE = math.radians(45)

NO_TABLE = np.zeros((1, 1), np.int32)
NO_MASK = np.ones((1, 1), np.uint8)


@dataclass(frozen=True)
class HalfSizes:
    """Bounds of the half-size of a patch along each axis, pixels.

    Parameters
    ----------
    height, width : (low, high)
        Inclusive. `low` is also the margin that a patch's centre keeps from the border.
    """

    height: tuple[int, int]
    width: tuple[int, int]

    @classmethod
    @lru_cache(maxsize=256)
    def of(cls, shape: Shape, height_range: tuple[float, float], width_range: tuple[float, float]) -> HalfSizes:
        """Round half of the fractions of Table 4 to pixels of an image of `shape`."""

        def rounded(fractions: tuple[float, float], dimension: int) -> tuple[int, int]:
            return round(fractions[0] / 2 * dimension), round(fractions[1] / 2 * dimension)

        return cls(rounded(height_range, shape[0]), rounded(width_range, shape[1]))


@dataclass(frozen=True)
class SourcePatch:
    """A patch of the source: its box, and its shape inside the box (None: the whole rectangle)."""

    box: Box
    shape: PatchShape | None = None


def draw_source_patch(
    rng: np.random.Generator,
    shape: Shape,
    geometry: Geometry,
    foreground: Foreground | None = None,
    min_side: int = 1,
) -> SourcePatch | None:
    """Draw a patch of the source by `geometry.selection` and `geometry.shape`.

    The size is drawn once; up to 200 places are tried until the object fills more than `geometry.min_object` of the
    patch (of its shape, if it has one).

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (height, width)
        Size of the source, pixels.
    geometry : Geometry
    foreground : Foreground, optional
        Object mask of the source; None accepts every place.
    min_side : int
        Strips are widened to this many pixels.

    Returns
    -------
    SourcePatch or None
        None when the patch is empty, does not fit into the image, or no place was accepted.

    Examples
    --------
    >>> draw_source_patch(np.random.default_rng(0), (256, 256), Geometry(selection="fpi"))
    SourcePatch(box=(93, 44, 168, 119), shape=None)
    """
    if geometry.selection == "cutpaste_scar":
        return _draw_strip(rng, shape, geometry, foreground, min_side)
    rows, columns = _EXTENTS[geometry.selection](rng, shape, geometry)
    constrained = foreground is not None
    if geometry.shape == "ellipses":
        half_sizes = HalfSizes.of(shape, geometry.height_range, geometry.width_range)
        low = half_sizes.height[0], half_sizes.width[0]
        mask = NO_MASK if foreground is None else foreground.mask
        found, box, parameters = draw_ellipse_patch(
            rng, shape, rows, columns, low, constrained, mask, geometry.min_object
        )
        return SourcePatch(box, Ellipses(tuple(map(tuple, parameters.tolist())))) if found else None
    table = NO_TABLE if foreground is None else foreground.table
    found, box = draw_rectangle(rng, shape, rows, columns, constrained, table, geometry.min_object)
    return SourcePatch(box) if found else None


def _natural_extents(rng: np.random.Generator, shape: Shape, geometry: Geometry) -> tuple[Extent, Extent]:
    """The paper's own ("ours" in Table 6): gamma distributed sizes, centre anywhere, cut at the border."""
    half_sizes = HalfSizes.of(shape, geometry.height_range, geometry.width_range)

    def extent(dimension: int, low: int, high: int) -> Extent:
        if geometry.size_gamma is None:
            half = int(rng.integers(low, high + 1))
        else:
            gamma_shape, scale, offset = geometry.size_gamma
            half = int(min(max((offset + rng.gamma(gamma_shape, scale)) * dimension, low), high))
        return low, max(dimension - low, low + 1), half, half

    return extent(shape[0], *half_sizes.height), extent(shape[1], *half_sizes.width)


def _cutpaste_extents(rng: np.random.Generator, shape: Shape, geometry: Geometry) -> tuple[Extent, Extent]:
    """CutPaste: area and aspect ratio (height / width), whole inside the image."""
    area = rng.uniform(*CUTPASTE_AREA) * shape[0] * shape[1]
    aspect = rng.uniform(*CUTPASTE_ASPECTS[rng.integers(2)])
    sides = math.sqrt(area * aspect), math.sqrt(area / aspect)
    height, width = (min(max(round(side), 1), limit) for side, limit in zip(sides, shape, strict=True))
    return (0, shape[0] - height + 1, 0, height), (0, shape[1] - width + 1, 0, width)


def _fpi_extents(rng: np.random.Generator, shape: Shape, geometry: Geometry) -> tuple[Extent, Extent]:
    """FPI and PII: a square, its centre within the middle 80 % of each axis, cut at the border."""
    side = max(round(rng.uniform(*FPI_SIDE) * min(shape)), 1)

    def extent(dimension: int) -> Extent:
        low, high = math.ceil(FPI_MARGIN * dimension), math.floor((1 - FPI_MARGIN) * dimension)
        return min(low, dimension - 1), max(high, low + 1, 1), side // 2, side - side // 2

    return extent(shape[0]), extent(shape[1])


_EXTENTS: dict[str, Callable[[np.random.Generator, Shape, Geometry], tuple[Extent, Extent]]] = {
    "natural": _natural_extents,
    "cutpaste": _cutpaste_extents,
    "fpi": _fpi_extents,
}


def _draw_strip(
    rng: np.random.Generator, shape: Shape, geometry: Geometry, foreground: Foreground | None, min_side: int
) -> SourcePatch | None:
    """CutPaste-Scar: a thin rotated strip, sizes in pixels of a 256-pixel image, whole inside the image."""
    scale = min(shape) / SCAR_IMAGE
    thickness, length = (max(rng.uniform(*limits) * scale, min_side) for limits in (SCAR_WIDTH, SCAR_LENGTH))
    strip = Strip(thickness, length, rng.uniform(-SCAR_ANGLE, SCAR_ANGLE))
    height, width = strip.box_size
    if height > shape[0] or width > shape[1]:
        return None
    rows, columns = (0, shape[0] - height + 1, 0, height), (0, shape[1] - width + 1, 0, width)
    if foreground is None:
        _, box = draw_rectangle(rng, shape, rows, columns, False, NO_TABLE, 0.0)
        return SourcePatch(box, strip)
    inside = strip.mask((height, width))
    if not inside.any():
        return None
    found, box = draw_mask(rng, shape, rows, columns, inside, foreground.mask, geometry.min_object)
    return SourcePatch(box, strip) if found else None
