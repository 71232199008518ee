"""How well anomaly maps find defects: AUROC, average precision, F1, AU-PRO and AUPIMO, with intervals."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from examples.train_detector.checks import check_images, check_maps
from examples.train_detector.pimo import average_recalls

Floats = NDArray[np.float64]
Interval = tuple[float, float]

METRICS = (
    "image_auroc",
    "image_ap",
    "image_f1_max",
    "pixel_auroc",
    "pixel_ap",
    "pixel_f1_max",
    "aupro_0.3",
    "aupro_0.05",
    "aupimo",
    "aupimo_above_0",
)
PRO_LIMIT = 0.3
PRO_LIMITS = (PRO_LIMIT, 0.05)
QUANTILES = 1024
RESAMPLES_AT_ONCE = 100


def pro_curve(maps: ArrayLike, masks: ArrayLike) -> tuple[Floats, Floats]:
    """Per-region overlap against the false positive rate, at every threshold.

    PRO(t) is the mean, over the (8-connected) defects of all images, of the share of the defect's pixels with a value
    of at least t. The false positive rate is the same share of the normal pixels of all images.

    Parameters
    ----------
    maps : (N, H, W) array of numbers
        Anomaly maps; the larger, the more anomalous.
    masks : (N, H, W) array of bool or integers
        Defective pixels are > 0.

    Returns
    -------
    fpr, pro : 1-D float64 arrays
        From (0, 0) to (1, 1), with one further point per distinct value of the maps, from the highest down. The curve
        is linear in between, as for a random choice among pixels of equal value.

    Raises
    ------
    ValueError
        If shapes or types do not fit, a value is not finite, or there is no defect or no normal pixel.
    """
    false, _, pro = _found(*check_maps(maps, masks))
    return np.append(0.0, false / false[-1]), np.append(0.0, pro / pro[-1])


def aupro(maps: ArrayLike, masks: ArrayLike, limit: float = PRO_LIMIT) -> float:
    """Area below the PRO curve for false positive rates in [0, limit], divided by `limit`; see `pro_curve`.

    It is 1 for a perfect map, limit / 2 for a constant map, and 0 for a map that is lowest on the defects.
    """
    if not 0 < limit <= 1:
        raise ValueError(f"limit must be a number in (0, 1], got {limit!r}")
    fpr, pro = pro_curve(maps, masks)
    return float(_area(np.diff(fpr), np.diff(pro), limit))


def _found(maps: NDArray[Any], defective: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Normal pixels, defective pixels and region overlap at or above each distinct value, from the highest down."""
    order = np.argsort(maps, axis=None)[::-1]
    values, is_defective = maps.ravel()[order], defective.ravel()[order]
    last_of_value = np.append(np.flatnonzero(values[1:] != values[:-1]), values.size - 1)
    true = np.cumsum(is_defective)[last_of_value]
    return last_of_value + 1 - true, true, np.cumsum(_overlap_weights(defective).ravel()[order])[last_of_value]


def evaluate(scores: ArrayLike, maps: ArrayLike, masks: ArrayLike, labels: ArrayLike | None = None) -> dict[str, float]:
    """All of `METRICS`, as fractions.

    "f1_max" is the highest F1 score at any threshold, "aupimo" the mean of `pimo.aupimo` over the images with defects,
    "aupimo_above_0" the share of these images with a value above 0.

    Parameters
    ----------
    scores : (N,) array of numbers
        Anomaly scores of the images.
    maps, masks
        See `pro_curve`.
    labels : (N,) array of bool, optional
        Whether images are defective; by default those with a defective pixel are.

    Returns
    -------
    dict
        Image metrics are NaN if all images are defective, AUPIMO if normal images have fewer than 10,000 pixels.
    """
    scores, maps, defective, labels = check_images(scores, maps, masks, labels)
    has_both = labels.any() and not labels.all()
    pixels, values = defective.ravel(), maps.ravel()
    false, true, overlap = _found(maps, defective)
    fpr, pro = (np.diff(amounts / amounts[-1], prepend=0.0) for amounts in (false, overlap))
    recalls = average_recalls(maps, defective, ~(labels | defective.any(axis=(1, 2))), np.ones((1, len(maps))))
    return {
        "image_auroc": float(roc_auc_score(labels, scores)) if has_both else np.nan,
        "image_ap": float(average_precision_score(labels, scores)) if has_both else np.nan,
        "image_f1_max": float(_f1_max(*(part.sum(axis=0) for part in _image_histograms(scores, labels)))),
        "pixel_auroc": float(roc_auc_score(pixels, values)),
        "pixel_ap": float(average_precision_score(pixels, values)),
        "pixel_f1_max": float(_f1_max(np.diff(false, prepend=0), np.diff(true, prepend=0))),
        **{f"aupro_{limit}": float(_area(fpr, pro, limit)) for limit in PRO_LIMITS},
        "aupimo": float(recalls.mean()),
        "aupimo_above_0": float(_above_0(recalls).mean()),
    }


def bootstrap(
    scores: ArrayLike,
    maps: ArrayLike,
    masks: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Bootstrap intervals of all `METRICS`: their uncertainty from the choice of test images.

    Images are drawn with replacement, defective and good ones separately, so that each resample has as many of each
    as the test set. Image metrics and AUPIMO are exact. The others come from up to 4096 bins; each holds a single
    value, or at most 1/1024 of the normal and 1/1024 of the defective pixels of the test set. That bounds the error on
    the test set itself by 0.0005 for the AUROC, 0.002 for F1 and AU-PRO 0.3 and 0.01 for AU-PRO 0.05; usual are
    0.00001 for the AUROC, 0.00003 for both AU-PRO, 0.0005 for the average precision and 0.001 for F1.

    Parameters
    ----------
    scores, maps, masks, labels
        See `evaluate`.
    resamples : int
    seed : int
    level : float
        Share of the resamples within the interval; half of the rest lies below, half above.

    Returns
    -------
    dict of metric to (low, high), as fractions
        (nan, nan) if `evaluate` gives NaN.
    """
    values = _resampled((scores, maps), masks, labels, resamples, seed)
    return {metric: _interval(values[metric], level) for metric in METRICS}


def paired_bootstrap_difference(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    masks: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Bootstrap intervals of the differences, first minus second, between two detectors on the same test images.

    Both are evaluated on the same resamples (see `bootstrap`). If the interval includes 0, these images do not decide
    which detector is better.

    Parameters
    ----------
    first, second : pairs (scores, maps)
    masks, labels, resamples, seed, level
        See `bootstrap`.
    """
    one, other = (_resampled(detector, masks, labels, resamples, seed) for detector in (first, second))
    return {metric: _interval(one[metric] - other[metric], level) for metric in METRICS}


def _resampled(
    detector: tuple[ArrayLike, ArrayLike], masks: ArrayLike, labels: ArrayLike | None, resamples: int, seed: int
) -> dict[str, Floats]:
    """Each metric of every resample; the resamples depend only on masks, labels and seed."""
    scores, maps, defective, labels = check_images(*detector, masks, labels)
    is_bad = defective.any(axis=(1, 2))
    counts = _draw_images(2 * labels + is_bad, resamples, seed)
    histograms = (*_image_histograms(scores, labels), *_pixel_histograms(maps, defective))
    parts = []
    for part in np.array_split(counts, -(-resamples // RESAMPLES_AT_ONCE)):
        good_images, bad_images, good_pixels, bad_pixels, overlap = (part @ histogram for histogram in histograms)
        recalls, weights = average_recalls(maps, defective, ~(labels | is_bad), part), _shares(part[:, is_bad])
        metrics = (
            _area(_shares(good_images), _shares(bad_images)),
            _average_precision(good_images, bad_images),
            _f1_max(good_images, bad_images),
            _area(_shares(good_pixels), _shares(bad_pixels)),
            _average_precision(good_pixels, bad_pixels),
            _f1_max(good_pixels, bad_pixels),
            *(_area(_shares(good_pixels), _shares(overlap), limit) for limit in PRO_LIMITS),
            (weights * recalls).sum(-1),
            (weights * _above_0(recalls)).sum(-1),
        )
        parts.append(np.stack(metrics))
    return dict(zip(METRICS, np.concatenate(parts, axis=1), strict=True))


def _draw_images(groups: NDArray[np.int64], resamples: int, seed: int) -> Floats:
    """Counts of each image (column) in each resample (row); every group keeps its size."""
    if resamples < 1:
        raise ValueError(f"resamples must be an integer >= 1, got {resamples!r}")
    rng = np.random.default_rng(seed)
    counts = np.empty((resamples, len(groups)))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        odds = np.full(len(members), 1 / len(members))
        counts[:, members] = rng.multinomial(len(members), odds, size=resamples)
    return counts


def _image_histograms(scores: NDArray[Any], labels: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Good and defective images, each in the bin of its score, (N, bins), highest scores first."""
    _, rank = np.unique(-scores, return_inverse=True)
    in_bin = np.eye(rank.max() + 1)[rank]
    return in_bin * ~labels[:, None], in_bin * labels[:, None]


def _pixel_histograms(maps: NDArray[Any], defective: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Normal pixels, defective pixels and region overlap of each image, (N, bins), highest values first."""
    shares = np.linspace(0, 1, QUANTILES + 1)
    quantiles = [np.sort(maps[kind])[(shares * (kind.sum() - 1)).astype(int)] for kind in (defective, ~defective)]
    edges = np.unique(np.concatenate([*quantiles, *(np.nextafter(values, np.inf) for values in quantiles)]))
    size = len(maps), len(edges)
    bins = len(edges) - np.searchsorted(edges, maps, side="right") + len(edges) * np.arange(len(maps))[:, None, None]
    overlap = np.bincount(bins[defective], _overlap_weights(defective)[defective], size[0] * size[1])
    normal, bad = (np.bincount(bins[kind], minlength=overlap.size) for kind in (~defective, defective))
    return normal.reshape(size).astype(float), bad.reshape(size).astype(float), overlap.reshape(size)


def _overlap_weights(defective: NDArray[np.bool_]) -> Floats:
    """1 / size of the connected defect of each pixel; 0 at normal pixels."""
    weights = np.zeros(defective.shape)
    for mask, weight in zip(defective, weights, strict=True):
        _, component, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
        weight[mask] = 1 / stats[component[mask], cv2.CC_STAT_AREA]
    return weights


def _area(run: Floats, rise: Floats, limit: float = 1.0) -> Floats:
    """Area below curves from (0, 0), given by their steps, for x in [0, limit], divided by `limit`."""
    left, below = np.cumsum(run, -1) - run, np.cumsum(rise, -1) - rise
    width = np.clip(limit - left, 0, run)
    part = np.divide(width, run, out=np.zeros_like(run), where=run > 0)
    return (width * (below + rise * part / 2)).sum(-1) / limit


def _average_precision(normal: Floats, defective: Floats) -> Floats:
    found = np.cumsum(defective, -1)
    precision = found / np.maximum(found + np.cumsum(normal, -1), 1)
    return np.where(normal.any(-1), (_shares(defective) * precision).sum(-1), np.nan)


def _f1_max(normal: NDArray[Any], defective: NDArray[Any]) -> Floats:
    """Highest F1 score of any threshold; NaN if nothing is normal."""
    found, all_found = np.cumsum(defective, -1), np.cumsum(normal + defective, -1)
    best = (2 * found / (all_found + found[..., -1:])).max(-1)
    return np.where(normal.any(-1), best, np.nan)


def _above_0(recalls: Floats) -> Floats:
    return np.where(np.isnan(recalls), np.nan, recalls > 0)


def _shares(amounts: Floats) -> Floats:
    """Rows divided by their sums; NaN if a sum is 0."""
    total = amounts.sum(-1, keepdims=True)
    return np.divide(amounts, total, out=np.full(amounts.shape, np.nan), where=total > 0)


def _interval(values: Floats, level: float) -> Interval:
    if not 0 < level < 1:
        raise ValueError(f"level must be a number in (0, 1), got {level!r}")
    values = values[np.isfinite(values)]
    if not values.size:
        return np.nan, np.nan
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
