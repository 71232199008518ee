"""What holds for every image and every argument: no exception, no warning, the promised arrays, reproducible."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import oracle
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from strategies import all_tasks as tasks
from strategies import channel_shapes, draw_object, draw_pixels, dtypes, plans, seeds, tasks_of
from table5 import ROWS, SELECTIONS, each_row

from nsa_augment import PRESETS, NaturalSyntheticAnomaly, SynthesisPlan

any_side = st.one_of(st.integers(24, 80), st.integers(24, 80), st.integers(1, 16), st.integers(1, 300))
layouts = st.sampled_from(["contiguous", "fortran", "strided", "reversed", "transposed", "sliced channels"])


def lay_out(array, layout):
    """The same values in another memory layout."""
    if layout == "fortran":
        return np.asfortranarray(array)
    if layout == "strided":
        wide = np.zeros((2 * array.shape[0], 3 * array.shape[1], *array.shape[2:]), array.dtype)
        wide[::2, ::3] = array
        return wide[::2, ::3]
    if layout == "reversed":
        return array[::-1, ::-1].copy()[::-1, ::-1]
    if layout == "transposed":
        return np.ascontiguousarray(array.swapaxes(0, 1)).swapaxes(0, 1)
    if layout == "sliced channels" and array.ndim == 3:
        return np.repeat(array, 2, axis=2)[:, :, ::2]
    return array


@st.composite
def scenes(draw, side=any_side):
    """Image, source and object masks (given or not) of one size."""
    shape = draw(side), draw(side)
    channels, dtype, seed = draw(channel_shapes), draw(dtypes), draw(seeds)
    image, source = (draw_pixels(seed + i, shape + channels, dtype) for i in (0, 1))
    given_masks = draw(st.sampled_from([(), (), ("mask", "source_mask"), ("mask",), ("source_mask",)]))
    masks = {name: draw_object(seed + i, shape) for i, name in enumerate(given_masks)}
    return image, source, masks


def equal(first, second):
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.label, second.label)
    np.testing.assert_array_equal(first.mask, second.mask)
    assert first.plan == second.plan


def check_result(task, image, result):
    shape = image.shape[:2]
    assert result.image.shape == image.shape
    assert result.image.dtype == image.dtype
    assert result.image is not image
    assert not np.shares_memory(result.image, image)
    assert result.label.shape == result.mask.shape == shape
    assert result.label.dtype == np.float32
    assert result.mask.dtype == np.uint8
    assert result.mask.max() <= 1
    assert result.label.min() >= 0
    assert result.label.max() <= (255 if task.label == "continuous" else 1)
    if task.label == "binary":
        np.testing.assert_array_equal(result.label, result.mask)
    if task.label in ("logistic", "factor"):
        assert not result.label[result.mask == 0].any()
    if image.dtype == np.float32:
        assert 0 <= result.image.min() <= result.image.max() <= 1
    near = np.zeros(shape, bool)
    for patch in result.plan.patches:
        oracle.view(near, patch.destination_box)[...] = True
    np.testing.assert_array_equal(result.image[~near], image[~near])
    reach = 7 if task.label == "continuous" else 2
    assert not result.label[~ndimage.maximum_filter(near, 2 * reach + 1, mode="constant")].any()
    assert not result.mask[~ndimage.maximum_filter(near, 5, mode="constant")].any()
    if not result.plan.patches:
        assert not result.label.any()


@settings(max_examples=300)
@given(scenes(), tasks, seeds, layouts, layouts)
def test_any_image_any_arguments(scene, task, seed, image_layout, source_layout):
    image, source, masks = scene
    expected = task(image, source, seed, **masks)
    check_result(task, image, expected)
    image_view, source_view = lay_out(image, image_layout), lay_out(source, source_layout)
    for array in (image_view, source_view, *masks.values()):
        array.flags.writeable = False
    copies = image.copy(), source.copy(), {name: mask.copy() for name, mask in masks.items()}
    result = task(image_view, source_view, np.random.default_rng(seed), **masks)
    check_result(task, image_view, result)
    equal(result, expected)
    np.testing.assert_array_equal(image_view, copies[0])
    np.testing.assert_array_equal(source_view, copies[1])
    for name, mask in masks.items():
        np.testing.assert_array_equal(mask, copies[2][name])


@given(scenes(), tasks, seeds)
def test_calling_is_planning_and_applying_even_through_json(scene, task, seed):
    image, source, masks = scene
    called = task(image, source, seed, **masks)
    plan = task.plan(image, source, np.random.default_rng(seed), **masks)
    equal(task.apply(image, source, plan, **masks), called)
    read = SynthesisPlan.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False)))
    assert read == plan
    equal(task.apply(image, source, read, **masks), called)


@given(scenes(), tasks, st.data(), layouts)
def test_out_receives_the_same_arrays(scene, task, data, layout):
    image, source, masks = scene
    plan = data.draw(plans(image.shape[:2]))
    expected = task.apply(image, source, plan, **masks)
    out = lay_out(np.zeros_like(image), layout)
    separate = task.apply(image, source, plan, **masks, out=out)
    assert separate.image is out
    equal(separate, expected)
    within = lay_out(image.copy(), layout)
    in_place = task.apply(within, source, plan, **masks, out=within)
    assert in_place.image is within
    equal(in_place, expected)


@given(scenes(), tasks, seeds)
def test_generator_goes_on_and_seeds_start_anew(scene, task, seed):
    image, source, masks = scene
    rng, again = np.random.default_rng(seed), np.random.default_rng(seed)
    drawn = [task.plan(image, source, rng, **masks) for _ in range(3)]
    assert drawn == [task.plan(image, source, again, **masks) for _ in range(3)]
    assert drawn[0] == task.plan(image, source, seed, **masks) == task.plan(image, source, np.int64(seed), **masks)


@given(scenes(), tasks, seeds)
def test_image_divided_by_255_is_planned_as_the_8_bit_one(scene, task, seed):
    image, source = (np.rint(oracle.grey_levels(part)).astype(np.uint8).reshape(part.shape) for part in scene[:2])
    floats = [part.astype(np.float32) / np.float32(255) for part in (image, source)]
    assert task.plan(*floats, seed) == task.plan(image, source, seed)


@given(scenes(), tasks_of("nsa", "pii"), seeds)
def test_image_divided_by_255_is_treated_as_the_8_bit_one(scene, task, seed):
    """OpenCV's blending works in 8 bits; thin outlines are not blended by it."""
    task = replace(task, logistic_steepness=min(task.logistic_steepness, 0.5), solver="opencv")
    image, source = (np.rint(oracle.grey_levels(part)).astype(np.uint8).reshape(part.shape) for part in scene[:2])
    floats = [part.astype(np.float32) / np.float32(255) for part in (image, source)]
    expected, result = task(image, source, seed), task(*floats, seed)
    assert result.plan == expected.plan
    assume(not any(map(oracle.fine, result.plan.patches)))
    np.testing.assert_array_equal(result.image, expected.image.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(result.mask, expected.mask)
    np.testing.assert_allclose(result.label, expected.label, rtol=0, atol=2.55e-4)


@given(scenes(), tasks, seeds)
def test_prepared_source_gives_the_same(scene, task, seed):
    image, source, masks = scene
    prepared = task.prepare_source(source, image.shape[:2], masks.get("source_mask"))
    expected = task(image, source, seed, **masks)
    here = {"mask": masks["mask"]} if "mask" in masks else {}
    equal(task(image, prepared, seed, **here), expected)


@pytest.mark.parametrize("background", [None, (255, 0)])
def test_masks_given_beside_a_prepared_source(background):
    image, source = draw_pixels(1, (60, 60, 3)), draw_pixels(2, (60, 60, 3))
    left = np.arange(60) < np.full((60, 1), 30)
    task = NaturalSyntheticAnomaly(background=background, max_patches=1)
    prepared = task.prepare_source(source, (60, 60))
    results = [task(image, prepared, seed, mask=left) for seed in range(10)]
    for seed, result in enumerate(results):
        equal(result, task(image, source, seed, mask=left))
    plans_drawn = [result.plan for result in results]
    assert any(plan.patches for plan in plans_drawn)
    assert plans_drawn != [task.plan(image, prepared, seed) for seed in range(10)]
    for use in (task, task.plan):
        with pytest.raises(ValueError, match="source_mask must be None with a prepared source"):
            use(image, prepared, 0, source_mask=left)
    with pytest.raises(ValueError, match="source_mask must be None with a prepared source"):
        task.apply(image, prepared, plans_drawn[0], source_mask=left)


@each_row()
@pytest.mark.parametrize("channels", [1, 3, 5, 6, 7, 64])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("source_shape", [(70, 60), (64, 66), (50, 48)])
def test_many_channels(row, channels, dtype, source_shape):
    rng = np.random.default_rng(0)
    image, source = (
        rng.integers(0, 120, (*shape, channels), np.uint8).astype(dtype) / dtype(255 if dtype == np.float32 else 1)
        for shape in [(60, 55), source_shape]
    )
    image, source = image.astype(dtype), source.astype(dtype)
    task = row.task(height_range=(0.4, 0.8), width_range=(0.4, 0.8), background=(200, 30), label="continuous")
    results = [task(image, source, seed) for seed in (3, 4)]
    for result in results:
        check_result(task, image, result)
    assert any(result.plan.patches for result in results)


@pytest.mark.parametrize("steepness", [0, 1e-300, 1e300, 1.7e308])
@pytest.mark.parametrize("midpoint", [0, 255])
def test_extreme_logistic_parameters(steepness, midpoint):
    image, source = draw_pixels(1, (60, 60, 3)), draw_pixels(2, (60, 60, 3))
    task = NaturalSyntheticAnomaly(logistic_midpoint=midpoint, logistic_steepness=steepness)
    result = task(image, source, 1)
    assert result.mask.any()
    check_result(task, image, result)


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 9), (256, 256), (224, 301)])
def test_presets_on_images_of_any_size(name, size):
    image, source = draw_pixels(0, (*size, 3)), draw_pixels(1, (*size, 3))
    for row in ROWS.values():
        for label in row.labels if row.name == "nsa" else row.labels[-1:]:
            task = row.task.from_preset(name, label=label)
            check_result(task, image, task(image, source, 5))


@pytest.mark.slow
@pytest.mark.parametrize("height", range(1, 31))
def test_every_small_size(height):
    for width in range(1, 31):
        for dtype, channels in [(np.uint8, ()), (np.float32, (3,)), (np.uint8, (4,))]:
            image, source = (draw_pixels(width + i, (height, width, *channels), dtype) for i in (0, 1))
            for background, row in itertools.product((None, (200, 60)), ROWS.values()):
                for label, selection in itertools.product(row.labels, SELECTIONS):
                    task = row.task(background=background, label=label, max_patches=3, selection=selection)
                    check_result(task, image, task(image, source, width))


@each_row()
@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("masked", [False, True])
def test_every_selection_on_small_images(row, selection, masked):
    """No image is too small for a draw, whether every pixel is object or no constraint is given."""
    for shape in [(1, 1), (2, 9), (8, 8), (11, 3), (20, 20), (30, 26)]:
        image, source = draw_pixels(0, shape), draw_pixels(1, shape)
        masks = {"mask": np.ones(shape, bool)} if masked else {}
        task = row.task(selection=selection)
        for seed in range(8):
            check_result(task, image, task(image, source, seed, **masks))


@each_row()
def test_threads_give_the_serial_results(row):
    image, source = draw_pixels(0, (120, 130, 3)), draw_pixels(1, (120, 130, 3))
    task = row.task(background=(200, 30), min_object=0.1, min_overlap=0.1)
    prepared = task.prepare_source(source, (120, 130))
    serial = [task(image, source, seed) for seed in range(40)]
    for given_source in (source, prepared):
        with ThreadPoolExecutor(2) as pool:
            threaded = list(pool.map(lambda seed, given=given_source: task(image, given, seed), range(40)))
        for first, second in zip(serial, threaded, strict=True):
            equal(first, second)
    assert any(result.mask.any() for result in serial)


def test_global_random_state_is_untouched_and_nothing_is_printed(capfd):
    np.random.seed(5)
    before = np.random.get_state()
    image, source = draw_pixels(0, (60, 60, 3)), draw_pixels(1, (60, 60, 3))
    for name, row in itertools.product(PRESETS, ROWS.values()):
        task = row.task.from_preset(name)
        for size in (60, 9, 1):
            task(image[:size, :size], source[:size, :size], 0)
            task(image[:size, :size], source[:size, :size], None)
    after = np.random.get_state()
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]
    assert capfd.readouterr() == ("", "")


@each_row()
def test_without_a_seed_results_differ(row):
    image, source = draw_pixels(0, (60, 60, 3)), draw_pixels(1, (60, 60, 3))
    task = row.task()
    assert len({task.plan(image, source) for _ in range(10)}) > 1


@each_row()
def test_nothing_fits_nothing_changes(row):
    image, source = draw_pixels(0, (60, 60, 3)), draw_pixels(1, (60, 60, 3))
    for arguments in [{"background": lambda image: np.zeros(image.shape[:2], bool)}, {"height_range": (0, 0)}]:
        result = row.task(**arguments)(image, source, 0)
        assert result.plan == SynthesisPlan((60, 60), (60, 60), ())
        np.testing.assert_array_equal(result.image, image)
        assert not result.label.any()
        assert not result.mask.any()
