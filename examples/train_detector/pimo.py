"""Recall of each defective image at low false positive rates of normal images (AUPIMO, arXiv 2401.01984)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from examples.train_detector.checks import check_maps

Floats = NDArray[np.float64]

RATES = 1e-5, 1e-4
"""False positive rates between which the recall is averaged."""


def aupimo(maps: ArrayLike, masks: ArrayLike, rates: tuple[float, float] = RATES) -> Floats:
    """Average recall of each defective image over false positive rates of the normal images, on a log scale.

    The recall of an image at a threshold is the share of its defective pixels with at least that value. The false
    positive rate is the same share of the pixels of an image without defects, averaged over these images; normal pixels
    of defective images do not count. Recall at a rate is that of the lowest threshold that does not exceed the rate:
    nothing is interpolated, and pixels of equal value are found together, or not at all.

    The rates of N normal images of P pixels are multiples of 1 / (N P); below the first of them none of their pixels
    may be found, so that the threshold is above their highest value. Two images of 256 x 256 pixels resolve the lower
    of the usual rates, twelve distinguish 71 thresholds between the two.

    Parameters
    ----------
    maps, masks
        See `metrics.pro_curve`.
    rates : (lowest, highest), 0 < lowest < highest <= 1

    Returns
    -------
    (N,) float64
        NaN for images without defects; for all images if the normal ones have fewer than 1 / highest pixels (10,000 by
        default), as no rate up to `highest` differs from 0 then.

    Raises
    ------
    ValueError
        See `metrics.pro_curve`; if `rates` are not as described.
    """
    lowest, highest = rates
    if not 0 < lowest < highest <= 1:
        raise ValueError(f"rates must be two numbers, 0 < lowest < highest <= 1, got {rates!r}")
    maps, defective = check_maps(maps, masks)
    is_bad = defective.any(axis=(1, 2))
    scores = np.full(len(maps), np.nan)
    scores[is_bad] = average_recalls(maps, defective, ~is_bad, np.ones((1, len(maps))), rates)[0]
    return scores


def average_recalls(
    maps: NDArray[Any],
    defective: NDArray[np.bool_],
    is_normal: NDArray[np.bool_],
    counts: Floats,
    rates: tuple[float, float] = RATES,
) -> Floats:
    """`aupimo` of the M images with defects, (R, M); a row of `counts` (R, N) says how often each image occurs.

    Every row must have as many images of `is_normal` in all as there are.
    """
    bad = np.flatnonzero(defective.any(axis=(1, 2)))
    normal = maps.reshape(len(maps), -1)[is_normal]
    lowest, highest = (rate * normal.size for rate in rates)
    if highest < 1:
        return np.full((len(counts), len(bad)), np.nan)
    kept = min(int(highest) + 1, normal.shape[1])  # one image may stand in for all
    highest_values = np.partition(normal, -kept, axis=1)[:, -kept:].ravel()
    order = np.argsort(highest_values)[::-1]
    found = np.cumsum(counts[:, is_normal][:, order // kept], axis=1)
    thresholds = np.count_nonzero((found < highest).any(axis=0)) + 1
    above = highest_values[order[:thresholds]]
    logs = np.log(np.clip(found[:, :thresholds], lowest, highest))
    shares = np.diff(logs, prepend=np.log(lowest), axis=1) / np.log(highest / lowest)
    pixels = [np.sort(maps[image][defective[image]]) for image in bad]
    recalls = [1 - np.searchsorted(values, above, side="right") / len(values) for values in pixels]
    return shares @ np.stack(recalls, axis=1)
