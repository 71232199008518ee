"""What tells the tasks from one another: blending, factor, sources, ablations, and the arguments they refuse."""

from dataclasses import replace

import numpy as np
import oracle
import pytest
from drawing import blank, disk, draw_plans
from hypothesis import given, settings
from hypothesis import strategies as st
from rejections import IMAGE, SOURCE
from scipy import ndimage
from strategies import channel_shapes, draw_object, draw_pixels, dtypes, plans_for, seeds, sides, tasks_of
from table5 import KINDS, ROWS, each_row

from nsa_augment import (
    ABLATIONS,
    PRESETS,
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    NaturalSyntheticAnomaly,
    PoissonImageInterpolation,
    SynthesisPlan,
)

CONSTRAINED = sorted(name for name in PRESETS if PRESETS[name].get("background"))


def with_factor(plan, factor):
    return replace(plan, patches=tuple(replace(patch, factor=factor) for patch in plan.patches))


def rows_of(image):
    """Pixels as single values, which `np.isin` can tell apart."""
    flat = np.ascontiguousarray(image.reshape(image.shape[0] * image.shape[1], -1))
    return flat.view([("", flat.dtype)] * flat.shape[1]).ravel()


# blending


@given(st.sampled_from(KINDS), sides, sides, channel_shapes, dtypes, seeds, st.booleans(), st.booleans())
def test_cutpaste_never_invents_a_pixel(kind, height, width, channels, dtype, seed, own, masked):
    shape = height, width
    image, source = (draw_pixels(seed + i, shape + channels, dtype) for i in (0, 1))
    masks = {"mask": draw_object(seed, shape), "source_mask": draw_object(seed + 1, shape)} if masked else {}
    task = CutPasteAnomaly(selection=kind[0], shape=kind[1], min_object=0.1, min_overlap=0.1)
    result = task(image, None if own else source, seed, **masks)
    changed = rows_of(result.image) != rows_of(image)
    assert np.isin(rows_of(result.image)[changed], rows_of(image if own else source)).all()


@given(tasks_of("fpi"), sides, sides, channel_shapes, dtypes, seeds, st.floats(0, 1))
def test_fpi_stays_between_the_two_images(task, height, width, channels, dtype, seed, factor):
    image, source = (draw_pixels(seed + i, (height, width, *channels), dtype) for i in (0, 1))
    drawn = task.plan(image, source, seed)
    for plan in (drawn, with_factor(drawn, factor)):
        result = task.apply(image, source, plan).image
        assert (np.minimum(image, source) <= result).all()
        assert (result <= np.maximum(image, source)).all()


def test_interpolation_keeps_every_level_where_both_images_are_alike():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    plan = draw_plans(ForeignPatchInterpolation(height_range=(0.8, 0.8), width_range=(0.8, 0.8)), levels, 1)[0]
    for factor in np.random.default_rng(0).uniform(0, 1, 300):
        result = ForeignPatchInterpolation().apply(levels, levels.copy(), with_factor(plan, factor))
        np.testing.assert_array_equal(result.image, levels)


@given(st.data(), seeds, dtypes)
def test_factors_at_the_ends_of_interpolation(data, seed, dtype):
    image, source = (draw_pixels(seed + i, (30, 28, 3), dtype) for i in (0, 1))
    plan = data.draw(plans_for(ROWS["fpi"], (30, 28), resizing=st.just(False)))
    task = ForeignPatchInterpolation()
    np.testing.assert_array_equal(task.apply(image, source, with_factor(plan, 0.0)).image, image)
    pasted = CutPasteAnomaly().apply(image, source, plan).image
    np.testing.assert_array_equal(task.apply(image, source, with_factor(plan, 1.0)).image, pasted)


@given(st.data(), sides, sides, channel_shapes, dtypes, seeds)
def test_factors_at_the_ends_of_poisson_interpolation(data, height, width, channels, dtype, seed):
    shape = height, width
    image, source = (draw_pixels(seed + i, shape + channels, dtype) for i in (0, 1))
    plan = data.draw(plans_for(ROWS["pii"], shape, max_patches=1))
    task = PoissonImageInterpolation()
    np.testing.assert_array_equal(task.apply(image, source, with_factor(plan, 0.0)).image, image)
    least = task.apply(image, source, with_factor(plan, 1 / 255)).image
    assert np.abs(oracle.grey_levels(least) - oracle.grey_levels(image)).max() <= 2.51
    whole = with_factor(plan, 1.0)
    blended = NaturalSyntheticAnomaly(gradient="mixed").apply(image, source, whole).image
    np.testing.assert_array_equal(task.apply(image, source, whole).image, blended)


@settings(max_examples=15)
@given(st.data(), seeds)
@pytest.mark.parametrize("planner", ROWS)
@pytest.mark.parametrize("applier", ROWS)
def test_plans_of_one_task_are_applied_by_another(planner, applier, data, seed):
    """Geometry, factor and gradient are the plan's, blending and label the task's."""
    image, source = (draw_pixels(seed + i, (48, 40, 3)) for i in (0, 1))
    task, row = data.draw(tasks_of(planner)), ROWS[applier]
    plan = SynthesisPlan.from_dict(replace(task, **({"jitter": 0} if planner == "cutpaste" else {})).plan(
        image, source, seed).to_dict())  # fmt: skip
    result = row.task(**row.exact).apply(image, source, plan)
    np.testing.assert_array_equal(result.image, oracle.blend(row.blending, image, source, plan))
    region, thin = (
        oracle.changed_region((48, 40), plan, None, row.blending, keep) for keep in (lambda patch: True, oracle.fine)
    )
    np.testing.assert_array_equal(result.mask, oracle.change_mask(image, result.image, region, thin))


# sources


@given(
    tasks_of("cutpaste"),
    sides,
    sides,
    seeds,
    st.sampled_from([(), ("mask",), ("source_mask",), ("mask", "source_mask")]),
)
def test_cutpaste_without_a_source_cuts_from_the_image(task, height, width, seed, given_masks):
    image = draw_pixels(seed, (height, width, 3))
    masks = {name: draw_object(seed + i, (height, width)) for i, name in enumerate(given_masks)}
    result = task(image, rng=seed, **masks)
    # A mask of the image is one of the source, which is the same image.
    both = {"source_mask": masks["mask"], **masks} if "mask" in masks else masks
    expected = task(image, image.copy(), seed, **both)
    assert result.plan == expected.plan == task.plan(image, rng=seed, **masks)
    for other in (expected, task.apply(image, None, result.plan, **masks)):
        np.testing.assert_array_equal(result.image, other.image)
        np.testing.assert_array_equal(result.label, other.label)


def test_a_mask_alone_constrains_both_places_of_cutpaste():
    object_map = disk(20, (40, 45), 100)
    task = CutPasteAnomaly(height_range=(0.1, 0.1), width_range=(0.1, 0.1), min_object=0.6, min_overlap=0.9)
    plans_drawn = [task.plan(blank(100), None, seed, mask=object_map) for seed in range(100)]
    patches = [patch for plan in plans_drawn for patch in plan.patches]
    assert len(patches) > 100
    for patch in patches:
        assert oracle.view(object_map, patch.source_box).mean() > 0.6
        assert oracle.view(object_map, patch.destination_box).mean() > 0.5


@each_row(lambda row: row.needs_source)
def test_other_tasks_need_a_source(row):
    task = row.task()
    empty = SynthesisPlan((40, 30), (40, 30))
    for call in (lambda: task(IMAGE), lambda: task.plan(IMAGE, rng=0), lambda: task.apply(IMAGE, None, empty)):
        with pytest.raises(ValueError, match="source must be another normal image, got None"):
            call()


# ablations


@each_row()
@pytest.mark.parametrize("preset", CONSTRAINED)
def test_ablation_a_plans_like_the_preset_without_background(row, preset):
    ablation = row.task.from_preset(preset, ablation="A")
    assert ablation == row.task.from_preset(preset, background=None)
    image, source = draw_pixels(1, (90, 80, 3)), draw_pixels(2, (90, 80, 3))
    for seed in range(5):
        assert ablation.plan(image, source, seed) == row.task.from_preset(preset, background=None).plan(
            image, source, seed
        )


@each_row()
@pytest.mark.parametrize("preset", PRESETS)
def test_ablation_b_plans_at_most_one_patch(row, preset):
    task = row.task.from_preset(preset, ablation="B")
    assert task == row.task.from_preset(preset, max_patches=1)
    counts = [len(plan.patches) for plan in draw_plans(task, draw_pixels(2, (80, 80, 3)), 20)]
    assert max(counts) <= 1


@each_row()
@pytest.mark.parametrize("preset", PRESETS)
def test_ablation_c_has_the_geometry_of_cutpaste(row, preset):
    task = row.task.from_preset(preset, ablation="C")
    image = draw_pixels(5, (160, 200, 3))
    for plan in draw_plans(task, image, 25):
        (patch,) = plan.patches
        y0, x0, y1, x1 = patch.source_box
        height, width = y1 - y0, x1 - x0
        assert patch.size == (height, width)
        assert patch.shape is None
        assert (height + 0.5) * (width + 0.5) > 0.02 * 160 * 200
        assert (height - 0.5) * (width - 0.5) < 0.15 * 160 * 200
        assert (height + 0.5) / (width - 0.5) > 0.3
        assert (height - 0.5) / (width + 0.5) < 3.3


@each_row()
@pytest.mark.parametrize("preset", ["tile", "screw", "cable", "rcxr_male"])
def test_ablation_d_marks_only_its_ellipses(row, preset):
    task = row.task.from_preset(preset, ablation="D", label="binary", min_object=0.0, min_overlap=0.0)
    image, source = np.random.default_rng(1).integers(0, 256, (2, 256, 240, 3), dtype=np.uint8)
    marked = 0
    for seed in range(8):
        result = task(image, source, seed)
        inside = np.zeros((256, 240), bool)
        for patch in result.plan.patches:
            assert len(patch.shape.parameters) == 5
            oracle.view(inside, patch.destination_box)[...] |= oracle.resize(oracle.outline(patch), patch.size) > 0
        if not row.poisson:
            np.testing.assert_array_equal(result.image[~inside], image[~inside])
        # The median that makes the mask may step over the outline, by no more than two pixels.
        assert not result.mask[~ndimage.maximum_filter(inside, 5)].any()
        marked += result.mask.any()
    assert marked > 0


@each_row()
@pytest.mark.parametrize("ablation", ABLATIONS)
def test_overrides_win_over_ablations(row, ablation):
    assert row.task.from_preset("screw", ablation=ablation, max_patches=6).max_patches == 6


# arguments

REFUSED = [
    ("nsa", {"label": "factor"}, ValueError, "label.*'factor'.*only tasks that interpolate"),
    ("cutpaste", {"label": "factor"}, ValueError, "label.*'factor'.*only tasks that interpolate"),
    ("fpi", {"scale_range": (0.7, 1.3)}, TypeError, r"scale_range.*\(0.7, 1.3\).*cannot change size"),
    ("pii", {"scale_range": (0.7, 1.3)}, TypeError, r"scale_range.*\(0.7, 1.3\).*cannot change size"),
    ("cutpaste", {"gradient": "mixed"}, TypeError, "gradient"),
    ("cutpaste", {"solver": "opencv"}, TypeError, "solver"),
    ("fpi", {"gradient": "mixed"}, TypeError, "gradient"),
    ("fpi", {"solver": "opencv"}, TypeError, "solver"),
    ("pii", {"gradient": "mixed"}, TypeError, "gradient"),
    *[(name, {"jitter": 0.1}, TypeError, "jitter") for name in ("nsa", "fpi", "pii")],
    *[(name, {"variant": "scar"}, TypeError, "variant") for name in ("nsa", "fpi", "pii")],
    *[(name, {"selection": "cutpaste_scar", "shape": "ellipses"}, ValueError, "shape.*'ellipses'") for name in ROWS],
    *[
        ("cutpaste", {"variant": variant, "selection": selection}, ValueError, f"selection.*{variant}.*'{selection}'")
        for variant in ("normal", "scar", "union")
        for selection in ("cutpaste", "cutpaste_scar", "fpi")
    ],
    ("cutpaste", {"variant": "scar", "shape": "ellipses"}, ValueError, "shape"),
    ("cutpaste", {"variant": "union", "shape": "ellipses"}, ValueError, "shape"),
]


@pytest.mark.parametrize(("name", "arguments", "error", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_has_no_meaning_for_a_task_is_refused(name, arguments, error, message):
    with pytest.raises(error, match=message):
        ROWS[name].task(**arguments)
    with pytest.raises(error, match=message):
        ROWS[name].task.from_preset("screw", **arguments)


@each_row()
@pytest.mark.parametrize("kind", KINDS)
def test_every_task_accepts_every_label_and_selection(row, kind):
    for label in row.labels:
        task = row.task(selection=kind[0], shape=kind[1], label=label)
        assert task(IMAGE, SOURCE, 0).label.dtype == np.float32
