"""Patches are drawn uniformly from the places that meet the object and overlap conditions, and from no other."""

import numpy as np
import oracle
import pytest
from drawing import (
    CENTRES,
    FIXED,
    HALF,
    SIDE,
    STARTS,
    blank,
    box_fractions,
    disk,
    draw_plans,
    first_boxes,
    uniform_between,
    uniform_on,
    uniform_over_map,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from strategies import any_task, draw_object, draw_pixels, seeds
from table5 import KINDS, ROWS, each_row, row_of

from nsa_augment import NaturalSyntheticAnomaly

EVERYWHERE = np.ones((SIDE, SIDE), bool)
ALMOST_ALL = np.nextafter(1, 0)  # a threshold of 1 asks for all


def starts_map(fractions, first, last):
    allowed = np.zeros(fractions.shape, bool)
    allowed[first : last + 1, first : last + 1] = True
    return allowed


@each_row()
def test_sources_are_uniform_over_the_places_with_enough_object(row):
    object_map, count = disk(17), 5000 if row.name == "nsa" else 2500
    plans = draw_plans(
        row.task(**FIXED, min_object=0.7),
        blank(SIDE),
        count,
        mask=EVERYWHERE,
        source_mask=object_map,
    )
    boxes = first_boxes(plans, "source_box")
    fractions = box_fractions(object_map, (2 * HALF, 2 * HALF))
    allowed = starts_map(fractions, CENTRES[0] - HALF, CENTRES[-1] - HALF) & (fractions > 0.7)
    assert len(boxes) == count
    assert uniform_over_map(boxes[:, 0], boxes[:, 1], allowed, block=3)
    assert uniform_over_map(boxes[:, 0], boxes[:, 1], allowed, block=7)


@each_row(lambda row: row.shift)
@pytest.mark.parametrize("min_overlap", [0.25, 0.9])
def test_destinations_are_uniform_over_the_places_with_enough_overlap(row, min_overlap):
    object_map = disk(17, (20, 33))
    plans = draw_plans(
        row.task(**FIXED, min_object=0.5, min_overlap=min_overlap),
        blank(SIDE),
        5000,
        mask=object_map,
        source_mask=EVERYWHERE,
    )
    boxes = first_boxes(plans, "destination_box")
    fractions = box_fractions(object_map, (2 * HALF, 2 * HALF))
    allowed = starts_map(fractions, STARTS[0], STARTS[-1]) & (fractions > min_overlap)
    assert len(boxes) == 5000
    assert uniform_over_map(boxes[:, 0], boxes[:, 1], allowed, block=3)
    assert uniform_over_map(boxes[:, 0], boxes[:, 1], allowed, block=7)


def test_destination_is_uniform_given_any_source():
    """The rank of the destination among the valid ones of its own source is uniform."""
    source_mask, image_mask = disk(15, (22, 35)), disk(20, (40, 25))
    min_object, min_overlap = 0.3, 0.6
    plans = draw_plans(
        NaturalSyntheticAnomaly(**FIXED, min_object=min_object, min_overlap=min_overlap),
        blank(SIDE),
        1500,
        mask=image_mask,
        source_mask=source_mask,
    )
    windows = np.lib.stride_tricks.sliding_window_view(image_mask.astype(float), (2 * HALF, 2 * HALF))
    rng = np.random.default_rng(1)
    ranks = []
    for plan in plans:
        (patch,) = plan.patches
        found = oracle.view(source_mask, patch.source_box)
        assert found.mean() > min_object
        shared = np.tensordot(windows, found.astype(float), axes=2) / found.sum()
        valid = starts_map(shared, STARTS[0], STARTS[-1]) & (shared > min_overlap)
        y, x = patch.destination_box[:2]
        assert valid[y, x]
        before = np.count_nonzero(valid[:y]) + np.count_nonzero(valid[y, :x])
        ranks.append((before + rng.random()) / np.count_nonzero(valid))
    assert uniform_between(ranks)


@pytest.mark.parametrize("place", ["source", "destination"])
def test_patch_is_given_up_after_200_draws(place):
    rare = np.zeros((SIDE, SIDE), bool)
    rare[20:34, 20:35] = True  # 12 boxes of 12 x 12 lie inside
    masks = {"source": (EVERYWHERE, rare), "destination": (rare, EVERYWHERE)}[place]
    draws = {"source": CENTRES, "destination": STARTS}[place]
    task = NaturalSyntheticAnomaly(**FIXED, min_object=0.999, min_overlap=0.999)
    plans = draw_plans(task, blank(SIDE), 2000, mask=masks[0], source_mask=masks[1])
    found = sum(len(plan.patches) for plan in plans)
    expected = 1 - (1 - 12 / len(draws) ** 2) ** 200
    assert stats.binomtest(found, 2000, expected).pvalue > 1e-3


@pytest.mark.parametrize(
    ("min_object", "min_overlap", "found"),
    [(0.5, 0.0, False), (0.499, 0.499, True), (0.0, 0.5, False), (1.0, 0.0, False), (0.0, 1.0, False), (0, 0, True)],
)
def test_fractions_have_to_be_exceeded(min_object, min_overlap, found):
    """Every second row is object: exactly half of each box."""
    stripes = np.zeros((SIDE, SIDE), bool)
    stripes[::2] = True
    columns = np.ascontiguousarray(stripes.T)
    task = NaturalSyntheticAnomaly(**FIXED, min_object=min_object, min_overlap=min_overlap)
    plans = draw_plans(task, blank(SIDE), 20, mask=columns, source_mask=stripes)
    assert [bool(plan.patches) for plan in plans] == [found] * 20


def test_no_object_no_patch():
    nothing = np.zeros((SIDE, SIDE), bool)
    task = NaturalSyntheticAnomaly(min_object=0, min_overlap=0)
    for masks in [(nothing, EVERYWHERE), (EVERYWHERE, nothing), (nothing, nothing)]:
        plans = draw_plans(task, blank(SIDE), 10, mask=masks[0], source_mask=masks[1])
        assert not any(plan.patches for plan in plans)


def test_without_shift_destinations_are_not_asked_for_overlap():
    """Nothing of the image is object, and a patch touches its border: FPI and PII take it, where they cut it."""
    for row in (ROWS["fpi"], ROWS["pii"]):
        task = row.task(height_range=(0.5, 0.5), width_range=(0.2, 0.2), size_gamma=None, min_overlap=1)
        plans = draw_plans(task, blank(SIDE), 30, mask=np.zeros((SIDE, SIDE), bool), source_mask=EVERYWHERE)
        assert all(plan.patches for plan in plans)
        assert any(patch.destination_box[0] == 0 for plan in plans for patch in plan.patches)


def bounds(fractions, side, limits):
    part = 2 if limits == "half" else 1
    return round(fractions[0] / part * side), round(fractions[1] / part * side)


def check_sizes(task, patch, shape):
    source, destination, row = patch.source_box, patch.destination_box, row_of(task)
    for axis, fractions in enumerate([task.height_range, task.width_range]):
        size, new_size = source[axis + 2] - source[axis], patch.size[axis]
        assert source[axis] >= 0
        assert source[axis + 2] <= shape[axis]
        if row.shift:
            assert 1 <= destination[axis] <= shape[axis] - new_size - 1
        if task.selection == "natural" and getattr(task, "variant", None) is None:
            assert size <= 2 * bounds(fractions, shape[axis], "half")[1]
        if task.scale_range is None:
            assert new_size == size
        else:
            low, high = bounds(fractions, shape[axis], task.resize_limits)
            assert low <= new_size <= high
    if not row.shift:
        assert source == destination


def check_patch(task, patch, shape, source_object, image_object):
    row = row_of(task)
    check_sizes(task, patch, shape)
    assert patch.gradient == (task.gradient if row.name == "nsa" else row.gradients[0])
    assert 0.05 <= patch.factor <= 0.95 if row.factor else patch.factor == 1
    variants = {"scar": ["Strip"], "union": ["Strip", "NoneType"]}
    kinds = [{"cutpaste_scar": "Strip", "fine_scar": "FineStrip"}.get(task.selection, str(task.shape or "NoneType"))]
    kinds = [kind if kind == "NoneType" else kind[0].upper() + kind[1:] for kind in kinds]
    assert type(patch.shape).__name__ in variants.get(getattr(task, "variant", None), kinds)
    assert (patch.jitter is not None) == bool(getattr(task, "jitter", 0))
    assert oracle.footprint(patch, row.blending) is not None
    if source_object is None:
        return
    found, outline = oracle.view(source_object, patch.source_box), oracle.outline(patch)
    resized, new_outline = oracle.resize(found, patch.size), oracle.bitmap(patch)
    assert (found & outline).sum() / outline.sum() > min(task.min_object, ALMOST_ALL)
    if not row.shift:
        return
    if patch.shape is not None and patch.shape.scalable:
        resized = resized[new_outline > 0]
        found_there = oracle.view(image_object, patch.destination_box)[new_outline > 0]
        assert resized.mean() > min(task.min_object, ALMOST_ALL)
        assert (resized & found_there).sum() / resized.sum() > min(task.min_overlap, ALMOST_ALL)
        return
    assert resized.mean() > min(task.min_object, ALMOST_ALL)
    counted = resized & new_outline
    shared = counted & oracle.view(image_object, patch.destination_box)
    assert shared.sum() / resized.sum() > min(task.min_overlap, ALMOST_ALL * counted.sum() / resized.sum())


@settings(max_examples=200)
@given(any_task, st.integers(10, 90), st.integers(10, 90), seeds, st.booleans())
def test_plans_respect_every_condition(task, height, width, seed, masked):
    shape = height, width
    image, source = draw_pixels(seed, (*shape, 3)), draw_pixels(seed + 1, (*shape, 3))
    masks = {"mask": draw_object(seed, shape), "source_mask": draw_object(seed + 1, shape)} if masked else {}
    source_object = image_object = None
    if masked:
        source_object, image_object = masks["source_mask"].astype(np.uint8), masks["mask"].astype(np.uint8)
    elif task.background is not None:
        source_object, image_object = (oracle.foreground(part, task.background) for part in (source, image))
    plan = task.plan(image, source, seed, **masks)
    assert plan.image_shape == plan.source_shape == shape
    assert len(plan.patches) <= task.max_patches
    assert len({patch.factor for patch in plan.patches}) <= 1
    for patch in plan.patches:
        check_patch(task, patch, shape, source_object, image_object)


@each_row()
@pytest.mark.parametrize("limits", ["half", pytest.param("full", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("selection", "shape"), KINDS)
def test_usual_plans_respect_every_condition(row, limits, selection, shape):
    object_map = disk(40, (60, 50), 120)
    arguments = {"scale_range": (0.6, 1.7)} if row.shift and limits == "full" else {}
    task = row.task(
        resize_limits=limits, shape=shape, selection=selection, min_object=0.6, min_overlap=0.4, **arguments
    )
    plans = draw_plans(task, blank(120), 40, mask=object_map.T, source_mask=object_map)
    patches = [patch for plan in plans for patch in plan.patches]
    assert len(patches) > 8
    for patch in patches:
        check_patch(task, patch, (120, 120), object_map.astype(np.uint8), object_map.T.astype(np.uint8))


@pytest.mark.parametrize(("side", "found"), [(80, False), (100, True), (120, True)])
def test_patch_is_given_up_in_the_plan_below_5_pixels(side, found):
    """With the limits on half-sizes the resized patch is 4, 5 or 6 pixels high."""
    task = NaturalSyntheticAnomaly(height_range=(0.1, 0.1), width_range=(0.8, 0.8))
    plans = draw_plans(task, blank(side), 20)
    assert [bool(plan.patches) for plan in plans] == [found] * 20
    assert {patch.size[0] for plan in plans for patch in plan.patches} <= {side // 20}


@pytest.mark.parametrize(("side", "found"), [(90, False), (100, True)])
def test_patch_is_given_up_in_the_plan_below_50_pixels(side, found):
    """The resized patch has 9 x 9 pixels or 10 x 10, without the ring 49 or 64."""
    task = NaturalSyntheticAnomaly(height_range=(0.2, 0.2), width_range=(0.2, 0.2))
    assert [bool(plan.patches) for plan in draw_plans(task, blank(side), 20)] == [found] * 20


def test_aspect_is_kept_where_the_limits_allow():
    task = NaturalSyntheticAnomaly(resize_limits="full", height_range=(0.05, 0.8), width_range=(0.05, 0.3))
    for plan in draw_plans(task, blank(400), 500):
        for patch in plan.patches:
            y0, x0, y1, x1 = patch.source_box
            height, width = patch.size
            if 20 < height < 320 and 20 < width < 120:
                assert abs(height / (y1 - y0) - width / (x1 - x0)) < 1 / (y1 - y0) + 1 / (x1 - x0)


def test_uniform_sizes_reach_both_bounds():
    task = NaturalSyntheticAnomaly(
        height_range=(0.2, 0.3), width_range=(0.4, 0.5), size_gamma=None, scale_range=None, max_patches=1
    )
    boxes = first_boxes(draw_plans(task, blank(60), 3000), "source_box")
    inside = (boxes[:, 0] > 0) & (boxes[:, 2] < 60)
    assert set((boxes[:, 2] - boxes[:, 0])[inside] // 2) == set(range(6, 10))
    assert not uniform_on((boxes[:, 2] - boxes[:, 0]) // 2, range(3, 10))
