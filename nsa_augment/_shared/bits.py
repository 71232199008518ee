"""Random numbers in compiled functions, from the functions of NumPy's bit generators.

Numba accepts a Generator as an argument, and takes it apart anew for every call, which costs more than most draws. An
address costs nothing: of the struct `bitgen_t`, whose layout is part of NumPy's C interface.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nsa_augment._shared.compiled import compiled

Bits: TypeAlias = int
"""Address of the `bitgen_t` of a Generator, valid as long as the Generator lives."""

_UINT32, _DOUBLE = 2, 3
"""Places of the functions in the struct, in words; the first word is the state that they take."""

_address = ctypes.pythonapi.PyCapsule_GetPointer
_address.argtypes, _address.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_size_t


def bits_of(rng: np.random.Generator) -> Bits:
    """What compiled functions draw from.

    Examples
    --------
    >>> rng, same = np.random.default_rng(0), np.random.default_rng(0)
    >>> draw_integer(bits_of(rng), 5, 10) == int(same.integers(5, 10))
    True
    """
    return int(_address(rng.bit_generator.capsule, b"BitGenerator"))


def _calls(place: int, result: Any) -> Callable[[Any, Any], Any]:
    """The body of a function bits -> what the bit generator's own function at a place of the struct returns."""

    def define(_: Any, bits: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = context.get_value_type(types.intp)
            struct = builder.inttoptr(arguments[0], word.as_pointer())
            state, address = (builder.load(builder.gep(struct, [ir.Constant(word, at)])) for at in (0, place))
            kind = ir.FunctionType(context.get_value_type(result), [word])
            return builder.call(builder.inttoptr(address, kind.as_pointer()), [state])

        return result(types.intp), generate

    return define


_next_uint32: Any = intrinsic(_calls(_UINT32, types.uint32))
_next_double: Any = intrinsic(_calls(_DOUBLE, types.float64))


@compiled
def draw_integer(bits: Bits, low: int, high: int) -> int:
    """As `rng.integers(low, high)`, for fewer than 2**32 numbers: Lemire's method, 32 bits at a time."""
    count = np.uint64(high - low)
    if count == 1:
        return low
    whole, part = np.uint64(2**32), np.uint64(2**32 - 1)
    product = np.uint64(_next_uint32(bits)) * count
    if product & part < count:
        least = (whole - count) % count
        while product & part < least:
            product = np.uint64(_next_uint32(bits)) * count
    return int(low + np.int64(product >> np.uint64(32)))


@compiled
def draw_share(bits: Bits) -> float:
    """As `rng.random()`."""
    return float(_next_double(bits))
