"""The compiled median over a disk against SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from strategies import seeds

from nsa_augment.labelling.disk_median import DISK_RADIUS, disk_median

HALF_WIDTHS = (0, 3, 4, 4, 4, 5, 4, 4, 4, 3, 0)
DISK = np.array([[abs(x) <= half for x in range(-DISK_RADIUS, DISK_RADIUS + 1)] for half in HALF_WIDTHS])
SPREADS = [1, 2, 100, 255, 256, 700, 16320]


def check(ranks, needed):
    expected = ndimage.median_filter(ranks, footprint=DISK)[DISK_RADIUS:-DISK_RADIUS, DISK_RADIUS:-DISK_RADIUS] * needed
    found = disk_median(ranks, needed)
    assert found.dtype == ranks.dtype
    np.testing.assert_array_equal(found, expected)


def draw_ranks(rng, shape, spread, dtype):
    """Smooth ranks with noise, partly replaced by zeros or the largest."""
    y, x = np.mgrid[: shape[-2], : shape[-1]] / np.reshape(shape[-2:], (2, 1, 1))
    waves = np.sin(rng.uniform(0, 9, 3) @ np.stack([y, x, np.ones(y.shape)]).reshape(3, -1)).reshape(y.shape)
    ranks = (0.5 + 0.5 * waves) * spread + rng.normal(0, spread * rng.choice([0, 0.02, 0.5]), shape)
    ranks[rng.random(shape) < rng.choice([0, 0.3])] = rng.choice([0, spread])
    return np.clip(ranks, 0, spread).astype(dtype)


@given(st.integers(1, 40), st.integers(1, 90), seeds, st.sampled_from(SPREADS), st.sampled_from([0.02, 0.5, 1]))
def test_medians_are_those_of_scipy(height, width, seed, spread, share):
    rng = np.random.default_rng(seed)
    ranks = draw_ranks(rng, (height + 2 * DISK_RADIUS, width + 2 * DISK_RADIUS), spread, np.int16)
    check(ranks, (rng.random((height, width)) < share).astype(np.uint8))


@pytest.mark.parametrize("width", [118, 119, 120, 121, 200, 400, 1001])
@pytest.mark.parametrize("spread", [100, 16320])
def test_medians_of_whole_rows_of_any_width(width, spread):
    ranks = draw_ranks(np.random.default_rng(width), (9 + 2 * DISK_RADIUS, width + 2 * DISK_RADIUS), spread, np.int16)
    check(ranks, np.ones((9, width), np.uint8))


@pytest.mark.parametrize("spread", [3, 900, 70_000, 2**20])
def test_medians_of_many_ranks(spread):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        check(draw_ranks(rng, (50, 60), spread, np.int32), (rng.random((40, 50)) < 0.7).astype(np.uint8))


def test_nothing_is_found_where_nothing_is_needed():
    assert not disk_median(np.full((30, 30), 9, np.int16), np.zeros((20, 20), np.uint8)).any()


@pytest.mark.parametrize("spread", SPREADS)
def test_tensors_of_other_devices_have_the_same_medians(spread):
    torch = pytest.importorskip("torch")
    from nsa_augment.integrations.torch.device.disk_median import _search

    for seed in range(5):
        ranks = draw_ranks(np.random.default_rng(seed), (3, 40, 50), spread, np.int16)
        found = _search(torch.from_numpy(ranks), spread.bit_length(), None)
        for values, medians in zip(ranks, found.numpy(), strict=True):
            np.testing.assert_array_equal(medians, disk_median(values, np.ones(medians.shape, np.uint8)))
