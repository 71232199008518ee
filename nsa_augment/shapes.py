"""Patch shapes other than the rectangle (ablation D: a union of random ellipses)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nsa_augment.checks import check_numbers, fail
from nsa_augment.sampling import rasterise
from nsa_augment.types import BinaryMap, Shape


@dataclass(frozen=True)
class Ellipses:
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

    def __post_init__(self) -> None:
        accepted = "a non-empty sequence of (centre_y, centre_x, semi_y > 0, semi_x > 0, angle)"
        if not isinstance(self.parameters, (list, tuple)):
            raise fail(TypeError, "parameters", accepted, self.parameters)
        parameters = tuple(check_numbers("parameters", ellipse, accepted, 5) for ellipse in self.parameters)
        if not parameters or any(semi_y <= 0 or semi_x <= 0 for _, _, semi_y, semi_x, _ in parameters):
            raise fail(ValueError, "parameters", accepted, self.parameters)
        object.__setattr__(self, "parameters", parameters)

    def mask(self, shape: Shape) -> BinaryMap:
        """(height, width) uint8 map, 1 inside any of the ellipses."""
        return rasterise(np.array(self.parameters, np.float64), shape[0], shape[1])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"kind": "ellipses", "parameters": [list(ellipse) for ellipse in self.parameters]}


def shape_from_dict(data: Any) -> Ellipses:
    """Inverse of `Ellipses.to_dict`."""
    accepted = 'null or {"kind": "ellipses", "parameters": [...]}'
    if not isinstance(data, Mapping):
        raise fail(TypeError, "shape", accepted, data)
    if set(data) != {"kind", "parameters"} or data["kind"] != "ellipses":
        raise fail(ValueError, "shape", accepted, dict(data))
    return Ellipses(data["parameters"])
