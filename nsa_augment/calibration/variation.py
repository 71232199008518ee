"""How much normal images differ from each other, and what that means for the logistic label."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.types import BinaryMap
from nsa_augment.labelling.labels import continuous_label

PAIRS = 24
"""Most pairs of images to compare."""
SLOW = 1 / 20
"""Standard deviation, as a fraction of the image's side, of the slow variation that blending removes."""
MIDPOINTS = (3, 24)
"""Smallest and largest y0 of Table 4."""
LOG_ODDS = math.log(10)
"""The label's odds are 1 : 10 without change, and 10 : 1 at twice the midpoint."""
DEFAULT_MIDPOINT = 7.0
"""y0 for textures and without pairs: that of the textures, pill and metal_nut in Table 4, the most frequent one."""
ALIGNED, ALIGNED_QUANTILE = 0.25, 0.25
"""Images show the same thing at the same place if this quantile of the pairs' correlations reaches `ALIGNED`."""
LAYOUT_SIDE = 32
"""Side length, in pixels, of the images for comparing layouts."""


@dataclass(frozen=True)
class Variation:
    """Natural variation between normal images.

    Parameters
    ----------
    typical : float or None
        Median over places and pairs of the difference between two images, in grey levels; None without pairs.
    likeness : float or None
        Lower quartile of the correlation of two images' layouts; 1: always the same, 0: nothing in common.
    pairs : int
        Number of pairs behind `typical`.
    """

    typical: float | None
    likeness: float | None
    pairs: int

    @property
    def aligned(self) -> bool:
        """Whether the images show the same thing at the same place."""
        return self.likeness is not None and self.likeness >= ALIGNED

    @property
    def midpoint(self) -> float:
        """y0: the typical difference, within the bounds of Table 4."""
        if self.typical is None:
            return DEFAULT_MIDPOINT
        return float(min(max(round(self.typical), MIDPOINTS[0]), MIDPOINTS[1]))


def steepness_of(midpoint: float) -> float:
    """Return k for a y0, with odds of 1 : 10 for the label where nothing changed.

    Examples
    --------
    >>> steepness_of(6.0)
    0.38
    """
    return float(f"{LOG_ODDS / midpoint:.2g}")


def measure_variation(images: NDArray[np.uint8], masks: BinaryMap | None = None) -> Variation:
    """Compare images in pairs.

    The difference is measured as the continuous label measures a change (the median over a disk of the mean over
    channels), after slow variation has been removed, as Poisson blending does. At half of all places two
    normal images differ by at least its median: a change of that size is as likely normal as not, which is the meaning
    of a logistic label of 1/2. The median is therefore y0. In the paper, too, y0 is larger and k smaller where normal
    images vary more [1]_; all products y0 * k of its Table 4 lie between 2 and 3, close to ln 10.

    Parameters
    ----------
    images : (N, h, w, C) uint8 array
    masks : (N, h, w) uint8 array, optional
        Places to compare: those in both masks of a pair.

    References
    ----------
    .. [1] Schlüter et al., "Natural Synthetic Anomalies", ECCV 2022, Table 4 and its discussion.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(100, 120, (4, 64, 64, 1), dtype=np.uint8)
    >>> found = measure_variation(images)
    >>> found.midpoint, abs(found.likeness) < 0.1
    (6.0, True)
    """
    count = len(images)
    firsts = np.unique(np.linspace(0, count - 1, PAIRS).round().astype(int))
    pairs = [(first, (first + max(count // 2, 1)) % count) for first in firsts if count > 1]
    if not pairs:
        return Variation(None, None, 0)
    layouts = np.stack([_layout(image) for image in images])
    differences = np.stack([_difference(images[first], images[second]) for first, second in pairs])
    if masks is not None:
        shared = np.stack([masks[first] & masks[second] for first, second in pairs]) > 0
        differences = differences[shared] if shared.any() else differences
    typical = np.median(differences)
    likeness = np.quantile((layouts @ layouts.T)[np.triu_indices(count, 1)], ALIGNED_QUANTILE)
    return Variation(float(typical), float(likeness), len(pairs))


def _difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The continuous label for a change from one image to the other, without slow differences."""
    change = first.astype(np.float32) - second
    slow = SLOW * min(change.shape[:2])
    for channel in range(change.shape[2]):
        plane = np.ascontiguousarray(change[:, :, channel])
        change[:, :, channel] = np.abs(plane - cv2.GaussianBlur(plane, (0, 0), slow))
    total = change.sum(axis=2).round().astype(np.uint16)
    return continuous_label(total, np.ones(total.shape, np.uint8), change.shape[2])


def _layout(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Brightness at low resolution without its quadratic trend, which comes from light and lens; of unit length."""
    grey = image.mean(axis=2, dtype=np.float32)
    small = np.asarray(cv2.resize(grey, (LAYOUT_SIDE, LAYOUT_SIDE), interpolation=cv2.INTER_AREA), float).ravel()
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : LAYOUT_SIDE * 1j, -1 : 1 : LAYOUT_SIDE * 1j])
    trend = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    detail: NDArray[np.float64] = small - trend @ np.linalg.lstsq(trend, small, rcond=None)[0]
    return detail / max(float(np.linalg.norm(detail)), 1e-9)
