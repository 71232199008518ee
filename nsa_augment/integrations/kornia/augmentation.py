"""An augmentation for kornia's pipelines, which draws per sample and can be replayed."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import torch
from kornia.augmentation import IntensityAugmentationBase2D  # type: ignore[import-not-found, unused-ignore]
from torch import Tensor

from nsa_augment._shared.checks import check_number, fail
from nsa_augment._shared.types import Image
from nsa_augment._shared.wording import counted
from nsa_augment.integrations._masks import check_mergeable, merge_labels
from nsa_augment.integrations._planes import check_planes
from nsa_augment.integrations.torch.tensors import image_of, to_array, to_numpy, to_tensor
from nsa_augment.sources import Sources, open_pool
from nsa_augment.tasks import PUBLISHED, AnomalyTask, bind_task
from nsa_augment.tasks.signature import spell_out

_SEEDS, _LABELS = "nsa_seeds", "nsa_labels"
_ROUNDING = 1e-4
"""Most by which kornia's interpolation exceeds [0, 1]."""


class RandomNSA(IntensityAugmentationBase2D):  # type: ignore[misc, unused-ignore]
    """Put synthetic anomalies into the images of a batch, and their labels into its masks.

    Use it in `kornia.augmentation.AugmentationSequential` with ``data_keys=["input", "mask"]``, before normalisation.
    Boxes, keypoints and classes pass through. Gradients do not flow through changed images.

    Parameters
    ----------
    preset : str or path-like, optional
        A name in `PRESETS`, or a YAML file of arguments; None: the task's defaults.
    sources : folder, list, or callable, optional
        Where patches come from: a folder of images (``folder/**``: with its subfolders), a list of paths, arrays or
        (C, H, W) tensors, or a callable ``rng -> array``. None: from another image of the batch, which must hold two or
        more (tasks that need no source, such as CutPaste: from the image itself).
    task : str or AnomalyTask
        A name in `nsa_augment.tasks.TASKS`, or a task object, which excludes preset, ablation and parameters.
    ablation : "A", "B", "C" or "D", optional
        An ablation of the paper.
    label : str, optional
        Kind of label; None: binary, or that of a task object. kornia returns a mask in its original dtype: with any
        other kind give masks of floats, as integers lose all values below 1.
    p : float
        Probability of an anomaly per sample.
    p_batch : float
        Probability that a batch gets any anomalies.
    same_on_batch : bool
        Draw all samples with the same seed.
    keepdim : bool
        Return a (C, H, W) image with that shape, not as a batch of one.
    max_channels : int
        Images with more channels are refused, as they look like volumes.
    cache_mib : float
        Size of the cache of decoded sources, in MiB (per process).
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
    Seeds come from PyTorch's default generator. The recorded parameters, ``_params``, hold the seed of each sample and
    its label as ``nsa_labels``, (B, 1, H, W). ``params=`` replays them: the same anomalies for the same images, and,
    where a mask is given without its image, the recorded label.

    Examples
    --------
    >>> import kornia.augmentation as K
    >>> from nsa_augment.samples import draw_sample
    >>> images = torch.stack([to_tensor(draw_sample("hide", index, size=64).image) for index in range(4)]) / 255
    >>> pipeline = K.AugmentationSequential(RandomNSA("leather", p=1.0), data_keys=["input", "mask"])
    >>> changed, masks = pipeline(images, torch.zeros(4, 1, 64, 64))
    >>> changed.shape, masks.shape, masks.unique().tolist()
    (torch.Size([4, 3, 64, 64]), torch.Size([4, 1, 64, 64]), [0.0, 1.0])
    >>> again, _ = pipeline(images, torch.zeros(4, 1, 64, 64), params=pipeline._params)
    >>> torch.equal(again, changed)
    True
    """

    @spell_out(PUBLISHED)
    def __init__(
        self,
        preset: str | PathLike[str] | None = None,
        sources: Sources | Sequence[Tensor] | None = None,
        *,
        task: str | AnomalyTask = "nsa",
        ablation: str | None = None,
        label: str | None = None,
        p: float = 0.5,
        p_batch: float = 1.0,
        same_on_batch: bool = False,
        keepdim: bool = False,
        max_channels: int = 4,
        cache_mib: float = 256,
        object_masks: str | PathLike[str] | None = None,
        **parameters: Any,
    ) -> None:
        check_number("p", p, 0, 1)
        check_number("p_batch", p_batch, 0, 1)
        super().__init__(p=p, p_batch=p_batch, same_on_batch=same_on_batch, keepdim=keepdim)
        if label is not None or not isinstance(task, AnomalyTask):
            parameters["label"] = label or "binary"
        self.task = bind_task(task, preset, ablation, parameters, owner=type(self))
        self.max_channels = max_channels
        check_planes("image", 1, max_channels)
        if isinstance(sources, Sequence) and not isinstance(sources, str):
            name = "every entry of sources"
            sources = [image_of(source, name) if isinstance(source, Tensor) else source for source in sources]
        self._pool = open_pool(sources, cache_mib, self.task.max_value, object_masks=object_masks)

    def forward(self, input: Tensor, params: dict[str, Tensor] | None = None, **kwargs: Any) -> Tensor:
        """Put anomalies into a (B, C, H, W) batch or a (C, H, W) image of floats in [0, 1]; kornia's arguments."""
        if input.ndim > 4:
            raise fail(ValueError, "input", "a (B, C, H, W) batch: this package is 2-D only", tuple(input.shape))
        batch = self.transform_tensor(input)
        drawn = self.forward_parameters(batch.shape) if params is None else params
        drawn.setdefault("batch_prob", torch.ones(len(batch)))
        images, labels = self._synthesize(batch, drawn)
        drawn[_LABELS] = labels
        self._changed = images
        try:
            return super().forward(input, params=drawn, **kwargs)  # type: ignore[no-any-return, unused-ignore]
        finally:
            del self._changed

    def generate_parameters(self, batch_shape: tuple[int, ...]) -> dict[str, Tensor]:
        """Draw a seed per sample."""
        seeds = torch.randint(2**63 - 1, (1 if self.same_on_batch else batch_shape[0],))
        return {_SEEDS: seeds.expand(batch_shape[0]).clone()}

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        """The changed images."""
        return self._changed

    def apply_transform_mask(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        """The larger value of label and mask."""
        labels = params.get(_LABELS)
        if labels is None:
            raise fail(ValueError, "params", "those recorded with an image", sorted(params))
        if input.shape != labels.shape:
            raise fail(ValueError, "mask", f"a tensor of shape {tuple(labels.shape)}", tuple(input.shape))
        given = to_numpy(input) if input.any() else None
        check_mergeable("mask", given, self.task)
        merged = merge_labels("mask", to_numpy(labels), given)
        return torch.from_numpy(merged).to(input)

    def _synthesize(self, batch: Tensor, params: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Changed images and their (B, 1, H, W) labels."""
        count, channels, height, width = batch.shape
        check_planes("input", channels, self.max_channels)
        seeds = params[_SEEDS]
        if len(seeds) != count:
            raise ValueError(f"params must be drawn for {counted(count, 'image')}, got those of {len(seeds)}")
        always = self.p == 1 and self.p_batch == 1
        applied = [always or bool(gate > 0.5) for gate in params["batch_prob"].expand(count)]
        arrays = [self._checked(image) for image in batch] if any(applied) else []
        images, labels = batch.clone(), torch.zeros(count, 1, height, width)
        for index in np.flatnonzero(applied):
            rng = np.random.default_rng(int(seeds[index]))
            result = self.task(arrays[index], self._source(arrays, int(index), rng), rng)
            images[index] = to_tensor(result.image).to(batch)
            labels[index, 0] = torch.from_numpy(result.label)
        return images, labels

    def _checked(self, image: Tensor) -> Image:
        array = to_array(image)
        maximum = self.task.scale.maximum(array.dtype)
        slack = _ROUNDING * maximum
        if not (array.min() >= -slack and array.max() <= maximum + slack):  # also true for NaN
            raise ValueError(
                f"input must be in [0, {maximum:g}], got values from {array.min():g} to {array.max():g}: "
                "put RandomNSA before normalisation"
            )
        return np.clip(array, 0, maximum)  # type: ignore[no-any-return, unused-ignore]

    def _source(self, images: list[Image], index: int, rng: np.random.Generator) -> Any:
        if self._pool is not None:
            return self._pool.prepare(self._pool.draw(rng), images[index], self.task)
        if not self.task.needs_source:
            return None
        if len(images) < 2:
            raise ValueError("sources must be given, or a batch of at least 2 images: got neither")
        return images[(index + 1 + int(rng.integers(len(images) - 1))) % len(images)]
