"""A replacement for anomalib's generator of Perlin noise."""

from __future__ import annotations

from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn

from nsa_augment._shared.checks import fail
from nsa_augment._shared.notices import warn_caller
from nsa_augment.integrations.anomalib._arguments import changing
from nsa_augment.sources import Sources
from nsa_augment.tasks import PUBLISHED, AnomalyTask, bind_task
from nsa_augment.tasks.signature import spell_out

ROUNDING = 8
"""Units in the last place by which images may exceed [0, 1], as they do after a model reverts normalisation."""


class NSAGenerator(nn.Module):
    """Synthetic anomalies in place of the Perlin noise of anomalib's models.

    Assign it to the `augmenter` of a `Draem`, the `perlin_generator` of a `Dsr`, or the `model.augmentor` of a `Glass`.

    Parameters
    ----------
    preset : str or path-like, optional
        A name in `PRESETS`, or a YAML file of arguments; None: the defaults of the task.
    sources : folder, list or callable
        Where patches come from: a folder of normal images (``folder/**``: with its subfolders), a list of paths,
        arrays or (C, H, W) tensors, or a callable ``rng -> array``. None only for tasks that need no source, such as
        CutPaste.
    task : str or AnomalyTask
        A name in `nsa_augment.tasks.TASKS`, which includes tasks of other packages; or a task object, which excludes
        preset, ablation and parameters.
    ablation : "A", "B", "C" or "D", optional
        An ablation of the paper.
    label : str
        One of `nsa_augment.labelling.LABELS`, in place of the task's own. DRAEM, DSR and GLASS learn from 0 and 1;
        they truncate other values to whole numbers; a warning says so once.
    p : float
        Probability of an anomaly per image. For GLASS, which changes every image: 1.
    cache_mib : float
        Size of the cache of decoded sources, in MiB.
    object_masks : folder or "alpha", optional
        Object masks of sources that are files: a folder with masks of the same names, or their alpha channel.
        `background` finds the object of the image.
    **parameters
        Arguments of the task, which override the preset. The signature lists those of the published tasks;
        "preset" stands for the value of the preset.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.

    Notes
    -----
    Seeds come from PyTorch's default generator: `lightning.seed_everything` makes a run repeatable.

    Examples
    --------
    >>> from nsa_augment.samples import draw_sample
    >>> normals = [draw_sample("hide", index, size=64).image for index in range(4)]
    >>> generator = NSAGenerator("leather", normals, p=1.0)
    >>> image, mask = generator(torch.rand(3, 64, 64))
    >>> image.shape, mask.shape, mask.dtype
    (torch.Size([3, 64, 64]), torch.Size([1, 64, 64]), torch.float32)
    >>> generator(torch.rand(2, 3, 64, 64))[1].shape
    torch.Size([2, 1, 64, 64])
    """

    @spell_out(PUBLISHED)
    def __init__(
        self,
        preset: str | PathLike[str] | None = None,
        sources: Sources | None = None,
        *,
        task: str | AnomalyTask = "nsa",
        ablation: str | None = None,
        label: str = "binary",
        p: float = 0.5,
        cache_mib: float = 256,
        object_masks: str | PathLike[str] | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__()
        self.task = bind_task(task, preset, ablation, parameters, owner=type(self), fixed={"label": label})
        self._transform = changing(self.task, sources, p, cache_mib, object_masks)
        self._warned = False

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Put anomalies into an image or a batch.

        Parameters
        ----------
        image : (C, H, W) or (B, C, H, W) tensor, uint8 or float in [0, 1], on any device
            Never modified.

        Returns
        -------
        image : Tensor
            Shape, dtype and device of `image`.
        mask : (1, H, W) or (B, 1, H, W) float32 Tensor
            Zero where nothing was changed.
        """
        changed, labels = self._transform(_without_rounding(image))
        mask = labels.as_subclass(Tensor).unsqueeze(-3)
        if not self._warned and bool(((mask != 0) & (mask != 1)).any()):
            self._warned = True
            warn_caller(
                f"label={self.task.label!r} has values other than 0 and 1, which DRAEM, DSR and GLASS truncate to "
                f"whole numbers: for them leave label at 'binary'"
            )
        return changed, mask


def _without_rounding(image: Tensor) -> Tensor:
    """Clip values that exceed [0, 1] by rounding alone."""
    if not isinstance(image, Tensor):
        raise fail(TypeError, "image", "a (C, H, W) or (B, C, H, W) tensor, uint8 or float in [0, 1]", image)
    if not image.is_floating_point() or image.numel() == 0:
        return image
    slack = ROUNDING * torch.finfo(image.dtype).eps
    low, high = float(image.min()), float(image.max())
    if not (low >= -slack and high <= 1 + slack):  # also true for NaN
        raise ValueError(
            f"image must be in [0, 1], before normalisation, got {image.dtype} values from {low:g} to {high:g}"
        )
    return image.clamp(0, 1)
