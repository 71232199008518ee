"""How big a patch is and where it is cut from the source (Table 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nsa_augment.foreground import Foreground
from nsa_augment.sampling import draw_box, draw_ellipse_patch
from nsa_augment.shapes import Ellipses
from nsa_augment.types import Box, Shape

UNIFORM = (0.0, 0.0, 0.0)
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
    def of(cls, shape: Shape, height_range: tuple[float, float], width_range: tuple[float, float]) -> HalfSizes:
        """Round half of the fractions of Table 4 to pixels of an image of `shape`."""

        def rounded(fractions: tuple[float, float], dimension: int) -> tuple[int, int]:
            return round(fractions[0] / 2 * dimension), round(fractions[1] / 2 * dimension)

        return cls(rounded(height_range, shape[0]), rounded(width_range, shape[1]))


@dataclass(frozen=True)
class SourcePatch:
    """A patch of the source: its box, and its shape inside the box (None: the whole rectangle)."""

    box: Box
    shape: Ellipses | None = None


def natural_patch(
    rng: np.random.Generator,
    shape: Shape,
    half_sizes: HalfSizes,
    *,
    gamma: tuple[float, float, float] | None,
    foreground: Foreground | None = None,
    min_object: float = 0.0,
    ellipses: bool = False,
) -> SourcePatch | None:
    """Draw a patch as the paper's own selection does ("ours" in Table 6).

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (height, width)
        Size of the source, pixels.
    half_sizes : HalfSizes
    gamma : (shape, scale, offset) or None
        The half-size, as a fraction of the image, is offset + Gamma(shape, scale), clipped to `half_sizes`;
        None draws it uniformly between the bounds.
    foreground : Foreground, optional
        Object mask of the source; None accepts every position.
    min_object : float
        A position is accepted when more than this fraction of the patch shows the object.
    ellipses : bool
        Draw a union of ellipses with every position; the fraction then counts inside them.

    Returns
    -------
    SourcePatch or None
        None when the patch is empty or no position was accepted in 200 draws.

    Examples
    --------
    >>> half_sizes = HalfSizes.of((256, 256), (0.06, 0.8), (0.06, 0.8))
    >>> natural_patch(np.random.default_rng(0), (256, 256), half_sizes, gamma=(2, 0.05, 0.03))
    SourcePatch(box=(19, 162, 81, 244), shape=None)
    """
    sizes = half_sizes.height, half_sizes.width, gamma or UNIFORM
    constrained = foreground is not None
    if ellipses:
        mask = NO_MASK if foreground is None else foreground.mask
        found, box, parameters = draw_ellipse_patch(rng, shape, *sizes, constrained, mask, min_object)
        return SourcePatch(box, Ellipses(tuple(map(tuple, parameters.tolist())))) if found else None
    table = NO_TABLE if foreground is None else foreground.table
    found, box = draw_box(rng, shape, *sizes, constrained, table, min_object)
    return SourcePatch(box) if found else None
