"""Defects of the sample products: exact masks, reproducible and varied individuals, visible change."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsa_augment.samples import DEFECTS, PRODUCTS, draw_defect, draw_sample

ALL = [(product, kind) for product, kinds in DEFECTS.items() for kind in kinds]
TEXTURES = ("weave", "hide")
MOVING = ("bend", "missing", "hole")  # the outline of the object, and so its shadow, may change
SLACK = 3  # grey levels: the mask's threshold, rounding, and noise that grows with the light

any_defect = st.sampled_from(ALL)
indices, seeds = st.integers(0, 10**6), st.integers(0, 2**40)


def change(sample):
    return np.abs(sample.image.astype(int) - sample.normal).max(axis=-1)


def grown(mask, pixels):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def test_every_product_has_four_kinds_or_more_of_the_six():
    assert list(DEFECTS) == list(PRODUCTS)
    for kinds in DEFECTS.values():
        assert len(kinds) == len(set(kinds)) >= 4
        assert set(kinds) <= {"scratch", "hole", "stain", "bend", "missing", "colour"}


@given(any_defect, indices, st.sampled_from([32, 33, 64, 100]), seeds)
@settings(max_examples=25)
def test_the_mask_is_where_the_image_changed(defect, index, size, seed):
    product, kind = defect
    sample = draw_defect(product, kind, index, size=size, seed=seed)
    assert sample.image.shape == sample.normal.shape == (size, size, 3)
    assert sample.image.dtype == sample.normal.dtype == np.uint8
    assert sample.mask.shape == sample.foreground.shape == (size, size)
    assert sample.mask.dtype == sample.foreground.dtype == np.bool_
    assert 0 < sample.mask.mean() < 0.5
    changed = change(sample)
    outside = ~sample.mask
    if kind in MOVING and product not in TEXTURES:
        outside &= ~grown(~sample.foreground, 1)
    assert changed[outside].max(initial=0) <= SLACK
    assert (changed[sample.mask] > 0).mean() > (0.85 if kind == "bend" else 0.95)
    assert changed[sample.mask].max() > (5 if size >= 64 else 0)


@pytest.mark.slow
@pytest.mark.parametrize(("product", "kind"), ALL)
@pytest.mark.parametrize("size", [32, 256])
def test_every_index_has_a_visible_defect_below_half_of_the_image(product, kind, size):
    for index in range(40):
        sample = draw_defect(product, kind, index, size=size)
        assert 0 < sample.mask.mean() < 0.5, index
        assert np.percentile(change(sample)[sample.mask], 90) > (10 if size == 256 else 1), index


@pytest.mark.parametrize(("product", "kind"), [defect for defect in ALL if defect[1] not in MOVING])
def test_the_mask_lies_on_the_product(product, kind):
    sample = draw_defect(product, kind, 3, size=100)
    assert not (sample.mask & ~grown(sample.foreground, 2)).any()


def test_only_ground_that_lay_under_the_broken_piece_is_in_the_mask():
    for index in range(8):
        sample = draw_defect("tablet", "missing", index, size=128)
        bare = sample.mask & ~sample.foreground
        assert bare.any()
        assert sample.image[bare].mean() < 40 < sample.normal[bare].mean()


@given(any_defect, indices, seeds)
@settings(max_examples=8)
def test_depends_on_the_arguments_alone(defect, index, seed):
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first, second = (draw_defect(*defect, np.int64(index), size=32, seed=seed) for _ in range(2))
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    for name in ("image", "foreground", "mask", "normal"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@pytest.mark.parametrize(("product", "kind"), ALL[::4])
def test_individuals_and_defects_differ_by_index_and_by_seed(product, kind):
    samples = [draw_defect(product, kind, index, size=64, seed=seed) for index, seed in ((0, 0), (1, 0), (0, 1))]
    for number, one in enumerate(samples):
        for other in samples[:number]:
            assert np.abs(one.normal.astype(int) - other.normal).mean() > 2
            assert (one.mask != other.mask).any()


@pytest.mark.parametrize("product", DEFECTS)
def test_individuals_are_other_ones_than_the_normal_samples_and_than_those_of_other_kinds(product):
    images = [draw_sample(product, 0, size=64).image]
    images += [draw_defect(product, kind, 0, size=64).normal for kind in DEFECTS[product]]
    for number, one in enumerate(images):
        for other in images[:number]:
            assert np.abs(one.astype(int) - other).mean() > 2


@pytest.mark.parametrize(("product", "kind"), ALL)
def test_the_defect_is_the_same_at_every_size(product, kind):
    small, large = (draw_defect(product, kind, 1, size=size) for size in (128, 512))
    reduced = cv2.resize(large.image, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - small.image).mean() < 4
    share = cv2.resize(large.mask.astype(np.float32), (128, 128), interpolation=cv2.INTER_AREA) > 0.5
    stray = share & ~grown(small.mask, 1)
    assert np.count_nonzero(stray) < 0.05 * np.count_nonzero(small.mask)
    assert np.count_nonzero(share & small.mask) > 0.5 * np.count_nonzero(small.mask)


@pytest.mark.parametrize("size", [32, pytest.param(2048, marks=pytest.mark.slow)])
def test_draws_at_the_smallest_and_the_largest_size(size):
    assert draw_defect("weave", "hole", 0, size=size).mask.any()


@pytest.mark.parametrize(
    ("product", "colour"),
    [
        ("bolt", [185.1, 185.3, 183.5]),
        ("tablet", [52.3, 49.2, 43.8]),
        ("zipper", [160.7, 160.3, 159.5]),
        ("weave", [110.8, 111.7, 111.7]),
        ("hide", [105.3, 69.3, 46.3]),
    ],
)
def test_the_hooks_for_defects_leave_normal_samples_as_they_were(product, colour):
    np.testing.assert_allclose(draw_sample(product, 1, size=32).image.mean(axis=(0, 1)), colour, atol=0.1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"product": "screw"}, ValueError, "product must be one of 'bolt', .*'hide', got 'screw'"),
        ({"kind": "hole"}, ValueError, "kind must be one of 'scratch', 'stain', .*, got 'hole'"),
        ({"kind": 3}, TypeError, "kind must be one of .* got 3"),
        ({"kind": None}, ValueError, "kind must be one of .* got None"),
        ({"index": -1}, ValueError, "index must be an integer >= 0, got -1"),
        ({"index": 1.0}, TypeError, "index .* got 1.0"),
        ({"size": 31}, ValueError, "size must be an integer from 32 to 2048, got 31"),
        ({"seed": None}, TypeError, "seed .* got None"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    arguments = {"product": "bolt", "kind": "scratch", "index": 0, **arguments}
    product, kind, index = (arguments.pop(name) for name in ("product", "kind", "index"))
    with pytest.raises(error, match=message):
        draw_defect(product, kind, index, **arguments)
