"""Applying a plan: pixels land exactly where it says, and labels follow from the change."""

import numpy as np
import oracle
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import backgrounds, channel_shapes, draw_object, draw_pixels, dtypes, jitters, plans_for, seeds, sides
from table5 import ROWS, each_row

from nsa_augment import Ellipses, NaturalSyntheticAnomaly, PatchPlacement, Strip, SynthesisPlan

TOLERANCES = {"binary": 0, "logistic": 1e-6, "continuous": 2.55e-4, "factor": 1e-6}
rows = st.sampled_from(list(ROWS.values()))


def plan_of(shape, *patches):
    return SynthesisPlan(shape, shape, patches)


def inside_boxes(plan):
    inside = np.zeros(plan.image_shape, bool)
    for patch in plan.patches:
        oracle.view(inside, patch.destination_box)[...] = True
    return inside


@given(st.data(), rows, sides, sides, channel_shapes, dtypes, seeds)
def test_pixels_outside_the_destination_boxes_never_change(data, row, height, width, channels, dtype, seed):
    shape = height, width
    plan = data.draw(plans_for(row, shape, jitter=st.none() | jitters()))
    image = draw_pixels(seed, shape + channels, dtype)
    source = draw_pixels(seed + 1, shape + channels, dtype)
    result = row.task().apply(image, source, plan)
    outside = ~(inside_boxes(plan) if row.poisson else oracle.changed_region(shape, plan, None, row.blending))
    np.testing.assert_array_equal(result.image[outside], image[outside])


@each_row(lambda row: row.poisson)
@given(st.data(), sides, sides, seeds)
def test_image_equals_cloning_the_aligned_source_into_the_whole_image(row, data, height, width, seed):
    shape = height, width
    plan = data.draw(plans_for(row, shape))
    image, source = draw_pixels(seed, (*shape, 3)), draw_pixels(seed + 1, (*shape, 3))
    result = row.task(**row.exact).apply(image, source, plan)
    np.testing.assert_array_equal(result.image, oracle.blend("poisson", image, source, plan))


@each_row(lambda row: not row.poisson)
@given(st.data(), sides, sides, channel_shapes, dtypes, seeds, st.booleans())
def test_image_equals_replacing_or_interpolating_the_region(row, data, height, width, channels, dtype, seed, masked):
    shape = height, width
    plan = data.draw(plans_for(row, shape))
    image, source = (draw_pixels(seed + i, shape + channels, dtype) for i in (0, 1))
    masks = {"source_mask": draw_object(seed + 1, shape), "mask": draw_object(seed, shape)} if masked else {}
    objects = tuple(mask.astype(np.uint8) for mask in masks.values()) or None
    result = row.task().apply(image, source, plan, **masks)
    expected = oracle.blend(row.blending, image, source, plan, objects)
    slack = 0 if dtype == np.uint8 else 1e-5  # OpenCV resizes planes and pixels with other rounding
    np.testing.assert_allclose(result.image, expected, rtol=0, atol=slack)


@pytest.mark.parametrize(
    ("row", "gradient"), [(row, gradient) for row in ROWS.values() for gradient in row.gradients],
    ids=lambda value: getattr(value, "name", value),
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 4, 6, 8])
def test_every_channel_is_blended_alike(row, gradient, channels):
    """Each channel of an image that repeats one channel becomes what that channel becomes in a grey image."""
    grey, other = draw_pixels(0, (50, 60)), draw_pixels(4, (50, 60))
    patch = PatchPlacement((4, 5, 35, 41), (9, 13, 40, 49), gradient=gradient, shape=Ellipses(((15, 18, 9, 15, 0.5),)))
    plan = plan_of((50, 60), patch)
    task = row.task()
    expected = task.apply(grey, other, plan)
    repeated = [np.repeat(part[:, :, None], channels, axis=2) for part in (grey, other)]
    result = task.apply(*repeated, plan)
    np.testing.assert_array_equal(result.image, np.repeat(expected.image[:, :, None], channels, axis=2))
    np.testing.assert_array_equal(result.mask, expected.mask)
    assert expected.mask.any()


@each_row(lambda row: row.blending != "linear")
@settings(max_examples=50)
@given(st.data(), sides, sides, seeds)
def test_float_image_without_resizing_is_the_8_bit_result(row, data, height, width, seed):
    shape = height, width
    plan = data.draw(plans_for(row, shape, resizing=st.just(False)))
    image, source = draw_pixels(seed, (*shape, 3)), draw_pixels(seed + 1, (*shape, 3))
    task = row.task(label="continuous", **row.exact)
    expected = task.apply(image, source, plan)
    result = task.apply(np.float32(image) / np.float32(255), np.float32(source) / np.float32(255), plan)
    np.testing.assert_array_equal(result.image, np.float32(expected.image) / np.float32(255))
    np.testing.assert_array_equal(result.mask, expected.mask)
    np.testing.assert_allclose(result.label, expected.label, rtol=0, atol=2.55e-4)


@given(st.data(), rows, st.integers(30, 41), st.integers(30, 41), st.integers(13, 22), st.integers(13, 22))
def test_impulse_lands_on_the_planned_pixel(data, row, height, width, box_height, box_width):
    source_y, source_x, y, x = (
        data.draw(st.integers(0, side - box))
        for side, box in [(height, box_height), (width, box_width), (height, box_height), (width, box_width)]
    )
    dy, dx = data.draw(st.integers(6, box_height - 7)), data.draw(st.integers(6, box_width - 7))
    ovals = [Ellipses(((dy, dx, 6, 9, 0.7),)), Ellipses(((dy, dx, 8, 5.5, 0.0),))]
    shape = data.draw(st.sampled_from([None, *ovals, Strip(14, 18, -0.6), Strip(13, 20, 0.4)]))
    if isinstance(shape, Strip):
        dy, dx = (box_height - data.draw(st.integers(0, 1))) // 2, (box_width - data.draw(st.integers(0, 1))) // 2
    gradient = data.draw(st.sampled_from(row.gradients))
    dtype = data.draw(dtypes)
    bright = 255 if dtype == np.uint8 else 1
    image = np.full((height, width, 3), bright / 4, dtype)
    source = image.copy()
    source[source_y + dy, source_x + dx] = bright
    patch = PatchPlacement(
        (source_y, source_x, source_y + box_height, source_x + box_width),
        (y, x, y + box_height, x + box_width),
        0.5 if row.blending == "linear" else 1.0,
        gradient,
        shape,
    )
    result = row.task().apply(image, source, plan_of((height, width), patch))
    change = oracle.labels(image, result.image, np.ones((height, width), bool))["binary"]
    apart = np.abs(oracle.grey_levels(result.image) - oracle.grey_levels(image)).sum(axis=2)
    assert change.shape == apart.shape
    assert np.unravel_index(apart.argmax(), apart.shape) == (y + dy, x + dx)
    assert apart.max() > 3 * 60
    if not row.poisson:
        assert np.count_nonzero(apart) == 1


@pytest.mark.parametrize("width", range(13, 19))
@pytest.mark.parametrize("x", [1, 2])
@pytest.mark.parametrize(
    "shape", [None, Ellipses(((6, 6, 6, 6, 0.0),)), Ellipses(((6, 7, 3, 6, 0.8),)), Strip(8, 12, 0.5)]
)
def test_every_parity_of_width_and_position_keeps_the_pattern_in_place(width, x, shape):
    """A source that equals the image, aligned with its destination, changes nothing; one pixel off would."""
    image = draw_pixels(3, (20, 24, 3))
    box = (2, x, 15, x + width)
    aligned = PatchPlacement(box, box, gradient="source", shape=shape)
    result = NaturalSyntheticAnomaly().apply(image, image.copy(), plan_of((20, 24), aligned))
    assert np.abs(result.image.astype(int) - image).max() <= 1
    assert result.mask.max() == 0


def check_labels(row, image, source, plan, background=None, mask=None, source_mask=None):
    objects = None
    if background is not None or mask is not None:
        pairs = background if background is None or np.ndim(background) == 2 else [background]
        whole = np.ones(image.shape[:2], np.uint8)
        default = whole if pairs is None else oracle.foreground(source, pairs)
        source_object = default if source_mask is None else source_mask.astype(np.uint8)
        image_object = oracle.foreground(image, pairs) if mask is None else mask.astype(np.uint8)
        objects = source_object, image_object
    region = oracle.changed_region(image.shape[:2], plan, objects, row.blending)
    factor = plan.patches[0].factor if plan.patches else 1.0
    for label in row.labels:
        task = row.task(background=background, label=label)
        result = task.apply(image, source, plan, mask=mask, source_mask=source_mask)
        expected = oracle.labels(image, result.image, region, factor=factor)
        assert result.label.dtype == np.float32
        assert result.mask.dtype == np.uint8
        np.testing.assert_array_equal(result.mask, expected["binary"])
        np.testing.assert_allclose(result.label, expected[label], rtol=0, atol=TOLERANCES[label])


@settings(max_examples=150)
@given(st.data(), rows, sides, sides, channel_shapes, dtypes, backgrounds, seeds)
def test_label_is_that_of_the_oracle(data, row, height, width, channels, dtype, background, seed):
    shape = height, width
    image = draw_pixels(seed, shape + channels, dtype)
    source = draw_pixels(seed + 1, shape + channels, dtype)
    check_labels(row, image, source, data.draw(plans_for(row, shape)), background)


@given(st.data(), rows, sides, sides, dtypes, seeds, st.booleans())
def test_given_masks_replace_the_background_model(data, row, height, width, dtype, seed, both):
    shape = height, width
    image, source = draw_pixels(seed, (*shape, 3), dtype), draw_pixels(seed + 1, (*shape, 3), dtype)
    mask, source_mask = draw_object(seed, shape), draw_object(seed + 1, shape)
    for background in (None, (200, 60)):
        plan = data.draw(plans_for(row, shape))
        check_labels(row, image, source, plan, background, mask, source_mask if both else None)


@settings(max_examples=20)
@given(st.data(), seeds, st.floats(0, 255), st.floats(0, 3))
def test_logistic_label_follows_midpoint_and_steepness(data, seed, midpoint, steepness):
    plan = data.draw(plans_for(ROWS["nsa"], (40, 33)))
    image, source = draw_pixels(seed, (40, 33, 3)), draw_pixels(seed + 1, (40, 33, 3))
    task = NaturalSyntheticAnomaly(logistic_midpoint=midpoint, logistic_steepness=steepness)
    result = task.apply(image, source, plan)
    region = oracle.changed_region((40, 33), plan)
    expected = oracle.labels(image, result.image, region, midpoint, steepness)["logistic"]
    np.testing.assert_allclose(result.label, expected, rtol=0, atol=1e-6)


@each_row()
def test_region_of_a_later_patch_is_united_with_that_of_an_earlier_one(row):
    """Under constraints a later patch in the background does not wipe the label of the patch below it."""
    image = draw_pixels(0, (48, 48, 3)) // 2
    source = 255 - image
    mask = np.zeros((48, 48), bool)
    mask[10:38, 10:38] = True
    first = PatchPlacement((10, 10, 38, 38), (10, 10, 38, 38), gradient="source")
    second = PatchPlacement((0, 0, 9, 9), (20, 20, 29, 29), gradient="source")
    for patches in [(first, second), (second, first)]:
        plan = plan_of((48, 48), *patches)
        check_labels(row, image, source, plan, None, mask, np.zeros((48, 48), bool))
        check_labels(row, image, source, plan, None, mask, mask)
        result = row.task().apply(image, source, plan, mask=mask, source_mask=mask)
        assert result.mask[22:27, 22:27].any()


@each_row()
@pytest.mark.parametrize("size", [(4, 40), (40, 4), (6, 14), (9, 9), (9, 10), (1, 1), (2, 60), (5, 19), (5, 18)])
def test_patches_too_small_for_poisson_are_left_out(row, size):
    image, source = draw_pixels(1, (70, 70, 3)), draw_pixels(2, (70, 70, 3))
    box = (3, 4, 3 + size[0], 4 + size[1])
    result = row.task().apply(image, source, plan_of((70, 70), PatchPlacement(box, box)))
    kept = not row.poisson or (min(size) >= 5 and (size[0] - 2) * (size[1] - 2) >= 50)
    if not kept:
        np.testing.assert_array_equal(result.image, image)
        assert not result.mask.any()
    if not row.poisson:
        np.testing.assert_array_equal(oracle.view(result.image, box), oracle.view(source, box))
    assert kept == (oracle.footprint(PatchPlacement(box, box), row.blending) is not None)


@given(rows, seeds, st.integers(0, 3))
def test_a_pixel_shifted_source_is_followed(row, seed, shift):
    """Moving the source's content and the source box together changes nothing."""
    source = draw_pixels(seed, (40, 44, 3))
    image = draw_pixels(seed + 1, (40, 44, 3))
    moved = np.roll(source, (shift, 2 * shift), axis=(0, 1))
    box, destination = (3, 4, 22, 21), (11, 20, 30, 37)
    follows = (3 + shift, 4 + 2 * shift, 22 + shift, 21 + 2 * shift)
    task = row.task(label="continuous")
    here = task.apply(image, source, plan_of((40, 44), PatchPlacement(box, destination, gradient="source")))
    there = task.apply(image, moved, plan_of((40, 44), PatchPlacement(follows, destination, gradient="source")))
    np.testing.assert_array_equal(here.image, there.image)
    np.testing.assert_array_equal(here.label, there.label)


@each_row(lambda row: row.poisson)
@given(st.data(), seeds)
def test_rectangle_is_cloned_whole_even_where_both_are_background(row, data, seed):
    shape = (36, 36)
    plan = data.draw(plans_for(row, shape))
    assume(plan.patches)
    image, source = draw_pixels(seed, (*shape, 3)), draw_pixels(seed + 1, (*shape, 3))
    mask = draw_object(seed, shape)
    task = row.task()
    constrained = task.apply(image, source, plan, mask=mask, source_mask=mask)
    np.testing.assert_array_equal(constrained.image, task.apply(image, source, plan).image)


@given(st.data(), rows, seeds, dtypes, st.booleans())
def test_out_may_be_the_image_even_where_the_image_is_its_own_source(data, row, seed, dtype, own):
    plan = data.draw(plans_for(row, (40, 40), max_patches=4, resizing=st.just(False)))
    image = draw_pixels(seed, (40, 40, 3), dtype)
    source = image if own else draw_pixels(seed + 1, (40, 40, 3), dtype)
    task = row.task(background=(200, 60))
    expected = task.apply(image.copy(), source.copy(), plan)
    result = task.apply(image, source, plan, out=image)
    np.testing.assert_array_equal(result.image, expected.image)
    np.testing.assert_array_equal(result.label, expected.label)
    assert result.image is image


@given(st.data(), rows, seeds, st.sampled_from(["image", "source", "shifted image"]))
def test_out_that_shares_memory_with_an_input_gives_the_same(data, row, seed, shared):
    plan = data.draw(plans_for(row, (30, 30), max_patches=2, resizing=st.just(False)))
    memory = draw_pixels(seed, (32, 30, 3))
    image, source = memory[:30], draw_pixels(seed + 1, (30, 30, 3))
    expected = row.task().apply(image.copy(), source.copy(), plan)
    out = {"image": memory[:30], "source": source, "shifted image": memory[2:]}[shared]
    result = row.task().apply(image, source, plan, out=out)
    np.testing.assert_array_equal(result.image, expected.image)
    np.testing.assert_array_equal(result.label, expected.label)
