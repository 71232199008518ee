"""Solver of the discrete Poisson equation on rectangles, in a fixed order: the same bits on every processor.

A sine transform down the columns turns the equation into one tridiagonal system for each mode along the rows. Where it
saves products, the rectangle is first cut along one row, into two parts whose heights transform faster: with v = 0 on
that row each part is solved separately, the residual there gives the values of the row (one division for each mode
along it), and with these the parts are solved once more.

Channels are interleaved, as in images: a rectangle is an (h, w * C) array.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import BoundedCache, cached
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.elementary import sine_of_turns
from nsa_augment._shared.types import Size
from nsa_augment._shared.workspace import Workspace
from nsa_augment.blending.solvers._products import Matrix
from nsa_augment.blending.solvers._sines import COLUMNS, ROWS, products, scratch_size, sines, transform

Reals = NDArray[np.float64]

NO_CUT = 0

CUT_COST = 48
"""Cost of solving twice, in products per pixel."""


TABLES = BoundedCache(64 * 2**20)
"""Tables by size and number of channels, up to 64 MiB."""

Tables: TypeAlias = tuple[bool, int, Matrix, Reals, Matrix, Reals]
"""Tables for solving rectangles of one size; compiled functions take a plain tuple faster than a named one.

- whether rows and columns are swapped, so that the transform runs along the rows
- the row of the cut; 0: none
- matrices of the transforms of all parts
- (3, h), for every mode of the parts: the diagonal of its system, the scale of the transform, its sine next to the cut
- matrices of the transform of the row of the cut, and the diagonals of its modes; unused without a cut
"""


def solve_poisson(divergence: Matrix, workspace: Workspace | None = None) -> Matrix:
    """Solve the discrete Poisson equation on rectangles, with zeros around them.

    Parameters
    ----------
    divergence : (h, w, C) float32 array
        Right-hand sides.
    workspace : Workspace, optional
        Holds the intermediate arrays.

    Returns
    -------
    (h, w, C) float32 array
        v with v[y-1, x] + v[y+1, x] + v[y, x-1] + v[y, x+1] - 4 v[y, x] = divergence[y, x].

    Examples
    --------
    >>> solve_poisson(np.full((1, 1, 1), -4, np.float32)).item()
    1.0
    """
    height, width, channels = divergence.shape
    change = np.array(divergence, np.float32, order="C").reshape(height, width * channels)
    found, size = tables_for((height, width), channels)
    solve_rectangle(change, channels, found, (workspace or Workspace()).floats(size))
    return change.reshape(divergence.shape)


def tables_for(size: Size, channels: int) -> tuple[Tables, int]:
    """Tables for `solve_rectangle` for rectangles of a size, and the length of its memory."""

    def make() -> tuple[tuple[Tables, int], int]:
        flip, height, width, parts = _layout(size)
        cut = parts[0] if len(parts) == 2 else 0
        matrices = sines(parts)
        row_sines = sines((width,)) if cut else matrices
        found = (flip, cut, matrices, _modes(height), row_sines, _row_modes(width if cut else 0))
        values, columns = height * width * channels, width * channels
        floats = values + scratch_size(height, columns)
        if cut:
            floats += values + columns + scratch_size(width, channels)
        memory = 2 * height * width + (floats + 1) // 2
        return (found, memory), matrices.nbytes + row_sines.nbytes

    found: tuple[Tables, int] = TABLES.get((size, channels), make)
    return found


@cached(4096)
def _layout(size: Size) -> tuple[bool, int, int, tuple[int, ...]]:
    """Whether to transform along the rows, the size after swapping, and the heights of the parts."""
    height, width = size
    flip = width * _cost(height) > height * _cost(width)
    if flip:
        height, width = width, height
    return flip, height, width, _parts(height)


@cached(4096)
def _cost(height: int) -> int:
    """Products per column of a rectangle."""
    parts = _parts(height)
    return sum(map(products, parts)) + (CUT_COST * height if len(parts) == 2 else 0)


@cached(4096)
def _parts(height: int) -> tuple[int, ...]:
    """Numbers of rows of the cheapest parts, one row apart; the smaller part comes first."""
    above = min(range(1, height // 2), key=lambda rows: products(rows) + products(height - 1 - rows), default=0)
    if above == 0 or products(above) + products(height - 1 - above) + CUT_COST * height >= products(height):
        return (height,)
    return above, height - 1 - above


@cached(4096)
def _row_modes(count: int) -> Reals:
    """2 cos(pi k / (count + 1)) - 4 for all modes k."""
    halves = sine_of_turns(np.arange(1, count + 1), 4 * (count + 1))
    modes: Reals = -2 - 4 * halves * halves
    return modes


@cached(4096)
def _modes(height: int) -> Reals:
    """For every mode of the parts: the diagonal of its system, the scale of the transform, its sine next to the cut."""
    modes = np.zeros((3, height))
    modes[0] = -4
    first = 0
    for count in _parts(height):
        rows, numbers = slice(first, first + count), np.arange(1, count + 1)
        modes[0, rows] = _row_modes(count)
        modes[1, rows] = 2 / (count + 1)
        modes[2, rows] = sine_of_turns(numbers * (count if first == 0 else 1), 2 * (count + 1))
        first += count + 1
    return modes


@compiled
def solve_rectangle(change: Matrix, channels: int, tables: Tables, memory: Reals) -> None:
    """Replace a right-hand side (h, w * C) with the solution; for `tables` and `memory` see `tables_for`."""
    flip, cut, matrices, modes, row_sines, row_modes = tables
    height, size = modes.shape[1], change.size
    columns, group, pixels = size // height, channels if flip else 0, size // channels
    pivots = memory[:pixels].reshape(columns // channels, height)
    values = memory[pixels : 2 * pixels].reshape(columns // channels, height)
    floats = memory[2 * pixels :].view(np.float32)
    loads, scratch = floats[:size].reshape(columns, height), floats[size:]
    transform(change, group, loads, ROWS, (height, columns), cut, matrices, scratch)
    _invert(modes[0], pivots)
    apart = scratch[:size].reshape(columns, height) if cut > 0 else loads
    _solve_modes(loads, apart, channels, modes[1], pivots, values)
    if cut > 0:
        row, rest = scratch[size : size + columns].reshape(columns // channels, channels), scratch[size + columns :]
        _missing(loads, apart, modes[2], cut, row)
        transform(row, COLUMNS, row, COLUMNS, row.shape, NO_CUT, row_sines, rest)
        _solve_row(row, row_modes, cut, height - 1 - cut)
        transform(row, COLUMNS, row, COLUMNS, row.shape, NO_CUT, row_sines, rest)
        _subtract_row(loads, modes[2], row)
        _solve_modes(loads, loads, channels, modes[1], pivots, values)
        for x in range(columns):
            loads[x, cut] = row[x // channels, x % channels]
    transform(loads, ROWS, change, group, (height, columns), cut, matrices, scratch)


@compiled
def _invert(diagonal: Reals, pivots: Reals) -> None:
    """Pivots of the systems of all modes."""
    for x in range(diagonal.size):
        pivots[0, x] = 1 / diagonal[x]
    for y in range(1, len(pivots)):
        before, row = pivots[y - 1], pivots[y]
        for x in range(diagonal.size):
            row[x] = 1 / (diagonal[x] - before[x])


@compiled
def _solve_modes(loads: Matrix, solution: Matrix, channels: int, scales: Reals, pivots: Reals, values: Reals) -> None:
    """Eliminate along the rows for all modes at once, in double precision; `solution` may be `loads`."""
    height, width = pivots.shape
    for c in range(channels):
        load = loads[c]
        for x in range(width):
            values[0, x] = load[x] * scales[x] * pivots[0, x]
        for y in range(1, height):
            before, row, load, pivot = values[y - 1], values[y], loads[y * channels + c], pivots[y]
            for x in range(width):
                row[x] = (load[x] * scales[x] - before[x]) * pivot[x]
        solved = solution[(height - 1) * channels + c]
        for x in range(width):
            solved[x] = values[height - 1, x]
        for y in range(height - 2, -1, -1):
            after, row, solved, pivot = values[y + 1], values[y], solution[y * channels + c], pivots[y]
            for x in range(width):
                row[x] -= pivot[x] * after[x]
                solved[x] = row[x]


@compiled
def _missing(loads: Matrix, apart: Matrix, edges: Reals, cut: int, row: Matrix) -> None:
    """Right-hand side of the row of the cut, minus the values next to it in parts that are solved separately."""
    (columns, height), channels = loads.shape, row.shape[1]
    for x in range(columns):
        modes = apart[x]
        total0, total1, total2, total3 = 0.0, 0.0, 0.0, 0.0
        for k in range(0, height - 3, 4):
            total0 += edges[k] * modes[k]
            total1 += edges[k + 1] * modes[k + 1]
            total2 += edges[k + 2] * modes[k + 2]
            total3 += edges[k + 3] * modes[k + 3]
        for k in range(height - height % 4, height):
            total0 += edges[k] * modes[k]
        row[x // channels, x % channels] = loads[x, cut] - ((total0 + total1) + (total2 + total3))


@compiled
def _solve_row(spectrum: Matrix, diagonal: Reals, above: int, below: int) -> None:
    """Divide the modes along the cut by the response of the row and the rows above and below."""
    scale = 2 / (diagonal.size + 1)
    for x in range(diagonal.size):
        ratio_above = ratio_below = ratio = 0.0
        for rows in range(1, max(above, below) + 1):
            before, ratio = ratio, 1 / (-diagonal[x] - ratio)
            if rows == above:
                ratio_above = ratio
            if rows == below:
                ratio_below = ratio
            if ratio == before:
                break
        ratio_above, ratio_below = ratio_above or ratio, ratio_below or ratio
        factor = scale / (diagonal[x] + (ratio_above + ratio_below))
        for c in range(spectrum.shape[1]):
            spectrum[x, c] *= factor


@compiled
def _subtract_row(loads: Matrix, edges: Reals, row: Matrix) -> None:
    """Subtract the values of the row of the cut from the right-hand sides of the rows next to it."""
    (columns, height), channels = loads.shape, row.shape[1]
    for x in range(columns):
        modes, value = loads[x], row[x // channels, x % channels]
        for k in range(height):
            modes[k] -= edges[k] * value
