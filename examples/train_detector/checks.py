"""Checks of the input of the metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_maps(maps: ArrayLike, masks: ArrayLike) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Maps as floats, masks as bool."""
    maps, masks = np.asarray(maps), np.asarray(masks)
    if maps.ndim != 3 or maps.size == 0 or maps.dtype.kind not in "bfiu":
        raise ValueError(f"maps must be a non-empty (N, H, W) array of numbers, got {_kind_of(maps)}")
    if masks.shape != maps.shape or masks.dtype.kind not in "biu":
        raise ValueError(f"masks must be bools or integers of the maps' shape {maps.shape}, got {_kind_of(masks)}")
    _check_finite("maps", maps)
    defective = np.ascontiguousarray(masks > 0)
    if not defective.any():
        raise ValueError("masks must have at least one defective pixel (> 0), got none")
    if defective.all():
        raise ValueError("masks must have at least one normal pixel (0), got none")
    return maps if maps.dtype.kind == "f" else maps.astype(np.float64), defective


def check_images(
    scores: ArrayLike, maps: ArrayLike, masks: ArrayLike, labels: ArrayLike | None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
    """`check_maps`, with scores and labels of the images around it."""
    maps, defective = check_maps(maps, masks)
    scores = np.asarray(scores)
    if scores.shape != maps.shape[:1] or scores.dtype.kind not in "bfiu":
        raise ValueError(f"scores must be an array of {len(maps)} numbers, one per map, got {_kind_of(scores)}")
    _check_finite("scores", scores)
    labels = defective.any(axis=(1, 2)) if labels is None else np.asarray(labels)
    if labels.shape != scores.shape or labels.dtype.kind not in "biu" or not labels.any():
        raise ValueError(f"labels must be an array of {len(maps)} bools, at least one true, got {_kind_of(labels)}")
    return scores.astype(np.float64), maps, defective, labels > 0


def _check_finite(name: str, values: NDArray[Any]) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        place = tuple(bad[0].tolist())
        raise ValueError(f"{name} must be finite, got {values[place]} at {place}")


def _kind_of(array: NDArray[Any]) -> str:
    return f"shape {array.shape} and dtype {array.dtype}"
