"""Arguments estimated from normal images: backgrounds, sizes, label parameters."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from nsa_augment import NaturalSyntheticAnomaly, calibrate
from nsa_augment._shared.images import list_images, read_image
from nsa_augment.calibration.background import find_background
from nsa_augment.calibration.extent import measure_extent
from nsa_augment.calibration.variation import measure_variation, steepness_of
from nsa_augment.samples import draw_sample
from nsa_augment.scenes.foreground import object_mask
from nsa_augment.tasks.presets import PRESETS

OBJECTS, TEXTURES = ("bolt", "tablet", "zipper"), ("weave", "hide")
SIDE = 128
Y, X = np.mgrid[:SIDE, :SIDE] / SIDE


@cache
def draw_one(product, index, **more):
    return draw_sample(product, index, **more)


def draw(product, count=12, **more):
    return [draw_one(product, index, **more) for index in range(count)]


def photographs(product, count=12, **more):
    return [sample.image for sample in draw(product, count, **more)]


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


def mean_overlap(calibration, samples):
    pair = calibration.arguments["background"]
    return np.mean([overlap(object_mask(sample.image, [pair]), sample.foreground) for sample in samples])


def levels(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def discs(background=200.0, brightness=80.0, radius=0.3, count=6, noise=2.0, seed=0):
    """Images of a disc that is not always in the same place; `background` may be an array."""
    rng = np.random.default_rng(seed)
    images = []
    for _ in range(count):
        x, y = rng.uniform(0.45, 0.55, 2)
        inside = np.hypot(X - x, Y - y) < radius
        images.append(levels(np.where(inside, brightness, background) + noise * rng.normal(size=X.shape)))
    return images


def disc_truth(background, count, seed=0):
    return [image > 0 for image in discs(np.zeros_like(background), 255.0, count=count, noise=0.0, seed=seed)]


@pytest.mark.parametrize("product", OBJECTS)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_objects_are_told_from_their_background(product, seed):
    samples = draw(product, seed=seed)
    found = calibrate([sample.image for sample in samples], seed=seed)
    assert found.kind == "object"
    assert mean_overlap(found, samples) >= 0.95
    assert found.arguments["gradient"] == "source"
    assert found.placed_share >= 0.95


@pytest.mark.parametrize("product", TEXTURES)
@pytest.mark.parametrize("count", [1, 4, 12])
def test_textures_are_recognised(product, count):
    found = calibrate(photographs(product, count))
    assert found.kind == "texture"
    assert (found.arguments["logistic_midpoint"], found.arguments["logistic_steepness"]) == (7, 0.33)
    assert "--task texture --preset draem" in found.notes[-1]
    assert found.arguments["background"] is None
    assert found.arguments["gradient"] == "mixed"
    assert "min_object" not in found.arguments
    assert found.placed_share >= 0.95


@pytest.mark.parametrize("product", [*OBJECTS, *TEXTURES])
@pytest.mark.parametrize("size", [128, pytest.param(1024, marks=pytest.mark.slow)])
def test_size_of_the_images_does_not_matter(product, size):
    expected = calibrate(photographs(product, 4))
    samples = draw(product, 4, size=size)
    found = calibrate([sample.image for sample in samples])
    assert found.kind == expected.kind
    for name in ("height_range", "width_range"):
        assert found.arguments[name] == pytest.approx(expected.arguments[name], abs=0.03)
    if found.kind == "object":
        assert mean_overlap(found, samples) > 0.93
        assert found.arguments["background"] == pytest.approx(expected.arguments["background"], abs=10)


@pytest.mark.slow
@pytest.mark.parametrize("product", ["tablet", "hide"])
def test_dtype_and_channels_do_not_matter(product):
    images = photographs(product, 6)
    expected = calibrate(images)
    for same, more in (
        ([image.astype(np.uint16) * 257 for image in images], {}),
        ([image.astype(np.uint16) * 16 for image in images], {"max_value": 255 * 16}),
        ([(image / 255).astype(np.float32) for image in images], {}),
    ):
        found = calibrate(same, **more)
        assert dict(found.arguments) == {**expected.arguments, **more}
    grey = calibrate([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images])
    assert grey.kind == expected.kind
    assert grey.arguments["logistic_midpoint"] == pytest.approx(expected.arguments["logistic_midpoint"], abs=1)


def test_images_are_not_modified_and_the_answer_repeats():
    images = [image.copy() for image in photographs("bolt", 5)]
    before = [image.copy() for image in images]
    for image in images:
        image.flags.writeable = False
    first, second = calibrate(images, seed=3), calibrate(images, seed=3)
    assert first == second
    assert all((image == old).all() for image, old in zip(images, before, strict=True))


def test_patch_sizes_follow_the_object():
    tall = calibrate(photographs("zipper", 6)).arguments
    lying = calibrate(photographs("tablet", 6)).arguments
    turned = calibrate(photographs("bolt", 12)).arguments
    assert tall["height_range"][1] > 1.5 * tall["width_range"][1]
    assert lying["width_range"][1] > 1.5 * lying["height_range"][1]
    assert turned["width_range"] == turned["height_range"]
    assert turned["width_range"][1] < 0.45


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(0.9, 0.9, (0.8, 0.8)), (0.3, 0.9, (0.3, 0.8)), (0.5, 0.2, (0.5, 0.2))]
)
def test_a_filled_rectangle_gives_its_own_size(height, width, expected):
    mask = ((np.abs(Y - 0.5) < height / 2) & (np.abs(X - 0.5) < width / 2)).astype(np.uint8)
    found = measure_extent(mask[np.newaxis])
    assert (found.height_range[1], found.width_range[1]) == pytest.approx(expected, abs=0.02)
    assert found.min_object == 0.70


def test_a_thin_tilted_object_gets_small_patches_and_a_lower_min_object():
    masks = np.stack([(np.abs(Y - X * slope - offset) < 0.07) for slope, offset in ((1, 0), (-1, 1))]).astype(np.uint8)
    found = measure_extent(masks & ((X > 0.15) & (X < 0.85)).astype(np.uint8))
    assert found.height_range[1] < 0.4


def test_speckles_do_not_enlarge_the_object():
    mask = np.zeros((100, 100), np.uint8)
    mask[40:60, 40:60] = 1
    mask[2:4, 2:4] = 1
    assert measure_extent(mask[np.newaxis]).height == pytest.approx(0.2)


@pytest.mark.parametrize("slope", [30.0, 60.0])
def test_uneven_light_is_no_object(slope):
    background = 170 + slope * (X - 0.5)
    images = discs(background, 60.0, count=6)
    found = find_background(np.stack(images)[..., np.newaxis])
    assert found.plain
    shares = [overlap(mask > 0, truth) for mask, truth in zip(found.masks, disc_truth(background, 6), strict=True)]
    assert np.mean(shares) > 0.9


def test_light_alone_is_a_texture():
    rng = np.random.default_rng(0)
    vignette = 150 - 80 * ((X - 0.5) ** 2 + (Y - 0.5) ** 2)
    for light in (vignette, 100 + 80 * X):
        images = [levels(light + 4 * rng.normal(size=X.shape)) for _ in range(6)]
        assert calibrate(images).kind == "texture"


def test_coarse_patterns_are_no_objects():
    rng = np.random.default_rng(0)

    def stripes(shift):
        return np.where((X * 6 + shift) % 1 < 0.5, 60, 180)

    def checks(shift):
        return np.where(((X * 6 + shift) % 2 < 1) ^ ((Y * 6 + shift) % 2 < 1), 60, 180)

    for pattern in (stripes, checks):
        images = [levels(pattern(rng.uniform()) + 4 * rng.normal(size=X.shape)) for _ in range(12)]
        assert not find_background(np.stack(images)[..., np.newaxis]).plain
        assert calibrate(images).kind == "crisp"


def test_an_object_without_a_plain_background_is_told_from_a_texture():
    pills, cloths = draw("tablet", 8), photographs("weave", 8)
    images = [
        np.where(pill.foreground[..., np.newaxis], pill.image, cloth) for pill, cloth in zip(pills, cloths, strict=True)
    ]
    found = calibrate(images)
    assert found.kind == "aligned"
    assert found.arguments["background"] is None
    assert found.arguments["gradient"] == "source"


def test_print_beside_the_object_does_not_disturb():
    samples = draw("bolt", 8)
    images = [sample.image.copy() for sample in samples]
    for image in images:
        cv2.putText(image, "LOT 12345", (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
    found, clean = calibrate(images), calibrate(photographs("bolt", 8))
    assert mean_overlap(found, samples) >= 0.95
    assert found.arguments["height_range"] == pytest.approx(clean.arguments["height_range"], abs=0.04)


def test_an_object_both_darker_and_brighter_than_its_background():
    rng = np.random.default_rng(0)
    images = [
        levels(np.where(np.hypot(X - 0.5, Y - 0.5) < 0.3, np.where(X > 0.5, 40, 220), 128) + rng.normal(size=X.shape))
        for _ in range(4)
    ]
    found = find_background(np.stack(images)[..., np.newaxis])
    assert found.plain
    assert found.object_share == pytest.approx(np.pi * 0.09, rel=0.05)


def test_more_variation_gives_a_larger_midpoint_and_a_smaller_steepness():
    rng = np.random.default_rng(0)
    found = [measure_variation(rng.normal(128, noise, (6, 64, 64, 3)).astype(np.uint8)) for noise in (4, 12, 36)]
    midpoints = [variation.midpoint for variation in found]
    assert midpoints == sorted(set(midpoints))
    steepness = [steepness_of(midpoint) for midpoint in midpoints]
    assert steepness == sorted(steepness, reverse=True)
    assert all(2 <= y0 * k <= 3 for y0, k in zip(midpoints, steepness, strict=True))


def test_every_steepness_of_table_4_is_met_within_a_factor():
    for preset in PRESETS.values():
        product = preset["logistic_midpoint"] * preset["logistic_steepness"]
        assert np.log(10) / 1.4 <= product <= np.log(10) * 1.4


def test_slow_differences_are_no_variation():
    images = np.stack([levels(100 + offset + slope * X) for offset, slope in ((0, 0), (40, 5), (10, 20))])
    assert measure_variation(images[..., np.newaxis]).typical < 1


def test_one_image_takes_defaults_for_the_label_and_says_so():
    found = calibrate(photographs("tablet", 1))
    assert found.kind == "object"
    assert found.arguments["logistic_midpoint"] == 7
    assert "default" in found.reasons["logistic_midpoint"]
    assert any("one image" in note for note in found.notes)


def test_images_of_other_sizes_are_scaled_and_cropped_to_the_size_of_most():
    images = photographs("bolt", 5)
    images[2] = cv2.resize(images[2], (300, 280))
    found = calibrate(images)
    assert found.images.shape == (5, 256, 256, 3)
    assert "images of other sizes were scaled and cropped to 256 x 256, the size of most: 1" in found.notes


def test_small_images_get_patches_that_can_be_blended():
    found = calibrate(photographs("hide", 6, size=48))
    assert found.placed_share >= 0.9
    assert found.arguments["height_range"][0] > 0.06
    assert "height_range" in found.notes[0]
    assert found.reasons["height_range"].startswith("not (0.06, 0.8)")


def test_few_placed_patches_are_told():
    found = calibrate(photographs("bolt", 4, size=32))
    assert found.placed_share < 0.5
    assert any(note.startswith("only ") for note in found.notes)


def test_share_of_calls_is_what_the_task_does():
    images = photographs("tablet", 6)
    found = calibrate(images)
    task = found.task()
    calls = [bool(task(images[i % 6], images[(i + 1) % 6], i).plan.patches) for i in range(30)]
    assert np.mean(calls) == pytest.approx(found.placed_share, abs=0.1)


def test_arguments_are_complete_and_reasoned():
    found = calibrate(photographs("zipper", 4))
    assert set(found.arguments) == set(found.reasons)
    assert all(found.reasons.values())
    assert found.task(label="binary") == NaturalSyntheticAnomaly(**found.arguments, label="binary")
    with pytest.raises(TypeError):
        found.arguments["max_patches"] = 1


def test_images_are_picked_evenly(tmp_path):
    for index, image in enumerate(photographs("tablet", 9, size=64)):
        cv2.imwrite(str(tmp_path / f"{index}.png"), image[:, :, ::-1])
    found = calibrate(tmp_path, max_images=3)
    assert (found.image_count, found.given_count) == (3, 9)
    paths = list_images(tmp_path)
    assert calibrate(paths, max_images=3) == found
    assert (found.images == np.stack([read_image(paths[index]) for index in (0, 4, 8)])).all()
