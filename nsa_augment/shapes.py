"""Patch shapes other than the rectangle (ablation D: a union of random ellipses)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment.checks import check_numbers, fail
from nsa_augment.kernels import compiled
from nsa_augment.types import BinaryMap, Shape

ELLIPSE_COUNT = 5


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

    def mask(self, shape: Shape) -> BinaryMap:
        """(height, width) uint8 map, 1 inside any of the ellipses."""
        return rasterise(np.array(self.parameters, np.float64), shape[0], shape[1])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"kind": "ellipses", "parameters": [list(ellipse) for ellipse in self.parameters]}


def shape_from_dict(data: Any) -> Ellipses:
    """Inverse of `Ellipses.to_dict`."""
    accepted = 'null or {"kind": "ellipses", "parameters": [[centre_y, centre_x, semi_y > 0, semi_x > 0, angle], ...]}'
    if not isinstance(data, Mapping):
        raise fail(TypeError, "shape", accepted, data)
    if set(data) != {"kind", "parameters"} or data["kind"] != "ellipses" or not data["parameters"]:
        raise fail(ValueError, "shape", accepted, dict(data))
    parameters = tuple(check_numbers("shape", ellipse, accepted, 5) for ellipse in data["parameters"])
    if any(semi_y <= 0 or semi_x <= 0 for _, _, semi_y, semi_x, _ in parameters):
        raise fail(ValueError, "shape", accepted, dict(data))
    return Ellipses(parameters)


@compiled
def rasterise(parameters: NDArray[np.float64], height: int, width: int) -> BinaryMap:
    """Union of ellipses (rows: centre_y, centre_x, semi_y, semi_x, angle) as a 0/1 map."""
    mask = np.zeros((height, width), np.uint8)
    for index in range(parameters.shape[0]):
        centre_y, centre_x, semi_y, semi_x, angle = parameters[index]
        cosine, sine = np.cos(angle), np.sin(angle)
        for y in range(height):
            for x in range(width):
                dy, dx = y - centre_y, x - centre_x
                along_y = (dy * cosine + dx * sine) / semi_y
                along_x = (dx * cosine - dy * sine) / semi_x
                if along_y * along_y + along_x * along_x <= 1:
                    mask[y, x] = 1
    return mask


@compiled
def draw_ellipses(
    rng: np.random.Generator, height: int, width: int, half: tuple[int, int], low: tuple[int, int]
) -> NDArray[np.float64]:
    """Parameters of random ellipses in a patch of the given size (ablation D).

    `half` is the half-size of the patch before it was cut at the border, `low` the minimum half-size (at least 1).
    """
    parameters = np.empty((ELLIPSE_COUNT, 5), np.float64)
    for index in range(ELLIPSE_COUNT):
        parameters[index, 0] = rng.integers(0, height)
        parameters[index, 1] = rng.integers(0, width)
        parameters[index, 2] = rng.integers(low[0], max(low[0] + 1, half[0] // 2))
        parameters[index, 3] = rng.integers(low[1], max(low[1] + 1, half[1] // 2))
        parameters[index, 4] = rng.random() * np.pi
    return parameters
