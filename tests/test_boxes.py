"""Boxes against the sets of pixels that they stand for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nsa_augment._shared.boxes import Box

SIDE = 12


@st.composite
def boxes(draw):
    y0, x0 = draw(st.integers(0, SIDE - 1)), draw(st.integers(0, SIDE - 1))
    return Box(y0, x0, draw(st.integers(y0 + 1, SIDE)), draw(st.integers(x0 + 1, SIDE)))


def pixels(box):
    inside = np.zeros((SIDE, SIDE), bool)
    box.of(inside)[...] = True
    return inside


@given(boxes(), boxes())
def test_two_boxes_are_as_their_pixels(first, second):
    assert first.overlaps(second) == bool((pixels(first) & pixels(second)).any())
    assert first.contains(second) == bool((pixels(first) >= pixels(second)).all())
    joined = first.joined(second)
    both = np.argwhere(pixels(first) | pixels(second))
    assert joined == (*both.min(axis=0), *(both.max(axis=0) + 1))
    assert Box.at(*first[:2], first.size) == first


@given(boxes(), st.integers(0, 5))
def test_a_grown_box_is_cut_at_the_border(box, margin):
    near = np.argwhere(pixels(box))
    y, x = np.mgrid[:SIDE, :SIDE]
    reached = (np.abs(y[..., None] - near[:, 0]) <= margin) & (np.abs(x[..., None] - near[:, 1]) <= margin)
    np.testing.assert_array_equal(pixels(box.grown(margin, (SIDE, SIDE))), reached.any(axis=2))


@given(boxes(), boxes())
def test_a_relative_box_shows_the_same_pixels(area, box):
    numbers = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    if area.contains(box):
        np.testing.assert_array_equal(box.relative_to(area).of(area.of(numbers)), box.of(numbers))
