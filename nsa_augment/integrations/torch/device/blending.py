"""The blendings, for many patches at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from nsa_augment.blending import Blending
from nsa_augment.blending.copy_paste import CopyPaste
from nsa_augment.blending.feather import Feather
from nsa_augment.blending.linear import Linear
from nsa_augment.blending.poisson import Poisson
from nsa_augment.blending.solvers.spectral import TIE_SLACK
from nsa_augment.integrations.torch.device.solving import solve_poisson
from nsa_augment.integrations.torch.device.windows import box_sum

REACH = 3
"""Pixels by which Poisson blending erodes its mask."""


class Objects(NamedTuple):
    """Where the resized source and the image show the object, (n, h, w) uint8 maps of 0 and 1."""

    source: Tensor
    image: Tensor


@dataclass(frozen=True)
class Patches:
    """Patches within windows of one size.

    Parameters
    ----------
    pixels : (n, h, C, w) tensor
        Source pixels in the dtype of `canvas`.
    footprint, region : (n, h, w) uint8 tensors of 0 and 1
    tight : (n, 4) int64 tensor
        Box around each footprint, relative to the window's upper left pixel.
    factor : (n,) float64 tensor
    poisson_factor : (n,) float32 tensor
        The factor rounded to whole grey levels, as in the mask of Poisson blending.
    mixed : (n,) bool tensor, or None
        Patches with mixed gradients, the stronger of both images; None: no patch.
    whole : bool
        Whether pixel values are whole numbers.
    maximum : float
        Value of grey level 255.
    objects : Objects, optional
    """

    pixels: Tensor
    footprint: Tensor
    region: Tensor
    tight: Tensor
    factor: Tensor
    poisson_factor: Tensor
    mixed: Tensor | None
    whole: bool
    maximum: float
    objects: Objects | None = None


Blend = Callable[[Tensor, Patches], Tensor]
"""(canvas, patches) -> changed canvas: (n, h, C, w) float tensors."""


def exact(values: Tensor) -> Tensor:
    """Values in double precision, if the device supports it."""
    return values.float() if values.device.type == "mps" else values.double()


def _spread(numbers: Tensor) -> Tensor:
    return numbers[:, None, None, None]


def _inside(patches: Patches, changed: Tensor, canvas: Tensor) -> Tensor:
    return torch.where(patches.region[:, :, None].bool(), changed.to(canvas.dtype), canvas)


def copy_paste(canvas: Tensor, patches: Patches) -> Tensor:
    """Source pixels replace those of the image."""
    return _inside(patches, patches.pixels, canvas)


def linear(canvas: Tensor, patches: Patches) -> Tensor:
    """(D - a D) + a S, in this order; whole numbers are truncated."""
    factor, destination = _spread(exact(patches.factor)), exact(canvas)
    mixture = (destination - factor * destination) + factor * exact(patches.pixels)
    return _inside(patches, mixture.floor() if patches.whole else mixture, canvas)


def feather(canvas: Tensor, patches: Patches) -> Tensor:
    """Linear blending, weaker at the edge of the region: weighted by the mean of 1 and of the 3 x 3 around."""
    around = box_sum(F.pad(patches.region, (1,) * 4), 1)
    eighteenths = exact(patches.region * (9 + around))[:, :, None]
    destination = exact(canvas)
    mixture = destination + _spread(exact(patches.factor)) * (eighteenths * (exact(patches.pixels) - destination)) / 18
    return _inside(patches, mixture.round() if patches.whole else mixture, canvas)


def poisson(canvas: Tensor, patches: Patches) -> Tensor:
    """Poisson blending: gradients of the source, or the stronger of both images; the image's values at the border."""
    weight = box_sum(F.pad(patches.footprint, (REACH,) * 4), REACH) == (2 * REACH + 1) ** 2
    change = solve_poisson(
        _divergence(canvas, patches, weight * patches.poisson_factor[:, None, None]),
        (patches.tight[:, 0] + 1, patches.tight[:, 1] + 1),
        (
            (patches.tight[:, 2] - patches.tight[:, 0] - 2).clamp_min(1),
            (patches.tight[:, 3] - patches.tight[:, 1] - 2).clamp_min(1),
        ),
    )
    if patches.whole:
        return (canvas + change.floor()).clamp(0, int(patches.maximum))
    changed = (canvas + change).clamp(0, patches.maximum)
    return torch.where(change == 0, canvas, changed)


def _divergence(canvas: Tensor, patches: Patches, weight: Tensor) -> Tensor:
    own, new = canvas.float(), patches.pixels.float()
    own_down, own_across, new_down, new_across = (
        step for image in (own, new) for step in (image[:, 1:] - image[:, :-1], image[..., 1:] - image[..., :-1])
    )
    down = weight[:, :-1, None] * (new_down - own_down)
    across = weight[:, :, None, :-1] * (new_across - own_across)
    if patches.mixed is not None:
        slack = 0 if patches.whole else patches.maximum * TIE_SLACK
        foreign = (new_across[:, :-1] - new_down[..., :-1]).abs()
        kept = foreign <= (own_across[:, :-1] - own_down[..., :-1]).abs() + slack
        kept &= _spread(patches.mixed)
        down[..., :-1].masked_fill_(kept, 0)
        across[:, :-1].masked_fill_(kept, 0)
    divergence = F.pad(across, (0, 1))
    divergence[..., 1:] -= across
    divergence[:, :-1] += down
    divergence[:, 1:] -= down
    return divergence


BLENDS: Mapping[type[Blending], Blend] = MappingProxyType(
    {CopyPaste: copy_paste, Linear: linear, Feather: feather, Poisson: poisson}
)
"""Function by kind of blending."""
