"""Draw many plans, and compare what was drawn with a distribution (fixed seeds; p > 0.001)."""

import warnings

import numpy as np
from scipy import stats

FIXED = {"height_range": (0.2, 0.2), "width_range": (0.2, 0.2), "scale_range": None, "max_patches": 1}
SIDE, HALF = 60, 6  # 0.2 of 60 pixels: every patch is 12 x 12 and never cut
CENTRES = np.arange(HALF, SIDE - HALF)
STARTS = np.arange(1, SIDE - 2 * HALF)


def blank(height, width=None):
    """An image of any size that takes no memory."""
    return np.broadcast_to(np.uint8(0), (height, width or height))


def draw_plans(task, image, count, seed=0, **masks):
    """Plans one after the other; that they are all without a patch is for the test to say."""
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\w+ has placed no patch")
        return [task.plan(image, image, rng, **masks) for _ in range(count)]


def first_boxes(plans, name):
    return np.array([getattr(plan.patches[0], name) for plan in plans if plan.patches])


def agree(observed, probabilities, least=5):
    """Chi-square test; neighbouring bins are joined until each expects `least`."""
    expected = np.asarray(probabilities, float) * np.sum(observed)
    assert np.isclose(expected.sum(), np.sum(observed))
    joined = [[0.0, 0.0]]
    for pair in zip(observed, expected, strict=True):
        if joined[-1][1] >= least:
            joined.append([0.0, 0.0])
        joined[-1] = [total + part for total, part in zip(joined[-1], pair, strict=True)]
    if joined[-1][1] < least:
        last = joined.pop()
        joined[-1] = [total + part for total, part in zip(joined[-1], last, strict=True)]
    assert len(joined) > 1
    observed, expected = np.transpose(joined)
    return stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-3


def uniform_on(values, support):
    values = np.asarray(values)
    assert np.isin(values, support).all()
    return agree([np.count_nonzero(values == value) for value in support], np.full(len(support), 1 / len(support)))


def uniform_over_map(rows, columns, allowed, block=6):
    """Positions lie in `allowed` and are uniform over it, as far as blocks of that many pixels tell."""
    assert allowed[rows, columns].all()
    drawn = np.zeros(allowed.shape)
    np.add.at(drawn, (rows, columns), 1)
    y, x = np.indices(allowed.shape) // block
    index = (y * allowed.shape[1] + x).ravel()
    counts, areas = (np.bincount(index, weights=part.ravel()) for part in (drawn, allowed.astype(float)))
    return agree(counts[areas > 0], areas[areas > 0] / areas.sum())


def uniform_between(fractions):
    return stats.kstest(fractions, "uniform").pvalue > 1e-3


def box_fractions(mask, size):
    """Fraction of object pixels in the box that starts at each position."""
    return np.lib.stride_tricks.sliding_window_view(mask, size).mean(axis=(2, 3))


def disk(radius, centre=(30, 30), side=SIDE):
    y, x = np.mgrid[:side, :side]
    return np.hypot(y - centre[0], x - centre[1]) <= radius
