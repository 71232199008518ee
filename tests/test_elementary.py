"""Elementary functions against decimals, random numbers against NumPy, colours against the standard library."""

import colorsys
import math
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsa_augment._shared.colours import grey_values, turn_colours
from nsa_augment._shared.elementary import (
    cosine,
    exponential,
    logarithm,
    power_of_two,
    sine,
    sine_of_cycles,
    sine_of_turns,
)
from nsa_augment._shared.randomness import normal, uniform

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
CONTEXT = Context(prec=80)


def decimal_sine(x):
    x = x % (2 * PI)
    total = term = x
    for count in range(3, 200, 2):
        term = -term * x * x / (count * (count - 1))
        total += term
    return total


@given(st.floats(-1000, 1000))
def test_scalars_are_correctly_rounded(x):
    with localcontext(CONTEXT):
        assert sine(x) == float(decimal_sine(Decimal(x)))
        assert cosine(x) == float(decimal_sine(Decimal(x) + PI / 2))
        assert power_of_two(x) == float((Decimal(x) * Decimal(2).ln()).exp())


@given(st.lists(st.floats(-600, 600), min_size=1))
def test_the_exponential(values):
    with localcontext(CONTEXT):
        expected = [float(Decimal(x).exp()) for x in values]
    np.testing.assert_allclose(exponential(np.array(values)), expected, rtol=2.0**-51)


@given(st.lists(st.floats(1e-30, 1e30), min_size=1))
def test_the_logarithm(values):
    with localcontext(CONTEXT):
        expected = [float(Decimal(x).ln()) for x in values]
    np.testing.assert_allclose(logarithm(np.array(values)), expected, rtol=2.0**-50, atol=2.0**-53)


@given(st.integers(1, 2**59), st.lists(st.integers(-(2**60), 2**60), min_size=1))
def test_sines_of_parts_of_the_circle(denominator, numerators):
    with localcontext(CONTEXT):
        expected = [float(decimal_sine(2 * PI * (n % denominator) / denominator)) for n in numerators]
    np.testing.assert_allclose(sine_of_turns(np.array(numerators), denominator), expected, rtol=0, atol=2.0**-52)


@given(st.lists(st.floats(-4, 4), min_size=1))
def test_sines_of_cycles(cycles):
    with localcontext(CONTEXT):
        expected = [float(decimal_sine(2 * PI * Decimal(x))) for x in cycles]
    np.testing.assert_allclose(sine_of_cycles(np.array(cycles)), expected, rtol=0, atol=2.0**-50)


def test_what_has_no_logarithm_or_is_huge_is_clipped():
    assert exponential(np.array([-np.inf, np.inf])).tolist() == exponential(np.array([-700.0, 700.0])).tolist()
    assert math.isclose(exponential(np.array([700.0])).item(), math.exp(700))


@pytest.mark.parametrize("ours", [uniform, normal])
def test_random_numbers_are_those_of_the_generator(ours):
    first, second = np.random.default_rng(3), np.random.default_rng(3)
    for low, high in ((0, 1), (-0.3, 7.1), (1e-9, 1e9)):
        for size in (None, 5, (2, 3)):
            drawn = ours(first, low, high, size)
            np.testing.assert_array_equal(drawn, getattr(second, ours.__name__)(low, high, size))
            assert np.shape(drawn) == ((size,) if isinstance(size, int) else size or ())
    assert first.bit_generator.state == second.bit_generator.state


@given(st.tuples(*[st.integers(0, 255)] * 3), st.floats(-0.5, 0.5), st.floats(-0.2, 0.2))
def test_colours_are_turned_as_the_standard_library_does(colour, turn, added):
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in colour))
    expected = colorsys.hsv_to_rgb((hue + turn) % 1, min(max(saturation + added, 0), 1), value)
    turned = turn_colours(np.array([[colour]], np.float32) / 255, turn, added)
    np.testing.assert_allclose(turned[0, 0], expected, atol=1e-5)


def test_grey_values():
    colours = np.random.default_rng(0).random((5, 6, 3), np.float32)
    np.testing.assert_allclose(grey_values(colours), colours @ [0.299, 0.587, 0.114], atol=1e-6)
