"""Whether images consist of two flat brightness levels with sharp edges, as printed circuits and line art do."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LEVEL_WIDTH = 12
"""Grey levels on either side of a level that count as the level."""
LEAST_CONTRAST = 50
"""Grey levels between two levels that are told apart by more than a pattern."""
LEAST_FLAT = 0.95
"""Share of either level's side of the threshold that lies at the level, or at an edge."""


@dataclass(frozen=True)
class Levels:
    """The two brightness levels that images have most nearly.

    Parameters
    ----------
    low, high : float
        Medians on both sides of Otsu's threshold [1]_, grey levels; medians over the images.
    flat : float
        Share of the pixels that lie at their level or beside an edge, on that side of the threshold where it is lower;
        median over the images.

    References
    ----------
    .. [1] Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE Trans. Systems, Man, and
       Cybernetics 9 (1), 1979.
    """

    low: float
    high: float
    flat: float

    @property
    def crisp(self) -> bool:
        """Whether there is nothing but the two levels and edges between them."""
        return self.high - self.low >= LEAST_CONTRAST and self.flat >= LEAST_FLAT


def measure_levels(images: NDArray[np.uint8]) -> Levels:
    """Look for two flat levels.

    Parameters
    ----------
    images : (N, h, w, C) uint8 array

    Examples
    --------
    >>> image = np.full((1, 64, 64, 1), 30, np.uint8)
    >>> image[:, 20:24] = 220
    >>> found = measure_levels(image)
    >>> found.low, found.high, found.flat, found.crisp
    (30.0, 220.0, 1.0, True)
    """
    measured = [_levels(image.mean(axis=2).astype(np.uint8)) for image in images]
    low, high, flat = np.median(measured, axis=0).tolist()
    return Levels(low, high, flat)


def _levels(grey: NDArray[np.uint8]) -> tuple[float, float, float]:
    threshold, upper = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    sides = [grey[upper == side] for side in (0, 1)]
    if not all(map(len, sides)):
        return threshold, threshold, 0.0
    medians = [float(np.median(side)) for side in sides]
    around = np.ones((3, 3), np.uint8)
    explained = cv2.dilate(upper, around) != cv2.erode(upper, around)
    for median in medians:
        explained |= np.abs(grey - np.float32(median)) <= LEVEL_WIDTH
    return medians[0], medians[1], min(float(explained[upper == side].mean()) for side in (0, 1))
