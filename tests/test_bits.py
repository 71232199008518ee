"""Compiled functions draw the numbers of NumPy's generators, and leave them in the same state."""

import numpy as np
import pytest

from nsa_augment._shared.bits import bits_of, draw_integer, draw_share

KINDS = ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]


def generators(kind, seed):
    return [np.random.Generator(getattr(np.random, kind)(seed)) for _ in range(2)]


@pytest.mark.parametrize("kind", KINDS)
def test_integers_are_those_of_numpy(kind):
    rng, same = generators(kind, 1)
    spans = [1, 2, 3, 5, 199, 2**16, 2**31, 2**31 + 1, 3 * 2**30 + 7, 2**32 - 1]
    for index in range(3000):
        low, span = index % 7 - 3, spans[index % len(spans)]
        drawn = draw_integer(bits_of(rng), low, low + span)
        assert drawn == same.integers(low, low + span)
    assert rng.random() == same.random()


@pytest.mark.parametrize("kind", KINDS)
def test_shares_are_those_of_numpy_even_between_halves_of_a_word(kind):
    rng, same = generators(kind, 2)
    for _ in range(1000):
        assert draw_integer(bits_of(rng), 0, 10) == same.integers(10)
        assert draw_share(bits_of(rng)) == same.random()
    assert rng.standard_normal() == same.standard_normal()
