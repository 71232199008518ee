"""Selection of patches: their size, and where they are cut from the source (Table 6)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from nsa_augment._shared.bits import bits_of
from nsa_augment._shared.boxes import Box, check_box
from nsa_augment._shared.checks import check_choice, check_number, check_numbers, check_range, fail, set_field
from nsa_augment._shared.randomness import uniform
from nsa_augment._shared.types import Size
from nsa_augment.planning._draws import NO_TABLE, Extent, draw_mask, draw_rectangle
from nsa_augment.planning._draws import threshold as threshold
from nsa_augment.planning.given_up import GivenUp, Reason
from nsa_augment.planning.outlines import OUTLINES, FineStrip, Outline, Strip
from nsa_augment.planning.outlines.noise import LARGEST_EXPONENT, NOISE_SCALES, NOISE_THRESHOLD
from nsa_augment.planning.outlines.stroke import STROKE_WIDTH
from nsa_augment.planning.sizes import half_sizes
from nsa_augment.scenes.foreground import Foreground

NATURAL_GAMMA = (2.0, 0.05, 0.03)
CUTPASTE_AREA = (0.02, 0.15)
CUTPASTE_ASPECTS = ((0.3, 1.0), (1.0, 3.3))
FPI_SIDE = (0.1, 0.4)
FPI_MARGIN = 0.1
SCAR_IMAGE = 256
SCAR_WIDTH = (2.0, 16.0)
SCAR_LENGTH = (10.0, 25.0)
SCAR_ANGLE = math.radians(45)


@dataclass(frozen=True, kw_only=True)
class SelectionArguments:
    """Keyword arguments for the size of patches and where they are cut; see `NaturalSyntheticAnomaly`."""

    height_range: tuple[float, float] = (0.06, 0.80)
    width_range: tuple[float, float] = (0.06, 0.80)
    size_gamma: tuple[float, float, float] | None = NATURAL_GAMMA
    selection: str = "natural"
    shape: str | None = None
    min_object: float = 0.25
    noise_scales: tuple[int, int] = NOISE_SCALES
    noise_threshold: float = NOISE_THRESHOLD
    stroke_width: tuple[float, float] = STROKE_WIDTH

    def __post_init__(self) -> None:
        set_field(self, "height_range", check_range("height_range", self.height_range, 0, 1))
        set_field(self, "width_range", check_range("width_range", self.width_range, 0, 1))
        if self.size_gamma is not None:
            set_field(self, "size_gamma", _check_gamma(self.size_gamma))
        check_choice("selection", self.selection, SELECTIONS)
        if self.shape is not None:
            _check_outline(self.shape, self.selection)
        set_field(self, "min_object", check_number("min_object", self.min_object, 0, 1))
        low, high = check_range("noise_scales", self.noise_scales, 0, LARGEST_EXPONENT)
        if not (low.is_integer() and high.is_integer()):
            raise fail(ValueError, "noise_scales", "a pair of whole numbers", self.noise_scales)
        set_field(self, "noise_scales", (int(low), int(high)))
        set_field(self, "noise_threshold", check_number("noise_threshold", self.noise_threshold, -1, 1))
        set_field(self, "stroke_width", check_range("stroke_width", self.stroke_width, 0))


def _check_gamma(value: Any) -> tuple[float, ...]:
    accepted = "None or (shape > 0, scale > 0, offset >= 0)"
    gamma = check_numbers("size_gamma", value, accepted, 3)
    if not (gamma[0] > 0 and gamma[1] > 0 and gamma[2] >= 0):
        raise fail(ValueError, "size_gamma", accepted, value)
    return gamma


def _check_outline(name: Any, selection: str) -> None:
    if not (isinstance(name, str) and name in OUTLINES and OUTLINES[name].drawable):
        drawable = [other for other, outline in OUTLINES.items() if outline.drawable]
        check_choice("shape", name, (None, *drawable))
    if (own := SELECTIONS[selection].outline) is not None:
        raise fail(ValueError, "shape", f"None with selection={selection!r}, whose patches are {own}s", name)


class SourcePatch(NamedTuple):
    """A patch of the source: its box, and its outline inside the box (None: the whole rectangle)."""

    box: Box
    outline: Outline | None = None

    @classmethod
    def checked(cls, box: Any, outline: Any) -> SourcePatch:
        """The patch, after checking what `Outline.place` of a user-defined outline returned."""
        if not isinstance(outline, Outline):
            raise fail(TypeError, "outline that was placed", "an Outline (Ellipses, Strip...)", outline)
        return cls(check_box("box of an outline that was placed", box), outline)


PatchDraw: TypeAlias = Callable[
    [np.random.Generator, Size, Size, SelectionArguments, Foreground | None, int], SourcePatch | GivenUp
]
Extents: TypeAlias = Callable[[np.random.Generator, Size, Size, SelectionArguments], tuple[Extent, Extent]]


@dataclass(frozen=True)
class Selection:
    """A way to draw patches of a source.

    Parameters
    ----------
    draw : callable
    outline : str, optional
        Outline that all its patches have.
    in_ranges : bool
        Whether `height_range` and `width_range` bound the size of its patches.
    extents : callable, optional
        Draws where a patch may lie along each axis; None: `draw` decides.
    """

    draw: PatchDraw
    outline: str | None = None
    in_ranges: bool = False
    extents: Extents | None = None

    @classmethod
    def within(cls, extents: Extents, *, in_ranges: bool = False) -> Selection:
        """Patches in boxes that lie within drawn extents."""
        return cls(_in_extents(extents), in_ranges=in_ranges, extents=extents)


def draw_source_patch(
    rng: np.random.Generator,
    size: Size,
    arguments: SelectionArguments,
    foreground: Foreground | None = None,
    min_side: int = 1,
    source_size: Size | None = None,
) -> SourcePatch | GivenUp:
    """Draw a patch of the source by `arguments.selection` and `arguments.shape`.

    The size is drawn once; up to 200 places are tried until the object fills more than `min_object` of the patch (of
    its outline, if it has one).

    Parameters
    ----------
    rng : numpy.random.Generator
    size : (height, width)
        Size of the image, pixels; sizes of patches are fractions of it.
    arguments : SelectionArguments
    foreground : Foreground, optional
        Object mask of the source; None accepts every place.
    min_side : int
        Strips are widened to this many pixels.
    source_size : (height, width), optional
        Size of the source, pixels; None: that of the image.

    Returns
    -------
    SourcePatch or GivenUp
        A patch is given up if it is empty or does not fit into the image, or if no place was accepted.

    Examples
    --------
    >>> patch = draw_source_patch(np.random.default_rng(0), (256, 256), SelectionArguments(selection="fpi"))
    >>> tuple(patch.box), patch.outline
    ((93, 44, 168, 119), None)
    """
    return SELECTIONS[arguments.selection].draw(rng, size, source_size or size, arguments, foreground, min_side)


def _in_extents(draw_extents: Extents) -> PatchDraw:
    """Patches in boxes that lie within drawn extents, with the outline in the arguments."""

    def draw(
        rng: np.random.Generator,
        size: Size,
        source_size: Size,
        arguments: SelectionArguments,
        foreground: Foreground | None,
        min_side: int,
    ) -> SourcePatch | GivenUp:
        extents = draw_extents(rng, size, source_size, arguments)
        if arguments.shape is not None:
            least = half_sizes(size, arguments.height_range, arguments.width_range).least
            mask = None if foreground is None else foreground.mask
            placed = OUTLINES[arguments.shape].place(rng, source_size, extents, least, mask, arguments)
            return _given_up(extents, foreground) if placed is None else SourcePatch.checked(*placed)
        table = NO_TABLE if foreground is None else foreground.table
        least_share = threshold(arguments.min_object)
        found, box = draw_rectangle(bits_of(rng), source_size, *extents, foreground is not None, table, least_share)
        return SourcePatch(Box(*box)) if found else _given_up(extents, foreground)

    return draw


def _given_up(extents: tuple[Extent, Extent], foreground: Foreground | None) -> GivenUp:
    """The reason why no place was found for a patch of these extents."""
    height, width = (before + after for _, _, before, after in extents)
    if foreground is None or 0 in (height, width):
        return GivenUp(Reason.EMPTY, (height, width))
    return GivenUp(Reason.NO_SOURCE_OBJECT if foreground.is_empty else Reason.NO_SOURCE_PLACE, (height, width))


def _natural_extents(
    rng: np.random.Generator, size: Size, source_size: Size, arguments: SelectionArguments
) -> tuple[Extent, Extent]:
    """The paper's method ("ours" in Table 6): gamma-distributed sizes, centre anywhere, cut at the border."""
    bounds = half_sizes(size, arguments.height_range, arguments.width_range)
    gamma = arguments.size_gamma
    return (
        _natural_extent(rng, size[0], source_size[0], *bounds.height, gamma),
        _natural_extent(rng, size[1], source_size[1], *bounds.width, gamma),
    )


def _natural_extent(
    rng: np.random.Generator,
    dimension: int,
    source_dimension: int,
    low: int,
    high: int,
    gamma: tuple[float, float, float] | None,
) -> Extent:
    if gamma is None:
        half = int(rng.integers(low, high + 1))
    else:
        shape, scale, offset = gamma
        half = int(min(max((offset + rng.gamma(shape, scale)) * dimension, low), high))
    return low, max(source_dimension - low, low + 1), half, half


def _cutpaste_extents(
    rng: np.random.Generator, size: Size, source_size: Size, arguments: SelectionArguments
) -> tuple[Extent, Extent]:
    """CutPaste: area and aspect ratio (height / width), entirely inside the image."""
    area = uniform(rng, *CUTPASTE_AREA) * size[0] * size[1]
    aspect = uniform(rng, *CUTPASTE_ASPECTS[rng.integers(2)])
    sides = math.sqrt(area * aspect), math.sqrt(area / aspect)
    height, width = (min(max(round(side), 1), limit) for side, limit in zip(sides, source_size, strict=True))
    return (0, source_size[0] - height + 1, 0, height), (0, source_size[1] - width + 1, 0, width)


def _fpi_extents(
    rng: np.random.Generator, size: Size, source_size: Size, arguments: SelectionArguments
) -> tuple[Extent, Extent]:
    """FPI and PII: a square, its centre within the middle 80 % of each axis, cut at the border."""
    side = max(round(uniform(rng, *FPI_SIDE) * min(size)), 1)

    def extent(dimension: int) -> Extent:
        low, high = math.ceil(FPI_MARGIN * dimension), math.floor((1 - FPI_MARGIN) * dimension)
        return min(low, dimension - 1), max(high, low + 1, 1), side // 2, side - side // 2

    return extent(source_size[0]), extent(source_size[1])


def _of_strips(kind: type[Strip]) -> PatchDraw:
    """CutPaste-Scar: a thin rotated strip, sizes in pixels of a 256-pixel image, entirely inside the image."""

    def draw(
        rng: np.random.Generator,
        size: Size,
        source_size: Size,
        arguments: SelectionArguments,
        foreground: Foreground | None,
        min_side: int,
    ) -> SourcePatch | GivenUp:
        scale, least = min(size) / SCAR_IMAGE, 1 if kind.fine else min_side
        thickness, length = (max(uniform(rng, *limits) * scale, least) for limits in (SCAR_WIDTH, SCAR_LENGTH))
        strip = kind(thickness, length, uniform(rng, -SCAR_ANGLE, SCAR_ANGLE))
        height, width = strip.box_size
        if height > source_size[0] or width > source_size[1]:
            return GivenUp(Reason.TOO_LARGE, (height, width))
        rows, columns = (0, source_size[0] - height + 1, 0, height), (0, source_size[1] - width + 1, 0, width)
        if foreground is None:
            _, box = draw_rectangle(bits_of(rng), source_size, rows, columns, False, NO_TABLE, 0.0)
            return SourcePatch(Box(*box), strip)
        inside = strip.mask((height, width))
        if not inside.any():
            return GivenUp(Reason.EMPTY, (height, width))
        least_share = threshold(arguments.min_object)
        found, box = draw_mask(bits_of(rng), source_size, rows, columns, inside, foreground.mask, least_share)
        return SourcePatch(Box(*box), strip) if found else _given_up((rows, columns), foreground)

    return draw


SELECTIONS: Mapping[str, Selection] = MappingProxyType(
    {
        "natural": Selection.within(_natural_extents, in_ranges=True),
        "cutpaste": Selection.within(_cutpaste_extents),
        "cutpaste_scar": Selection(_of_strips(Strip), Strip.name),
        "fine_scar": Selection(_of_strips(FineStrip), FineStrip.name),
        "fpi": Selection.within(_fpi_extents),
    }
)
"""Ways to draw the size and the place in the source, by name (Table 6)."""
