"""`min_change`: patches that change the image enough to be learned, or none."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsa_augment import (
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    NaturalSyntheticAnomaly,
    PoissonImageInterpolation,
    SynthesisPlan,
)

TASKS = (NaturalSyntheticAnomaly, CutPasteAnomaly, ForeignPatchInterpolation, PoissonImageInterpolation)


def textures(seed, size=(96, 96, 3), contrast=24):
    """Two images of the same faint noise, on whose like half of all patches stay below the midpoint."""
    return np.random.default_rng(seed).normal(128, contrast, (2, *size)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", TASKS)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), share=st.sampled_from([0.5, 1.0, 2.0]), shape=st.sampled_from([None, "noise"]))
def test_every_patch_changes_the_image_by_more_than_asked(kind, seed, share, shape):
    image, source = textures(seed)
    task = kind(label="continuous", min_change=share, shape=shape, max_patches=1, logistic_midpoint=12)
    result = task(image, source, seed)
    assert not result.plan.patches or result.label.max() > share * 12
    logistic = kind(label="logistic", shape=shape, max_patches=1, logistic_midpoint=12)
    again = logistic.apply(image, source, SynthesisPlan.from_dict(json.loads(json.dumps(result.plan.to_dict()))))
    assert np.array_equal(again.image, result.image)
    assert not result.plan.patches or share < 1 or again.label.max() >= 0.5


def test_more_patches_pass_than_by_chance():
    images = [textures(seed) for seed in range(40)]
    passes = []
    for share in (0, 1):
        task = NaturalSyntheticAnomaly(min_change=share, max_patches=1, logistic_midpoint=14, resize_limits="full")
        passes.append(sum(task(*pair, seed).label.max() >= 0.5 for seed, pair in enumerate(images)))
    assert passes[0] < 20 < passes[1]


@pytest.mark.parametrize("kind", TASKS)
def test_without_it_plans_are_as_before(kind):
    image, source = textures(0)
    assert kind(min_change=0).plan(image, source, 3) == kind().plan(image, source, 3)


def test_a_change_that_cannot_be_is_said():
    task = NaturalSyntheticAnomaly(min_change=100, logistic_midpoint=200, resize_limits="full")
    image, source = textures(0)
    with pytest.warns(UserWarning, match=r"does not exceed min_change.*lower min_change=100"):
        results = [task(image, source, seed) for seed in range(20)]
    assert all(np.array_equal(result.image, image) and not result.label.any() for result in results)


@pytest.mark.parametrize("wrong", [-0.1, 101, float("nan"), "much", None])
def test_what_is_no_multiple_is_refused(wrong):
    with pytest.raises((TypeError, ValueError), match="min_change"):
        NaturalSyntheticAnomaly(min_change=wrong)


def test_with_an_allowed_region_both_hold():
    image, source = textures(1)
    allowed = np.zeros((96, 96), np.uint8)
    allowed[:60, :60] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in TASKS:
            for seed in range(10):
                task = kind(min_change=1, logistic_midpoint=10, max_patches=1, label="continuous")
                result = task(image, source, seed, allowed=allowed)
                assert not (result.image != image)[allowed == 0].any()
                assert not result.plan.patches or result.label.max() > 10
