"""A map-style dataset of synthetic anomalies whose items depend only on (seed, epoch, index)."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from os import PathLike
from types import FrameType
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, get_worker_info

from nsa_augment._shared.checks import check_integer, check_number, fail
from nsa_augment._shared.images import list_images
from nsa_augment._shared.mask_files import Masks, check_masks, mask_of
from nsa_augment._shared.notices import warn_caller
from nsa_augment._shared.types import Image
from nsa_augment.integrations.torch.tensors import image_of, to_tensor
from nsa_augment.tasks import AnomalyTask

_ACCEPTED_VIEW = "an albumentations transform, a torch.nn.Module on (C, H, W) tensors, a callable (image, rng), or None"
_LOADER = "torch.utils.data._utils.fetch"
"""Module from which a DataLoader without workers fetches items."""
_MEANT = -1
"""Count of items left in the first epoch once its repetition is intended, or after the warning."""
_REPEATED = (
    "a DataLoader starts another epoch of an AnomalyDataset, but set_epoch was never called: every epoch "
    "has the same anomalies and views. Call set_epoch(epoch) before each epoch (with Lightning, add "
    "nsa_augment.integrations.lightning.EpochCallback to the trainer), or set_epoch(0) once if this is intended"
)


class NormalImages(Protocol):
    """Anything with a length whose items contain an image: a list of arrays, a torch dataset..."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


class AnomalyDataset(Dataset[tuple[Tensor, Tensor]]):
    """A dataset of normal images with synthetic anomalies, and their labels.

    The randomness of an item depends only on (seed, epoch, index). A run is therefore the same with any number of
    workers or ranks, and after resuming; call `set_epoch` before every epoch. If it was never called and an epoch is
    repeated, a warning says so once.

    Parameters
    ----------
    images : folder, list of image files, or dataset of normal images
        A dataset has a length and integer indices. Its items are (H, W) or (H, W, C) arrays or (C, H, W) tensors, uint8
        or float in [0, 1]; PIL images; paths; tuples that start with one of these; mappings or objects with one as
        `image`. Files are decoded as RGB, each time they are needed, as 16 bits or floats if stored so.
    task : AnomalyTask
        Makes the anomalies.
    view_transform : callable, optional
        Random view (rotation, crop...) of an image and, drawn again, of its source: an albumentations transform, a
        `torch.nn.Module` on (C, H, W) tensors (torchvision), or a callable ``(image, rng) -> image`` on arrays with a
        `numpy.random.Generator`. The first two are seeded for each call.
    image_transform : callable, optional
        Applied to each finished (C, H, W) tensor: conversion to float, normalisation. Must not be random.
    p : float
        Share of items that get an anomaly; the paper trains with 1.
    seed : int
        At least 0.
    severity : callable, optional
        A curriculum: epoch number -> `severity` of the task, a number or a pair. Must be picklable for spawned
        workers. None: the task's own.
    recursive : bool
        Whether to read the subfolders of a folder, too.
    object_masks, allowed_masks : sequence, folder or "alpha", optional
        Masks of the object in each image, instead of the background model, and of where patches may land: an (H, W)
        bool or integer mask for each image; or, if `images` are files, a folder with masks of the same names, or the
        alpha channel. Only with `view_transform=None`, as a view would not move them.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.

    Examples
    --------
    >>> from nsa_augment import NaturalSyntheticAnomaly
    >>> from nsa_augment.samples import draw_sample
    >>> images = [draw_sample("hide", index, size=64).image for index in range(4)]
    >>> dataset = AnomalyDataset(images, NaturalSyntheticAnomaly.from_preset("leather"))
    >>> image, label = dataset[0]
    >>> image.shape, image.dtype, label.shape, label.dtype
    (torch.Size([3, 64, 64]), torch.uint8, torch.Size([64, 64]), torch.float32)
    >>> dataset.set_epoch(1)
    >>> bool((dataset[0][0] == image).all())
    False
    """

    def __init__(
        self,
        images: NormalImages | str | PathLike[str],
        task: AnomalyTask,
        *,
        view_transform: Callable[..., Any] | None = None,
        image_transform: Callable[[Tensor], Tensor] | None = None,
        p: float = 1.0,
        seed: int = 0,
        severity: Callable[[int], Any] | None = None,
        recursive: bool = False,
        object_masks: Masks | None = None,
        allowed_masks: Masks | None = None,
    ) -> None:
        if not isinstance(task, AnomalyTask):
            raise fail(TypeError, "task", "an AnomalyTask such as NaturalSyntheticAnomaly()", task)
        if isinstance(images, str | PathLike):
            images = list_images(images, recursive=recursive)
        elif recursive:
            raise fail(ValueError, "recursive", "False unless images is a folder", recursive)
        if not (hasattr(images, "__len__") and hasattr(images, "__getitem__")):
            raise fail(TypeError, "images", "a folder, a list, or a dataset with a length and integer indices", images)
        if len(images) == 0:
            raise fail(ValueError, "images", "a dataset of at least one image", images)
        if view_transform is not None and not callable(view_transform):
            raise fail(TypeError, "view_transform", _ACCEPTED_VIEW, view_transform)
        if image_transform is not None and not callable(image_transform):
            raise fail(TypeError, "image_transform", "a callable on tensors, or None", image_transform)
        if severity is not None and not callable(severity):
            raise fail(TypeError, "severity", "a callable epoch -> severity, or None", severity)
        if view_transform is not None and (object_masks is not None or allowed_masks is not None):
            name, masks = ("allowed_masks", allowed_masks) if object_masks is None else ("object_masks", object_masks)
            raise fail(ValueError, name, "None with a view_transform, which would not move them", masks)
        self.object_masks = check_masks("object_masks", object_masks, images)
        self.allowed_masks = check_masks("allowed_masks", allowed_masks, images)
        self.images = images
        self.task = task
        self.view_transform, self.image_transform = view_transform, image_transform
        self.p = check_number("p", p, 0, 1)
        self.seed = check_integer("seed", seed, 0)
        self.severity = severity
        self._epoch = torch.zeros((), dtype=torch.int64)
        self._left = torch.tensor(len(images) if self.p or view_transform is not None else _MEANT)
        self._share()

    @property
    def epoch(self) -> int:
        """The epoch of the items."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch for the items drawn from now on.

        The number is in shared memory, so that running workers (``persistent_workers=True``) see it. Call this before
        iterating over the loader, in every rank, as with `torch.utils.data.distributed.DistributedSampler`.
        """
        self._epoch.fill_(check_integer("epoch", epoch, 0))
        self._left.fill_(_MEANT)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._share()

    def _share(self) -> None:
        """Share the counters with workers."""
        self._epoch.share_memory_()  # type: ignore[no-untyped-call, unused-ignore]
        self._left.share_memory_()  # type: ignore[no-untyped-call, unused-ignore]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """(C, H, W) image in the dtype of the normal one, and (H, W) float32 label."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"index must be in [{-len(self)}, {len(self)}), got {index}")
        index = int(index) % len(self)
        self._count_item()
        rng = np.random.default_rng([self.seed, self.epoch, index])
        anomalous = rng.random() < self.p
        image = self._view(index, rng)
        label = np.zeros(image.shape[:2], np.float32)
        if anomalous:
            others = len(self) - 1
            source = index if others == 0 else (index + 1 + int(rng.integers(others))) % len(self)
            other = self._view(source, rng) if self.task.needs_source else None
            masks = {
                "mask": mask_of(self.object_masks, self.images, index, image),
                "source_mask": None if other is None else mask_of(self.object_masks, self.images, source, other),
                "allowed": mask_of(self.allowed_masks, self.images, index, image),
            }
            task = self.task if self.severity is None else self.task.replaced(severity=self.severity(self.epoch))
            result = task(image, other, rng, **{name: mask for name, mask in masks.items() if mask is not None})
            image, label = result.image, result.label
        tensor = to_tensor(image)
        return tensor if self.image_transform is None else self.image_transform(tensor), torch.from_numpy(label)

    def _count_item(self) -> None:
        left = int(self._left)
        if left == _MEANT or not _is_loading():
            return
        self._left.fill_(left - 1)
        if left == 0:
            warn_caller(_REPEATED)

    def _view(self, index: int, rng: np.random.Generator) -> Image:
        image, view = image_of(self.images[index], "images[index]"), self.view_transform
        if view is None:
            return image
        if hasattr(view, "set_random_state"):
            view.set_random_state(rng, random.Random(int(rng.integers(2**63))))
            return image_of(view(image=image), "the result of view_transform")
        if isinstance(view, nn.Module):
            with torch.random.fork_rng(devices=()):
                torch.default_generator.manual_seed(int(rng.integers(2**63)))
                return image_of(view(to_tensor(image)), "the result of view_transform")
        return image_of(view(image, rng), "the result of view_transform")


def _is_loading() -> bool:
    """Whether a DataLoader requests the item."""
    if get_worker_info() is not None:
        return True
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") != _LOADER:
        frame = frame.f_back
    return frame is not None
