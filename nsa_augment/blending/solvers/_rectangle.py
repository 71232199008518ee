"""The discrete Poisson equation on rectangles, solved in a fixed order: the same bits on every processor.

A sine transform down the columns turns the equation into one tridiagonal system for each mode along the rows. Where it
saves products, the rectangle is first cut along one row, into two parts whose heights transform faster: with v = 0 on
that row each part is solved for itself, what is then missing there gives the values of the row (one division for each
mode along it), and with these the parts are solved once more.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import cached
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.elementary import sine_of_turns
from nsa_augment._shared.workspace import Workspace
from nsa_augment.blending.solvers._sines import products, sine_transform

Planes = NDArray[np.float32]
Reals = NDArray[np.float64]

CUT_COST = 48
"""What solving twice costs, in products for each pixel."""


def solve_poisson(divergence: Planes, workspace: Workspace | None = None) -> Planes:
    """Solve the discrete Poisson equation on rectangles, with zeros around them.

    Parameters
    ----------
    divergence : (C, h, w) float32 array, C-contiguous
        Right-hand sides.
    workspace : Workspace, optional
        Holds the intermediate arrays, and the result until it is used again.

    Returns
    -------
    (C, h, w) float32 array
        v with v[y-1, x] + v[y+1, x] + v[y, x-1] + v[y, x+1] - 4 v[y, x] = divergence[y, x].

    Examples
    --------
    >>> solve_poisson(np.full((1, 1, 1), -4, np.float32)).item()
    1.0
    """
    workspace = workspace or Workspace()
    planes, height, width = divergence.shape
    parts = _parts(height)
    modes = workspace.array("modes", divergence.shape, np.float32)
    sine_transform(divergence, modes, workspace, parts)
    loads = workspace.array("loads", (planes, width, height), np.float32)
    for plane, load in zip(modes, loads, strict=True):
        cv2.transpose(plane, dst=load)
    pivots, values = workspace.array("tridiagonal", (2, width, height), np.float64)
    diagonal, scales, edges = _modes(height)
    if len(parts) == 2:
        apart = workspace.array("apart", loads.shape, np.float32)
        _solve_modes(loads, apart, diagonal, scales, pivots, values)
        row = np.empty((1, width, planes), np.float32)
        _missing(loads, apart, edges, parts[0][1], row)
        spectrum = sine_transform(row, None, workspace)
        _solve_row(spectrum, _modes_of(width), 2 / (width + 1), parts[0][1], parts[1][1])
        sine_transform(spectrum, row, workspace)
        _add_row(loads, edges, row)
        _solve_modes(loads, loads, diagonal, scales, pivots, values)
        loads[:, :, parts[0][1]] = row[0].T
    else:
        _solve_modes(loads, loads, diagonal, scales, pivots, values)
    for plane, load in zip(modes, loads, strict=True):
        cv2.transpose(load, dst=plane)
    sine_transform(modes, modes, workspace, parts)
    return modes


@cached(4096)
def cost(height: int) -> int:
    """Products for one column of a rectangle."""
    parts = _parts(height)
    return sum(products(count) for _, count in parts) + (CUT_COST * height if len(parts) == 2 else 0)


@cached(4096)
def _parts(height: int) -> tuple[tuple[int, int], ...]:
    """(first row, number of rows) of the parts, one row apart, that cost least; the smaller part comes first."""
    above = min(range(1, height // 2), key=lambda rows: products(rows) + products(height - 1 - rows), default=0)
    if above == 0 or products(above) + products(height - 1 - above) + CUT_COST * height >= products(height):
        return ((0, height),)
    return (0, above), (above + 1, height - 1 - above)


def _modes_of(count: int) -> Reals:
    """2 cos(pi k / (count + 1)) - 4 for all modes k."""
    halves = sine_of_turns(np.arange(1, count + 1), 4 * (count + 1))
    return -2 - 4 * halves * halves


@cached(4096)
def _modes(height: int) -> tuple[Reals, Reals, Reals]:
    """Of every mode of the parts: the diagonal of its system, the scale of the transform, its sine beside the cut."""
    diagonal, scales, edges = np.full(height, -4.0), np.zeros(height), np.zeros(height)
    for part, (first, count) in enumerate(_parts(height)):
        rows, modes = slice(first, first + count), np.arange(1, count + 1)
        diagonal[rows] = _modes_of(count)
        scales[rows] = 2 / (count + 1)
        edges[rows] = sine_of_turns(modes * (count if part == 0 else 1), 2 * (count + 1))
    return diagonal, scales, edges


@compiled
def _solve_modes(loads: Planes, solution: Planes, diagonal: Reals, scales: Reals, pivots: Reals, values: Reals) -> None:
    """Eliminate along the rows of (C, h, w) for all modes at once, in double precision; `solution` may be `loads`."""
    planes, height, width = loads.shape
    for x in range(width):
        pivots[0, x] = 1 / diagonal[x]
    for y in range(1, height):
        before, row = pivots[y - 1], pivots[y]
        for x in range(width):
            row[x] = 1 / (diagonal[x] - before[x])
    for plane in range(planes):
        for x in range(width):
            values[0, x] = loads[plane, 0, x] * scales[x] * pivots[0, x]
        for y in range(1, height):
            before, row, load, pivot = values[y - 1], values[y], loads[plane, y], pivots[y]
            for x in range(width):
                row[x] = (load[x] * scales[x] - before[x]) * pivot[x]
        for x in range(width):
            solution[plane, height - 1, x] = values[height - 1, x]
        for y in range(height - 2, -1, -1):
            after, row, solved, pivot = values[y + 1], values[y], solution[plane, y], pivots[y]
            for x in range(width):
                row[x] -= pivot[x] * after[x]
                solved[x] = row[x]


@compiled
def _missing(loads: Planes, apart: Planes, edges: Reals, cut: int, row: Planes) -> None:
    """Right-hand side (1, w, C) of the row of the cut, without the values beside it in parts that are solved apart."""
    planes, width, height = loads.shape
    for plane in range(planes):
        for x in range(width):
            modes = apart[plane, x]
            total0, total1, total2, total3 = 0.0, 0.0, 0.0, 0.0
            for k in range(0, height - 3, 4):
                total0 += edges[k] * modes[k]
                total1 += edges[k + 1] * modes[k + 1]
                total2 += edges[k + 2] * modes[k + 2]
                total3 += edges[k + 3] * modes[k + 3]
            for k in range(height - height % 4, height):
                total0 += edges[k] * modes[k]
            row[0, x, plane] = loads[plane, x, cut] - ((total0 + total1) + (total2 + total3))


@compiled
def _solve_row(spectrum: Planes, diagonal: Reals, scale: float, above: int, below: int) -> None:
    """Divide the modes along the cut by what the row, and the rows above and below, make of them."""
    planes = spectrum.shape[2]
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
        for plane in range(planes):
            spectrum[0, x, plane] *= factor


@compiled
def _add_row(loads: Planes, edges: Reals, row: Planes) -> None:
    """Subtract the values of the row of the cut from the right-hand sides of the rows beside it."""
    planes, width, height = loads.shape
    for plane in range(planes):
        for x in range(width):
            modes, value = loads[plane, x], row[0, x, plane]
            for k in range(height):
                modes[k] -= edges[k] * value
