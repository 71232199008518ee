"""Elementary functions with a fixed order of sums and products, which every processor and library rounds alike.

Those of NumPy, Numba and the C library differ in the last bit between processors.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

_SINE = tuple((-1) ** (power // 2) / math.factorial(power) for power in range(1, 20, 2))
_COSINE = tuple((-1) ** (power // 2) / math.factorial(power) for power in range(0, 20, 2))
_EXPONENTIAL = tuple(1 / math.factorial(power) for power in range(15))
_LOGARITHM = tuple(2 / power for power in range(1, 25, 2))

_BITS = 192
"""Bits after the binary point of fixed-point numbers."""
_ONE = 1 << _BITS
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
LARGEST_EXPONENT = 700.0


def sine_of_turns(numerator: NDArray[np.int64], denominator: int) -> Reals:
    """sin(2 pi numerator / denominator), within 2**-52, for denominators up to 2**59; exact where it is 0 or 1.

    Examples
    --------
    >>> sine_of_turns(np.array([0, 1, 3, 9]), 12).round(15).tolist()
    [0.0, 0.5, 1.0, -1.0]
    """
    eighths = 8 * (np.asarray(numerator, np.int64) % denominator)
    octant, rest = eighths // denominator, eighths % denominator
    return _sine_of_eighths(octant, np.where(octant % 2 == 0, rest, denominator - rest) / denominator)


def sine_of_cycles(cycles: Reals) -> Reals:
    """sin(2 pi cycles), within 2**-50 for up to four cycles; beyond, limited by the precision of `cycles`.

    Examples
    --------
    >>> sine_of_cycles(np.array([0.25, -1 / 12, 3.0])).round(15).tolist()
    [1.0, -0.5, 0.0]
    """
    eighths = 8 * (cycles - np.floor(cycles))
    octant = np.floor(eighths)
    rest = eighths - octant
    return _sine_of_eighths(octant % 8, np.where(octant % 2 == 0, rest, 1 - rest))


def exponential(x: Reals) -> Reals:
    """exp(x), within a relative error of 2**-51; x is clipped to +- 700.

    Examples
    --------
    >>> exponential(np.array([-1.0, 0.0, 1.0])).round(12).tolist()
    [0.367879441171, 1.0, 2.718281828459]
    """
    x = np.clip(np.asarray(x, np.float64), -LARGEST_EXPONENT, LARGEST_EXPONENT)
    doublings = np.rint(x * (1 / (_LN2_HIGH + _LN2_LOW)))
    rest = (x - doublings * _LN2_HIGH) - doublings * _LN2_LOW
    return np.asarray(np.ldexp(_polynomial(_EXPONENTIAL, rest), doublings.astype(np.int32)))


def logarithm(x: Reals) -> Reals:
    """log(x) for x > 0, within a relative error of 2**-50 or, near 1, an absolute one of 2**-53.

    Examples
    --------
    >>> logarithm(np.array([0.5, 1.0, 10.0])).round(12).tolist()
    [-0.69314718056, 0.0, 2.302585092994]
    """
    mantissa, exponent = np.frexp(np.asarray(x, np.float64))
    low = mantissa < math.sqrt(0.5)
    mantissa, exponent = np.where(low, 2 * mantissa, mantissa), exponent - low
    ratio = (mantissa - 1) / (mantissa + 1)
    return np.asarray(exponent * _LN2_HIGH + (exponent * _LN2_LOW + ratio * _polynomial(_LOGARITHM, ratio * ratio)))


def sine(x: float) -> float:
    """sin(x), correctly rounded.

    Examples
    --------
    >>> sine(1.0)
    0.8414709848078965
    """
    x = float(x)
    return x if abs(x) < 2.0**-27 else _sine_of_fixed(_fixed(x)) / _ONE


def cosine(x: float) -> float:
    """cos(x), correctly rounded.

    Examples
    --------
    >>> cosine(1.0)
    0.5403023058681398
    """
    return _sine_of_fixed(_fixed(float(x)) + _PI // 2) / _ONE


def power_of_two(x: float) -> float:
    """2**x, correctly rounded.

    Examples
    --------
    >>> power_of_two(3.0), power_of_two(0.5)
    (8.0, 1.4142135623730951)
    """
    whole = math.floor(x)
    rest = (_fixed(float(x)) - (whole << _BITS)) * _LN2 >> _BITS
    total = term = _ONE
    count = 0
    while term:
        count += 1
        term = (term * rest >> _BITS) // count
        total += term
    return math.ldexp(total / _ONE, whole)


def _polynomial(coefficients: tuple[float, ...], x: Reals) -> Reals:
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _sine_of_eighths(octant: NDArray[np.generic], part: Reals) -> Reals:
    """Sine in an octant of the circle; `part` counts from the nearer axis."""
    x = np.pi / 4 * part
    square, number = x * x, octant.astype(np.int64)
    steep = (number + 1) % 4 >= 2
    values = np.where(steep, _polynomial(_COSINE, square), x * _polynomial(_SINE, square))
    return np.asarray(np.where(number >= 4, -values, values), np.float64)


def _fixed(x: float) -> int:
    numerator, denominator = x.as_integer_ratio()
    return (numerator << _BITS) // denominator


def _arctangent_of_inverse(number: int) -> int:
    total, term, count = 0, _ONE // number, 1
    while term:
        total += term // count if count % 4 == 1 else -(term // count)
        term, count = term // number**2, count + 2
    return total


def _sine_of_fixed(angle: int) -> int:
    angle = (angle + _PI // 2) % (2 * _PI) - _PI // 2  # -pi / 2 to 3 pi / 2
    if angle > _PI // 2:
        angle = _PI - angle
    total = term = angle
    count = 1
    while term:
        count += 2
        term = -(term * angle >> _BITS) * angle >> _BITS
        term = -(-term // (count * (count - 1))) if term < 0 else term // (count * (count - 1))
        total += term
    return total


_PI = 4 * (4 * _arctangent_of_inverse(5) - _arctangent_of_inverse(239))
_LN2 = 2 * sum(_ONE // (number * 3**number) for number in range(1, 121, 2))
