"""The original patch selections of CutPaste, FPI and PII, for every task, against their definitions (Table 6)."""

import numpy as np
import oracle
import pytest
from drawing import FIXED, SIDE, agree, blank, disk, draw_plans, first_boxes, uniform_between
from scipy import stats
from table5 import ROWS, each_row

from nsa_augment import CutPasteAnomaly, Strip


def single(row, selection, **arguments):
    scale = {"scale_range": None} if row.shift else {}
    return row.task(selection=selection, max_patches=1, **scale, **arguments)


def spread(values, low=0.0, high=1.0):
    """Uniform between the two, as far as the Kolmogorov-Smirnov test tells."""
    return uniform_between((np.asarray(values) - low) / (high - low))


def noise(shape):
    return np.random.default_rng(9).random(shape)


def dither(values):
    """Whole numbers, as if they had never been rounded."""
    return values + noise(np.shape(values)) - 0.5


def unrelated(*samples):
    return all(
        stats.spearmanr(one, other).pvalue > 1e-3 for index, one in enumerate(samples) for other in samples[index + 1 :]
    )


# CutPaste

LIKE_CUTPASTE = {
    **{name: single(row, "cutpaste") for name, row in ROWS.items()},
    "ablation": ROWS["nsa"].task.from_preset("screw", ablation="C"),
    "variant": CutPasteAnomaly(variant="normal"),
}


def aspect_cdf(aspect):
    low, high = np.clip((aspect - 0.3) / 0.7, 0, 1), np.clip((aspect - 1) / 2.3, 0, 1)
    return (low + high) / 2


@pytest.mark.parametrize("name", LIKE_CUTPASTE)
@pytest.mark.parametrize("shape", [(400, 600), (500, 500), (540, 400)])
def test_cutpaste_draws_area_aspect_and_place(name, shape):
    boxes = first_boxes(draw_plans(LIKE_CUTPASTE[name], blank(*shape), 1200, seed=1), "source_box")
    assert len(boxes) == 1200
    sizes = boxes[:, 2:] - boxes[:, :2]
    smooth = dither(sizes)
    area, aspect = smooth.prod(axis=1) / np.prod(shape), smooth[:, 0] / smooth[:, 1]
    places = (boxes[:, :2] + noise(sizes.shape)) / (np.array(shape) - sizes + 1)
    assert spread(area, 0.02, 0.15)
    assert stats.kstest(aspect, aspect_cdf).pvalue > 1e-3
    assert spread(places[:, 0])
    assert spread(places[:, 1])
    assert unrelated(area, aspect, *places.T)
    assert (boxes.min(), boxes[:, 2].max() <= shape[0], boxes[:, 3].max() <= shape[1]) == (0, True, True)


def test_sides_of_cutpaste_are_cut_to_the_image():
    """The largest patch asks for sqrt(0.15 * 40 * 640 * 3.3) = 113 rows."""
    boxes = first_boxes(draw_plans(single(ROWS["fpi"], "cutpaste"), blank(40, 640), 300), "source_box")
    assert len(boxes) == 300
    assert ((boxes[:, 0] == 0) & (boxes[:, 2] == 40)).any()
    assert boxes[:, 2].max() == 40
    assert boxes[:, 3].max() <= 640


# FPI and PII


@each_row()
@pytest.mark.parametrize("shape", [(300, 200), (200, 200), (200, 320)])
def test_fpi_draws_squares_around_the_middle(row, shape):
    boxes = first_boxes(draw_plans(single(row, "fpi"), blank(*shape), 2500, seed=2), "source_box")
    sizes = boxes[:, 2:] - boxes[:, :2]
    seen = (boxes[:, :2] > 0) & (boxes[:, 2:] < np.array(shape))  # not cut along the axis
    sides = np.where(seen[:, 0], sizes[:, 0], sizes[:, 1])[seen.any(axis=1)]
    assert (sizes[seen.all(axis=1)][:, 0] == sizes[seen.all(axis=1)][:, 1]).all()
    # A side shows unless the square is cut along both axes.
    support = np.arange(20, 81)
    hidden = np.ones(len(support))
    for dimension in shape:
        centres = np.arange(0.1 * dimension, 0.9 * dimension)
        starts = centres - support[:, None] // 2
        hidden *= 1 - ((starts > 0) & (starts + support[:, None] < dimension)).mean(axis=1)
    expected = np.where((support == 20) | (support == 80), 0.5, 1) * (1 - hidden)
    assert sides.min() >= 20
    assert sides.max() <= 80
    assert agree(np.bincount(sides - 20, minlength=61), expected / expected.sum())
    whole = (sizes == np.minimum(sizes.max(axis=1), 38)[:, None]).all(axis=1)  # too small to be cut
    assert np.count_nonzero(whole) > 400
    centres = (boxes[:, :2] + boxes[:, 2:])[whole] / 2
    for axis, dimension in enumerate(shape):
        assert 0.1 * dimension - 0.5 <= centres[:, axis].min()
        assert centres[:, axis].max() <= 0.9 * dimension
        assert spread(centres[:, axis] / dimension, 0.1, 0.9)
    assert unrelated(sizes[whole][:, 0], *centres.T)


def test_patches_of_fpi_are_cut_at_the_border():
    boxes = first_boxes(draw_plans(single(ROWS["fpi"], "fpi"), blank(100), 500), "source_box")
    assert boxes.min() == 0
    assert boxes.max() == 100


# CutPaste-Scar

SCARS = {
    **{name: single(row, "cutpaste_scar") for name, row in ROWS.items()},
    "variant": CutPasteAnomaly(variant="scar"),
}


@pytest.mark.parametrize("name", SCARS)
@pytest.mark.parametrize("shape", [(512, 512), (512, 700), (800, 512)])
def test_scar_draws_a_rotated_strip(name, shape):
    """In an image whose smaller side is 512 pixels, a scar has twice the size of one in 256."""
    plans = draw_plans(SCARS[name], blank(*shape), 1000, seed=3)
    patches = [plan.patches[0] for plan in plans if plan.patches]
    assert len(patches) > 990
    strips = [patch.shape for patch in patches]
    assert all(isinstance(strip, Strip) for strip in strips)
    width, length, angle = (np.array([getattr(strip, key) for strip in strips]) for key in ("width", "length", "angle"))
    if name in ("nsa", "pii"):  # Poisson needs 5 pixels
        assert width.min() == 5
        assert stats.binomtest(np.count_nonzero(width == 5), len(width), 1 / 28).pvalue > 1e-3
        assert spread(width[width > 5], 5, 32)
    else:
        assert spread(width, 4, 32)
    assert spread(length, 20, 50)
    assert spread(np.degrees(angle), -45, 45)
    boxes = np.array([patch.source_box for patch in patches])
    sizes = boxes[:, 2:] - boxes[:, :2]
    cosine, sine = np.abs(np.cos(angle)), np.abs(np.sin(angle))
    extents = np.stack([length * cosine + width * sine, length * sine + width * cosine], axis=1)
    assert ((extents - 1e-6 <= sizes) & (sizes < extents + 1 + 1e-6)).all()
    places = (boxes[:, :2] + noise(sizes.shape)) / (np.array(shape) - sizes + 1)
    assert places.max() <= 1
    assert spread(places[:, 0])
    assert spread(places[:, 1])
    assert unrelated(width, length, angle, *places.T)


@each_row(lambda row: row.poisson)
@pytest.mark.parametrize("side", [160, 256])
def test_scars_are_widened_for_poisson(row, side):
    patches = [p for plan in draw_plans(single(row, "cutpaste_scar"), blank(side), 300) for p in plan.patches]
    assert len(patches) > 10
    for patch in patches:
        assert min(patch.shape.width, patch.shape.length, *patch.size) >= 5
    assert any(patch.shape.width == 5 for patch in patches)


@each_row()
def test_a_scar_asks_for_object_inside_the_strip(row):
    """Where the box holds too little object the strip may still hold enough."""
    task, object_map = single(row, "cutpaste_scar", min_object=0.8, min_overlap=0), disk(60, (128, 128), 256)
    shares = []
    for plan in draw_plans(task, blank(256), 400, source_mask=object_map):
        for patch in plan.patches:
            found = oracle.view(object_map, patch.source_box)
            inside = oracle.outline(patch) > 0
            shares.append((found.mean(), found[inside].mean()))
    assert len(shares) > 200
    assert min(share for _, share in shares) > 0.8
    if not row.shift:  # the destination asks that the rectangle, too, holds enough
        assert min(box for box, _ in shares) <= 0.8


# what else is drawn


@each_row(lambda row: row.factor)
def test_factor_is_uniform_and_one_for_an_image(row):
    task = row.task(height_range=(0.2, 0.2), width_range=(0.2, 0.2), max_patches=3)
    plans = draw_plans(task, blank(SIDE), 2000, seed=4)
    factors = [{patch.factor for patch in plan.patches} for plan in plans]
    assert {len(found) for found in factors} == {1}
    assert any(len(plan.patches) == 3 for plan in plans)
    assert spread([found.pop() for found in factors], 0.05, 0.95)


@pytest.mark.parametrize(
    ("arguments", "strength"),
    [({"jitter": 0.2}, 0.2), ({"variant": "normal"}, 0.1), ({"variant": "scar", "jitter": 0.5}, 0.5)],
    ids=repr,
)
def test_jitter_is_uniform_up_to_its_strength(arguments, strength):
    plans = draw_plans(CutPasteAnomaly(**{**FIXED, **arguments}), blank(128), 1500, seed=5)
    drawn = [plan.patches[0].jitter.to_dict() for plan in plans]
    assert list(drawn[0]) == ["brightness", "contrast", "saturation", "hue"]
    samples = np.array([list(changes.values()) for changes in drawn]).T
    assert all(spread(sample, -strength, strength) for sample in samples)
    assert unrelated(*samples)


def test_every_patch_has_its_own_jitter():
    plans = draw_plans(CutPasteAnomaly(**{**FIXED, "max_patches": 3}, jitter=0.1), blank(SIDE), 50)
    patches = [patch for plan in plans for patch in plan.patches]
    assert len({patch.jitter for patch in patches}) == len(patches) > 75


@pytest.mark.parametrize(
    "arguments", [{}, {"variant": "normal", "jitter": 0}, {"variant": "scar", "jitter": 0.0}], ids=repr
)
def test_without_strength_there_is_no_jitter(arguments):
    plans = draw_plans(CutPasteAnomaly(**arguments), blank(128), 20)
    assert {patch.jitter for plan in plans for patch in plan.patches} == {None}


def test_union_takes_either_variant():
    plans = draw_plans(CutPasteAnomaly(variant="union"), blank(256), 1000, seed=6)
    kinds = [type(patch.shape) for plan in plans for patch in plan.patches]
    assert len(kinds) == 1000
    assert set(kinds) == {Strip, type(None)}
    assert stats.binomtest(kinds.count(Strip), 1000, 0.5).pvalue > 1e-3
