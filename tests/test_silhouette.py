"""`blending="silhouette"`: protrusions and holes where source and image disagree about the object."""

import json
from dataclasses import replace

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import channel_shapes, draw_object, draw_pixels, dtypes, plans, seeds, sides
from table5 import ROWS, each_row
from test_properties import check_result, equal

from nsa_augment import NaturalSyntheticAnomaly, PatchPlacement, SynthesisPlan

rows = st.sampled_from(list(ROWS.values()))
factors = st.sampled_from([1.0, 1.0, 0.3])


def disc(shape, y, x, radius):
    return np.hypot(*(np.mgrid[: shape[0], : shape[1]] - np.array([y, x])[:, None, None])) <= radius


def draw_masks(seed, shape):
    """Rectangles and discs, or an object everywhere or nowhere."""
    rng = np.random.default_rng(seed)
    round_ones = [disc(shape, *rng.uniform(0, shape), rng.uniform(0, max(shape) / 2)) for _ in range(2)]
    return [draw_object(seed + i, shape) ^ one for i, one in enumerate(round_ones)]


@settings(max_examples=100)
@given(st.data(), sides, sides, seeds, factors)
def test_result_is_that_of_the_oracle(data, height, width, seed, factor):
    shape = height, width
    plan = data.draw(plans(shape, factor=st.just(factor)))
    if len(plan.patches) > 1:  # where patches overlap, one grey level can decide between mixed gradients
        plan = replace(plan, patches=tuple(replace(patch, gradient="source") for patch in plan.patches))
    image, source = draw_pixels(seed, (*shape, 3)), draw_pixels(seed + 1, (*shape, 3))
    mask, source_mask = draw_masks(seed, shape)
    task = NaturalSyntheticAnomaly(blending="silhouette", solver="opencv", gradient="source")
    result = task.apply(image, source, plan, mask=mask, source_mask=source_mask)
    objects = source_mask.astype(np.uint8), mask.astype(np.uint8)
    expected = oracle.silhouette(image, source, plan, objects)
    assert np.abs(result.image.astype(int) - expected).max() <= len(plan.patches)  # weights are float32
    region = oracle.changed_region(shape, plan)
    np.testing.assert_array_equal(result.mask, oracle.labels(image, result.image, region)["binary"])


@settings(max_examples=200)
@given(rows, sides, sides, channel_shapes, dtypes, seeds, st.sampled_from(["spectral", "opencv"]))
def test_any_image_and_task(row, height, width, channels, dtype, seed, solver):
    shape = height, width
    image, source = (draw_pixels(seed + i, shape + channels, dtype) for i in (0, 1))
    masks = dict(zip(("mask", "source_mask"), draw_masks(seed, shape), strict=True))
    task = row.task(blending="silhouette", min_object=0.1, **({"solver": solver} if row.poisson else {}))
    copies = image.copy(), source.copy()
    result = task(image, source, seed, **masks)
    check_result(task, image, result)
    np.testing.assert_array_equal(image, copies[0])
    np.testing.assert_array_equal(source, copies[1])
    plan = SynthesisPlan.from_dict(json.loads(json.dumps(result.plan.to_dict())))
    equal(task.apply(image, source, plan, **masks), result)


SHAPE = (80, 80)
BOX = (10, 10, 70, 70)
PLAN = SynthesisPlan(SHAPE, SHAPE, (PatchPlacement(BOX, BOX, gradient="source"),))
TASK = NaturalSyntheticAnomaly(blending="silhouette", background=(200, 40), gradient="source")


def photograph(brightness, where, ground=200):
    noise = np.random.default_rng(0).integers(-3, 4, SHAPE)
    return (np.where(where, brightness, ground) + noise).astype(np.uint8)


def test_object_over_background_is_a_protrusion_in_its_own_brightness():
    image = photograph(100, np.arange(80) < np.full((80, 1), 40))
    source = photograph(60, disc(SHAPE, 40, 52, 8))
    result = TASK.apply(image, source, PLAN)
    tip = disc(SHAPE, 40, 54, 4)
    np.testing.assert_array_equal(result.image[tip], source[tip])
    assert result.label[tip].min() > 0.9
    away = ~disc(SHAPE, 40, 52, 13) & (np.arange(80) > 43)
    np.testing.assert_array_equal(result.image[away], image[away])
    assert not result.mask[away].any()


def test_background_over_object_is_a_hole_as_bright_as_the_background_of_the_image():
    image = photograph(100, np.arange(80) < np.full((80, 1), 50))
    source = photograph(100, ~disc(SHAPE, 40, 38, 8), ground=230)
    result = TASK.apply(image, source, PLAN)
    hole = disc(SHAPE, 40, 38, 6)
    assert result.image[hole].mean() == pytest.approx(200, abs=3)
    assert result.label[hole].min() > 0.9


def test_no_cut_follows_the_box():
    """A source of object only, on background only: the piece is round, and ends before the box."""
    image, source = photograph(100, np.zeros(SHAPE, bool)), photograph(100, np.ones(SHAPE, bool))
    changed = TASK.apply(image, source, PLAN).image < 150
    assert changed[16:64, 40].all()
    assert changed[40, 16:64].all()
    for line in (changed[12, 10:70], changed[67, 10:70], changed[10:70, 12], changed[10:70, 67]):
        assert line.sum() < 30
    corner = ~disc(SHAPE, 39.5, 39.5, 35)
    assert not changed[corner].any()


def test_the_same_picture_changes_nothing():
    image = photograph(100, disc(SHAPE, 40, 40, 20))
    result = TASK.apply(image, image.copy(), PLAN)
    assert np.abs(result.image.astype(int) - image).max() <= 1
    assert not result.mask.any()


@each_row()
def test_object_masks_are_needed(row):
    image, source = draw_pixels(0, (60, 60)), draw_pixels(1, (60, 60))
    task = row.task(blending="silhouette", background=None)
    with pytest.raises(ValueError, match=r"background must be given, or mask= and .*='silhouette', .*got None"):
        task(image, source, 0)
    assert task(image, source, 0, mask=np.ones((60, 60), bool)).image.shape == (60, 60)
