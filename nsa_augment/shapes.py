"""Patch shapes other than the rectangle: unions of ellipses (ablation D) and rotated strips (CutPaste-Scar)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from nsa_augment.checks import check_number, check_numbers, fail
from nsa_augment.sampling import rasterise_ellipses
from nsa_augment.types import BinaryMap, Shape

SLACK = 1e-9
"""Pixels: rounding of a strip's edge."""


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
        return rasterise_ellipses(np.array(self.parameters, np.float64), shape[0], shape[1])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"kind": "ellipses", "parameters": [list(ellipse) for ellipse in self.parameters]}


@dataclass(frozen=True)
class Strip:
    """Rotated rectangle in the middle of a patch.

    Parameters
    ----------
    width, length : float
        Sides in pixels; at angle 0 the length is vertical.
    angle : float
        Radians; the strip turns counter-clockwise in image coordinates (y down) as it grows.

    Examples
    --------
    >>> strip = Strip(width=1, length=5, angle=np.pi / 4)
    >>> strip.box_size
    (5, 5)
    >>> strip.mask((5, 5)).tolist()[1]
    [0, 1, 0, 0, 0]
    """

    width: float
    length: float
    angle: float

    def __post_init__(self) -> None:
        for name in ("width", "length"):
            object.__setattr__(self, name, check_number(f"strip {name}", getattr(self, name), 0.5))
        object.__setattr__(self, "angle", check_number("strip angle", self.angle, -math.pi, math.pi))

    @property
    def box_size(self) -> Shape:
        """(height, width) of the smallest box of whole pixels around the strip."""
        cosine, sine = abs(math.cos(self.angle)), abs(math.sin(self.angle))
        height = self.length * cosine + self.width * sine
        width = self.length * sine + self.width * cosine
        return math.ceil(height - SLACK), math.ceil(width - SLACK)

    def mask(self, shape: Shape) -> BinaryMap:
        """(height, width) uint8 map, 1 inside the strip, which lies in the middle."""
        dy = np.arange(shape[0])[:, np.newaxis] - (shape[0] - 1) / 2
        dx = np.arange(shape[1]) - (shape[1] - 1) / 2
        along = dy * math.cos(self.angle) + dx * math.sin(self.angle)
        across = dx * math.cos(self.angle) - dy * math.sin(self.angle)
        inside = (np.abs(along) <= self.length / 2 + SLACK) & (np.abs(across) <= self.width / 2 + SLACK)
        return inside.view(np.uint8)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"kind": "strip", "width": self.width, "length": self.length, "angle": self.angle}


PatchShape: TypeAlias = Ellipses | Strip

_KINDS: dict[str, tuple[type[Ellipses] | type[Strip], set[str]]] = {
    "ellipses": (Ellipses, {"parameters"}),
    "strip": (Strip, {"width", "length", "angle"}),
}


def shape_from_dict(data: Any) -> PatchShape:
    """Inverse of `to_dict` of `Ellipses` and `Strip`."""
    accepted = "null or a mapping of kind 'ellipses' (with parameters) or 'strip' (with width, length and angle)"
    if not isinstance(data, Mapping):
        raise fail(TypeError, "shape", accepted, data)
    arguments = dict(data)
    kind = arguments.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KINDS or set(arguments) != _KINDS[kind][1]:
        raise fail(ValueError, "shape", accepted, dict(data))
    return _KINDS[kind][0](**arguments)
