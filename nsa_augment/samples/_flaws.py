"""How a defect alters the drawing of a product: hooks that the drawing functions call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ._canvas import RGB, Drawing, Field, Pose

__all__ = ["NO_FLAW", "Draw", "Flaw", "Margin", "Paint", "Recipe", "Strands", "Warp"]

Warp = Callable[[Field, Field], tuple[Field, Field]]
Margin = Callable[[Field, Field], Field]
Paint = Callable[[Field, Field, Field], Field]
Strands = Callable[[float, Field, Field], Field]


def _straight(u: Field, v: Field) -> tuple[Field, Field]:
    return u, v


def _whole(u: Field, v: Field) -> Field:
    return np.full_like(u, -1.0)


def _bare(light: Field, u: Field, v: Field) -> Field:
    return light


def _no_strand(side: float, number: Field, along: Field) -> Field:
    return np.zeros_like(along)


@dataclass(frozen=True)
class Flaw:
    """The alterations of a drawing by a defect, as functions of the product's own frame (u, v).

    Parameters
    ----------
    bend : callable
        ``bend(u, v)`` gives the coordinates at which the straight product is drawn.
    gone : callable
        ``gone(u, v)`` gives the distance to the border of a missing piece, > 0 inside it.
    paint : callable
        ``paint(light, u, v)`` gives the product's light after the defect, before it is laid on the ground.
    lost, dyed : callable
        ``lost(side, number, along)`` gives the share, 0..1, of a strand that is missing or has the wrong
        colour ``dye``. Strands are the teeth of the zipper (``side`` -1 or 1, ``along`` in image sides)
        and the yarns of the fabric (-1 warp, 1 weft, ``along`` in yarn pitches).
    dye : tuple of float
        Colour of dyed strands.
    turned : callable
        ``turned(side, number, along)`` gives the angle, radians, by which a tooth of the zipper is askew.
    """

    bend: Warp = _straight
    gone: Margin = _whole
    paint: Paint = _bare
    lost: Strands = _no_strand
    dyed: Strands = _no_strand
    dye: RGB = (1.0, 1.0, 1.0)
    turned: Strands = _no_strand


NO_FLAW = Flaw()

Recipe = Callable[[np.random.Generator, Pose], Flaw]


class Draw(Protocol):
    """A function that draws the individual at ``pose`` with ``n`` x ``n`` pixels and the defect ``flaw``."""

    def __call__(self, pose: Pose, n: int, flaw: Flaw = ...) -> Drawing:
        """Draw one individual."""
