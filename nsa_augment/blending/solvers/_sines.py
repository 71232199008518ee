"""Sine transforms (DST-I) down the columns, as products with matrices in a fixed order of sums.

Every value is computed by the same additions and multiplications in the same order on every processor: columns, not
terms of a sum, share vector registers, and no library is used. Symmetry saves most of the products. With
N = n + 1 and s(j, k) = sin(pi j k / N), the symmetric part of a column gives the results of odd index and the
antisymmetric part those of even index, which are a transform of half the length where N is even. There, results k and
N - k differ only in the sign of the terms of even j; if N is odd, one quarter of the matrix serves both parts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import BoundedCache, cached
from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.elementary import sine_of_turns
from nsa_augment.blending.solvers._products import product

Columns = NDArray[np.float32]

SINES = BoundedCache(64 * 2**20)
"""Sines by length, up to 64 MiB."""

LANES = 192
"""Most columns transformed together, so that their values stay in the caches."""

COLUMNS, ROWS = 0, 1
"""Layouts of columns in an array, see `transform`."""

BLOCK = 8
"""Columns transposed together."""


def sine_transform(columns: Columns) -> Columns:
    """DST-I along the first axis: sum over j of x[j] sin(pi (j + 1) (k + 1) / (n + 1)).

    The transform is its own inverse up to the factor 2 / (n + 1).

    Parameters
    ----------
    columns : (n, w) float32 array

    Returns
    -------
    (n, w) float32 array

    Examples
    --------
    >>> sine_transform(np.array([[1], [0], [0]], np.float32)).round(3).ravel().tolist()
    [0.7070000171661377, 1.0, 0.7070000171661377]
    """
    n, width = columns.shape
    out = np.empty_like(columns)
    memory = np.empty(scratch_size(n, width), np.float32)
    transform(columns, COLUMNS, out, COLUMNS, columns.shape, 0, sines((n,)), memory)
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


def sines(counts: tuple[int, ...]) -> Columns:
    """Concatenated matrices of the transforms of these lengths, as `transform` reads them."""

    def make() -> tuple[Columns, int]:
        parts = []
        for count in counts:
            size = count + 1
            while size % 2 == 0:
                rows = np.arange(1, size // 2 + 1, 2)
                for first in (2, 1):
                    terms = np.arange(first, size // 2 + 1, 2)
                    parts.append(sine_of_turns(np.outer(rows, terms), 2 * size))
                size //= 2
            index = np.arange(1, size // 2 + 1)
            parts.append(sine_of_turns(np.outer(index, index), size))
        matrices = np.concatenate([part.ravel() for part in parts]).astype(np.float32)
        return matrices, matrices.nbytes

    found: Columns = SINES.get(counts, make)
    return found


def scratch_size(count: int, columns: int) -> int:
    """Length of the scratch memory of `transform`."""
    return 4 * (count + 1) * _lanes(columns)


@compiled
def _lanes(columns: int) -> int:
    """Number of columns transformed together; a multiple of 8."""
    blocks = -(-columns // LANES)
    return -(-columns // (8 * blocks)) * 8


@compiled
def transform(
    given: Columns,
    given_group: int,
    out: Columns,
    out_group: int,
    size: tuple[int, int],
    cut: int,
    matrices: Columns,
    scratch: Columns,
) -> None:
    """Transform all columns, or, if `cut` > 0, the parts before and after that value of each, which is copied.

    If a group is `COLUMNS`, columns are those of the array. If it is g > 0, they lie in rows, g interleaved:
    value j of column x is [x // g, j * g + x % g]. `size` holds the number of values of a column, and of columns.
    Without a cut, `out` may be `given`.
    """
    height, columns = size
    lanes = _lanes(columns)
    first = start = 0
    while first < height:
        ahead = first < cut
        count = cut if ahead else height - first
        block = scratch[: 4 * (count + 1) * lanes].reshape(4, count + 1, lanes)
        values, parts, results, done = block[0], block[1], block[2], block[3]
        end = start
        for left in range(0, columns, lanes):
            used = min(lanes, columns - left)
            values[:] = 0
            fetch(given, given_group, first, left, used, values[1:])
            rest, step, end = count + 1, 1, start
            while rest % 2 == 0:
                end = _odd_results(values, parts, results, matrices, end, rest, step, done)
                rest, step = rest // 2, 2 * step
            end = _last_results(values, parts, results, matrices, end, rest, step, done)
            if ahead:
                fetch(given, given_group, cut, left, used, values[:1])
                for x in range(lanes):
                    done[cut, x] = values[0, x]
            store(done[: count + 1 if ahead else count], out, out_group, first, left, used)
        first, start = first + count + 1, end


@compiled
def fetch(given: Columns, group: int, first: int, left: int, used: int, values: Columns) -> None:
    """Copy `used` columns from number `left` on, each from its value `first` on, into the columns of `values`."""
    count = values.shape[0]
    if group == 0:
        for j in range(count):
            row = given[first + j, left : left + used]
            for x in range(row.size):
                values[j, x] = row[x]
        return
    blocked = used - used % BLOCK if group == 1 else 0
    for start in range(0, blocked, BLOCK):
        for j in range(count):
            for x in range(BLOCK):
                values[j, start + x] = given[left + start + x, first + j]
    for x in range(blocked, used):
        line, c = (left + x) // group, (left + x) % group
        for j in range(count):
            values[j, x] = given[line, (first + j) * group + c]


@compiled
def store(values: Columns, out: Columns, group: int, first: int, left: int, used: int) -> None:
    """Inverse of `fetch`."""
    count = values.shape[0]
    if group == 0:
        for j in range(count):
            row = out[first + j, left : left + used]
            for x in range(row.size):
                row[x] = values[j, x]
        return
    blocked = used - used % BLOCK if group == 1 else 0
    for start in range(0, blocked, BLOCK):
        for j in range(count):
            for x in range(BLOCK):
                out[left + start + x, first + j] = values[j, start + x]
    for x in range(blocked, used):
        line, c = (left + x) // group, (left + x) % group
        for j in range(count):
            out[line, (first + j) * group + c] = values[j, x]


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
    half = size // 2
    rows, even = (half + 1) // 2, half // 2
    for j in range(1, half):
        low, high = values[j], values[size - j]
        part = parts[j // 2 - 1] if j % 2 == 0 else parts[even + j // 2]
        for x in range(low.size):
            part[x] = low[x] + high[x]
            low[x] -= high[x]
    at = even - 1 if half % 2 == 0 else even + half // 2
    for x in range(values.shape[1]):
        parts[at, x] = values[half, x]
    matrix = sines[start : start + rows * even].reshape(rows, even)
    product(matrix, parts[:even], results[:rows])
    start += rows * even
    matrix = sines[start : start + rows * (half - even)].reshape(rows, half - even)
    product(matrix, parts[even:half], results[rows : 2 * rows])
    for m in range(rows):
        evens, odds = results[m], results[rows + m]
        first, last = out[step * (2 * m + 1) - 1], out[step * (size - 2 * m - 1) - 1]
        for x in range(first.size):
            sum_, difference = odds[x] + evens[x], odds[x] - evens[x]
            first[x] = sum_
            last[x] = difference
    return start + rows * (half - even)


@compiled
def _last_results(
    values: Columns,
    parts: Columns,
    results: Columns,
    sines: Columns,
    start: int,
    size: int,
    step: int,
    out: Columns,
) -> int:
    """All results of a transform of odd size N: k = 2 m of the antisymmetric part, k = N - 2 m of the symmetric one.

    Returns where the next matrices start.
    """
    half = size // 2
    end = start + half * half
    for j in range(1, half + 1):
        low, high, part = values[j], values[size - j], parts[j - 1]
        sign = np.float32(1 if j % 2 == 1 else -1)
        for x in range(low.size):
            part[x] = sign * (low[x] + high[x])
            low[x] -= high[x]
    matrix = sines[start:end].reshape(half, half)
    product(matrix, values[1 : half + 1], results[:half])
    product(matrix, parts[:half], results[half : 2 * half])
    for m in range(half):
        evens, odds = out[step * (2 * m + 2) - 1], out[step * (size - 2 * m - 2) - 1]
        for x in range(evens.size):
            evens[x] = results[m, x]
            odds[x] = results[half + m, x]
    return end
