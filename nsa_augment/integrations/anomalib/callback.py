"""Anomalies in the batches of models that learn from ground-truth masks."""

from __future__ import annotations

from os import PathLike
from typing import Any

import torch
from anomalib.data import ImageBatch
from anomalib.pre_processing import PreProcessor
from lightning.pytorch import Callback, LightningModule, Trainer

from nsa_augment._shared.checks import fail
from nsa_augment.integrations.anomalib._arguments import MASK, changing
from nsa_augment.sources import Sources
from nsa_augment.tasks import PUBLISHED, AnomalyTask, bind_task
from nsa_augment.tasks.signature import spell_out


class NSACallback(Callback):  # type: ignore[misc, unused-ignore]
    """Put anomalies into every training batch, and set its `gt_mask` and `gt_label` accordingly.

    For models that learn from both, such as `Supersimplenet(supervised=True)`. Pass it to the engine,
    ``Engine(callbacks=[NSACallback(...)])``: it works before the model's pre-processor normalises the images.
    Validation and test batches are not changed.

    Parameters
    ----------
    preset, sources, task, ablation, cache_mib, object_masks
        As for `NSAGenerator`.
    p : float
        Probability of an anomaly per image.
    **parameters
        As for `NSAGenerator`, without `label`: masks are boolean in anomalib.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.

    Examples
    --------
    >>> batch = ImageBatch(image=torch.rand(2, 3, 64, 64), gt_label=torch.tensor([0, 0]))
    >>> callback = NSACallback(task="cutpaste", p=1.0)
    >>> callback.change(batch)
    >>> batch.gt_mask.shape, batch.gt_label.tolist()
    (torch.Size([2, 64, 64]), [True, True])
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
        self._transform = changing(self.task, sources, p, cache_mib, object_masks)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Raise if the images will be normalised before this callback sees them."""
        before = trainer.callbacks[: trainer.callbacks.index(self)]
        if any(isinstance(callback, PreProcessor) for callback in before):
            raise ValueError(
                f"{type(self).__name__} must stand before the PreProcessor among the trainer's callbacks, got it after "
                "it: give it to Engine(callbacks=[...])"
            )

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Change a batch before the model sees it."""
        self.change(batch)

    def change(self, batch: ImageBatch) -> None:
        """Put anomalies into a batch, in place.

        Parameters
        ----------
        batch : ImageBatch
            Images in [0, 1]. Existing masks and labels are kept: an image is anomalous if it was before, or if it
            changed.
        """
        if not isinstance(batch, ImageBatch):
            raise fail(TypeError, "batch", "an ImageBatch of anomalib", batch)
        given, labels = batch.gt_mask, batch.gt_label
        if given is None and labels is not None and bool(labels.any()):
            raise fail(ValueError, "batch.gt_mask", "given where batch.gt_label holds anomalous images", given)
        image, mask = self._transform(batch.image, given)
        changed = mask.as_subclass(torch.Tensor) > 0
        anomalous = changed.flatten(1).any(1)
        batch.image, batch.gt_mask = image, changed
        batch.gt_label = anomalous if labels is None else anomalous | labels.to(anomalous.device)
