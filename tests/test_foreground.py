"""Object masks: brightness pairs, callables, given masks."""

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from strategies import channel_shapes, draw_object, draw_pixels, dtypes, plans, seeds

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment._shared.medians import binary_median
from nsa_augment.samples import draw_sample
from nsa_augment.scenes.foreground import Foreground, object_mask

small = st.one_of(st.integers(1, 12), st.integers(1, 40))
levels = st.integers(0, 510).map(lambda twice: twice / 2)
pair_lists = st.lists(st.tuples(levels, levels.map(lambda level: level / 4)), min_size=1, max_size=4)


@given(small, small, st.sampled_from([2, 3]), seeds, st.sampled_from([0.1, 0.5, 0.9]))
def test_binary_median_is_the_median_with_edges_repeated(height, width, radius, seed, filled):
    binary = (np.random.default_rng(seed).random((height, width)) < filled).astype(np.uint8)
    expected = ndimage.median_filter(binary, size=2 * radius + 1, mode="nearest")
    median = binary_median(binary, radius)
    assert median.dtype == np.uint8
    np.testing.assert_array_equal(median, expected)


@pytest.mark.parametrize("radius", [2, 3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 5), (6, 6), (7, 7), (1, 200), (200, 3)])
def test_binary_median_of_images_smaller_than_the_filter(radius, shape):
    for seed in range(20):
        binary = np.random.default_rng(seed).integers(0, 2, shape, np.uint8)
        expected = ndimage.median_filter(binary, size=2 * radius + 1, mode="nearest")
        np.testing.assert_array_equal(binary_median(binary, radius), expected)


@given(small, small, channel_shapes, dtypes, seeds, pair_lists)
def test_object_mask_is_that_of_the_oracle(height, width, channels, dtype, seed, pairs):
    image = draw_pixels(seed, (height, width, *channels), dtype)
    before = image.copy()
    found = object_mask(image, pairs)
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, oracle.foreground(image, pairs))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("as_float", [False, True])
def test_threshold_is_strict_for_every_level(channels, as_float):
    """Each level is one block of 7 x 7, so the median keeps it."""
    column = np.repeat(np.arange(256, dtype=np.uint8), 7)
    image = np.broadcast_to(column[:, None, None], (256 * 7, 7, channels))
    if as_float:
        image = image.astype(np.float32) / np.float32(255)
    found = object_mask(image, [(200, 60)])[3::7, 3]
    np.testing.assert_array_equal(np.flatnonzero(~found), np.arange(140, 256))
    found = object_mask(image, [(20, 20), (200, 30)])[3::7, 3]
    np.testing.assert_array_equal(np.flatnonzero(found), [*range(41, 170), *range(231, 256)])


@given(small, small, channel_shapes, seeds, pair_lists)
def test_float_image_has_the_mask_of_the_8_bit_image(height, width, channels, seed, pairs):
    image = draw_pixels(seed, (height, width, *channels))
    whole = [(round(brightness), round(tolerance)) for brightness, tolerance in pairs]
    divided = image.astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(object_mask(divided, whole), object_mask(image, whole))


def test_several_pairs_are_combined_before_the_median():
    """Stripes that are object under one pair each: their union passes a median, neither alone does."""
    image = np.full((21, 21), 100, np.uint8)
    image[::2] = 200
    pairs = [(200, 10), (100, 10)]
    assert not object_mask(image, pairs).any()
    one, other = object_mask(image, pairs[:1]), object_mask(image, pairs[1:])
    np.testing.assert_array_equal(one | other, np.ones((21, 21), bool))


@given(st.data(), small, small, channel_shapes, dtypes, seeds, pair_lists)
def test_crop_is_the_crop_of_the_whole_mask(data, height, width, channels, dtype, seed, pairs):
    image = draw_pixels(seed, (height, width, *channels), dtype)
    y0, y1 = sorted(data.draw(st.tuples(st.integers(0, height - 1), st.integers(1, height))))
    x0, x1 = sorted(data.draw(st.tuples(st.integers(0, width - 1), st.integers(1, width))))
    box = y0, x0, max(y1, y0 + 1), max(x1, x0 + 1)
    expected = oracle.view(oracle.foreground(image, pairs), box)
    foreground = Foreground(image, tuple(pairs))
    np.testing.assert_array_equal(foreground.crop(box), expected)
    np.testing.assert_array_equal(foreground.mask, oracle.foreground(image, pairs))
    np.testing.assert_array_equal(foreground.crop(box), expected)


def same_arrays(first, second):
    assert first.plan == second.plan
    for name in ("image", "label", "mask"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@given(seeds, channel_shapes, dtypes)
def test_callable_gives_the_same_as_pairs_and_sees_the_images_as_given(seed, channels, dtype):
    image, source = (draw_pixels(seed + i, (60, 50, *channels), dtype) for i in (0, 1))
    seen = []

    def background(pixels):
        seen.append(pixels)
        return object_mask(pixels, [(200, 60)])

    arguments = {"min_object": 0.1, "min_overlap": 0.1, "height_range": (0.2, 0.5), "width_range": (0.2, 0.5)}
    expected = NaturalSyntheticAnomaly(background=(200, 60), **arguments)(image, source, seed)
    same_arrays(NaturalSyntheticAnomaly(background=background, **arguments)(image, source, seed), expected)
    assert all(pixels.shape == image.shape and pixels.dtype == dtype for pixels in seen)
    integers = NaturalSyntheticAnomaly(background=lambda pixels: background(pixels).astype(np.int64) * 7, **arguments)
    same_arrays(integers(image, source, seed), expected)


@given(st.data(), seeds)
def test_given_masks_are_what_the_model_would_find(data, seed):
    image, source = (draw_pixels(seed + i, (50, 60, 3)) for i in (0, 1))
    masks = [oracle.foreground(part, [(200, 60)]) for part in (image, source)]
    dtype = data.draw(st.sampled_from([np.bool_, np.uint8, np.int32, np.int8]))
    given_masks = dict(zip(["mask", "source_mask"], (mask.astype(dtype) for mask in masks), strict=True))
    arguments = {"min_object": 0.1, "min_overlap": 0.1, "height_range": (0.2, 0.5), "width_range": (0.2, 0.5)}
    expected = NaturalSyntheticAnomaly(background=(200, 60), **arguments)(image, source, seed)
    same_arrays(NaturalSyntheticAnomaly(**arguments)(image, source, seed, **given_masks), expected)
    plan = data.draw(plans((50, 60)))
    modelled = NaturalSyntheticAnomaly(background=(200, 60), **arguments).apply(image, source, plan)
    same_arrays(NaturalSyntheticAnomaly(**arguments).apply(image, source, plan, **given_masks), modelled)


@given(seeds)
def test_without_a_model_the_mask_that_is_not_given_is_all_object(seed):
    image, source = (draw_pixels(seed + i, (50, 60, 3)) for i in (0, 1))
    drawn, everything = draw_object(seed, (50, 60)), np.ones((50, 60), bool)
    task = NaturalSyntheticAnomaly(height_range=(0.2, 0.5), width_range=(0.2, 0.5))
    expected = task(image, source, seed, mask=drawn, source_mask=everything)
    same_arrays(task(image, source, seed, mask=drawn), expected)
    expected = task(image, source, seed, mask=everything, source_mask=drawn)
    same_arrays(task(image, source, seed, source_mask=drawn), expected)


def test_a_background_model_cannot_write_to_the_image():
    image = np.full((40, 40), 90, np.uint8)

    def careless(shown):
        shown[:] = 0
        return shown > 0

    with pytest.raises(ValueError, match="read-only"):
        NaturalSyntheticAnomaly(background=careless)(image, image.copy(), 0)
    assert (image == 90).all()


def test_a_source_prepared_without_constraints_is_constrained_by_the_task():
    image, source = (draw_sample("bolt", index, size=128).image for index in range(2))
    prepared = NaturalSyntheticAnomaly().prepare_source(source, (128, 128))
    task = NaturalSyntheticAnomaly.from_preset("screw")
    for seed in range(10):
        assert task.plan(image, prepared, seed) == task.plan(image, source, seed)
