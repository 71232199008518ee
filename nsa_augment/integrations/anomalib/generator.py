"""What stands in for anomalib's generator of Perlin noise."""

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
"""Units in the last place by which images may leave [0, 1], as they do where a model takes normalisation back."""


class NSAGenerator(nn.Module):
    """Synthetic anomalies for models of anomalib that make their own: it takes the place of their Perlin noise.

    Assign it to `augmenter` of a `Draem`, to `perlin_generator` of a `Dsr`, to `model.augmentor` of a `Glass`.

    Parameters
    ----------
    preset : str or path-like, optional
        Row of `PRESETS`, or a YAML file of arguments; None: the defaults of the task.
    sources : folder, list or callable
        Where patches come from: a folder of normal images (``folder/**``: with its subfolders), a list of paths,
        arrays or (C, H, W) tensors, or a callable ``rng -> array``. None only for tasks that need no source, such as
        CutPaste.
    task : str or AnomalyTask
        One of `nsa_augment.tasks.TASKS`, those of other packages among them; or a task that is given whole, which
        takes no preset, no ablation and no parameters.
    ablation : "A", "B", "C" or "D", optional
        Variation of the preset in the paper.
    label : str
        One of `nsa_augment.labelling.LABELS`, in place of the task's own. DRAEM, DSR and GLASS learn from 0 and 1;
        they cut other values to whole numbers, which is warned of once.
    p : float
        Probability, for each image, to get an anomaly. GLASS gives every image one: 1.
    cache_mib : float
        Decoded sources are kept up to this many MiB.
    **parameters
        Arguments of the task that replace those of the preset. The signature lists those of the published tasks;
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
        **parameters: Any,
    ) -> None:
        super().__init__()
        self.task = bind_task(task, preset, ablation, parameters, owner=type(self), fixed={"label": label})
        self._transform = changing(self.task, sources, p, cache_mib)
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
                f"label={self.task.label!r} has values other than 0 and 1, which DRAEM, DSR and GLASS cut to whole "
                f"numbers: for them leave label at 'binary'"
            )
        return changed, mask


def _without_rounding(image: Tensor) -> Tensor:
    """Clip what rounding alone added beyond 0 and 1."""
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
