"""Cut-outs: what fills them, where they may be, and what they leave alone."""

from dataclasses import replace

import numpy as np
import oracle
import pytest
from drawing import agree, draw_plans
from hypothesis import given
from hypothesis import strategies as st
from strategies import draw_object, draw_pixels, seeds, sides
from table5 import KINDS

from nsa_augment import PRESETS, CutOutAnomaly, ForeignPatchInterpolation, SynthesisPlan

IMAGE, OTHER = draw_pixels(1, (60, 50, 3)), draw_pixels(4, (60, 50, 3))
LARGE = {"height_range": (0.4, 0.6), "width_range": (0.4, 0.6), "max_patches": 1}


def region_of(plan, shape, objects=None):
    both = None if objects is None else (objects, objects)
    return oracle.changed_region(shape, plan, both, "copy")


@given(sides, sides, seeds, st.sampled_from(KINDS), st.booleans(), st.floats(0, 255))
def test_patches_of_the_object_have_the_colour_and_nothing_else_changes(height, width, seed, kind, masked, level):
    shape = height, width
    image, objects = draw_pixels(seed, (*shape, 3)), draw_object(seed, shape)
    task = CutOutAnomaly(fill=level, selection=kind[0], shape=kind[1], max_patches=3)
    result = task(image, rng=seed, **({"mask": objects} if masked else {}))
    region = region_of(result.plan, shape, objects.astype(np.uint8) if masked else None)
    expected = np.where(region[..., None], np.uint8(np.rint(level)), image)
    np.testing.assert_array_equal(result.image, expected)
    for patch in result.plan.patches:
        assert patch.source_box == patch.destination_box


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_fills_in_every_depth(dtype):
    full = {np.uint8: 255, np.uint16: 65535}.get(dtype, 1)
    image = (IMAGE / 255 * full).astype(dtype)
    for fill, expected in [
        (51, np.full(3, 0.2 * full)),
        ((255, 0, 51), np.array([1, 0, 0.2]) * full),
        ("mean", image.mean(axis=(0, 1), dtype=np.float64)),
    ]:
        result = CutOutAnomaly(fill=fill, **LARGE)(image, rng=3)
        changed = result.image[region_of(result.plan, (60, 50))]
        assert len(changed) > 100
        tolerance = 0.51 if np.issubdtype(dtype, np.integer) else 1e-6
        np.testing.assert_allclose(changed, np.broadcast_to(expected, changed.shape), atol=tolerance)


def test_noise_is_drawn_anew_for_every_patch_and_is_in_the_plan():
    task = CutOutAnomaly(fill="noise", max_patches=6)
    plans = draw_plans(task, IMAGE, 60)
    found = [patch.filling.pattern.seed for plan in plans for patch in plan.patches]
    assert len(set(found)) == len(found) > 60
    result = task.apply(IMAGE, None, plans[0])
    inside = region_of(plans[0], (60, 50))
    agree(np.histogram(result.image[inside], 8, (0, 256))[0], np.full(8, 1 / 8))
    again = task.apply(IMAGE, None, SynthesisPlan.from_dict(plans[0].to_dict()))
    np.testing.assert_array_equal(again.image, result.image)


def test_places_are_those_of_patches_of_the_image_itself():
    """FPI draws its factor first; after that the draws are the same, and only what fills the patches differs."""
    arguments = {"background": (200, 60), "min_object": 0.3}
    for seed in range(20):
        rng, other = np.random.default_rng(seed), np.random.default_rng(seed)
        other.uniform(0, 1)
        plan = CutOutAnomaly(**arguments).plan(IMAGE, OTHER, other)
        expected = ForeignPatchInterpolation(**arguments).plan(IMAGE, IMAGE, rng)
        boxes = [patch.destination_box for patch in expected.patches]
        assert [patch.destination_box for patch in plan.patches] == boxes
        assert all(patch.factor == 1 for patch in plan.patches)


@pytest.mark.parametrize("source", [None, OTHER, 255 - OTHER, draw_pixels(2, (31, 77, 3))], ids=["none", "a", "b", "c"])
@pytest.mark.filterwarnings("ignore:source of 31 x 77")
def test_a_source_is_not_looked_at(source):
    task = CutOutAnomaly(background=(200, 60), min_object=0.3)
    result, alone = task(IMAGE, source, 5), task(IMAGE, rng=5)
    assert result.plan.patches == alone.plan.patches
    np.testing.assert_array_equal(result.image, alone.image)


def test_nothing_changes_outside_the_allowed_region():
    allowed = np.zeros((60, 50), bool)
    allowed[10:50, 5:30] = True
    for seed in range(10):
        result = CutOutAnomaly(fill="noise", height_range=(0.1, 0.3), width_range=(0.1, 0.3))(
            IMAGE, rng=seed, allowed=allowed
        )
        np.testing.assert_array_equal(result.image[~allowed], IMAGE[~allowed])
        assert result.mask.any()


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_and_ablations_are_those_of_the_paper(preset):
    task = CutOutAnomaly.from_preset(preset, fill=0)
    assert (task.max_patches, task.height_range) == (PRESETS[preset]["max_patches"], PRESETS[preset]["height_range"])
    assert CutOutAnomaly.from_preset(preset, ablation="C").selection == "cutpaste"
    assert replace(task, fill="mean") == CutOutAnomaly.from_preset(preset)


@pytest.mark.parametrize(
    "argument",
    [{"fill": 256}, {"fill": -1}, {"fill": "median"}, {"fill": ()}, {"fill": (0, 300)}, {"fill": None}, {"fill": True}],
    ids=str,
)
def test_bad_fills_are_named(argument):
    with pytest.raises((TypeError, ValueError), match="fill must be"):
        CutOutAnomaly(**argument)


def test_a_colour_of_other_channels_is_named():
    for call in (CutOutAnomaly(fill=(1, 2)), CutOutAnomaly(fill=(1, 2)).plan):
        with pytest.raises(ValueError, match=r"fill must be one level, or one for each channel of the image \(3\)"):
            call(IMAGE, rng=0)


@pytest.mark.parametrize(
    "argument", [{"scale_range": (1, 2)}, {"candidates": 4}, {"source_fit": "native"}, {"min_overlap": 0}], ids=str
)
def test_arguments_without_a_meaning_are_refused(argument):
    with pytest.raises(TypeError, match="CutOutAnomaly has no argument"):
        CutOutAnomaly(**argument)
