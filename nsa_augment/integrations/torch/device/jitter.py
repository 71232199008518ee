"""Colour jitter of many patches at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nsa_augment.integrations.torch.device.windows import Boxes, to_device
from nsa_augment.planning import Jitter

GREY_WEIGHTS = (0.299, 0.587, 0.114)


def jittered(pixels: Tensor, jitters: Sequence[Jitter | None], boxes: Boxes, whole: bool, maximum: float) -> Tensor:
    """Patches with jittered colours, as from `Jitter.apply`.

    Parameters
    ----------
    pixels : (n, h, C, w) float tensor
    jitters : sequence of Jitter or None
    boxes : (n, 4) int64 array
        Position of each patch in its window.
    whole : bool
        Whether the values are whole numbers.
    maximum : float
        Value of grey level 255.
    """
    chosen = [index for index, jitter in enumerate(jitters) if jitter is not None]
    if not chosen:
        return pixels
    device = pixels.device
    index = to_device(chosen, torch.int64, device)
    changes = [(j.brightness, j.contrast, j.saturation, j.hue) for j in jitters if j is not None]
    numbers = to_device(changes, torch.float32, device)[:, :, None, None, None]
    top, left, bottom, right = to_device(boxes[chosen].T.copy(), torch.int64, device)[:, :, None]
    rows, columns = (torch.arange(length, device=device) for length in (pixels.shape[1], pixels.shape[3]))
    inside = ((rows >= top) & (rows < bottom))[:, :, None, None] & ((columns >= left) & (columns < right))[
        :, None, None
    ]
    changed = _changed((pixels[index] / maximum).float(), numbers, inside) * maximum
    result = pixels.clone()
    result[index] = (changed.round() if whole else changed).to(pixels.dtype)
    return result


def _changed(values: Tensor, numbers: Tensor, inside: Tensor) -> Tensor:
    brightness, contrast, saturation, hue = numbers.unbind(1)
    values = values * (1 + brightness)
    coloured = values.shape[2] == 3
    mean = (_grey(values) * inside).sum((1, 2, 3), keepdim=True) / inside.sum((1, 2, 3), keepdim=True)
    values = mean + (values - mean) * (1 + contrast)
    if coloured:
        grey = _grey(values)
        values = _turned((grey + (values - grey) * (1 + saturation)).clamp(0, 1), hue)
    return values.clamp(0, 1)


def _grey(values: Tensor) -> Tensor:
    """(n, h, 1, w) brightness of (n, h, C, w) pixels."""
    if values.shape[2] != 3:
        return values.mean(2, keepdim=True)
    red, green, blue = (weight * values[:, :, [c]] for c, weight in enumerate(GREY_WEIGHTS))
    return red + green + blue


def _turned(values: Tensor, turn: Tensor) -> Tensor:
    """Colours with their hue rotated by a part of the colour circle."""
    red, green, blue = (values[:, :, [channel]] for channel in range(3))
    value, least = values.amax(2, keepdim=True), values.amin(2, keepdim=True)
    chroma = value - least
    safe = torch.where(chroma == 0, 1.0, chroma)
    sector = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    sector = (sector + 6 * turn).remainder(6)
    shades = [(offset + sector).remainder(6) for offset in (5, 3, 1)]
    return torch.cat([value - chroma * torch.minimum(shade, 4 - shade).clamp(0, 1) for shade in shades], 2)
