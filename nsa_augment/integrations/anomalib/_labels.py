"""Label items of anomalib's datasets as anomalous if an augmentation changed them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import torch
from anomalib.data import AnomalibDataset

_ITEM = threading.local()


def say_changed() -> None:
    """Tell the dataset whose item this thread is making, if any, that the item is now anomalous."""
    _ITEM.changed = True


def label_changed_items() -> None:
    """Make all image dataset classes label changed items; a further call adds only classes defined since."""
    for dataset in _with_subclasses(AnomalibDataset):
        getitem = vars(dataset).get("__getitem__")
        if getitem is not None and not hasattr(getitem, "labels_changed_items"):
            dataset.__getitem__ = _labelling(getitem)


def _with_subclasses(dataset: type[Any]) -> Iterator[type[Any]]:
    yield dataset
    for subclass in dataset.__subclasses__():
        yield from _with_subclasses(subclass)


def _labelling(getitem: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    @wraps(getitem)
    def labelled(self: Any, index: int) -> Any:
        _ITEM.changed = False
        item = getitem(self, index)
        if _ITEM.changed and item.gt_label is not None:
            item.gt_label = torch.tensor(True)
        return item

    labelled.labels_changed_items = True  # type: ignore[attr-defined]
    return labelled
