"""The embedded sample set: individuals are reproducible, varied, and separable by the brightness rule."""

import cv2
import numpy as np
import pytest

from nsa_augment.samples import PRODUCTS, draw_pose, draw_sample

BRIGHTNESS = {"bolt": (200, 60), "tablet": (20, 20), "zipper": (200, 60)}  # (background, threshold)
TEXTURES = ("weave", "hide")


def bright_or_dark(image, background, threshold):
    apart = np.abs(image.mean(axis=-1) - background) > threshold
    return cv2.medianBlur(apart.astype(np.uint8), 7) > 0


def overlap(found, truth):
    return np.count_nonzero(found & truth) / np.count_nonzero(found | truth)


def test_lists_five_products_with_their_presets():
    presets = {name: product.preset for name, product in PRODUCTS.items()}
    assert presets == {
        "bolt": "screw",
        "tablet": "pill",
        "zipper": "zipper",
        "weave": "carpet",
        "hide": "leather",
    }
    assert [name for name in PRODUCTS if draw_sample(name, 0, size=32).foreground.all()] == list(TEXTURES)


@pytest.mark.parametrize("size", [32, 33, 100, 256, 700])
@pytest.mark.parametrize("product", PRODUCTS)
def test_image_and_foreground_have_the_documented_form(product, size):
    sample = draw_sample(product, 1, size=size)
    assert sample.image.shape == (size, size, 3)
    assert sample.image.dtype == np.uint8
    assert sample.foreground.shape == (size, size)
    assert sample.foreground.dtype == np.bool_


@pytest.mark.slow
@pytest.mark.parametrize("size", [32, 2048])
def test_draws_at_the_smallest_and_the_largest_size(size):
    assert draw_sample("weave", 0, size=size).image.shape == (size, size, 3)


@pytest.mark.parametrize("product", PRODUCTS)
def test_same_arguments_give_the_same_sample_and_leave_global_state_alone(product):
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first = draw_sample(product, 4, size=64, seed=2)
    np.random.seed(99)
    second = draw_sample(product, np.int64(4), size=64, seed=2)
    np.random.seed(1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.foreground, second.foreground)


@pytest.mark.parametrize("product", PRODUCTS)
def test_individuals_differ_by_index_and_by_seed(product):
    samples = [draw_sample(product, i, size=64).image.astype(int) for i in range(3)]
    samples.append(draw_sample(product, 0, size=64, seed=1).image.astype(int))
    for i, one in enumerate(samples):
        for other in samples[:i]:
            assert np.abs(one - other).mean() > 2


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_individual_is_the_same_at_every_size(product):
    small = draw_sample(product, 5, size=128)
    large = draw_sample(product, 5, size=512)
    reduced = cv2.resize(large.image, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - small.image).mean() < 4
    share = cv2.resize(large.foreground.astype(np.float32), (128, 128), interpolation=cv2.INTER_AREA)
    assert overlap(share > 0.5, small.foreground) > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("product", BRIGHTNESS)
def test_brightness_rule_finds_the_object(product):
    background, threshold = BRIGHTNESS[product]
    for index in range(12):
        sample = draw_sample(product, index)
        found = bright_or_dark(sample.image, background, threshold)
        assert overlap(found, sample.foreground) >= 0.95
        assert abs(sample.image[~sample.foreground].mean() - background) <= 25


def test_background_of_the_tablet_is_dark_everywhere():
    for index in range(5):
        sample = draw_sample("tablet", index)
        around = ~cv2.dilate(sample.foreground.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        assert sample.image[around].max() <= 15


@pytest.mark.parametrize(
    ("product", "low", "high"), [("bolt", 0.10, 0.20), ("tablet", 0.2, 0.3), ("zipper", 0.3, 0.45)]
)
def test_objects_fill_their_share_and_lie_inside_the_image(product, low, high):
    for index in range(8):
        foreground = draw_sample(product, index, size=64).foreground
        assert low < foreground.mean() < high
        assert not foreground[:, [0, -1]].any()
        assert foreground[[0, -1]].any() == (product == "zipper")


@pytest.mark.parametrize("product", TEXTURES)
def test_textures_fill_the_image(product):
    sample = draw_sample(product, 0, size=64)
    assert sample.foreground.all()
    assert 40 < sample.image.mean() < 200
    assert sample.image.std() > 8


@pytest.mark.parametrize("product", PRODUCTS)
def test_draw_gives_light_and_cover_within_range(product):
    pose = draw_pose(PRODUCTS[product], np.random.default_rng(3))
    drawing = PRODUCTS[product].draw(pose, 128)
    assert drawing.light.shape == (128, 128, 3)
    assert drawing.light.dtype == drawing.cover.dtype == np.float32
    assert np.isfinite(drawing.light).all()
    assert drawing.cover.min() >= 0
    assert drawing.cover.max() <= 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"product": "screw"}, ValueError, "product must be one of 'bolt', 'tablet', .*'hide', got 'screw'"),
        ({"product": 3}, TypeError, "product .* got 3"),
        ({"index": -1}, ValueError, "index must be an integer >= 0, got -1"),
        ({"index": 1.0}, TypeError, "index .* got 1.0"),
        ({"index": True}, TypeError, "index .* got True"),
        ({"size": 31}, ValueError, "size must be an integer from 32 to 2048, got 31"),
        ({"size": 2049}, ValueError, "size must be an integer from 32 to 2048, got 2049"),
        ({"size": 256.0}, TypeError, "size must be an integer from 32 to 2048, got 256.0"),
        ({"seed": -5}, ValueError, "seed must be an integer >= 0, got -5"),
        ({"seed": None}, TypeError, "seed .* got None"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        draw_sample(**{"product": "bolt", "index": 0, **arguments})
