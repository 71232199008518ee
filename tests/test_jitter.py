"""Colour jitter: each change against its formula, and where it stands in a plan."""

import json

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import hsv2rgb, rgb2hsv
from strategies import channel_shapes, draw_pixels, dtypes, jitters, plans, seeds

from nsa_augment import CutPasteAnomaly, Jitter, PatchPlacement, SynthesisPlan

WEIGHTS = 0.299, 0.587, 0.114
CHANGES = ("brightness", "contrast", "saturation", "hue")
amounts = st.floats(-0.5, 0.5)


def patch_of(seed, shape, dtype, low=0, high=255):
    levels = np.random.default_rng(seed).integers(low, high + 1, shape, dtype=np.uint8)
    return levels if dtype == np.uint8 else levels.astype(np.float32) / np.float32(255)


def grey(values):
    """Grey of (h, w, C) levels: weighted for three channels, else their mean."""
    return values @ np.array(WEIGHTS) if values.shape[2] == 3 else values.mean(axis=2)


def by_formula(name, amount, values):
    """What one change makes of 0..255 levels."""
    if name == "brightness":
        changed = values * (1 + amount)
    elif name == "contrast":
        middle = grey(values).mean()
        changed = middle + (values - middle) * (1 + amount)
    elif values.shape[2] != 3:
        return values
    elif name == "saturation":
        own = grey(values)[:, :, np.newaxis]
        changed = own + (values - own) * (1 + amount)
    else:
        hsv = rgb2hsv(values / 255)
        hsv[:, :, 0] = (hsv[:, :, 0] + amount) % 1
        changed = hsv2rgb(hsv) * 255
    return np.clip(changed, 0, 255)


@pytest.mark.parametrize("name", CHANGES)
@given(seed=seeds, amount=amounts, size=st.sampled_from([(1, 1), (7, 5)]), dtype=dtypes, channels=st.integers(1, 4))
def test_one_change_follows_its_formula(name, seed, amount, size, dtype, channels):
    pixels = patch_of(seed, (*size, channels), dtype)
    before = pixels.copy()
    changed = Jitter(**{name: amount}).apply(pixels)
    assert (changed.dtype, changed.shape) == (pixels.dtype, pixels.shape)
    np.testing.assert_array_equal(pixels, before)
    expected = by_formula(name, amount, oracle.grey_levels(pixels))
    np.testing.assert_allclose(oracle.grey_levels(changed), expected, rtol=0, atol=0.51 if dtype == np.uint8 else 0.02)


@given(seeds, st.tuples(*[st.floats(-0.1, 0.1)] * 4), dtypes)
def test_changes_are_made_one_after_the_other(seed, strengths, dtype):
    """Brightness, contrast, saturation, hue; of colours that none of them drives out of range."""
    pixels = patch_of(seed, (6, 7, 3), dtype, 70, 170)
    expected = oracle.grey_levels(pixels)
    for name, amount in zip(CHANGES, strengths, strict=True):
        expected = by_formula(name, amount, expected)
    changed = Jitter(*strengths).apply(pixels)
    np.testing.assert_allclose(oracle.grey_levels(changed), expected, rtol=0, atol=0.51 if dtype == np.uint8 else 0.02)


@given(seeds, dtypes, st.integers(1, 6))
def test_no_change_is_no_change(seed, dtype, channels):
    pixels = patch_of(seed, (5, 4, channels), dtype)
    changed = Jitter().apply(pixels)
    np.testing.assert_allclose(changed, pixels, rtol=0, atol=0 if dtype == np.uint8 else 1e-6)


@given(seeds, jitters(), st.integers(1, 6))
def test_8_bits_and_floats_agree_within_a_level(seed, jitter, channels):
    pixels = patch_of(seed, (5, 4, channels), np.uint8)
    floats = jitter.apply(pixels.astype(np.float32) / np.float32(255))
    assert floats.dtype == np.float32
    assert 0 <= floats.min() <= floats.max() <= 1
    assert np.abs(jitter.apply(pixels) - floats * 255.0).max() <= 1


@given(seeds, st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_grey_pixels_keep_their_colour_under_saturation_and_hue(seed, saturation, hue):
    pixels = np.repeat(patch_of(seed, (5, 4, 1), np.uint8), 3, axis=2)
    np.testing.assert_array_equal(Jitter(saturation=saturation, hue=hue).apply(pixels), pixels)


def test_a_third_of_the_circle_rotates_the_primaries():
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    np.testing.assert_array_equal(Jitter(hue=1 / 3).apply(pixels), np.roll(pixels, -1, axis=1))
    np.testing.assert_array_equal(Jitter(hue=-1 / 3).apply(pixels), np.roll(pixels, 1, axis=1))


@given(st.data(), seeds, channel_shapes, dtypes, jitters())
def test_a_plan_with_jitter_pastes_the_changed_patch(data, seed, channels, dtype, jitter):
    image, source = (draw_pixels(seed + i, (30, 31, *channels), dtype) for i in (0, 1))
    plan = data.draw(plans((30, 31), max_patches=1, resizing=st.just(False), gradients=(None,), jitter=st.just(jitter)))
    task, changed = CutPasteAnomaly(), source.copy()
    for patch in plan.patches:
        cut = oracle.view(source, patch.source_box)
        cube = cut.reshape(*cut.shape[:2], -1)
        oracle.view(changed, patch.source_box)[...] = jitter.apply(cube).reshape(cut.shape)
    without = [PatchPlacement(p.source_box, p.destination_box, shape=p.shape) for p in plan.patches]
    expected = task.apply(image, changed, SynthesisPlan((30, 31), (30, 31), without))
    result = task.apply(image, source, plan)
    np.testing.assert_allclose(result.image, expected.image, rtol=0, atol=0 if dtype == np.uint8 else 1e-6)
    read = SynthesisPlan.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False)))
    assert read == plan


@given(st.dictionaries(st.sampled_from(CHANGES), amounts))
def test_missing_changes_are_none(changes):
    data = {"source_box": [0, 0, 5, 5], "destination_box": [0, 0, 5, 5], "jitter": changes}
    assert PatchPlacement.from_dict(data).jitter == Jitter(**changes)


def test_a_patch_without_jitter_does_not_name_it():
    assert "jitter" not in PatchPlacement((0, 0, 5, 5), (0, 0, 5, 5)).to_dict()
