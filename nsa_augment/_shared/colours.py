"""Grey values and hues of RGB images with a fixed order of sums, unlike OpenCV's conversions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.compiled import compiled

Colours = NDArray[np.float32]

EPSILON = np.float32(2.0**-23)


def grey_values(colours: Colours) -> Colours:
    """(h, w) luma of (h, w, 3) colours.

    Examples
    --------
    >>> grey_values(np.array([[[0, 1, 0]]], np.float32)).round(3).item()
    0.5870000123977661
    """
    red, green, blue = colours[:, :, 0], colours[:, :, 1], colours[:, :, 2]
    return np.asarray((red * np.float32(0.299) + green * np.float32(0.587)) + blue * np.float32(0.114))


@compiled
def turn_colours(colours: Colours, turn: float, saturation: float) -> Colours:
    """Colours in [0, 1] with the hue rotated, by a part of the colour circle, and a number added to the saturation.

    Parameters
    ----------
    colours : (h, w, 3) float32 array, RGB
    turn : float
    saturation : float
        The sum is clipped to [0, 1].
    """
    turned = np.empty_like(colours)
    sixth, one = np.float32(1 / 60), np.float32(1)
    added, full = np.float32(saturation), np.float32(360)
    angle = np.float32((360 * turn) % 360)
    for y in range(colours.shape[0]):
        for x in range(colours.shape[1]):
            red, green, blue = colours[y, x, 0], colours[y, x, 1], colours[y, x, 2]
            value = max(red, green, blue)
            spread = value - min(red, green, blue)
            strength = min(max(spread / (value + EPSILON) + added, np.float32(0)), one)
            share = np.float32(60) / (spread + EPSILON)
            if value == red:
                hue = (green - blue) * share
            elif value == green:
                hue = (blue - red) * share + np.float32(120)
            else:
                hue = (red - green) * share + np.float32(240)
            hue += angle
            if hue < 0:
                hue += full
            if hue >= full:
                hue -= full
            hue *= sixth
            sector = np.floor(hue)
            part = hue - sector
            low, falling = value * (one - strength), value * (one - strength * part)
            rising = value * (one - strength * (one - part))
            number = int(sector) % 6
            if number == 0:
                turned[y, x] = value, rising, low
            elif number == 1:
                turned[y, x] = falling, value, low
            elif number == 2:
                turned[y, x] = low, value, rising
            elif number == 3:
                turned[y, x] = low, falling, value
            elif number == 4:
                turned[y, x] = rising, low, value
            else:
                turned[y, x] = value, low, falling
    return turned
