"""Sine transforms (DST-I) along the last axis: matrix products for short lines, FFTs for long ones."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.cache import BoundedCache, cached
from nsa_augment._shared.workspace import Workspace

Lines = NDArray[np.float32]

SINES = BoundedCache(64 * 2**20)
"""Sine matrices by length, up to 64 MiB."""

FOLDED_FROM = 80
"""Length from which halving the matrices by symmetry pays for the folding."""

FFT_FROM = 115
"""Length from which an FFT wins where it is fast."""

SMOOTHNESS = 12
"""An FFT is fast where length + 1 has no prime factor larger than length / SMOOTHNESS."""

ANY_FFT_FROM = 256
"""Length from which OpenCV's FFT is used whatever the factors."""

PRODUCT_LIMIT = 2**18
"""Multiplications in one matrix product: OpenBLAS spreads larger ones over threads, and threads of several DataLoader
workers (or of the caller) would get in each other's way."""


def sine_transform(lines: Lines, out: Lines | None = None, workspace: Workspace | None = None) -> Lines:
    """DST-I along the last axis: sum over j of x[j] sin(pi (j + 1) (k + 1) / (n + 1)).

    The transform is its own inverse up to the factor 2 / (n + 1).

    Parameters
    ----------
    lines : (..., n) float32 array, C-contiguous
    out : array like `lines`, optional
        Receives the result; not `lines` itself.
    workspace : Workspace, optional
        Holds the intermediate arrays.

    Returns
    -------
    (..., n) float32 array

    Examples
    --------
    >>> sine_transform(np.array([[1, 0, 0]], np.float32)).round(3).tolist()
    [[0.7070000171661377, 1.0, 0.7070000171661377]]
    """
    n = lines.shape[-1]
    out = np.empty_like(lines) if out is None else out
    _METHODS[choose_method(n)](lines.reshape(-1, n), out.reshape(-1, n), workspace or Workspace())
    return out


@cached(4096)
def choose_method(n: int) -> str:
    """Name of the fastest method for lines of length n, as measured by benchmarks/bench_poisson.py."""
    if n < FOLDED_FROM:
        return "product"
    if n >= FFT_FROM and _largest_factor(n + 1) * SMOOTHNESS <= n:
        return "opencv" if find_spec("scipy") is None else "scipy"
    return "opencv" if n >= ANY_FFT_FROM else "folded"


def _largest_factor(number: int) -> int:
    largest, factor = 1, 2
    while factor * factor <= number:
        while number % factor == 0:
            largest, number = factor, number // factor
        factor += 1
    return max(largest, number)


def _sine_matrix(rows: NDArray[np.int64], columns: NDArray[np.int64], n: int) -> Lines:
    period = 2 * (n + 1)  # products are reduced by it before the sine, which keeps large lengths exact
    matrix: Lines = np.sin(2 * np.pi / period * (np.outer(rows, columns) % period)).astype(np.float32)
    return matrix


def _sines(n: int) -> Lines:
    def make() -> tuple[Lines, int]:
        index = np.arange(1, n + 1)
        matrix = _sine_matrix(index, index, n)
        return matrix, matrix.nbytes

    matrix: Lines = SINES.get(n, make)
    return matrix


def _folded_sines(n: int) -> tuple[Lines, Lines]:
    def make() -> tuple[tuple[Lines, Lines], int]:
        index = np.arange(1, n + 1)
        even = _sine_matrix(index[: (n + 1) // 2], index[0::2], n)
        odd = _sine_matrix(index[: n // 2], index[1::2], n)
        return (even, odd), even.nbytes + odd.nbytes

    matrices: tuple[Lines, Lines] = SINES.get(("folded", n), make)
    return matrices


def _multiply(lines: Lines, matrix: Lines, out: Lines) -> None:
    """Matrix product in pieces of at most `PRODUCT_LIMIT` multiplications."""
    rows = max(PRODUCT_LIMIT // max(matrix.size, 1), 1)
    for first in range(0, len(lines), rows):
        np.matmul(lines[first : first + rows], matrix, out=out[first : first + rows])


def _by_product(lines: Lines, out: Lines, workspace: Workspace) -> None:
    _multiply(lines, _sines(lines.shape[1]), out)


def _by_folded_product(lines: Lines, out: Lines, workspace: Workspace) -> None:
    """Sines of odd index are symmetric about the middle of the line, the others antisymmetric: half the work."""
    count, n = lines.shape
    half = n // 2
    for matrix, fold, start in zip(_folded_sines(n), (np.add, np.subtract), (0, 1), strict=True):
        width = matrix.shape[0]
        folded = workspace.array("folded", (count, width), np.float32)
        fold(lines[:, :half], lines[:, : n - half - 1 : -1], out=folded[:, :half])
        if width > half:
            folded[:, half] = lines[:, half]
        product = workspace.array("product", (count, matrix.shape[1]), np.float32)
        _multiply(folded, matrix, product)
        out[:, start::2] = product


def _by_scipy(lines: Lines, out: Lines, workspace: Workspace) -> None:
    fft: Any = import_module("scipy.fft")
    np.multiply(fft.dst(lines, type=1), np.float32(0.5), out=out)


def _by_opencv(lines: Lines, out: Lines, workspace: Workspace) -> None:
    """Imaginary part of the FFT of the line continued antisymmetrically (OpenCV packs it after each real part)."""
    count, n = lines.shape
    continued = workspace.array("continued", (count, 2 * (n + 1)), np.float32)
    continued[:, 0] = continued[:, n + 1] = 0
    continued[:, 1 : n + 1] = lines
    np.negative(lines[:, ::-1], out=continued[:, n + 2 :])
    packed = cv2.dft(continued, flags=cv2.DFT_ROWS)
    np.multiply(packed[:, 2 : 2 * n + 2 : 2], np.float32(-0.5), out=out)


_METHODS = {"product": _by_product, "folded": _by_folded_product, "scipy": _by_scipy, "opencv": _by_opencv}
