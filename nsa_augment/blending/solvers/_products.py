"""Products of matrices with a fixed order of sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.compiled import compiled

Matrix = NDArray[np.float32]


@compiled
def product(matrix: Matrix, values: Matrix, result: Matrix) -> None:
    """Matrix times values, four rows at a time, each sum in the order of its terms."""
    rows, terms = matrix.shape
    if rows < 4:
        _short_product(matrix, values, result)
        return
    for start in range(0, rows, 4):
        k = min(start, rows - 4)  # the last four rows may overlap those before, with the same results
        a, b, c, d = matrix[k], matrix[k + 1], matrix[k + 2], matrix[k + 3]
        row_a, row_b, row_c, row_d = result[k], result[k + 1], result[k + 2], result[k + 3]
        result[k : k + 4] = 0
        for j in range(0, terms - 3, 4):
            a0, a1, a2, a3 = a[j], a[j + 1], a[j + 2], a[j + 3]
            b0, b1, b2, b3 = b[j], b[j + 1], b[j + 2], b[j + 3]
            c0, c1, c2, c3 = c[j], c[j + 1], c[j + 2], c[j + 3]
            d0, d1, d2, d3 = d[j], d[j + 1], d[j + 2], d[j + 3]
            line0, line1, line2, line3 = values[j], values[j + 1], values[j + 2], values[j + 3]
            for x in range(row_a.size):
                v0, v1, v2, v3 = line0[x], line1[x], line2[x], line3[x]
                row_a[x] = row_a[x] + a0 * v0 + a1 * v1 + a2 * v2 + a3 * v3
                row_b[x] = row_b[x] + b0 * v0 + b1 * v1 + b2 * v2 + b3 * v3
                row_c[x] = row_c[x] + c0 * v0 + c1 * v1 + c2 * v2 + c3 * v3
                row_d[x] = row_d[x] + d0 * v0 + d1 * v1 + d2 * v2 + d3 * v3
        for j in range(terms - terms % 4, terms):
            line, a0, b0, c0, d0 = values[j], a[j], b[j], c[j], d[j]
            for x in range(line.size):
                row_a[x] += a0 * line[x]
                row_b[x] += b0 * line[x]
                row_c[x] += c0 * line[x]
                row_d[x] += d0 * line[x]


@compiled
def _short_product(matrix: Matrix, values: Matrix, result: Matrix) -> None:
    rows, terms = matrix.shape
    result[:rows] = 0
    for k in range(rows):
        row = result[k]
        for j in range(terms):
            line, factor = values[j], matrix[k, j]
            for x in range(line.size):
                row[x] += factor * line[x]
