"""Per-image recall at low false positive rates: against brute force, anomalib, and by hand."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
import torchvision_stubs
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from examples.train_detector.metrics import bootstrap, evaluate
from examples.train_detector.pimo import RATES, aupimo


def slow_aupimo(maps, masks, rates):
    """The definition, rate by rate: every threshold is tried at every rate between two that the images can have."""
    normal = [image for image, mask in zip(maps, masks, strict=True) if not mask.any()]
    thresholds = [np.inf, *np.unique(maps)]
    false = [np.mean([(image >= threshold).mean() for image in normal]) for threshold in thresholds]
    ends = np.unique(np.clip(false, *rates).tolist() + list(rates))
    scores = []
    for image, mask in zip(maps, masks, strict=True):
        area = np.nan
        if mask.any():
            area = 0.0
            for start, stop in pairwise(ends):
                rate = np.sqrt(start * stop)
                lowest = min(threshold for threshold, share in zip(thresholds, false, strict=True) if share <= rate)
                area += np.log(stop / start) * (image[mask] >= lowest).mean()
        scores.append(area / np.log(rates[1] / rates[0]))
    return scores


@st.composite
def sets_with_good_images(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(2, 7), st.integers(2, 8), st.integers(2, 8)))
    masks = rng.random(shape) < draw(st.sampled_from([0.05, 0.5]))
    masks[0, 0, 0] = True
    masks[draw(st.integers(1, shape[0] - 1)) :] = False
    levels = draw(st.sampled_from([2, 5, 50, None]))
    maps = rng.normal(size=shape) if levels is None else rng.integers(-levels, levels, shape) / np.float32(levels)
    return maps + draw(st.sampled_from([0, 0.3, 2])) * masks, masks


@given(sets_with_good_images(), st.sampled_from([(0.01, 0.3), (0.05, 0.5), (0.2, 1.0), (0.001, 0.25)]))
def test_equals_the_definition(test_set, rates):
    maps, masks = test_set
    good_pixels = masks[0].size * np.count_nonzero(~masks.any(axis=(1, 2)))
    expected = slow_aupimo(maps, masks, rates) if rates[1] * good_pixels >= 1 else np.full(len(maps), np.nan)
    np.testing.assert_allclose(aupimo(maps, masks, rates), expected, rtol=0, atol=1e-9)


def detector(good=10, bad=14, size=100, seed=0):
    """Smooth noise, and defects that stand out of it."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((good + bad, size, size), bool)
    for mask in masks[good:]:
        top, left = rng.integers(5, size - 30, 2)
        mask[top : top + 20, left : left + 15] = True
    noise = ndimage.gaussian_filter(rng.normal(size=masks.shape), (0, 2, 2)) * 8
    return noise + 2 * ndimage.gaussian_filter(masks.astype(float), (0, 2, 2)), masks


@pytest.mark.parametrize("rates", [(1e-4, 1e-3), (1e-3, 1e-2)])
def test_anomalib_agrees(rates):
    """At rates that these images can have: elsewhere anomalib takes the nearest ones."""
    torchvision_stubs.load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what anomalib imports
        theirs_of = pytest.importorskip("anomalib.metrics.pimo.functional", reason="needs anomalib").aupimo_scores
    import torch

    maps, masks = detector()
    tensors = torch.from_numpy(maps), torch.from_numpy(masks)
    theirs = theirs_of(*tensors, num_thresholds=100_000, fpr_bounds=rates, force=True)[4].numpy()
    ours = aupimo(maps, masks, rates)
    assert 0.01 < np.nanmean(ours) < 0.5
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3)


def test_by_hand():
    maps = np.zeros((2, 100, 100))
    masks = np.zeros(maps.shape, bool)
    masks[1, 0, :4] = True
    maps[1, 0, :4] = [9, 7, 5, 0]
    maps[0, 0, :3] = [8, 6, 6]
    # of 10,000 pixels: none at 9, one at 7 (rates from 1e-4), three at 5 (from 3e-4)
    assert aupimo(maps, masks)[1] == pytest.approx(1 / 4)
    assert aupimo(maps, masks, (1e-4, 3e-4))[1] == pytest.approx(2 / 4)
    assert aupimo(maps, masks, (3e-4, 9e-4))[1] == pytest.approx(3 / 4)
    logarithms = np.log(10), np.log(3), np.log(10 / 3)
    expected = np.dot(logarithms, [1, 2, 3]) / 4 / np.log(100)
    assert aupimo(maps, masks, (1e-5, 1e-3))[1] == pytest.approx(expected)


def test_bounds_and_blindness():
    _, masks = detector()
    assert np.nanmin(aupimo(masks * 1.0, masks)) == pytest.approx(1)
    assert np.nanmax(aupimo(~masks * 1.0, masks)) == 0
    assert np.nanmax(aupimo(np.ones(masks.shape), masks)) == 0  # equal values are found together
    saturated = masks * 1.0
    saturated[0, :20] = 1.0  # far more than rates allow
    assert np.nanmax(aupimo(saturated, masks)) == 0


def test_too_few_normal_pixels():
    maps, masks = detector(good=1, bad=2, size=99)
    assert np.isnan(aupimo(maps, masks)).all()
    values = evaluate(maps.mean((1, 2)), maps, masks)
    assert np.isnan([values["aupimo"], values["aupimo_above_0"]]).all()
    assert np.isnan(bootstrap(maps.mean((1, 2)), maps, masks, resamples=5)["aupimo"]).all()
    masks[:] = True
    masks[:, 0] = False
    assert np.isnan(aupimo(maps, masks)).all()
    assert not np.isnan(aupimo(*detector(good=1, bad=2, size=100))[1:]).any()


def test_images_are_averaged():
    maps, masks = detector(size=120)
    maps[-4:] += 3 * masks[-4:]
    scores = aupimo(maps, masks)
    values = evaluate(maps.mean((1, 2)), maps, masks)
    assert np.isnan(scores[:10]).all()
    assert values["aupimo"] == pytest.approx(np.nanmean(scores))
    assert values["aupimo_above_0"] == pytest.approx(np.mean(scores[10:] > 0))
    assert 0 < values["aupimo"] < values["aupimo_above_0"] < 1


def test_images_labelled_defective_are_not_normal():
    maps, masks = detector()
    maps[0] += 100
    labels = masks.any(axis=(1, 2))
    labels[0] = True  # without a mask
    scores = maps.mean((1, 2))
    labelled = evaluate(scores, maps, masks, labels)
    assert labelled["aupimo"] == evaluate(scores[1:], maps[1:], masks[1:])["aupimo"]


@pytest.mark.parametrize("rates", [(0, 0.1), (0.1, 0.1), (1e-4, 1e-5), (0.1, 1.1), (np.nan, 0.1)])
def test_bad_rates(rates):
    with pytest.raises(ValueError, match=r"rates must be two numbers, 0 < lowest < highest <= 1, got"):
        aupimo(*detector(size=40), rates)


def test_usual_rates():
    assert RATES == (1e-5, 1e-4)
