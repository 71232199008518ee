"""What calibration chooses beyond the published method: how patches are joined, where they go, how much they change."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsa_augment import CutPasteAnomaly, ForeignPatchInterpolation, NaturalSyntheticAnomaly, TextureAnomaly, calibrate
from nsa_augment.calibration import measure_extent, measure_levels
from nsa_augment.samples import draw_sample

LOW, HIGH = 40, 210


def circuit(seed, size=128, thickness=None):
    """Traces with round ends: two levels and nothing between them."""
    rng = np.random.default_rng(seed)
    image = np.full((size, size), LOW, np.uint8)
    for _ in range(10):
        y, x, end = (int(place) for place in rng.integers(10, size - 10, 3))
        corner = (end, y) if rng.random() < 0.5 else (x, end)
        cv2.line(image, (x, y), corner, HIGH, int(thickness or rng.integers(3, 8)))
        cv2.circle(image, corner, 5, HIGH, -1)
    return image


def lettering(seed, size=128):
    rng = np.random.default_rng(seed)
    image = np.full((size, size), HIGH, np.uint8)
    for line in range(20, size, 20):
        text = "".join(rng.choice(list("ABCDEFGHKLMNabcdefgh"), 9))
        cv2.putText(image, text, (4, line), cv2.FONT_HERSHEY_SIMPLEX, 0.5, LOW, 2)
    return image


def noisy(image, deviation, seed=0):
    noise = np.random.default_rng(seed).normal(0, deviation, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("draw", [circuit, lettering])
@pytest.mark.parametrize("deviation", [0, 3])
def test_crisp_products_are_pasted(draw, deviation):
    images = [noisy(draw(seed), deviation, seed) for seed in range(8)]
    found = calibrate(images)
    assert (found.kind, found.arguments["blending"], found.arguments["background"]) == ("crisp", "copy_paste", None)
    assert "candidates" not in found.arguments
    assert "two levels" in found.reasons["blending"]
    assert "grey clouds" in found.to_yaml()
    if deviation == 0:
        task = found.task(scale_range=None)
        results = [task(images[seed], images[seed - 1], seed).image for seed in range(8)]
        assert np.isin(results, images).all()


def test_poisson_blending_would_make_grey_clouds():
    images = [circuit(seed) for seed in range(8)]
    task = calibrate(images).task(blending="poisson", scale_range=None)
    results = [task(images[seed], images[seed - 1], seed).image for seed in range(8)]
    assert np.mean([((result > LOW + 30) & (result < HIGH - 30)).any() for result in results]) > 0.5


@pytest.mark.parametrize(
    ("product", "chosen", "absent"),
    [
        ("bolt", {"blending": "silhouette", "resize_limits": "full"}, {"candidates", "min_change"}),
        ("tablet", {"blending": "silhouette", "resize_limits": "full"}, {"candidates", "min_change"}),
        ("zipper", {"blending": "silhouette", "resize_limits": "full"}, {"candidates", "min_change"}),
        ("weave", {"gradient": "mixed"}, {"candidates", "blending", "min_change", "resize_limits"}),
        ("hide", {"logistic_midpoint": 7.0}, {"candidates", "blending", "min_change", "resize_limits"}),
    ],
)
def test_products(product, chosen, absent):
    found = calibrate([draw_sample(product, index).image for index in range(8)])
    assert {name: found.arguments[name] for name in chosen} == chosen
    assert not absent & found.arguments.keys()
    assert found.reasons.keys() == found.arguments.keys()
    assert found.visible_share >= 0.8
    assert f"{found.visible_share:.0%} of the patches" in found.placing


def test_faint_textures_are_asked_to_change():
    hides = [draw_sample("hide", index).image for index in range(8)]
    faint = [cv2.addWeighted(image, 0.6, np.full_like(image, 100), 0.4, 0) for image in hides]
    found = calibrate(faint)
    assert (found.kind, found.arguments["min_change"]) == ("texture", 1)
    assert "without it only" in found.reasons["min_change"]
    assert found.visible_share >= 0.8


def test_objects_under_given_masks_are_joined_alike():
    samples = [draw_sample("tablet", index, size=128) for index in range(4)]
    found = calibrate([sample.image for sample in samples], object_masks=[sample.foreground for sample in samples])
    assert (found.kind, found.arguments["background"]) == ("masked", None)
    assert found.arguments["blending"] == "silhouette"


def test_other_tasks_keep_their_own_way_of_joining(tmp_path):
    file = tmp_path / "tablet.yaml"
    found = calibrate([draw_sample("tablet", index, size=128).image for index in range(4)])
    file.write_text(found.to_yaml())
    assert NaturalSyntheticAnomaly.from_preset(file) == found.task()
    for task in (CutPasteAnomaly, ForeignPatchInterpolation, TextureAnomaly):
        assert task.from_preset(file).blending == task().blending
        assert task.from_preset(file, blending="copy_paste").blending == "copy_paste"


@settings(max_examples=40)
@given(st.integers(0, 250), st.integers(0, 250), st.floats(0.1, 0.9))
def test_levels_are_those_drawn(one, other, share):
    low, high = sorted((one, other))
    image = np.full((1, 64, 64, 1), low, np.uint8)
    image[:, : int(64 * share)] = high
    found = measure_levels(image)
    assert found.crisp == (high - low >= 50)
    if high > low:
        assert (found.low, found.high, found.flat) == (low, high, 1)


def test_shading_and_noise_are_not_crisp():
    noise = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 1), dtype=np.uint8)
    assert not measure_levels(noise).crisp
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[:, np.newaxis, np.newaxis], (1, 1, 64, 1))
    assert not measure_levels(ramp).crisp
    assert not measure_levels(np.full((1, 64, 64, 1), 90, np.uint8)).crisp


def test_an_object_of_small_parts_counts_whole():
    mask = np.zeros((1, 100, 100), np.uint8)
    mask[:, 20:80:6, 10:90:6] = 1
    found = measure_extent(mask)
    assert (found.height, found.width) == (0.55, 0.79)


def test_everything_that_changes_a_crisp_product_is_labelled():
    images = [lettering(seed) for seed in range(8)]
    task = calibrate(images).task(label="binary")
    changed = labelled = 0
    for seed in range(8):
        result = task(images[seed], images[seed - 1], seed)
        changes = result.image != images[seed]
        changed, labelled = changed + changes.sum(), labelled + (result.mask & changes).sum()
    assert labelled > 0.7 * changed > 0  # the median takes some of the thinnest lines
