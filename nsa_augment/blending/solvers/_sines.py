"""Sine transforms (DST-I) down the columns, as products with matrices in a fixed order of sums.

Every value is computed by the same additions and multiplications in the same order whatever the processor: columns, not
terms of a sum, share vector registers, and nothing is left to a library. Symmetry saves most of the products. With
N = n + 1 and s(j, k) = sin(pi j k / N), the symmetric part of a column makes the results of odd index and the
antisymmetric part those of even index, which are a transform of half the length where N is even. There, results k and
N - k differ only in the sign of the terms of even j; if N is odd, one quarter of the matrix serves both parts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import BoundedCache, cached
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.elementary import sine_of_turns
from nsa_augment._shared.workspace import Workspace

Columns = NDArray[np.float32]

SINES = BoundedCache(64 * 2**20)
"""Sines by length, up to 64 MiB."""

LANES = 96
"""Columns that are transformed together, so that their values stay in the first cache."""


def sine_transform(
    columns: Columns,
    out: Columns | None = None,
    workspace: Workspace | None = None,
    parts: Sequence[tuple[int, int]] | None = None,
) -> Columns:
    """DST-I along the last axis but one: sum over j of x[j] sin(pi (j + 1) (k + 1) / (n + 1)).

    The transform is its own inverse up to the factor 2 / (n + 1).

    Parameters
    ----------
    columns : (C, n, w) float32 array
    out : array like `columns`, optional
        Receives the result; it may be `columns` itself.
    workspace : Workspace, optional
        Holds the intermediate arrays.
    parts : sequence of (first row, number of rows), optional
        Transform these parts of the columns, each for itself, and copy the rows between them.

    Returns
    -------
    (C, n, w) float32 array

    Examples
    --------
    >>> sine_transform(np.array([[[1], [0], [0]]], np.float32)).round(3).ravel().tolist()
    [0.7070000171661377, 1.0, 0.7070000171661377]
    """
    _, n, width = columns.shape
    out = np.empty_like(columns) if out is None else out
    workspace = workspace or Workspace()
    blocks = -(-width // LANES)
    lanes = -(-width // (8 * blocks)) * 8
    scratch = workspace.array("columns", (3, n + 1, lanes), np.float32)
    for first, count in parts or ((0, n),):
        _transform(columns, out, first, count + 1, _sines(count), scratch)
        if out is not columns and first > 0:
            out[:, first - 1] = columns[:, first - 1]
    return out


@cached(4096)
def products(n: int) -> int:
    """Multiplications of a transform of one column of length n."""
    size, count = n + 1, 0
    while size % 2 == 0:
        half = size // 2
        count += half * ((half + 1) // 2)
        size = half
    return count + 2 * (size // 2) ** 2


def _sines(n: int) -> Columns:
    """All matrices of a length, one after the other, as `_transform` reads them."""

    def make() -> tuple[Columns, int]:
        size, parts = n + 1, []
        while size % 2 == 0:
            rows = np.arange(1, size // 2 + 1, 2)
            for first in (2, 1):
                terms = np.arange(first, size // 2 + 1, 2)
                parts.append(sine_of_turns(np.outer(rows, terms), 2 * size))
            size //= 2
        index = np.arange(1, size // 2 + 1)
        parts.append(sine_of_turns(np.outer(index, index), size))
        sines = np.concatenate([part.ravel() for part in parts]).astype(np.float32)
        return sines, sines.nbytes

    found: Columns = SINES.get(n, make)
    return found


@compiled
def _product(matrix: Columns, values: Columns, result: Columns) -> None:
    """Matrix times values; each sum in the order of its terms, up to eight in one pass."""
    terms, lanes = values.shape
    for k in range(matrix.shape[0]):
        row, factors = result[k], matrix[k]
        row[:] = 0
        j = 0
        while j + 8 <= terms:
            c0, c1, c2, c3 = factors[j], factors[j + 1], factors[j + 2], factors[j + 3]
            c4, c5, c6, c7 = factors[j + 4], factors[j + 5], factors[j + 6], factors[j + 7]
            for x in range(lanes):
                total = row[x] + c0 * values[j, x]
                total += c1 * values[j + 1, x]
                total += c2 * values[j + 2, x]
                total += c3 * values[j + 3, x]
                total += c4 * values[j + 4, x]
                total += c5 * values[j + 5, x]
                total += c6 * values[j + 6, x]
                total += c7 * values[j + 7, x]
                row[x] = total
            j += 8
        if j + 4 <= terms:
            c0, c1, c2, c3 = factors[j], factors[j + 1], factors[j + 2], factors[j + 3]
            for x in range(lanes):
                total = row[x] + c0 * values[j, x]
                total += c1 * values[j + 1, x]
                total += c2 * values[j + 2, x]
                total += c3 * values[j + 3, x]
                row[x] = total
            j += 4
        while j < terms:
            c0 = factors[j]
            for x in range(lanes):
                row[x] += c0 * values[j, x]
            j += 1


@compiled
def _transform(columns: Columns, out: Columns, top: int, size: int, sines: Columns, scratch: Columns) -> None:
    """Transform size - 1 rows from `top` on of blocks of columns; `scratch` is (3, size or more, lanes)."""
    planes, _, width = columns.shape
    lanes = scratch.shape[2]
    values, parts, results = scratch[0], scratch[1], scratch[2]
    for plane in range(planes):
        for left in range(0, width, lanes):
            used = min(lanes, width - left)
            values[:] = 0
            for j in range(1, size):
                for x in range(used):
                    values[j, x] = columns[plane, top + j - 1, left + x]
            rest, step, start = size, 1, 0
            target = out[plane, top : top + size - 1, left : left + used]
            while rest % 2 == 0:
                start = _odd_results(values, parts, results, sines, start, rest, step, target)
                rest, step = rest // 2, 2 * step
            _last_results(values, parts, results, sines[start:], rest, step, target)


@compiled
def _odd_results(
    values: Columns,
    parts: Columns,
    results: Columns,
    sines: Columns,
    start: int,
    size: int,
    step: int,
    out: Columns,
) -> int:
    """Results of odd index of a transform of even size N; `values` become those of the transform of half the size.

    Returns where the next matrices start.
    """
    half, used = size // 2, out.shape[1]
    rows, even = (half + 1) // 2, half // 2
    for j in range(1, half):
        low, high = values[j], values[size - j]
        part = parts[j // 2 - 1] if j % 2 == 0 else parts[even + j // 2]
        for x in range(low.size):
            part[x] = low[x] + high[x]
            low[x] -= high[x]
    parts[even - 1 if half % 2 == 0 else even + half // 2] = values[half]
    matrix = sines[start : start + rows * even].reshape(rows, even)
    _product(matrix, parts[:even], results[:rows])
    start += rows * even
    matrix = sines[start : start + rows * (half - even)].reshape(rows, half - even)
    _product(matrix, parts[even:half], results[rows : 2 * rows])
    for m in range(rows):
        evens, odds = results[m], results[rows + m]
        first, last = out[step * (2 * m + 1) - 1], out[step * (size - 2 * m - 1) - 1]
        for x in range(used):
            sum_, difference = odds[x] + evens[x], odds[x] - evens[x]
            first[x] = sum_
            last[x] = difference
    return start + rows * (half - even)


@compiled
def _last_results(
    values: Columns, parts: Columns, results: Columns, sines: Columns, size: int, step: int, out: Columns
) -> None:
    """All results of a transform of odd size N: k = 2 m of the antisymmetric part, k = N - 2 m of the symmetric one."""
    half, used = size // 2, out.shape[1]
    if half == 0:
        return
    for j in range(1, half + 1):
        low, high, part = values[j], values[size - j], parts[j - 1]
        sign = np.float32(1 if j % 2 == 1 else -1)
        for x in range(low.size):
            part[x] = sign * (low[x] + high[x])
            low[x] -= high[x]
    matrix = sines.reshape(half, half)
    _product(matrix, values[1 : half + 1], results[:half])
    _product(matrix, parts[:half], results[half : 2 * half])
    for m in range(half):
        evens, odds = out[step * (2 * m + 2) - 1], out[step * (size - 2 * m - 2) - 1]
        for x in range(used):
            evens[x] = results[m, x]
            odds[x] = results[half + m, x]
