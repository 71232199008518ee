"""Noise, polygons, strokes and fine strips: rasterised as formulas say, visible and labelled where they are thin."""

import json
import math

import cv2
import numpy as np
import oracle
import pytest
from drawing import blank, draw_plans
from hypothesis import given, settings
from hypothesis import strategies as st
from perlin import noise_at
from strategies import draw_pixels, seeds
from table5 import each_row

from nsa_augment import (
    FineNoise,
    FineStrip,
    NaturalSyntheticAnomaly,
    Noise,
    PatchPlacement,
    Polygon,
    Strip,
    Stroke,
    SynthesisPlan,
)

sizes = st.tuples(st.integers(1, 60), st.integers(1, 60))
unit = st.floats(0, 1)
layers = st.tuples(st.sampled_from([1, 2, 3, 8]), st.sampled_from([1, 2, 5, 16]), st.floats(-1.6, 1.6), seeds)
noises = st.builds(
    lambda kind, *fields: kind(*fields), st.sampled_from([Noise, FineNoise]),
    st.lists(layers, min_size=1, max_size=2).map(tuple), st.floats(-0.5, 0.6),
    st.sampled_from(["union", "intersection"]),
)  # fmt: skip
polygons = st.builds(Polygon, st.lists(st.tuples(unit, unit), min_size=3, max_size=8).map(tuple))
strokes = st.builds(Stroke, st.lists(st.tuples(unit, unit, st.floats(0.5, 9)), min_size=2, max_size=6).map(tuple))
fine_strips = st.builds(FineStrip, st.floats(0.5, 20), st.floats(0.5, 60), st.floats(-3.1, 3.1))
LINE = Stroke(((0.5, 0.0, 2.0), (0.5, 1.0, 2.0)))


@settings(max_examples=30)
@given(noises, st.tuples(st.integers(1, 16), st.integers(1, 16)))
def test_noise_is_perlins_formula(noise, size):
    mask = noise.mask(size)
    assert (mask.dtype, mask.shape) == (np.uint8, size)
    join = any if noise.combine == "union" else all
    for row in range(size[0]):
        for column in range(size[1]):
            values = [noise_at(layer, size, row, column) for layer in noise.layers]
            surely, perhaps = (join(value > noise.threshold + slack for value in values) for slack in (1e-6, -1e-6))
            assert surely <= mask[row, column] <= perhaps


@given(polygons, sizes)
def test_polygon_has_an_odd_number_of_borders_on_each_side(polygon, size):
    mask = polygon.mask(size)
    assert (mask.dtype, mask.shape) == (np.uint8, size)
    corners = [(y * size[0], x * size[1]) for y, x in polygon.corners]
    contour = np.array([(x, y) for y, x in corners], np.float32).reshape(-1, 1, 2)
    convex = cv2.isContourConvex(contour)
    for row, column in np.ndindex(*size):
        distance = cv2.pointPolygonTest(contour, (column + 0.5, row + 0.5), True)
        if convex and abs(distance) > 1e-3:
            assert mask[row, column] == (distance > 0)


def test_polygon_has_the_area_of_the_shoelace_formula():
    rng = np.random.default_rng(0)
    task = NaturalSyntheticAnomaly(shape="polygon", max_patches=1, scale_range=None, height_range=(0.5, 0.8))
    corner_counts = set()
    for plan in draw_plans(task, blank(300), 60, seed=int(rng.integers(9))):
        outline = plan.patches[0].shape
        y, x = 400 * np.transpose(outline.corners)
        area = abs(np.dot(y, np.roll(x, -1)) - np.dot(x, np.roll(y, -1))) / 2
        assert int(outline.mask((400, 400)).sum()) == pytest.approx(area, abs=400)
        corner_counts.add(len(outline.corners))
    assert corner_counts == set(range(3, 9))


def distance_map(stroke, size, slack):
    """Pixels within half the width of densely sampled points of the line."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    inside = np.zeros(size, bool)
    for (y0, x0, first), (y1, x1, last) in zip(stroke.points, stroke.points[1:], strict=False):
        first, last = max(first, math.sqrt(2)), max(last, math.sqrt(2))
        for t in np.linspace(0, 1, 200):
            centre = (y0 + t * (y1 - y0)) * size[0], (x0 + t * (x1 - x0)) * size[1]
            inside |= np.hypot(y - centre[0], x - centre[1]) <= (first + t * (last - first)) / 2 + slack
    return inside


@given(strokes, st.tuples(st.integers(1, 30), st.integers(1, 30)))
def test_stroke_is_what_lies_near_its_line(stroke, size):
    mask = stroke.mask(size)
    assert (mask.dtype, mask.shape) == (np.uint8, size)
    assert (mask <= distance_map(stroke, size, 0.3)).all()
    # The disks of a tapered piece reach a little farther than its width at the nearest point.
    narrowed = Stroke(tuple((y, x, min(width for *_, width in stroke.points)) for y, x, _ in stroke.points))
    assert (distance_map(narrowed, size, -0.15) <= mask).all()


@given(fine_strips)
def test_fine_strip_is_the_strip_at_its_own_size_unless_that_has_gaps(strip):
    expected = Strip(max(strip.width, math.sqrt(2)), strip.length, strip.angle).mask(strip.box_size)
    np.testing.assert_array_equal(strip.mask(strip.box_size), expected)


@given(st.one_of(noises, polygons, strokes, fine_strips), sizes)
def test_outlines_survive_json(outline, size):
    patch = PatchPlacement((0, 0, *size), (1, 1, 9, 9), shape=outline)
    read = PatchPlacement.from_dict(json.loads(json.dumps(patch.to_dict(), allow_nan=False)))
    assert read == patch
    np.testing.assert_array_equal(read.shape.mask(size), outline.mask(size))


def test_noise_takes_scales_and_threshold_from_the_task():
    task = NaturalSyntheticAnomaly(shape="noise", noise_scales=(1, 3), noise_threshold=0.3)
    outlines = [patch.shape for plan in draw_plans(task, blank(128), 200) for patch in plan.patches]
    assert {outline.threshold for outline in outlines} == {0.3}
    assert {cells for outline in outlines for layer in outline.layers for cells in layer[:2]} == {2, 4, 8}
    turns = [layer[2] for outline in outlines for layer in outline.layers]
    assert -np.pi / 2 <= min(turns) < -1 < 1 < max(turns) <= np.pi / 2


def test_stroke_widths_are_those_of_a_256_pixel_image():
    task = NaturalSyntheticAnomaly(shape="stroke", stroke_width=(4, 6))
    points = [
        point for plan in draw_plans(task, blank(512), 60) for patch in plan.patches for point in patch.shape.points
    ]
    widths = [width for *_, width in points]
    assert 8 <= min(widths) < 9
    assert 11 < max(widths) <= 12


@pytest.mark.parametrize(
    "argument",
    [{"noise_scales": (0.5, 2)}, {"noise_scales": (3, 2)}, {"noise_scales": (0, 11)}, {"noise_scales": 3},
     {"noise_threshold": 1.1}, {"noise_threshold": None}, {"stroke_width": (3, 1)}, {"stroke_width": (-1, 1)}],
    ids=str,
)  # fmt: skip
def test_bad_arguments_are_named(argument):
    (name,) = argument
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be"):
        NaturalSyntheticAnomaly(**argument)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (Noise, "layers", ()), (Noise, "layers", ((0, 1, 0.0, 1),)), (Noise, "layers", ((1, 1.5, 0.0, 1),)),
        (Noise, "layers", ((1, 1, 9.0, 1),)), (Noise, "layers", ((1, 1, 0.0, -1),)), (Noise, "layers", 5),
        (Polygon, "corners", ((0, 0), (0, 1))), (Polygon, "corners", ((0, 0), (0, 1), (1,))),
        (Polygon, "corners", None),
        (Stroke, "points", ((0, 0, 1),)), (Stroke, "points", ((0, 0, 1), (1, 1, 0))), (Stroke, "points", "line"),
    ],
)  # fmt: skip
def test_bad_outlines_are_refused(kind, field, value):
    with pytest.raises((TypeError, ValueError), match="must be"):
        kind(**{field: value})


def thin_change(row, **arguments):
    """A dark line two pixels wide across a light image, cut from a dark source."""
    image, source = np.full((60, 60, 3), 200, np.uint8), np.full((60, 60, 3), 80, np.uint8)
    patch = PatchPlacement((10, 10, 50, 50), (10, 10, 50, 50), gradient=row.gradients[0], shape=LINE)
    plan = SynthesisPlan((60, 60), (60, 60), (patch,))
    return LINE, row.task(**arguments).apply(image, source, plan)


@each_row()
def test_thin_lines_are_visible_and_labelled_under_every_blending(row):
    line, result = thin_change(row, label="logistic")
    expected = np.zeros((60, 60), np.uint8)
    oracle.view(expected, (10, 10, 50, 50))[...] = line.mask((40, 40))
    np.testing.assert_array_equal(result.mask, expected)
    assert (result.label[expected > 0] > 0.5).all()
    assert not result.label[expected == 0].any()
    _, result = thin_change(row, label="continuous")
    change = np.abs(result.image.astype(float) - 200).mean(axis=2)
    assert result.label[30, 30] == pytest.approx(change[28:33, 28:33][change[28:33, 28:33] > 0].mean(), abs=1e-4)


@pytest.mark.parametrize(
    "arguments", [{"shape": "stroke"}, {"shape": "fine_noise"}, {"selection": "fine_scar"}], ids=str
)
@pytest.mark.parametrize("preset", ["leather", "screw"])
def test_thin_outlines_leave_no_empty_masks(preset, arguments):
    image, source = (np.random.default_rng(seed).integers(100, 140, (96, 96, 3), np.uint8) for seed in (0, 1))
    task = NaturalSyntheticAnomaly.from_preset(preset, background=None, **arguments)
    results = [task(image, source, seed) for seed in range(60)]
    assert sum(bool(result.plan.patches) for result in results) > 50
    assert sum(not result.mask.any() for result in results if result.plan.patches) == 0


@pytest.mark.parametrize("shape", ["noise", "polygon", "stroke"])
def test_conditions_count_pixels_inside_the_outline_only(shape):
    image, source = draw_pixels(0, (90, 90)), draw_pixels(1, (90, 90))
    mask = np.hypot(*(np.mgrid[:90, :90] - 45)) < 30
    task = NaturalSyntheticAnomaly(
        shape=shape, min_object=0.5, min_overlap=0.8, max_patches=1, height_range=(0.2, 0.5), blending="copy_paste"
    )
    placed = 0
    for seed in range(40):
        for patch in task.plan(image, source, seed, mask=mask, source_mask=mask).patches:
            inside = patch.shape.mask(patch.size)
            cut = cv2.resize(oracle.view(mask, patch.source_box).astype(np.uint8), patch.size[::-1]) & inside
            shared = cut & oracle.view(mask, patch.destination_box)
            assert cut.sum() > 0.5 * inside.sum()
            assert shared.sum() > 0.8 * cut.sum()
            placed += 1
    assert placed > 5


@pytest.mark.parametrize("blending", ["poisson", "silhouette"])
def test_thin_outlines_are_left_to_a_copy_with_a_soft_edge(blending):
    image, source = draw_pixels(0, (90, 90)), draw_pixels(1, (90, 90))
    masks = {
        "mask": np.hypot(*(np.mgrid[:90, :90] - 45)) < 30,
        "source_mask": np.hypot(*(np.mgrid[:90, :90] - 40)) < 20,
    }
    plan = SynthesisPlan((90, 90), (90, 90), (PatchPlacement((20, 20, 60, 60), (25, 5, 65, 45), shape=LINE),))
    results = [
        NaturalSyntheticAnomaly(blending=one).apply(image, source, plan, **masks) for one in (blending, "feather")
    ]
    np.testing.assert_array_equal(results[0].image, results[1].image)
    np.testing.assert_array_equal(results[0].label, results[1].label)
    assert results[0].mask.any()
