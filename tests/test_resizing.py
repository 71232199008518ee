"""Resizing against OpenCV (8 bits: bit for bit) and against bilinear and area weights in double precision."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsa_augment._shared.resizing import resize, resize_map

SIDES = st.integers(1, 60)
SEEDS = st.integers(0, 2**32 - 1)


def draw(seed, shape, dtype):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def weights(given, wanted, area):
    """(wanted, given) matrix of one axis."""
    scale, matrix = given / wanted, np.zeros((wanted, given))
    for index in range(wanted):
        if area:
            edges = np.arange(given + 1)
            covered = np.diff(np.clip(edges, index * scale, (index + 1) * scale))
            matrix[index] = covered / covered.sum()
        else:
            at = min(max(float(np.float32((index + 0.5) * scale - 0.5)), 0), given - 1)  # single, as in OpenCV
            low = int(at)
            matrix[index, low] += 1 - (at - low)
            matrix[index, min(low + 1, given - 1)] += at - low
    return matrix


@given(SIDES, SIDES, SIDES, SIDES, st.integers(1, 4), SEEDS)
def test_bytes_are_interpolated_as_opencv_does(height, width, new_height, new_width, channels, seed):
    pixels = draw(seed, (height, width, channels), np.uint8)
    expected = cv2.resize(pixels, (new_width, new_height)).reshape(new_height, new_width, channels)
    np.testing.assert_array_equal(resize(pixels, (new_height, new_width)), expected)


@given(SIDES, SIDES, SIDES, SIDES, st.booleans(), st.sampled_from([0.0, 0.01, 0.5, 0.99, 1.0]), SEEDS)
def test_maps_are_resized_as_opencv_does(height, width, new_height, new_width, halved, share, seed):
    if halved:
        height, width = 2 * new_height, 2 * new_width
    binary = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)
    expected = cv2.resize(binary, (new_width, new_height))
    np.testing.assert_array_equal(resize_map(binary, (new_height, new_width)), expected)
    np.testing.assert_array_equal(resize_map(np.asfortranarray(binary), (new_height, new_width)), expected)


@given(SIDES, SIDES, st.integers(0, 59), st.integers(0, 59), st.booleans(), st.integers(1, 4), SEEDS)
def test_areas_of_bytes_are_averaged_as_opencv_does(height, width, less, narrower, whole, channels, seed):
    size = max(height - less, 1), max(width - narrower, 1)
    if whole:
        height, width = size[0] * (1 + less % 4), size[1] * (1 + narrower % 4)
    pixels = draw(seed, (height, width, channels), np.uint8)
    expected = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA).reshape(*size, channels)
    np.testing.assert_array_equal(resize(pixels, size, cv2.INTER_AREA), expected)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
@given(SIDES, SIDES, SIDES, SIDES, st.integers(1, 6), st.booleans(), SEEDS)
def test_deeper_images_are_resized_within_rounding(dtype, height, width, new_height, new_width, channels, area, seed):
    if area:
        new_height, new_width = min(height, new_height), min(width, new_width)
    pixels = draw(seed, (height, width, channels), dtype)
    flags = cv2.INTER_AREA if area else cv2.INTER_LINEAR
    down, right = weights(height, new_height, area), weights(width, new_width, area)
    expected = np.einsum("yY,xX,YXc->yxc", down, right, pixels.astype(np.float64))
    apart = np.abs(resize(pixels, (new_height, new_width), flags) - expected).max()
    assert apart <= {np.uint16: 0.6, np.float32: 2e-5, np.float64: 2e-5}[dtype]


def test_the_same_size_is_a_copy():
    pixels = draw(0, (4, 5, 7), np.uint8)
    copied = resize(pixels, (4, 5))
    assert not np.shares_memory(pixels, copied)
    np.testing.assert_array_equal(pixels, copied)
