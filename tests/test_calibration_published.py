"""Estimates on real images against Table 4, and how long they take."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from nsa_augment import calibrate
from nsa_augment._shared.images import list_images, read_image
from nsa_augment.samples import draw_sample
from nsa_augment.scenes.foreground import object_mask
from nsa_augment.tasks.presets import PRESETS

MVTEC = Path(__file__).resolve().parents[2] / "shared" / "data" / "mvtec_ad_256"
needs_mvtec = pytest.mark.skipif(not MVTEC.is_dir(), reason="the MVTec AD images are not on this machine")


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


@needs_mvtec
@pytest.mark.parametrize("picked", [slice(None), slice(0, 40), slice(3, None, 20)], ids=["all", "first", "spread"])
def test_screw_comes_out_as_published(picked):
    files = list_images(MVTEC / "screw" / "train" / "good")
    found = calibrate(files[picked])
    published, arguments = PRESETS["screw"], found.arguments
    pairs = [published["background"]], [arguments["background"]]
    images = [read_image(file) for file in files[::10]]
    assert np.mean([overlap(*(object_mask(image, pair) for pair in pairs)) for image in images]) >= 0.95
    for name in ("min_object", "min_overlap", "max_patches", "scale_range", "gradient"):
        assert arguments[name] == published[name]
    for name in ("logistic_midpoint", "logistic_steepness"):
        assert 0.5 <= arguments[name] / published[name] <= 2
    assert arguments["height_range"][1] == pytest.approx(0.24, abs=0.1)
    assert arguments["width_range"][1] == pytest.approx(0.24, abs=0.1)
    assert found.placed_share > 0.95


@needs_mvtec
def test_leather_comes_out_as_published():
    arguments, published = calibrate(MVTEC / "leather" / "train" / "good").arguments, PRESETS["leather"]
    assert arguments["background"] is None
    for name in ("gradient", "height_range", "width_range", "max_patches", "scale_range"):
        assert arguments[name] == published[name]
    for name in ("logistic_midpoint", "logistic_steepness"):
        assert 0.5 <= arguments[name] / published[name] <= 2


@pytest.mark.slow
def test_sixty_four_images_take_seconds():
    images = [draw_sample("bolt", index).image for index in range(64)]
    calibrate(images[:2])
    start = perf_counter()
    calibrate(images)
    assert perf_counter() - start < 20
