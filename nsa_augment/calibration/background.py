"""Whether images have a plain background, and the brightness and threshold that separate the object from it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.types import BinaryMap
from nsa_augment.scenes.foreground import MEDIAN_RADIUS

BORDER = 0.03
"""Width of the border that shows the background, as a fraction of the image's smaller side."""
PEAK_WIDTH = 10
"""Grey levels on either side of the most frequent brightness that count as the same brightness."""
SMOOTHING = 1.5
"""Standard deviation, in pixels, of the smoothing before gradients are measured."""
SHARP = 0.9
"""An outline is sharp if the gradient along it reaches this fraction of the sharpest outline's."""
BEST = 0.99
"""Thresholds that separate the classes this well, relative to the best one, count as equally good."""
OBJECT_SHARES = (0.002, 0.95)
"""Fraction of the image that an object may fill."""
LEAST_SHARPNESS = 4.0
"""Gradient of |brightness - b| along the outline of an object, in multiples of that at an ordinary pixel."""
MOST_BORDER = 0.7
"""An object fills at most this fraction of the border, in multiples of its share of the image."""


@dataclass(frozen=True)
class Background:
    """Measurements of the background.

    Parameters
    ----------
    brightness, threshold : float
        b and t of Table 4: the best candidate, even if it was rejected.
    plain : bool
        Whether the candidate is accepted: the images have a background of that brightness.
    reason : str
        One sentence.
    distance : (N, h, w) uint8 array
        |brightness - b| after the 7 x 7 median; the object is where it exceeds a threshold.
    histogram : (256,) array
        Number of pixels of each brightness.
    object_share, border_share : float
        Fraction of the image, and of its border, that the object fills.
    sharpness : float
        Gradient of |brightness - b| along the outline, in multiples of that at an ordinary pixel.
    given : (N, h, w) uint8 array, optional
        Object masks that are used instead; `plain` is False then.
    """

    brightness: float
    threshold: float
    plain: bool
    reason: str
    distance: NDArray[np.uint8]
    histogram: NDArray[np.int64]
    object_share: float
    border_share: float
    sharpness: float
    given: BinaryMap | None = None

    @property
    def shows_object(self) -> bool:
        """Whether `masks` show an object."""
        return self.plain or self.given is not None

    @property
    def masks(self) -> BinaryMap:
        """(N, h, w) object masks: the given ones, or as `Foreground` would compute them."""
        return self.given if self.given is not None else (self.distance > self.threshold).view(np.uint8)


def find_background(images: NDArray[np.uint8], given: BinaryMap | None = None) -> Background:
    """Find a plain background.

    Its brightness b is the most frequent one near the border. The threshold t lies halfway between the lowest
    threshold with a sharp outline and Otsu's threshold [1]_ of |brightness - b|, or is the former if that is
    higher. The candidate is rejected unless the outline is much sharper than the rest of the image, and the object
    covers a smaller share of the border than of the image.

    Parameters
    ----------
    images : (N, h, w, C) uint8 array
    given : (N, h, w) uint8 array, optional
        Object masks that make the background irrelevant.

    References
    ----------
    .. [1] Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE Trans. Systems, Man, and
       Cybernetics 9 (1), 1979.

    Examples
    --------
    >>> image = np.full((1, 64, 64, 1), 200, np.uint8)
    >>> image[:, 20:44, 20:44] = 80
    >>> found = find_background(image)
    >>> found.plain, found.brightness, round(found.object_share, 2)
    (True, 200.0, 0.14)
    """
    grey = images.mean(axis=3, dtype=np.float32)
    border = _border(grey.shape[1:])
    brightness = _most_frequent(grey[:, border])
    distance = _distance(images, brightness)
    gradients = np.stack([_gradient(image) for image in np.abs(grey - brightness)])
    sharpness = _outline_sharpness(gradients, distance)
    threshold = _threshold(np.bincount(distance.ravel(), minlength=256), sharpness)
    found = distance > threshold
    object_share, border_share = float(found.mean()), float(found[:, border].mean())
    relative = float(sharpness[threshold] / max(float(np.median(gradients)), 0.1))
    plain, reason = _verdict(brightness, threshold, object_share, border_share, relative)
    if given is not None:
        plain, reason = False, f"object masks are given, which fill {given.mean():.0%} of the image"
    histogram = np.bincount(grey.round().astype(np.uint8).ravel(), minlength=256)
    return Background(
        float(brightness),
        float(threshold),
        plain,
        reason,
        distance,
        histogram,
        object_share,
        border_share,
        relative,
        given,
    )


def _border(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    width = max(round(BORDER * min(shape)), 2)
    border = np.ones(shape, bool)
    border[width:-width, width:-width] = False
    return border


def _most_frequent(levels: NDArray[np.float32]) -> int:
    counts = np.bincount(levels.round().astype(np.uint8).ravel(), minlength=256).astype(np.float32)
    smooth = cv2.GaussianBlur(np.pad(counts, PEAK_WIDTH)[np.newaxis], (0, 0), PEAK_WIDTH / 3)[0, PEAK_WIDTH:-PEAK_WIDTH]
    peak = int(smooth.argmax())
    return round(float(np.median(levels[np.abs(levels - peak) <= PEAK_WIDTH])))


def _distance(images: NDArray[np.uint8], brightness: int) -> NDArray[np.uint8]:
    """|mean over channels - b|, rounded up: it exceeds an integer exactly where the unrounded distance does."""
    count = images.shape[3]
    sums = np.abs(images.sum(axis=3, dtype=np.int32) - brightness * count)
    levels = (-(-sums // count)).astype(np.uint8)
    return np.stack([cv2.medianBlur(image, 2 * MEDIAN_RADIUS + 1) for image in levels])


def _gradient(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(levels, (0, 0), SMOOTHING)
    down, right = (cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8) for order in ((0, 1), (1, 0)))
    return np.asarray(cv2.magnitude(down, right), np.float32)


def _outline_sharpness(gradients: NDArray[np.float32], distance: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean gradient along the outlines of `distance` > t, for t = 0..255; 0 where t leaves no sensible object."""
    length, total = np.zeros(257), np.zeros(257)
    for axis in (1, 2):
        first, second = (slice(None),) * axis + (slice(1, None),), (slice(None),) * axis + (slice(None, -1),)
        crossed = distance[first] != distance[second]
        low, high = (pick(distance[first][crossed], distance[second][crossed]) for pick in (np.minimum, np.maximum))
        steepest = np.maximum(gradients[first][crossed], gradients[second][crossed])
        length += np.bincount(low, minlength=257) - np.bincount(high, minlength=257)
        total += np.bincount(low, steepest, 257) - np.bincount(high, steepest, 257)
    length, total = length.cumsum()[:256], total.cumsum()[:256]
    share = 1 - np.bincount(distance.ravel(), minlength=256).cumsum() / distance.size
    sensible = (length > 0.5) & (share >= OBJECT_SHARES[0]) & (share <= OBJECT_SHARES[1])
    return np.where(sensible, total / np.maximum(length, 1), 0)


def _threshold(counts: NDArray[np.int64], sharpness: NDArray[np.float64]) -> int:
    sharpest = int(sharpness.argmax())
    blurred = np.flatnonzero(sharpness[:sharpest] < SHARP * sharpness[sharpest])
    lowest_sharp = int(blurred[-1]) + 1 if len(blurred) else 0
    return max(lowest_sharp, round((lowest_sharp + _otsu(counts)) / 2))


def _otsu(counts: NDArray[np.int64]) -> float:
    """Middle of the thresholds that best separate a histogram."""
    share = counts.cumsum() / counts.sum()
    moment = (counts * np.arange(256)).cumsum() / counts.sum()
    spread = (moment[-1] * share - moment) ** 2 / np.maximum(share * (1 - share), 1e-9)
    return float(np.flatnonzero(spread >= BEST * spread.max()).mean())


def _verdict(
    brightness: int, threshold: int, object_share: float, border_share: float, sharpness: float
) -> tuple[bool, str]:
    usual = f"the border's usual brightness {brightness}"
    if not OBJECT_SHARES[0] <= object_share <= OBJECT_SHARES[1]:
        return False, f"no plain background: what differs from {usual} fills {object_share:.1%} of the image"
    if sharpness < LEAST_SHARPNESS:
        return False, (
            f"no plain background: what differs from {usual} has no sharp outline "
            f"(gradient {sharpness:.1f} x that of an ordinary pixel; objects have at least {LEAST_SHARPNESS:g} x)"
        )
    if border_share > MOST_BORDER * object_share:
        return False, (
            f"no plain background: what differs from {usual} fills {border_share:.0%} of the border and "
            f"{object_share:.0%} of the image, like a pattern"
        )
    return True, (
        f"{usual}; what differs by more than {threshold} fills {object_share:.0%} of the image, {border_share:.0%} of "
        f"the border, and has a sharp outline (gradient {sharpness:.0f} x that of an ordinary pixel)"
    )
