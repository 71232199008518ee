"""Poisson blending by sine transforms, with the discretisation of `cv2.seamlessClone`.

What is solved for is the change v = result - image, not the image: v is zero on the border of the mask's bounding box,
and its five-point Laplacian inside is the divergence of weight * (guidance - gradient of the image). Gradients are
forward differences, the divergence is made of backward ones, the weight is the mask eroded by three pixels. Patches are
transposed where that makes `solve_poisson` faster.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.types import BinaryMap, Gradient, Image
from nsa_augment._shared.workspace import Workspace
from nsa_augment.blending.solvers._rectangle import cost, solve_poisson
from nsa_augment.blending.solvers.base import Solver

EROSION = np.ones((7, 7), np.uint8)
"""Three erosions by 3 x 3."""

TIE_SLACK = 2.0**-10 / 255
"""Rounding of float images, as a part of the full scale: gradients that tie in 8 bits must tie there too."""

WORKSPACE = Workspace()


class Spectral(Solver):
    """Sine transforms, in float32, for every dtype."""

    name = "spectral"

    @staticmethod
    def clone(canvas: Image, source: Image, mask: BinaryMap, gradient: Gradient, max_value: float) -> None:
        """`clone_spectral`."""
        clone_spectral(canvas, source, mask, gradient, max_value, WORKSPACE)


def clone_spectral(
    canvas: Image,
    source: Image,
    mask: BinaryMap,
    gradient: Gradient,
    max_value: float,
    workspace: Workspace | None = None,
) -> None:
    """Blend `source` into `canvas` in place.

    Parameters
    ----------
    canvas : (h, w, C) array, uint8, uint16, float32 or float64
        Changed in place; whole numbers are truncated, as OpenCV does.
    source : (h, w, C) array of the same dtype
    mask : (h, w) uint8 array
        0 outside the patch, up to 255 inside; its bounding box is the array without its outermost ring.
    gradient : "source" or "mixed"
    max_value : float
        Results are clipped to [0, max_value].
    workspace : Workspace, optional
        Holds the intermediate arrays.
    """
    workspace = workspace or Workspace()
    height, width = mask.shape
    flip = min(height, width) > 4 and (width - 4) * cost(height - 4) > (height - 4) * cost(width - 4)
    inner = canvas[1:-1, 1:-1]
    eroded = cv2.erode(mask, EROSION, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    weight = np.multiply(eroded[1:-1, 1:-1], np.float32(1 / 255), dtype=np.float32)
    planes, source_planes = _planes(inner, flip), _planes(source[1:-1, 1:-1], flip)
    shape = (len(planes), width - 4, height - 4) if flip else (len(planes), height - 4, width - 4)
    divergence = workspace.array("divergence", shape, np.float32)
    if flip:
        weight = np.ascontiguousarray(weight.T)
    slack = np.float32(max_value * TIE_SLACK if canvas.dtype.kind == "f" else 0)
    for plane, source_plane, target in zip(planes, source_planes, divergence, strict=True):
        _divergence(plane, source_plane, weight, gradient == "mixed", slack, target)
    for plane, change in zip(planes, solve_poisson(divergence, workspace), strict=True):
        _add(plane, change, max_value)
    inner[...] = cv2.merge([cv2.transpose(plane) for plane in planes] if flip else planes).reshape(inner.shape)


def _planes(image: Image, flip: bool) -> list[Image]:
    planes = cv2.split(image)
    return [cv2.transpose(plane) for plane in planes] if flip else list(planes)


@compiled
def _divergence(
    plane: Image, source: Image, weight: NDArray[np.float32], mixed: bool, slack: np.float32, result: Image
) -> None:
    """Right-hand side (h - 2, w - 2) of one plane (h, w); mixed gradients that differ by `slack` at most are ties."""
    height, width = plane.shape
    values = np.empty((2, width), np.float32)
    foreign = np.empty((2, width), np.float32)
    across = np.zeros(width, np.float32)
    down = np.zeros((2, width), np.float32)
    for x in range(width):
        values[0, x] = plane[0, x]
        foreign[0, x] = source[0, x]
    for y in range(height - 1):
        here, below = values[y % 2], values[(y + 1) % 2]
        new_here, new_below = foreign[y % 2], foreign[(y + 1) % 2]
        above, under, share = down[(y + 1) % 2], down[y % 2], weight[y]
        for x in range(width):
            below[x] = plane[y + 1, x]
            new_below[x] = source[y + 1, x]
        for x in range(width - 1):
            own_x, own_y = here[x + 1] - here[x], below[x] - here[x]
            new_x, new_y = new_here[x + 1] - new_here[x], new_below[x] - new_here[x]
            kept = mixed and abs(new_x - new_y) <= abs(own_x - own_y) + slack
            taken = np.float32(0) if kept else share[x]
            across[x] = taken * (new_x - own_x)
            under[x] = taken * (new_y - own_y)
        if y > 0:
            row = result[y - 1]
            for x in range(width - 2):
                row[x] = (across[x + 1] - across[x]) + (under[x + 1] - above[x + 1])


@compiled
def _add(plane: Image, change: NDArray[np.float32], max_value: float) -> None:
    for y in range(change.shape[0]):
        row, changes = plane[y + 1], change[y]
        for x in range(change.shape[1]):
            row[x + 1] = min(max(row[x + 1] + np.float64(changes[x]), 0.0), max_value)
