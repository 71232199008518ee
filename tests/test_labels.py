"""Label functions against brute force, and sources of another size."""

import warnings

import cv2
import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import channel_shapes, draw_pixels, dtypes, seeds

from nsa_augment import NaturalSyntheticAnomaly, PatchPlacement, SynthesisPlan
from nsa_augment.labelling.change import change_mask, difference
from nsa_augment.labelling.labels import continuous_label, factor_label, logistic_label

small = st.one_of(st.integers(1, 12), st.integers(1, 40))
EDGE_SHAPES = [(1, 1), (1, 2), (1, 30), (30, 1), (2, 2), (3, 8), (5, 5), (10, 11), (11, 10)]


def draw_change(seed, shape, dtype):
    """An image before and after a change of some pixels by little or much, and a region."""
    rng = np.random.default_rng(seed)
    before = draw_pixels(seed, shape, dtype)
    after = draw_pixels(seed + 1, shape, dtype)
    if rng.random() < 0.5:
        step = 1 if dtype == np.uint8 else np.float32(1 / 255)
        after = np.where(before > before.dtype.type(0), before - before.dtype.type(step), before)
        after = np.clip(after, 0, None).astype(dtype)
    kept = rng.random(shape[:2]) < rng.choice([0, 0.2, 0.6])
    after[kept] = before[kept]
    region = rng.random(shape[:2]) < rng.choice([0.5, 0.9, 1])
    return before, after, region


def all_labels(before, after, region, midpoint, steepness):
    cubes = [part.reshape(*part.shape[:2], -1) for part in (before, after)]
    count = cubes[0].shape[2]
    change = difference(*cubes)
    mask = change_mask(change, region.astype(np.uint8), count)
    return {
        "binary": mask,
        "continuous": continuous_label(change, mask, count),
        "logistic": logistic_label(change, mask, count, midpoint, steepness),
    }


def check_against_oracle(before, after, region, midpoint=7.0, steepness=1 / 3):
    expected = oracle.labels(before, after, region, midpoint, steepness)
    found = all_labels(before, after, region, midpoint, steepness)
    assert found["binary"].dtype == np.uint8
    assert found["continuous"].dtype == found["logistic"].dtype == np.float32
    np.testing.assert_array_equal(found["binary"], expected["binary"])
    np.testing.assert_allclose(found["logistic"], expected["logistic"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["continuous"], expected["continuous"], rtol=0, atol=2.55e-4)


@given(small, small, channel_shapes, dtypes, seeds, st.floats(0, 255), st.floats(0, 5))
def test_labels_are_those_of_the_oracle(height, width, channels, dtype, seed, midpoint, steepness):
    check_against_oracle(*draw_change(seed, (height, width, *channels), dtype), midpoint, steepness)


@pytest.mark.parametrize("shape", EDGE_SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_labels_of_images_smaller_than_the_filters(shape, dtype):
    for seed in range(15):
        for channels in [(), (3,)]:
            check_against_oracle(*draw_change(seed, shape + channels, dtype))


@pytest.mark.parametrize("channels", [1, 3, 6, 31, 64])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_labels_of_many_channels_and_the_largest_change(channels, dtype):
    rng = np.random.default_rng(channels)
    peak = 255 if dtype == np.uint8 else 1
    before = np.zeros((25, 26, channels), dtype)
    after = np.where(rng.random((25, 26, 1)) < 0.7, peak, before).astype(dtype)
    check_against_oracle(before, after, np.ones((25, 26), bool))
    check_against_oracle(before, np.full_like(before, peak), np.ones((25, 26), bool))


@pytest.mark.parametrize("as_float", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_change_of_one_level_does_not_count(channels, as_float):
    """Mean over channels of exactly 1 is no change, one level more in one channel is."""
    for level in range(0, 253):
        before = np.full((3, 3, channels), level, np.uint8)
        one, more = before + np.uint8(1), before + np.uint8(1)
        more[:, :, 0] += 1
        for after, changed in [(one, 0), (more, 1)]:
            pair = (before, after)
            if as_float:
                pair = tuple(part.astype(np.float32) / np.float32(255) for part in pair)
            mask = change_mask(difference(*pair), np.ones((3, 3), np.uint8), channels)
            assert mask.max() == mask.min() == changed


def test_mask_is_not_cut_to_the_region_afterwards():
    before, after = np.zeros((20, 20, 1), np.uint8), np.full((20, 20, 1), 99, np.uint8)
    region = np.zeros((20, 20), bool)
    region[:, 5:] = True
    region[9:11, 9:11] = False
    found = all_labels(before, after, region, 7, 1)["binary"]
    assert found[9:11, 9:11].all()
    assert found[:, 5:].all()
    assert not found[:, :5].any()


@given(small, small, seeds, st.lists(st.floats(0, 1), min_size=1, max_size=1))
def test_factor_label_is_mask_times_factor(height, width, seed, factors):
    mask = np.random.default_rng(seed).integers(0, 2, (height, width), np.uint8)
    label = factor_label(mask, [((0, 0, height, width), factors[0])])
    assert label.dtype == np.float32
    np.testing.assert_allclose(label, mask * factors[0], rtol=0, atol=1e-6)


def test_zero_factor_and_edges_of_the_logistic_label():
    before, after = np.zeros((15, 15, 1), np.uint8), np.full((15, 15, 1), 24, np.uint8)
    region = np.ones((15, 15), bool)
    assert (all_labels(before, after, region, 24, 1 / 12)["logistic"] == 0.5).all()
    assert (all_labels(before, after, region, 0, 0)["logistic"] == 0.5).all()
    assert (all_labels(before, after, region, 24, 1 / 12)["continuous"] == 24).all()


def identity_plan(shape, source_shape):
    box = (2, 2, 32, 28)
    return SynthesisPlan(shape, source_shape, (PatchPlacement(box, box, gradient="source"),))


@pytest.mark.parametrize(
    ("source_shape", "warns"),
    [
        ((100, 100), False),
        ((101, 99), False),
        ((125, 125), False),
        ((127, 127), True),
        ((80, 80), False),
        ((74, 74), True),
        ((110, 90), False),
        ((120, 90), True),
        ((100, 126), True),
        ((300, 300), True),
        ((10, 10), True),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_source_of_another_size_is_resized_with_one_warning_above_25_percent(source_shape, warns, dtype):
    image, source = draw_pixels(0, (100, 100, 3), dtype), draw_pixels(1, (*source_shape, 3), dtype)
    before = source.copy()
    task = NaturalSyntheticAnomaly(label="continuous")
    calls = [
        lambda: task(image, source, 0),
        lambda: task.plan(image, source, 0),
        lambda: task.apply(image, source, identity_plan((100, 100), source_shape)),
        lambda: task.prepare_source(source, (100, 100)),
    ]
    for call in calls:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        assert len(caught) == warns
        for warning in caught:
            assert str(source_shape[0]) in str(warning.message)
            assert str(source_shape[1]) in str(warning.message)
            assert warning.filename == __file__
    np.testing.assert_array_equal(source, before)


def test_source_of_another_size_gives_what_the_resized_source_gives():
    image, source = draw_pixels(3, (100, 90, 3)), draw_pixels(4, (110, 100, 3))
    task = NaturalSyntheticAnomaly()
    result = task(image, source, 2)
    assert result.plan.source_shape == (110, 100)
    for patch in result.plan.patches:
        assert patch.source_box[2] <= 100
        assert patch.source_box[3] <= 90
    resized = [cv2.resize(source, (90, 100), interpolation=how) for how in (cv2.INTER_AREA, cv2.INTER_LINEAR)]
    plan = SynthesisPlan((100, 90), (100, 90), result.plan.patches)
    images = [task.apply(image, one, plan).image for one in resized]
    assert any(np.array_equal(result.image, one) for one in images)


def test_source_mask_of_a_source_of_another_size_is_resized_with_it():
    image, source = draw_pixels(3, (60, 60, 3)), draw_pixels(4, (70, 66, 3))
    half = np.zeros((70, 66), bool)
    half[:35] = True
    task = NaturalSyntheticAnomaly(min_object=0.99, min_overlap=0.5, height_range=(0.2, 0.4), width_range=(0.2, 0.4))
    plans = [task.plan(image, source, seed, source_mask=half) for seed in range(30)]
    patches = [patch for plan in plans for patch in plan.patches]
    assert patches
    assert max(patch.source_box[2] for patch in patches) in (29, 30, 31)
    with pytest.raises(ValueError, match="source_mask"):
        task.plan(image, source, 0, source_mask=half[:60, :60])
