"""Unions of ellipses (ablation D of the paper)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nsa_augment._shared.bits import bits_of
from nsa_augment._shared.boxes import Box
from nsa_augment._shared.checks import check_numbers, fail, set_field
from nsa_augment._shared.elementary import cosine, sine
from nsa_augment._shared.types import BinaryMap, Size
from nsa_augment.planning._draws import NO_MASK, Extent, draw_ellipse_patch, rasterise_ellipses, threshold
from nsa_augment.planning.outlines.base import Outline


@dataclass(frozen=True)
class Ellipses(Outline):
    """Union of rotated ellipses inside a patch.

    Parameters
    ----------
    parameters : tuple of (centre_y, centre_x, semi_y, semi_x, angle)
        Centres and semi-axes in pixels of the source box, the angle in radians; at angle 0 `semi_y` is
        vertical, and the ellipse turns counter-clockwise in image coordinates (y down) as it grows.

    Examples
    --------
    >>> Ellipses(((2, 3, 1, 3, 0.0),)).mask((5, 7)).sum(axis=1).tolist()
    [0, 1, 7, 1, 0]
    """

    parameters: tuple[tuple[float, ...], ...]

    name: ClassVar[str] = "ellipses"

    def __post_init__(self) -> None:
        accepted = "a non-empty sequence of (centre_y, centre_x, semi_y > 0, semi_x > 0, angle)"
        if not isinstance(self.parameters, (list, tuple)):
            raise fail(TypeError, "parameters", accepted, self.parameters)
        parameters = tuple(check_numbers("parameters", ellipse, accepted, 5) for ellipse in self.parameters)
        if not parameters or any(semi_y <= 0 or semi_x <= 0 for _, _, semi_y, semi_x, _ in parameters):
            raise fail(ValueError, "parameters", accepted, self.parameters)
        set_field(self, "parameters", parameters)

    def mask(self, size: Size) -> BinaryMap:
        """(height, width) uint8 map, 1 inside any of the ellipses."""
        turns = [(cosine(angle), sine(angle)) for *_, angle in self.parameters]
        return rasterise_ellipses(np.array(self.parameters, np.float64), np.array(turns), size[0], size[1])

    @classmethod
    def place(
        cls,
        rng: np.random.Generator,
        size: Size,
        extents: tuple[Extent, Extent],
        least: Size,
        object_mask: BinaryMap | None,
        arguments: Any,
    ) -> tuple[Box, Ellipses] | None:
        """Draw places in compiled code, each with five new ellipses (ablation D)."""
        mask = NO_MASK if object_mask is None else object_mask
        found, box, parameters = draw_ellipse_patch(
            bits_of(rng), size, *extents, least, object_mask is not None, mask, threshold(arguments.min_object)
        )
        return (Box(*box), cls(tuple(map(tuple, parameters.tolist())))) if found else None
