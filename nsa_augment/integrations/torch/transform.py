"""A transform of tensors and batches, for torchvision's pipelines and other libraries' training loops."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nsa_augment._shared.checks import check_number, fail
from nsa_augment._shared.types import Image
from nsa_augment.integrations._masks import check_mergeable, merge_labels
from nsa_augment.integrations.torch.tensors import image_of, to_array, to_numpy, to_tensor
from nsa_augment.sources import SourcePool, Sources
from nsa_augment.tasks import AnomalyTask, bind_task

_DTYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)
_ACCEPTED = "a (C, H, W) or (N, C, H, W) tensor, uint8 or float in [0, 1]"


class AnomalyTransform(nn.Module):
    """Put synthetic anomalies into a tensor, or into each image of a batch, and return them with their masks.

    Use it in `torchvision.transforms.v2.Compose` (where the mask becomes a `tv_tensors.Mask`, so that the geometric
    transforms which follow move both), or call it on the batches of another library. It needs torch alone. Put it
    before normalisation: it works in grey levels.

    Parameters
    ----------
    preset : str or path-like, optional
        Row of `PRESETS`, or a YAML file of arguments; None: the task's defaults.
    sources : folder, list, or callable, optional
        Where patches come from: a folder of images, a list of paths, arrays or (C, H, W) tensors, or a callable
        ``rng -> array``. None: from another image of the batch, which must hold two or more (tasks that need no
        source, such as CutPaste: from the image itself).
    task : str or AnomalyTask
        One of `nsa_augment.tasks.TASKS`, those of other packages among them; or a task that is given whole, which
        takes no preset, no ablation and no parameters.
    ablation : "A", "B", "C" or "D", optional
        Variation of the preset in the paper.
    p : float
        Probability, for each image, to get an anomaly.
    cache_mib : float
        Decoded sources are kept up to this many MiB (in every process).
    **parameters
        Arguments of the task that replace those of the preset.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.

    Notes
    -----
    Seeds come from PyTorch's default generator, as those of torchvision's transforms do: `torch.manual_seed` makes a
    run repeatable, and a DataLoader gives each worker its own.

    Examples
    --------
    >>> from nsa_augment.samples import draw_sample
    >>> images = [draw_sample("hide", index, size=64).image for index in range(4)]
    >>> batch = torch.stack([to_tensor(image) for image in images]) / 255
    >>> changed, masks = AnomalyTransform("leather", p=1.0)(batch)
    >>> changed.shape, masks.shape, masks.dtype
    (torch.Size([4, 3, 64, 64]), torch.Size([4, 64, 64]), torch.float32)
    """

    def __init__(
        self,
        preset: str | PathLike[str] | None = None,
        sources: Sources | Sequence[Tensor] | None = None,
        *,
        task: str | AnomalyTask = "nsa",
        ablation: str | None = None,
        p: float = 0.5,
        cache_mib: float = 256,
        **parameters: Any,
    ) -> None:
        super().__init__()
        self.task = bind_task(task, preset, ablation, parameters, owner=type(self))
        self.p = check_number("p", p, 0, 1)
        self._pool: SourcePool | None = None
        if sources is not None:
            if isinstance(sources, Sequence) and not isinstance(sources, str):
                name = "every entry of sources"
                sources = [image_of(source, name) if isinstance(source, Tensor) else source for source in sources]
            self._pool = SourcePool(sources, cache_mib, self.task.max_value)

    def forward(self, image: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Put anomalies into an image or a batch.

        Parameters
        ----------
        image : (C, H, W) or (N, C, H, W) tensor, uint8 or float in [0, 1], on any device
            Never modified.
        mask : (H, W) or (N, H, W) tensor, optional
            Label that the images already have: bool, integer (above 0 counts as 1), or float in [0, 1]. The larger
            value of both is returned. An error beside a label that is no share of 1, such as "continuous".

        Returns
        -------
        image : Tensor
            Shape, dtype and device of `image`.
        mask : Tensor
            (H, W) or (N, H, W) float32 label on the device of `image`: zero where nothing was changed.
        """
        if not isinstance(image, Tensor):
            raise fail(TypeError, "image", _ACCEPTED, image)
        if image.ndim not in (3, 4) or image.dtype not in _DTYPES or 0 in image.shape:
            raise fail(ValueError, "image", _ACCEPTED, f"{image.dtype} {tuple(image.shape)}")
        labels_shape = (*image.shape[:-3], *image.shape[-2:])
        if mask is not None and (not isinstance(mask, Tensor) or mask.shape != labels_shape):
            raise fail(ValueError, "mask", f"None or a tensor of shape {labels_shape}", mask)
        check_mergeable("mask", mask, self.task)
        arrays = [to_array(one) for one in (image if image.ndim == 4 else image[None])]
        for array in arrays:
            self.task.scale.check_image("image", array)
        if self._pool is None and self.task.needs_source and len(arrays) < 2:
            raise ValueError("sources must be given, or a batch of at least 2 images: got neither")
        results = [self._change(arrays, index) for index in range(len(arrays))]
        changed = torch.stack([to_tensor(one) for one, _ in results]).to(image.dtype).reshape(image.shape)
        labels = np.stack([label for _, label in results]).reshape(labels_shape)
        merged = torch.from_numpy(merge_labels("mask", labels, None if mask is None else to_numpy(mask)))
        return _as_given(changed.to(image.device), image), _as_mask(merged.to(image.device))

    def extra_repr(self) -> str:
        """Arguments, for printing."""
        return (
            f"task={self.task}, sources={'batch' if self._pool is None else len(self._pool) or 'callable'}, p={self.p}"
        )

    def _change(self, images: list[Image], index: int) -> tuple[Image, Image]:
        image = images[index]
        rng = np.random.default_rng(int(torch.randint(2**63 - 1, ())))
        if rng.random() >= self.p:
            return image, np.zeros(image.shape[:2], np.float32)
        source = None
        if self._pool is not None:
            source = self._pool.prepare(self._pool.draw(rng), image, self.task)
        elif self.task.needs_source:
            other = images[(index + 1 + int(rng.integers(len(images) - 1))) % len(images)]
            source = self.task.prepare_source(other, image.shape[:2])
        result = self.task(image, source, rng)
        return result.image, result.label


class NSATransform(AnomalyTransform):
    """`AnomalyTransform` under its name of version 0.1, which keeps working."""


def _as_given(changed: Tensor, image: Tensor) -> Tensor:
    tv_tensors = sys.modules.get("torchvision.tv_tensors")
    if tv_tensors is not None and isinstance(image, tv_tensors.Image):
        return tv_tensors.Image(changed)  # type: ignore[no-any-return, unused-ignore]
    return changed


def _as_mask(labels: Tensor) -> Tensor:
    tv_tensors = sys.modules.get("torchvision.tv_tensors")
    return labels if tv_tensors is None else tv_tensors.Mask(labels)  # type: ignore[no-any-return, unused-ignore]
