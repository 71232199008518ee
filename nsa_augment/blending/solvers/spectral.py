"""Poisson blending by sine transforms, with the discretisation of `cv2.seamlessClone`.

The unknown is the change v = result - image: v is zero on the border of the mask's bounding box, and its five-point
Laplacian inside is the divergence of weight * (guidance - gradient of the image). Gradients are forward differences,
the divergence uses backward ones, and the weight is the mask eroded by three pixels.

Compiled code treats rows of pixels as rows of values: the same channel of the next pixel is C values further.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.resizing import resized_part, resized_pixels
from nsa_augment._shared.types import BinaryMap, Corners, Gradient, Image, Size
from nsa_augment._shared.workspace import Workspace
from nsa_augment.blending.solvers._products import Matrix
from nsa_augment.blending.solvers._rectangle import Reals, Tables, solve_rectangle, tables_for
from nsa_augment.blending.solvers._rectangle import solve_poisson as solve_poisson
from nsa_augment.blending.solvers.base import Solver
from nsa_augment.blending.uncut import NO_OBJECTS, PlacedMaps, UncutPatch

EROSION = 3
"""Radius by which masks are eroded, pixels."""

TIE_SLACK = 2.0**-10 / 255
"""Rounding of float images, as a fraction of the full scale: gradients that tie in 8 bits must tie there too."""

WORKSPACE = Workspace()

_NO_MAP = np.zeros((0, 0), np.uint8)


class Spectral(Solver):
    """Sine transforms, in float32, for every dtype."""

    name = "spectral"
    takes_uncut = True

    @staticmethod
    def clone(canvas: Image, source: Image, mask: BinaryMap, gradient: Gradient, max_value: float) -> None:
        """`clone_spectral`."""
        clone_spectral(canvas, source, mask, gradient, max_value, WORKSPACE)

    @staticmethod
    def clone_uncut(
        image: Image, box: Box, patch: UncutPatch, region: BinaryMap, place: Box, gradient: Gradient, max_value: float
    ) -> None:
        """In one compiled call."""
        _clone(
            image,
            (*box,),
            region,
            (*place,),
            patch.source,
            patch.source_box,
            patch.objects,
            _NO_MAP,
            math.ceil(255 * patch.factor),
            gradient == "mixed",
            *_prepared(box.size, image.shape[2], image.dtype, max_value, WORKSPACE),
        )


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
        Changed in place; whole numbers are truncated, as in OpenCV.
    source : (h, w, C) array of the same dtype
    mask : (h, w) uint8 array
        0 outside the patch, up to 255 inside; its bounding box is the array without its outermost ring.
    gradient : "source" or "mixed"
    max_value : float
        Results are clipped to [0, max_value].
    workspace : Workspace, optional
        Holds the intermediate arrays.
    """
    pixels, source, mask = np.ascontiguousarray(canvas), np.ascontiguousarray(source), np.ascontiguousarray(mask)
    (height, width, channels), dtype = canvas.shape, canvas.dtype
    box, prepared = (
        (0, 0, height, width),
        _prepared((height, width), channels, dtype, max_value, workspace or Workspace()),
    )
    _clone(pixels, box, _NO_MAP, box, source, box, NO_OBJECTS, mask, 0, gradient == "mixed", *prepared)
    if pixels is not canvas:
        canvas[...] = pixels


def _prepared(
    size: Size, channels: int, dtype: np.dtype[Any], max_value: float, workspace: Workspace
) -> tuple[float, float, Tables, Reals]:
    """The arguments of `_clone` from `slack` on."""
    height, width = size
    tables, needed = tables_for((height - 4, width - 4), channels)
    own = (height - 4) * (width - 4) * channels
    slack = max_value * TIE_SLACK if dtype.kind == "f" else 0.0
    return slack, max_value, tables, workspace.floats(needed + (own + 1) // 2)


@compiled
def _clone(
    image: Image,
    box: Corners,
    region: BinaryMap,
    place: Corners,
    source: Image,
    source_box: Corners,
    objects: PlacedMaps,
    mask: BinaryMap,
    level: int,
    mixed: bool,
    slack: float,
    max_value: float,
    tables: Tables,
    memory: Reals,
) -> None:
    """Cut, resize and blend a patch, and set the region where it shows the object.

    Arrays are contiguous. `place` is the box in the coordinates of the region. An empty mask is `level` inside the
    outermost ring of the box, an empty region is not set, and empty maps of the object are 1. `tables` and `memory` are
    as for `solve_rectangle`, with more memory.
    """
    source_object, source_object_box, image_object, image_object_box = objects
    height, width, channels = box[2] - box[0], box[3] - box[1], image.shape[2]
    if region.size > 0:
        shown = image_object
        if image_object.size > 0:
            shown = resized_part(source_object, source_object_box, (height, width))
        _mark(region, place, shown, image_object, image_object_box)
    weight = _eroded(mask) if mask.size > 0 else _eroded_rectangle(height, width, level)
    values, left = image.reshape(len(image), image.shape[1] * channels), box[1] * channels
    foreign = resized_pixels(source, source_box, (height, width)).reshape(height, width * channels)
    size = (height - 4) * (width - 4) * channels
    used = (size + 1) // 2
    change = memory[:used].view(np.float32)[:size].reshape(height - 4, (width - 4) * channels)
    _divergence(values, box[0], left, foreign, weight, channels, mixed, np.float32(slack), change)
    solve_rectangle(change, channels, tables, memory[used:])
    _add(values, box[0] + 2, left + 2 * channels, change, max_value)


@compiled
def _mark(region: BinaryMap, box: Corners, shown: BinaryMap, image_object: BinaryMap, image_box: Corners) -> None:
    """Set the region in a box without its outermost ring, where a map shows the object, or everywhere without maps."""
    for y in range(1, box[2] - box[0] - 1):
        marked = region[box[0] + y, box[1] + 1 : box[3] - 1]
        if not image_object.size:
            marked[:] = 1
            continue
        above, below = shown[y, 1:], image_object[image_box[0] + y, image_box[1] + 1 :]
        for x in range(marked.size):
            marked[x] |= above[x] | below[x]


@compiled
def _eroded_rectangle(height: int, width: int, level: int) -> BinaryMap:
    """As `_eroded`, for a mask that is `level` inside its outermost ring."""
    blocks, reach = np.zeros((height, width), np.uint8), 1 + 2 * EROSION
    for y in range(1, height - reach):
        blocks[y, 1 : max(width - reach, 1)] = level
    return blocks


@compiled
def _eroded(mask: BinaryMap) -> BinaryMap:
    """Minimum of each 7 x 7 block of a mask, at the block's upper left pixel; undefined beyond the last block."""
    height, width = mask.shape
    least, other = mask.copy().reshape(mask.size), np.empty(mask.size, np.uint8)
    for line in (1, width):
        for step in (1, 2, EROSION):  # of 2, 4 and then 7 pixels
            ahead = least[step * line :]
            for at in range(ahead.size):
                other[at] = min(least[at], ahead[at])
            least, other = other, least
    blocks: BinaryMap = least.reshape(height, width)
    return blocks


@compiled
def _divergence(
    image: Image,
    top: int,
    left: int,
    source: Image,
    weight: BinaryMap,
    channels: int,
    mixed: bool,
    slack: np.float32,
    result: Matrix,
) -> None:
    """Right-hand side (h - 4, (w - 4) * C) of a patch whose first value is [top, left] in the image.

    Mixed gradients that differ by at most `slack` tie.
    """
    height, size = source.shape
    here, below = np.empty(size, np.float32), np.empty(size, np.float32)
    new_here, new_below = np.empty(size, np.float32), np.empty(size, np.float32)
    across, above, under = np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.float32)
    shares = np.zeros(size, np.float32)
    right, new_right = here[channels:], new_here[channels:]
    before, after = across[channels:], across[2 * channels :]
    over, beneath = above[2 * channels :], under[2 * channels :]
    _read(image, top + 1, left, here)
    _read(source, 1, 0, new_here)
    for y in range(1, height - 2):
        _read(image, top + y + 1, left, below)
        _read(source, y + 1, 0, new_below)
        _spread(weight, y - EROSION, channels, shares)
        for x in range(right.size):
            own_x, own_y = right[x] - here[x], below[x] - here[x]
            new_x, new_y = new_right[x] - new_here[x], new_below[x] - new_here[x]
            kept = mixed and abs(new_x - new_y) <= abs(own_x - own_y) + slack
            taken = np.float32(0) if kept else shares[x]
            across[x] = taken * (new_x - own_x)
            under[x] = taken * (new_y - own_y)
        if y > 1:
            for x in range(result.shape[1]):
                result[y - 2, x] = (after[x] - before[x]) + (beneath[x] - over[x])
        for x in range(size):
            here[x], new_here[x], above[x] = below[x], new_below[x], under[x]


@compiled
def _read(image: Image, y: int, start: int, values: NDArray[np.float32]) -> None:
    row = image[y, start:]
    for x in range(values.size):
        values[x] = row[x]


@compiled
def _spread(weight: BinaryMap, y: int, channels: int, shares: NDArray[np.float32]) -> None:
    """Weights of the blocks in row `y` as shares of 1, repeated for each channel; 0 where there are none."""
    rows, width = weight.shape[0] - 2 * EROSION, weight.shape[1] - 2 * EROSION
    if y < 0 or y >= rows:
        shares[:] = 0
        return
    same = y > 0
    for x in range(width):
        same &= weight[y, x] == weight[y - 1, x]
    if same:
        return
    inner = shares[EROSION * channels :]
    for x in range(width):
        share = np.float32(weight[y, x]) * np.float32(1 / 255)
        for c in range(channels):
            inner[x * channels + c] = share


@compiled
def _add(image: Image, top: int, left: int, change: Matrix, max_value: float) -> None:
    for y in range(change.shape[0]):
        row, changes = image[top + y, left:], change[y]
        for x in range(changes.size):
            row[x] = min(max(row[x] + np.float64(changes[x]), 0.0), max_value)
