"""Whether images consist of two flat brightness levels with sharp edges, like printed circuits and line art."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LEVEL_WIDTH = 12
"""Grey levels around a level that count as the level."""
LEAST_CONTRAST = 50
"""Least grey levels between two levels that differ by more than a pattern."""
LEAST_FLAT = 0.95
"""Least share of the pixels on either side of the threshold at their level, or at an edge."""
LEAST_AT_LEVEL = 0.4
"""Least share of the pixels on either side at their level itself."""


@dataclass(frozen=True)
class Levels:
    """The two brightness levels that fit the images best.

    Parameters
    ----------
    low, high : float
        Medians on both sides of Otsu's threshold [1]_, grey levels; medians over the images.
    flat : float
        Share of the pixels that lie at their level or beside an edge, on that side of the threshold where it is lower;
        median over the images.
    at_level : float
        Share of the pixels at their level itself, computed likewise.

    References
    ----------
    .. [1] Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE Trans. Systems, Man, and
       Cybernetics 9 (1), 1979.
    """

    low: float
    high: float
    flat: float
    at_level: float

    @property
    def crisp(self) -> bool:
        """Whether there are only the two levels and edges between them."""
        level = self.flat >= LEAST_FLAT and self.at_level >= LEAST_AT_LEVEL
        return level and self.high - self.low >= LEAST_CONTRAST


def measure_levels(images: NDArray[np.uint8]) -> Levels:
    """Measure the two levels.

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
    return Levels(*np.median(measured, axis=0).tolist())


def _levels(grey: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    threshold, upper = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    sides = [grey[upper == side] for side in (0, 1)]
    if not all(map(len, sides)):
        return threshold, threshold, 0.0, 0.0
    medians = [float(np.median(side)) for side in sides]
    around = np.ones((3, 3), np.uint8)
    edge = cv2.dilate(upper, around) != cv2.erode(upper, around)
    at_level = np.abs(grey - np.where(upper, *reversed(medians)).astype(np.float32)) <= LEVEL_WIDTH
    shares = [min(float(counted[upper == side].mean()) for side in (0, 1)) for counted in (at_level | edge, at_level)]
    return medians[0], medians[1], shares[0], shares[1]
