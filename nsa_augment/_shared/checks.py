"""Argument checks: every message names the argument, what is accepted and the value received."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np

from nsa_augment._shared.types import BinaryMap, Image, Size

Instance = TypeVar("Instance")


def fail(error: type[Exception], name: str, accepted: str, value: object) -> Exception:
    """Build the error for argument `name`; the caller raises it."""
    return error(f"{name} must be {accepted}, got {_short(value)}")


def _short(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer with thousands of digits, lists nested thousands deep
        return f"a {type(value).__name__}"
    return text if len(text) <= 120 else f"{text[:117]}... ({type(value).__name__})"


def check_number(name: str, value: Any, low: float, high: float = np.inf) -> float:
    """Return `value` as a float if it is a number in [low, high]."""
    if type(value) is float and low <= value <= high and value < math.inf:
        return value
    accepted = f"a number in [{low:g}, {high:g}]" if np.isfinite(high) else f"a number >= {low:g}"
    if not isinstance(value, Real) or isinstance(value, bool):
        raise fail(TypeError, name, accepted, value)
    number = _as_float(value)
    if not low <= number <= high or not math.isfinite(number):
        raise fail(ValueError, name, accepted, value)
    return number


def _as_float(value: Any) -> float:
    """A number as a float; infinite if too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def check_integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Return `value` as an int if it is a whole number in [low, high]."""
    if type(value) is int and value >= low and high is None:
        return value
    accepted = f"an integer >= {low}" if high is None else f"an integer in [{low}, {high}]"
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise fail(TypeError, name, accepted, value)
    if int(value) < low or (high is not None and int(value) > high):
        raise fail(ValueError, name, accepted, value)
    return int(value)


def check_integers(name: str, value: Any, count: int, accepted: str) -> tuple[int, ...]:
    """Return `value` as a tuple of `count` integers >= 0."""
    if not isinstance(value, (list, tuple)):
        raise fail(TypeError, name, accepted, value)
    if len(value) != count:
        raise fail(ValueError, name, accepted, value)
    if set(map(type, value)) == {int} and min(value) >= 0:
        return tuple(value)
    return tuple(check_integer(f"every number of {name}", number, 0) for number in value)


def check_numbers(name: str, value: Any, accepted: str, count: int) -> tuple[float, ...]:
    """Return `value` as a tuple of `count` finite floats."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise fail(TypeError, name, accepted, value)
    given = tuple(value)
    if any(not isinstance(number, Real) or isinstance(number, bool) for number in given):
        raise fail(TypeError, name, accepted, value)
    numbers = tuple(map(_as_float, given))
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise fail(ValueError, name, accepted, value)
    return numbers


def check_range(name: str, value: Any, low: float, high: float = np.inf) -> tuple[float, float]:
    """Return `value` as (minimum, maximum) if low <= minimum <= maximum <= high."""
    bounds = f"{low:g} <= minimum <= maximum" + (f" <= {high:g}" if np.isfinite(high) else "")
    accepted = f"a pair (minimum, maximum) with {bounds}"
    minimum, maximum = check_numbers(name, value, accepted, 2)
    if not low <= minimum <= maximum <= high:
        raise fail(ValueError, name, accepted, value)
    return minimum, maximum


def check_choice(name: str, value: Any, choices: Iterable[Any]) -> None:
    """Raise unless `value` is one of `choices`."""
    options = tuple(choices)
    known = value is None or isinstance(value, str)
    if not known or value not in options:
        raise fail(ValueError if known else TypeError, name, "one of " + ", ".join(map(repr, options)), value)


def check_object_mask(name: str, value: Any, size: Size, meaning: str = "object pixels > 0") -> BinaryMap:
    """Return a mask as 0/1 uint8, or raise unless it is a bool or integer array of shape `size`."""
    accepted = f"a bool or integer array of shape {size} ({meaning})"
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "bui":
        raise fail(TypeError, name, accepted, value)
    if value.shape != size:
        raise fail(ValueError, name, accepted, value)
    return np.ascontiguousarray(value > 0).view(np.uint8)


def check_pair(image: Image, source: Image) -> None:
    """Raise unless `source` has the dtype and the number of channels of `image`."""
    if source.dtype != image.dtype:
        raise fail(TypeError, "source", f"of the image's dtype {image.dtype}", source)
    if channels(source) != channels(image):
        accepted = f"an image with as many channels as the image ({channels(image)})"
        raise fail(ValueError, "source", accepted, source)


def channels(image: Image) -> int:
    """Number of channels of an (H, W) or (H, W, C) image."""
    return 1 if image.ndim == 2 else int(image.shape[2])


def check_generator(rng: Any) -> np.random.Generator:
    """Return a Generator from a Generator, a seed or None (fresh entropy)."""
    accepted = "a numpy.random.Generator, an integer seed >= 0, or None"
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is None:
        return np.random.default_rng()
    if not isinstance(rng, Integral) or isinstance(rng, bool):
        raise fail(TypeError, "rng", accepted, rng)
    if rng < 0:
        raise fail(ValueError, "rng", accepted, rng)
    return np.random.default_rng(int(rng))


def check_names(owner: str, given: Iterable[str], accepted: Iterable[str]) -> None:
    """Raise TypeError unless all `given` keyword arguments are among those that `owner` accepts."""
    known = sorted(accepted)
    if unknown := sorted(set(given) - set(known)):
        raise TypeError(f"{owner} has no argument {unknown[0]!r}, accepted are {', '.join(known)}")


def set_field(instance: object, name: str, value: object) -> None:
    """Set a field of a frozen dataclass during its construction."""
    object.__setattr__(instance, name, value)


def unchecked(kind: type[Instance], **values: Any) -> Instance:
    """A frozen dataclass of values, one for each field, that need no check: its `__post_init__` is not called."""
    instance = object.__new__(kind)
    instance.__dict__.update(values)
    return instance
