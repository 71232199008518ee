"""Datasets of synthetic anomalies inside loaders and other datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch.utils.data import DataLoader, Dataset, Sampler

from nsa_augment.integrations.torch import AnomalyDataset

_HOLDERS = (DataLoader, Dataset)


def find_datasets(holder: Any) -> list[AnomalyDataset]:
    """Every `AnomalyDataset` in a loader or dataset, or in a collection of them, however deep; each once.

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
    """What may be, or hold, a dataset, one step below."""
    for value in _values(holder):
        if isinstance(value, _HOLDERS):
            yield value
        elif isinstance(value, list | tuple | Mapping):
            yield from (item for item in _values(value) if isinstance(item, (*_HOLDERS, list, tuple, Mapping)))


def _values(holder: Any) -> list[Any]:
    if isinstance(holder, Mapping):
        return list(holder.values())
    if isinstance(holder, list | tuple):
        return list(holder)
    return [value for value in getattr(holder, "__dict__", {}).values() if not isinstance(value, Sampler)]
