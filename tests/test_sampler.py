"""What is drawn follows the distributions of the method (fixed seeds; p > 0.001)."""

import numpy as np
import pytest
from drawing import (
    CENTRES,
    FIXED,
    HALF,
    SIDE,
    STARTS,
    agree,
    blank,
    draw_plans,
    first_boxes,
    uniform_on,
    uniform_over_map,
)
from scipy import stats
from table5 import each_row

from nsa_augment import NaturalSyntheticAnomaly


@each_row()
@pytest.mark.parametrize("max_patches", [1, 2, 3, 4, 9])
def test_number_of_patches_is_one_plus_binomial(row, max_patches):
    task = row.task(**{**FIXED, "max_patches": max_patches})
    counts = [len(plan.patches) for plan in draw_plans(task, blank(SIDE), 2000)]
    if max_patches == 1:
        assert set(counts) == {1}
        return
    expected = stats.binom.pmf(np.arange(max_patches), max_patches - 1, 0.5)
    assert agree(np.bincount(np.array(counts) - 1, minlength=max_patches), expected)


def half_size_probabilities(side, low, high, gamma):
    """P(half-size = low..high): int(clip((offset + Gamma) * side, low, high))."""
    edges = np.arange(low + 1, high + 1)
    if gamma is None:
        return np.full(high - low + 1, 1 / (high - low + 1))
    below = stats.gamma.cdf(edges / side - gamma[2], gamma[0], scale=gamma[1])
    return np.diff(np.concatenate([[0], below, [1]]))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("gamma", [(2, 0.05, 0.03), (2, 0.03, 0.05), (1.5, 0.1, 0), None])
@pytest.mark.parametrize("fractions", [(0.06, 0.8), (0.1, 0.3)])
def test_half_sizes_follow_the_clipped_gamma(axis, gamma, fractions):
    shape = 400, 300
    task = NaturalSyntheticAnomaly(
        height_range=fractions, width_range=fractions, size_gamma=gamma, scale_range=None, max_patches=1
    )
    boxes = first_boxes(draw_plans(task, blank(*shape), 4000), "source_box")
    side = shape[axis]
    low, high = (round(fraction / 2 * side) for fraction in fractions)
    start, stop = boxes[:, axis], boxes[:, axis + 2]
    # A box that touches the border may have been cut; one that does not shows twice its half-size.
    whole = (start > 0) & (stop < side)
    halves = (stop - start)[whole] // 2
    assert not ((stop - start)[whole] % 2).any()
    sizes, centres = np.arange(low, high + 1), np.arange(low, side - low)
    uncut = ((centres - sizes[:, None] > 0) & (centres + sizes[:, None] < side)).mean(axis=1)
    expected = half_size_probabilities(side, low, high, gamma) * uncut
    assert halves.min() >= low
    assert halves.max() <= high
    assert agree(np.bincount(halves - low, minlength=len(sizes)), expected / expected.sum())


def test_full_size_follows_table_6():
    """0.06 + Gamma(2, 0.1) between the bounds; a box of that size is uncut with probability ~ 1 - size."""
    task = NaturalSyntheticAnomaly(height_range=(0.2, 0.8), width_range=(0.2, 0.8), scale_range=None, max_patches=1)
    boxes = first_boxes(draw_plans(task, blank(1000), 3000), "source_box")
    heights = (boxes[:, 2] - boxes[:, 0])[(boxes[:, 0] > 0) & (boxes[:, 2] < 1000)]
    sizes = (heights + 2 * np.random.default_rng(1).random(len(heights))) / 1000
    grid = np.linspace(0.202, 0.798, 2000)
    cumulative = np.cumsum(stats.gamma.pdf(grid, 2, loc=0.06, scale=0.1) * (1 - grid))
    inside = sizes[(sizes > grid[0]) & (sizes < grid[-1])]
    result = stats.kstest(inside, lambda size: np.interp(size, grid, cumulative / cumulative[-1]))
    assert len(inside) > 500
    assert result.pvalue > 1e-3


def test_height_and_width_are_drawn_independently():
    task = NaturalSyntheticAnomaly(scale_range=None, max_patches=1)
    boxes = first_boxes(draw_plans(task, blank(400), 3000), "source_box")
    sizes = boxes[:, 2:] - boxes[:, :2]
    assert stats.spearmanr(*sizes.T).pvalue > 1e-3


@each_row(lambda row: row.shift)
def test_centre_is_uniform_and_independent_of_the_destination(row):
    task = row.task(**FIXED)
    plans = draw_plans(task, blank(SIDE), 6000)
    source, destination = first_boxes(plans, "source_box"), first_boxes(plans, "destination_box")
    assert len(source) == 6000
    assert ((source[:, 2:] - source[:, :2]) == 2 * HALF).all()
    for axis in (0, 1):
        assert uniform_on(source[:, axis] + HALF, CENTRES)
        assert uniform_on(destination[:, axis], STARTS)
        assert stats.spearmanr(source[:, axis], destination[:, axis]).pvalue > 1e-3
        assert stats.spearmanr(source[:, 0], destination[:, 1]).pvalue > 1e-3
    allowed = np.zeros((SIDE, SIDE), bool)
    allowed[1 : SIDE - 2 * HALF, 1 : SIDE - 2 * HALF] = True
    assert uniform_over_map(destination[:, 0], destination[:, 1], allowed)


def test_box_is_cut_at_the_border():
    task = NaturalSyntheticAnomaly(height_range=(0.1, 0.8), width_range=(0.1, 0.8), scale_range=None, size_gamma=None)
    boxes = first_boxes(draw_plans(task, blank(100), 500), "source_box")
    assert boxes.min() == 0
    assert boxes.max() == 100
    # Centres keep 5 pixels from the border, so at least that much of a patch is left.
    assert (boxes[:, 2:] - boxes[:, :2]).min() >= 10


@pytest.mark.parametrize(("low", "high"), [(0.7, 1.3), (0.5, 2.0), (1.2, 1.25)])
def test_scale_is_a_clipped_normal(low, high):
    task = NaturalSyntheticAnomaly(
        height_range=(0.02, 0.9),
        width_range=(0.02, 0.9),
        scale_range=(low, high),
        size_gamma=(2, 0.01, 0.15),  # far from the bounds, before resizing and after
        resize_limits="full",
        max_patches=1,
    )
    patches = [plan.patches[0] for plan in draw_plans(task, blank(1200), 8000)]
    source = np.array([patch.source_box for patch in patches])
    sizes = source[:, 2:] - source[:, :2]
    scales = np.array([patch.size for patch in patches]) / sizes
    # Rounded down twice: the scale is seen up to two pixels too small, and the same in both directions.
    assert np.abs(scales[:, 0] - scales[:, 1]).max() < 3 / sizes.min()
    assert scales.max() <= high + 1e-9
    assert scales.min() >= low - 3 / sizes.min()
    edges = np.linspace(low, high, 13)[1:-1] if high - low > 0.1 else [(low + high) / 2]
    below = stats.norm.cdf(edges, 1, 0.5)
    counts = np.histogram(scales[:, 1] + 0.5 / sizes[:, 1], [-np.inf, *edges, np.inf])[0]
    assert agree(counts, np.diff([0, *below, 1]))
