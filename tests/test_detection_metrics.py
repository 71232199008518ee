from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, ndimage
from sklearn.metrics import precision_recall_curve

from examples.train_detector import metrics
from examples.train_detector.metrics import METRICS, aupro, bootstrap, evaluate, paired_bootstrap_difference, pro_curve

TWO_BY_TWO = np.array([[[0.9, 0.2], [0.4, 0.1]]])
DIAGONAL = np.array([[[1, 0], [0, 1]]])
UNDEFINED_WITHOUT_GOOD = {"image_auroc", "image_ap", "image_f1_max", "aupimo", "aupimo_above_0"}


def regions_of(mask):
    numbered, count = ndimage.label(mask, structure=np.ones((3, 3)))
    return [numbered == number for number in range(1, count + 1)]


def slow_curve(maps, masks):
    """Equation 17, threshold by threshold and region by region."""
    regions = [(image, region) for image, mask in zip(maps, masks, strict=True) for region in regions_of(mask)]
    points = [(0.0, 0.0)]
    for threshold in np.unique(maps)[::-1]:
        shares = [(image[region] >= threshold).mean() for image, region in regions]
        points.append(((maps[masks == 0] >= threshold).mean(), np.mean(shares)))
    return np.array(points).T


def slow_area(fpr, pro, limit):
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(zip(fpr, pro, strict=True)):
        end = min(x1, limit)
        if end > x0:
            area += (end - x0) * (y0 + (y1 - y0) * (end - x0) / (x1 - x0) / 2)
    return area / limit


@st.composite
def small_sets(draw):
    """Maps and masks with both kinds of pixels: continuous values, few levels, or integers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(2, 12)))
    masks = rng.random(shape) < draw(st.sampled_from([0.02, 0.2, 0.5, 0.9]))
    masks[0, 0, :2] = [True, False]
    levels = draw(st.sampled_from([2, 5, 50]))
    kind = draw(st.sampled_from(["continuous", "levels", "integers"]))
    maps = rng.normal(size=shape) if kind == "continuous" else rng.integers(-levels, levels, shape)
    return maps / np.float32(levels) if kind == "levels" else maps, masks


def blobs(seed, count=24, size=40, strength=1.0):
    """Scores, maps and masks like a detector's: two thirds of the images have defects, borders are padded with 0."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, size, size), np.uint8)
    for mask in masks[: 2 * count // 3]:
        for top, left, height, width in rng.integers(3, size // 3, (rng.integers(1, 4), 4)):
            mask[2 * top : 2 * top + height, 2 * left : 2 * left + width] = 255
    noise = ndimage.gaussian_filter(rng.normal(size=masks.shape), (0, 3, 3)) * 6
    maps = 1 / (1 + np.exp(1 - noise - strength * ndimage.gaussian_filter(masks / 255.0, (0, 2, 2))))
    maps[:, [0, 1, -2, -1]] = 0
    return maps.mean((1, 2)), maps.astype(np.float32), masks


@given(small_sets(), st.sampled_from([0.05, 0.3, 1.0]))
def test_equals_equation_17(test_set, limit):
    fpr, pro = pro_curve(*test_set)
    slow_fpr, slow_pro = slow_curve(*test_set)
    np.testing.assert_allclose(fpr, slow_fpr, rtol=0, atol=1e-12)
    np.testing.assert_allclose(pro, slow_pro, rtol=0, atol=1e-12)
    assert aupro(*test_set, limit) == pytest.approx(slow_area(slow_fpr, slow_pro, limit), abs=1e-9)


@given(small_sets())
def test_depends_on_order_alone(test_set):
    maps, masks = test_set
    value = aupro(maps, masks)
    assert aupro(np.exp(maps / 25), masks) == pytest.approx(value, abs=1e-9)
    assert aupro(maps[::-1, :, ::-1], masks[::-1, :, ::-1]) == pytest.approx(value, abs=1e-9)
    assert aupro(maps.astype(np.float64), masks * 7) == value


@given(small_sets())
def test_bounds(test_set):
    maps, masks = test_set
    assert 0 <= aupro(maps, masks) <= 1 + 1e-12
    assert aupro(masks.astype(float), masks) == pytest.approx(1, abs=1e-12)  # perfect
    assert aupro(~masks, masks) == 0  # inverted: a false positive rate of 1 before the first defective pixel
    assert aupro(np.full(masks.shape, 7), masks) == pytest.approx(0.15)  # constant: the line from (0, 0) to (1, 1)


def test_curve_by_hand():
    maps = np.array([[[9, 8, 7], [1, 6, 1], [5, 4, 3]]])
    masks = np.array([[[1, 1, 0], [0, 0, 0], [0, 0, 1]]])
    fpr, pro = pro_curve(maps, masks)
    np.testing.assert_allclose(fpr, np.array([0, 0, 0, 1, 2, 3, 4, 4, 6]) / 6)
    np.testing.assert_allclose(pro, [0, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1])
    assert aupro(maps, masks) == pytest.approx(0.5)
    assert aupro(maps, masks, limit=1.0) == pytest.approx((4 * 0.5 + 2 * 1) / 6)


def test_regions_count_alike_whatever_their_size():
    masks = np.zeros((2, 10, 10), bool)
    masks[0, :6, :6] = True
    masks[1, 9, 9] = True
    maps = np.zeros(masks.shape)
    maps[0, :6, :6] = 1  # finds 36 of 37 pixels, but one of two regions
    assert aupro(maps, masks) == pytest.approx(0.5 + 0.5 * 0.15)


def test_pixels_that_touch_at_a_corner_are_one_region():
    masks = np.array([[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]])
    maps = masks.astype(float)
    maps[0, 1, 1] = 0
    fpr, pro = pro_curve(maps, masks)
    np.testing.assert_allclose(pro, [0, 0.75, 1])
    np.testing.assert_allclose(fpr, [0, 0, 1])


def test_tiny_images():
    assert aupro(TWO_BY_TWO, [[[1, 0], [0, 0]]]) == pytest.approx(1)
    assert aupro(TWO_BY_TWO, [[[0, 0], [0, 1]]]) == 0
    assert aupro(TWO_BY_TWO, [[[0, 0], [1, 0]]]) == 0  # found after one of three normal pixels
    assert aupro(TWO_BY_TWO, [[[1, 1], [1, 0]]]) == pytest.approx(1)
    single = np.array([[[0.2]], [[0.7]]])
    assert aupro(single, np.array([[[0]], [[1]]])) == pytest.approx(1)
    assert aupro(single, np.array([[[1]], [[0]]])) == 0


@pytest.mark.parametrize("seed", range(3))
def test_adeval_agrees(seed, monkeypatch):
    adeval = pytest.importorskip("adeval", exc_type=ImportError)
    monkeypatch.setattr(np, "trapz", integrate.trapezoid, raising=False)  # it still calls the old name
    _, maps, masks = blobs(seed, count=12, size=64)
    strips = 20_000
    auroc, _, value = adeval.auroc_aupr_aupro(list(maps), list(masks), nstrips=strips)
    assert aupro(maps, masks) == pytest.approx(value, abs=1e-4)
    assert evaluate(maps.mean((1, 2)), maps, masks)["pixel_auroc"] == pytest.approx(auroc, abs=1e-4)


def test_evaluate():
    scores = [0.9, 0.1, 0.5, 0.3]
    masks = np.zeros((4, 6, 6), bool)
    masks[0, 1:3, 1:3] = masks[3, 4, 4] = True
    values = evaluate(scores, masks * 0.5, masks)
    assert tuple(values) == METRICS
    assert values["image_auroc"] == pytest.approx(0.75)
    assert values["image_ap"] == pytest.approx((1 + 2 / 3) / 2)
    assert values["pixel_auroc"] == values["pixel_ap"] == pytest.approx(1)
    assert values["image_f1_max"] == pytest.approx(2 * 2 / (3 + 2))  # 0.9 and 0.3 are found, and 0.5
    assert values["pixel_f1_max"] == values["aupro_0.3"] == values["aupro_0.05"] == pytest.approx(1)
    assert np.isnan(values["aupimo"])  # the two good images have 72 pixels
    assert evaluate(scores, masks * 0.5, masks, labels=[1, 0, 1, 0])["image_auroc"] == pytest.approx(1)


@given(small_sets())
def test_f1_max_agrees_with_scikit_learn(test_set):
    maps, masks = test_set
    labels = np.arange(len(maps)) % 2 == 0
    values = evaluate(maps[:, 0, 0], maps, masks, labels)
    for metric, truth, found in (("image", labels, maps[:, 0, 0]), ("pixel", masks.ravel(), maps.ravel())):
        precision, recall, _ = precision_recall_curve(truth, found)
        best = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12))
        if not truth.all():
            assert values[f"{metric}_f1_max"] == pytest.approx(best, abs=1e-9)


def test_aupro_of_both_limits():
    scores, maps, masks = blobs(0)
    values = evaluate(scores, maps, masks)
    assert (values["aupro_0.3"], values["aupro_0.05"]) == (aupro(maps, masks, 0.3), aupro(maps, masks, 0.05))


def test_no_good_image_leaves_image_metrics_undefined():
    scores, maps, masks = (part[:6] for part in blobs(0))
    assert masks.any(axis=(1, 2)).all()
    values, intervals = evaluate(scores, maps, masks), bootstrap(scores, maps, masks, resamples=9)
    for metric in UNDEFINED_WITHOUT_GOOD:
        assert np.isnan([values[metric], *intervals[metric]]).all()
    for metric in set(METRICS) - UNDEFINED_WITHOUT_GOOD:
        assert 0 < intervals[metric][0] < intervals[metric][1] < 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [12, 40, 120])
def test_binned_resamples_are_close(seed, size):
    scores, maps, masks = blobs(seed, size=size)
    labels = masks.any(axis=(1, 2))
    binned = metrics._resampled((scores, maps), masks, None, 5, seed)
    for row, counts in enumerate(metrics._draw_images(3 * labels, 5, seed).astype(int)):
        assert counts[labels].sum() == labels.sum()
        assert counts[~labels].sum() == (~labels).sum()
        direct = evaluate(*(np.repeat(part, counts, axis=0) for part in (scores, maps, masks)))
        for metric in METRICS:
            assert binned[metric][row] == pytest.approx(direct[metric], abs=0.002, nan_ok=True), metric
        for metric in ("image_f1_max", "aupimo", "aupimo_above_0"):
            assert binned[metric][row] == pytest.approx(direct[metric], abs=1e-12, nan_ok=True), metric


def test_bins_keep_equal_values_apart():
    masks = np.zeros((2, 100, 100), bool)
    masks[0, 40:44, 40:44] = True
    maps = np.zeros(masks.shape)
    maps[0, 40:44, 40:44] = 1e-6 * np.arange(1, 17).reshape(4, 4)  # hardly above the many zeros
    maps[1, :, 0] = 1.0
    intervals, values = bootstrap([1, 0], maps, masks, resamples=3), evaluate([1, 0], maps, masks)
    for metric in METRICS:
        assert intervals[metric] == pytest.approx((values[metric], values[metric]), abs=1e-9)


def test_bootstrap_intervals():
    detector = blobs(1, size=40, strength=2.0)
    values, intervals = evaluate(*detector), bootstrap(*detector, resamples=300)
    narrow = bootstrap(*detector, resamples=300, level=0.5)
    for metric in METRICS:
        (low, high), (narrow_low, narrow_high) = intervals[metric], narrow[metric]
        assert low <= narrow_low < narrow_high <= high
        assert low < values[metric] < high
    assert bootstrap(*detector, resamples=300) == intervals
    assert bootstrap(*detector, resamples=300, seed=1) != intervals


def test_paired_differences():
    scores, maps, masks = blobs(2, strength=4.0)
    rng = np.random.default_rng(0)
    bad = -scores, -maps
    little = scores + 1e-3 * rng.normal(size=scores.shape), maps + 0.05 * rng.normal(size=maps.shape)
    same = paired_bootstrap_difference((scores, maps), (scores, maps), masks, resamples=50)
    assert set(same.values()) == {(0.0, 0.0)}
    better = paired_bootstrap_difference((scores, maps), bad, masks, resamples=200)
    worse = paired_bootstrap_difference(bad, (scores, maps), masks, resamples=200)
    alike = paired_bootstrap_difference((scores, maps), little, masks, resamples=200)
    for metric in METRICS:
        assert 0 < better[metric][0] <= better[metric][1]
        assert worse[metric] == pytest.approx((-better[metric][1], -better[metric][0]))
    assert alike["image_auroc"][0] <= 0 <= alike["image_auroc"][1]
    assert np.diff(alike["aupro_0.3"]) < np.diff(better["aupro_0.3"])


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (
            aupro,
            (np.zeros((4, 4)), np.zeros((4, 4), int)),
            r"maps must be a non-empty \(N, H, W\) .* \(4, 4\)",
        ),
        (aupro, (np.zeros((0, 4, 4)), np.zeros((0, 4, 4), int)), "maps must be a non-empty"),
        (aupro, (TWO_BY_TWO.astype(str), DIAGONAL), "maps must be .* of numbers, got .* dtype <U"),
        (aupro, (TWO_BY_TWO, np.eye(2, dtype=int)), r"masks must be .* shape \(1, 2, 2\), got shape \(2, 2\)"),
        (aupro, (TWO_BY_TWO, np.eye(2)[None]), "masks must be bools or integers .* dtype float64"),
        (
            aupro,
            (np.where(TWO_BY_TWO == 0.4, np.nan, 1), DIAGONAL),
            r"finite, got nan at \(0, 1, 0\)",
        ),
        (aupro, (TWO_BY_TWO * np.inf, DIAGONAL), r"maps must be finite, got inf at \(0, 0, 0\)"),
        (aupro, (TWO_BY_TWO, np.zeros((1, 2, 2), int)), "at least one defective pixel"),
        (aupro, (TWO_BY_TWO, np.ones((1, 2, 2), int)), "at least one normal pixel"),
        (aupro, (TWO_BY_TWO, DIAGONAL, 0), r"limit must be a number in \(0, 1\], got 0"),
        (evaluate, ([1, 2], TWO_BY_TWO, DIAGONAL), r"scores must be .* 1 numbers.* got shape \(2,\)"),
        (evaluate, ([np.nan], TWO_BY_TWO, DIAGONAL), r"scores must be finite, got nan at \(0,\)"),
        (evaluate, ([1], TWO_BY_TWO, DIAGONAL, [0]), "labels must be .* at least one true"),
    ],
)
def test_bad_arguments(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)


@pytest.mark.parametrize(("name", "value"), [("resamples", 0), ("level", 0), ("level", 1)])
def test_bad_bootstrap_arguments(name, value):
    with pytest.raises(ValueError, match=f"{name} must be .*, got {value}"):
        bootstrap(*blobs(0, count=3), **{name: value})
