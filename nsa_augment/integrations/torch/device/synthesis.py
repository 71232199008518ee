"""Applying and labelling the plans of a whole batch on the device of the images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nsa_augment._shared.types import Size
from nsa_augment.blending import Blending
from nsa_augment.integrations.torch.device.blending import BLENDS, Objects, Patches, exact
from nsa_augment.integrations.torch.device.jitter import jittered
from nsa_augment.integrations.torch.device.labelling import Changes, label_changes
from nsa_augment.integrations.torch.device.placed import Placed
from nsa_augment.integrations.torch.device.resizing import Resizing
from nsa_augment.integrations.torch.device.windows import Boxes, Windows, by_size, in_rounds, to_device
from nsa_augment.labelling import Label
from nsa_augment.planning import SynthesisPlan


@dataclass(frozen=True)
class Sources:
    """The images that patches are cut from.

    Parameters
    ----------
    images : (M, C, H, W) tensor
        Smaller ones are padded at the bottom and on the right.
    number : (B,) int64 array
        Index of the source of each image of the batch.
    objects : (M, H, W) uint8 tensor of 0 and 1, optional
        Object masks of the sources.
    """

    images: Tensor
    number: NDArray[np.int64]
    objects: Tensor | None = None


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Compute products in float32 inside this block, whatever autocast and the settings of matrix products say."""
    before = torch.get_float32_matmul_precision()
    with torch.autocast(device.type, enabled=False), torch.no_grad():
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)


def apply_plans(
    images: Tensor,
    sources: Sources,
    plans: Sequence[SynthesisPlan | None],
    blending: Blending,
    label: Label,
    maximum: float,
    objects: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Blend the patches of plans one after the other, and label the changes.

    Parameters
    ----------
    images : (B, C, H, W) tensor, uint8 or float
    sources : Sources
    plans : sequence of SynthesisPlan, or None for images to leave unchanged
    blending : Blending
    label : Label
    maximum : float
        Value of grey level 255.
    objects : (B, H, W) uint8 tensor of 0 and 1, optional
        Object masks of the images; given if and only if the sources have some.

    Returns
    -------
    (B, C, H, W) tensor, (B, H, W) float32 tensor
    """
    count, _, height, width = images.shape
    placed = Placed.of(plans, blending)
    changed = images.detach().clone()
    region = torch.zeros((count, height, width), dtype=torch.uint8, device=images.device)
    fine = torch.zeros_like(region) if placed.fine.any() else None
    for group in _groups(placed, images.device):
        patches = placed.take(group)
        windows = Windows.around(patches.number, patches.destination, (height, width), images.device)
        cut = _cut(patches, windows, changed, sources, blending, maximum, objects)
        canvas = windows.read(changed)
        joined = blending.joining(bool(patches.fine[0]))
        result = BLENDS[type(joined)](canvas.to(_working_dtype(images)), cut)
        windows.write(changed, result.to(images.dtype))
        for where in (region,) if fine is None or not patches.fine[0] else (region, fine):
            windows.write(where, windows.read(where) | cut.region)
    _attenuate(images, changed, plans)
    changes = Changes(images.detach(), changed, region, fine, maximum)
    return changed, label_changes(changes, placed, plans, label)


def _groups(placed: Placed, device: torch.device) -> Iterator[NDArray[np.int64]]:
    """Groups of patches to blend at once: at most one per image, in the order of its plan, all fine or none."""
    for one_each in in_rounds(placed.number):
        for alike in (one_each[placed.fine[one_each]], one_each[~placed.fine[one_each]]):
            if len(alike):
                yield from (alike[chosen] for chosen in by_size(placed.destination[alike], device))


def _working_dtype(images: Tensor) -> torch.dtype:
    return torch.promote_types(images.dtype, torch.float32) if images.is_floating_point() else torch.float32


def _cut(
    patches: Placed,
    windows: Windows,
    images: Tensor,
    sources: Sources,
    blending: Blending,
    maximum: float,
    objects: Tensor | None,
) -> Patches:
    """Patches cut and resized by their placements, at their positions in the windows."""
    device = images.device
    read = Windows.around(sources.number[patches.number], patches.source, _size(sources.images), device)
    outer, inner = read.relative(patches.source), windows.relative(patches.destination)
    resizing = Resizing.between(inner, windows.size, outer, read.size, device)
    pixels = read.read(sources.images)
    pixels = resizing.of_pixels(pixels if pixels.dtype == torch.uint8 else pixels.to(_working_dtype(images)))
    whole = images.dtype == torch.uint8
    pixels = jittered(pixels, patches.jitters, inner, whole, maximum)
    tight = windows.relative(patches.tight)
    footprint = _footprints(patches, tight, inner, windows.size, device)
    region, shown = footprint, None
    if objects is not None and sources.objects is not None:
        shown = Objects(resizing.of_maps(read.read(sources.objects)), windows.read(objects))
        region = blending.joining(bool(patches.fine[0])).region(footprint, shown)  # type: ignore[arg-type,assignment]
    rounded = np.ceil(255 * patches.factor).astype(np.float32) * np.float32(1 / 255)
    return Patches(
        pixels=pixels.to(_working_dtype(images)),
        footprint=footprint,
        region=region,
        tight=to_device(tight, torch.int64, device),
        factor=_factor(patches.factor, device),
        poisson_factor=to_device(rounded, torch.float32, device),
        mixed=to_device(patches.mixed, torch.bool, device) if patches.mixed.any() else None,
        whole=whole,
        maximum=maximum,
        objects=shown,
    )


def _factor(factor: NDArray[np.float64], device: torch.device) -> Tensor:
    return (
        exact(torch.from_numpy(factor)).to(device)
        if device.type != "mps"
        else torch.from_numpy(factor).float().to(device)
    )


def _size(images: Tensor) -> Size:
    return images.shape[-2], images.shape[-1]


def _footprints(patches: Placed, tight: Boxes, inner: Boxes, size: Size, device: torch.device) -> Tensor:
    """(n, h, w) uint8 maps: 1 where patches can change pixels."""
    rows, columns = (
        (np.arange(length) >= tight[:, [axis]]) & (np.arange(length) < tight[:, [axis + 2]])
        for axis, length in enumerate(size)
    )
    if all(bitmap is None for bitmap in patches.bitmaps):
        down, across = (to_device(each, torch.uint8, device) for each in (rows, columns))
        return down[:, :, None] & across[:, None, :]
    maps = (rows[:, :, None] & columns[:, None, :]).astype(np.uint8)
    for index, bitmap in enumerate(patches.bitmaps):
        if bitmap is not None:
            y0, x0, y1, x1 = inner[index]
            maps[index] = 0
            maps[index, y0:y1, x0:x1] = bitmap
    return to_device(maps, torch.uint8, device)


def _attenuate(images: Tensor, changed: Tensor, plans: Sequence[SynthesisPlan | None]) -> None:
    """Keep a share of the changes, in place; whole numbers are rounded."""
    chosen = [number for number, plan in enumerate(plans) if plan is not None and plan.severity != 1]
    if not chosen:
        return
    severity = exact(
        torch.tensor([plan.severity for plan in plans if plan is not None and plan.severity != 1], dtype=torch.float64)
    ).to(images.device)
    index = to_device(chosen, torch.int64, images.device)
    before, after = exact(images.detach()[index]), exact(changed[index])
    kept = before + severity[:, None, None, None] * (after - before)
    kept = kept if images.is_floating_point() else kept.round()
    changed[index] = torch.where(after == before, images.detach()[index], kept.to(images.dtype))
