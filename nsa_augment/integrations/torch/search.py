"""Datasets of synthetic anomalies inside loaders and other datasets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch.utils.data import DataLoader, Dataset

from nsa_augment.integrations.torch.dataset import AnomalyDataset


def find_datasets(holder: Any) -> list[AnomalyDataset]:
    """Every `AnomalyDataset` in a loader or dataset, or in a collection of them, at any depth; each once.

    Parameters
    ----------
    holder
        A DataLoader, a dataset (`Subset`, `ConcatDataset`, or any that holds others as attributes), an object that
        holds loaders (Lightning's `CombinedLoader`), or lists, tuples and mappings of these; None: nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from torch.utils.data import ConcatDataset, Subset
    >>> from nsa_augment import CutPasteAnomaly
    >>> dataset = AnomalyDataset([np.zeros((8, 8), np.uint8)], CutPasteAnomaly())
    >>> find_datasets([DataLoader(ConcatDataset([dataset, Subset(dataset, [0])]))]) == [dataset]
    True
    """
    found: dict[int, AnomalyDataset] = {}
    seen: dict[int, Any] = {}
    waiting = [holder]
    while waiting:
        here = waiting.pop()
        if here is None or id(here) in seen:
            continue
        seen[id(here)] = here
        if isinstance(here, AnomalyDataset):
            found[id(here)] = here
        waiting.extend(_inside(here))
    return list(found.values())


def _inside(holder: Any) -> Iterator[Any]:
    """Objects one level below that may be or hold a dataset."""
    if isinstance(holder, list | tuple | Mapping):
        yield from _items(holder)
        return
    for value in getattr(holder, "__dict__", {}).values():
        candidates = _items(value) if isinstance(value, list | tuple | Mapping) else (value,)
        yield from (candidate for candidate in candidates if isinstance(candidate, DataLoader | Dataset))


def _items(collection: list[Any] | tuple[Any, ...] | Mapping[Any, Any]) -> Iterable[Any]:
    return collection.values() if isinstance(collection, Mapping) else collection
