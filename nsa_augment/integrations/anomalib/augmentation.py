"""Anomalies as an augmentation of anomalib's training images."""

from __future__ import annotations

from os import PathLike
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.tv_tensors import Mask

from nsa_augment._shared.checks import fail
from nsa_augment.integrations.anomalib._arguments import MASK, changing
from nsa_augment.integrations.anomalib._labels import label_changed_items, say_changed
from nsa_augment.sources import Sources
from nsa_augment.tasks import PUBLISHED, AnomalyTask, bind_task
from nsa_augment.tasks.signature import spell_out

_ACCEPTED = "(image) or (image, mask): a (C, H, W) tensor and an (H, W) or (1, H, W) mask"


class NSAAugmentation(v2.Transform):  # type: ignore[misc, unused-ignore]
    """Anomalies for `train_augmentations=` of a datamodule; changed items become anomalous in mask and label.

    Use it alone or anywhere in a `v2.Compose`, `v2.RandomApply`... It works on images as they are on disk, in
    DataLoader workers; anomalib appends the resizing of the model.

    Parameters
    ----------
    preset, sources, task, ablation, cache_mib, object_masks
        As for `NSAGenerator`.
    p : float
        Probability of changing an image.
    **parameters
        As for `NSAGenerator`, without `label`: masks are boolean in anomalib.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.

    Notes
    -----
    anomalib's datasets set the label of an item themselves, after the augmentation. The first augmentation created in
    a process therefore wraps `__getitem__` of the image datasets, so that changed items get ``gt_label=True``; other
    items are not affected.

    Examples
    --------
    >>> import torch
    >>> augmentation = NSAAugmentation(task="cutpaste", p=1.0)
    >>> image, mask = augmentation(torch.rand(3, 64, 64), Mask(torch.zeros(64, 64, dtype=torch.uint8)))
    >>> mask.dtype, int(mask.max())
    (torch.uint8, 1)
    """

    @spell_out(PUBLISHED, without=MASK)
    def __init__(
        self,
        preset: str | PathLike[str] | None = None,
        sources: Sources | None = None,
        *,
        task: str | AnomalyTask = "nsa",
        ablation: str | None = None,
        p: float = 0.5,
        cache_mib: float = 256,
        object_masks: str | PathLike[str] | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__()
        self.task = bind_task(task, preset, ablation, parameters, owner=type(self), fixed=MASK)
        self._changing = changing(self.task, sources, p, cache_mib, object_masks)
        label_changed_items()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        label_changed_items()

    def forward(self, *inputs: Any) -> Any:
        """Change an image, or an image and its mask.

        Parameters
        ----------
        *inputs
            An image, or an image and a mask, as anomalib's datasets call their augmentations.

        Returns
        -------
        Tensor or (Tensor, Mask)
            The image, and the mask if one was given, in its dtype: 1 where it was above 0 or the image changed.
        """
        if len(inputs) not in (1, 2) or not all(isinstance(one, Tensor) for one in inputs) or inputs[0].ndim != 3:
            raise fail(TypeError, "inputs", _ACCEPTED, [getattr(one, "shape", one) for one in inputs])
        image, *masks = inputs
        changed, label = self._changing(image, Mask(torch.zeros(image.shape[-2:])))
        anomaly = label.as_subclass(Tensor) > 0
        if anomaly.any():
            say_changed()
        if not masks:
            return changed
        (mask,) = masks
        if mask.shape not in (anomaly.shape, (1, *anomaly.shape)):
            raise fail(ValueError, "mask", f"a mask of shape {tuple(anomaly.shape)}", tuple(mask.shape))
        merged = (mask.as_subclass(Tensor) > 0) | anomaly
        return changed, Mask(merged.to(mask.dtype))
