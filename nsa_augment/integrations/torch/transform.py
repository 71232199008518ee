"""A transform of tensors, PIL images, batches and samples, for torchvision's pipelines and training loops."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor

from nsa_augment._shared.checks import check_number, fail
from nsa_augment._shared.types import Image
from nsa_augment.integrations._masks import check_mergeable, merge_labels
from nsa_augment.integrations.torch._range import checked_image, checked_sources
from nsa_augment.integrations.torch._samples import ACCEPTED_IMAGE, IMAGE_KEY, Places, find_places, part, with_part
from nsa_augment.integrations.torch._torchvision import Transform, as_given, as_mask, skipping_container
from nsa_augment.integrations.torch.tensors import to_array, to_numpy, to_tensor
from nsa_augment.sources import Sources, open_pool
from nsa_augment.tasks import PUBLISHED, AnomalyTask, bind_task
from nsa_augment.tasks.signature import spell_out

DTYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)
MODES = ("L", "RGB", "RGBA", "I;16", "F")
"""Modes of PIL images that need no conversion."""


class AnomalyTransform(Transform):
    """Put synthetic anomalies into an image, into each image of a batch, or into a sample that holds one of them.

    With torchvision installed it is a transform of `torchvision.transforms.v2`, and masks are `tv_tensors.Mask`, so
    that later geometric transforms move image and mask. Without, it is a `torch.nn.Module` that does the same. Use it
    before normalisation, as it works in grey levels.

    Parameters
    ----------
    preset : str or path-like, optional
        A name in `PRESETS`, or a YAML file of arguments; None: the task's defaults.
    sources : folder, list, or callable, optional
        Where patches come from: a folder of images (``folder/**``: with its subfolders), a list of paths, arrays or
        (C, H, W) tensors, or a callable ``rng -> array``. None: from another image of the batch, which must hold two or
        more (tasks that need no source, such as CutPaste: from the image itself).
    task : str or AnomalyTask
        A name in `nsa_augment.tasks.TASKS`, which includes tasks of other packages; or a task object, which excludes
        preset, ablation and parameters.
    ablation : "A", "B", "C" or "D", optional
        An ablation of the paper.
    p : float
        Probability of an anomaly per image.
    cache_mib : float
        Size of the cache of decoded sources, in MiB (per process).
    object_masks : folder or "alpha", optional
        Object masks of sources that are files: a folder with masks of the same names, or their alpha channel.
        `background` finds the object of the image.
    mask_key : str
        Key of the mask in samples that are mappings, or whose target is one.
    clamp : bool
        Whether to clamp float images that bicubic resizing left slightly outside [0, 1] (by up to 0.45), which are an
        error otherwise.
    **parameters
        Arguments of the task, which override the preset. The signature lists those of the published tasks;
        "preset" stands for the value of the preset.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.

    Notes
    -----
    Seeds come from PyTorch's default generator, as in torchvision's transforms: `torch.manual_seed` makes a run
    reproducible, and a DataLoader seeds each worker differently.

    Examples
    --------
    >>> from nsa_augment.samples import draw_sample
    >>> images = [draw_sample("hide", index, size=64).image for index in range(4)]
    >>> batch = torch.stack([to_tensor(image) for image in images]) / 255
    >>> changed, masks = AnomalyTransform("leather", p=1.0)(batch)
    >>> changed.shape, masks.shape, masks.dtype
    (torch.Size([4, 3, 64, 64]), torch.Size([4, 64, 64]), torch.float32)
    >>> sample = {"image": batch[0], "label": 0}
    >>> sorted(AnomalyTransform("leather", images, p=1.0)(sample))
    ['image', 'label', 'mask']
    """

    @spell_out(PUBLISHED)
    def __init__(
        self,
        preset: str | PathLike[str] | None = None,
        sources: Sources | Sequence[Tensor] | None = None,
        *,
        task: str | AnomalyTask = "nsa",
        ablation: str | None = None,
        p: float = 0.5,
        cache_mib: float = 256,
        object_masks: str | PathLike[str] | None = None,
        mask_key: str = "mask",
        clamp: bool = False,
        **parameters: Any,
    ) -> None:
        super().__init__()
        self.task = bind_task(task, preset, ablation, parameters, owner=type(self))
        self.p = check_number("p", p, 0, 1)
        if not isinstance(mask_key, str) or mask_key in ("", IMAGE_KEY):
            raise fail(ValueError, "mask_key", f'a name other than "{IMAGE_KEY}"', mask_key)
        if not isinstance(clamp, bool):
            raise fail(TypeError, "clamp", "True or False", clamp)
        self.mask_key, self.clamp = mask_key, clamp
        checked = None if sources is None else checked_sources(sources, self.task.scale, clamp)
        self._pool = open_pool(checked, cache_mib, self.task.max_value, object_masks=object_masks)

    def forward(self, image: Any, mask: Any = None, *targets: Any) -> Any:
        """Put anomalies into an image, a batch, or a sample.

        Parameters
        ----------
        image : (C, H, W) or (N, C, H, W) tensor, uint8 or float in [0, 1], on any device; PIL image; or a sample
            A sample is a tuple, list or mapping, nested in any way, around one image: an image by its class
            (`tv_tensors.Image`, PIL), else the tensor under "image", else the first one. Never modified.
        mask : (H, W), (1, H, W) or (N, H, W) tensor, PIL image, or target, optional
            Existing label of the images: bool, integer (above 0 counts as 1), or float in [0, 1]; the result is the
            maximum of both. An error with labels not in [0, 1], such as "continuous". Numbers, class labels, boxes and
            mappings are targets, which are returned unchanged.
        *targets
            Further parts of the sample; ``transform(image, target)`` is ``transform((image, target))``.

        Returns
        -------
        image, mask
            For a lone image: the image in its original form (class, shape, dtype, device), and its (H, W) or (N, H, W)
            float32 label, zero where nothing changed.
        sample
            For a sample: the same structure. The mask replaces the given one. Without one, it is added under
            `mask_key` to the mapping that holds the image, or to the first mapping beside the image; otherwise at the
            end of the tuple or list that holds the image.
        """
        sample = image if mask is None and not targets else (image, mask, *targets)
        places = find_places(sample, self.mask_key)
        if places.added and (container := skipping_container(AnomalyTransform)) is not None:
            raise ValueError(
                f"image must come with a mask inside {container}, which would omit the mask when it skips this "
                f"transform: give it one of zeros, or use p= of {type(self).__name__} instead; got a sample without"
            )
        given = part(sample, places.image)
        arrays = self._arrays(given)
        batched = isinstance(given, Tensor) and given.ndim == 4
        shape = (len(arrays), *arrays[0].shape[:2]) if batched else arrays[0].shape[:2]
        name = places.mask[-1] if places.mask and isinstance(places.mask[-1], str) else "mask"
        before = None if places.added else _mask_array(name, part(sample, places.mask), shape)
        check_mergeable(name, before, self.task)
        arrays = [checked_image("image", one, self.task.scale, self.clamp) for one in arrays]
        if self._pool is None and self.task.needs_source and len(arrays) < 2:
            raise ValueError("sources must be given, or a batch of at least 2 images: got neither")
        results = [self._change(arrays, index) for index in range(len(arrays))]
        labels = np.stack([label for _, label in results]).reshape(shape if before is None else before.shape)
        merged = torch.from_numpy(merge_labels(name, labels, before))
        merged = as_mask(merged.to(given.device) if isinstance(given, Tensor) else merged)
        return _with_results(sample, places, _restored([one for one, _ in results], given), merged)

    def extra_repr(self) -> str:
        """Arguments, for printing."""
        sources = "batch" if self._pool is None else len(self._pool) or "callable"
        text = f"task={self.task}, sources={sources}, p={self.p}"
        return f"{text}, mask_key={self.mask_key!r}, clamp={self.clamp}"

    def _arrays(self, image: Any) -> list[Image]:
        if isinstance(image, PIL.Image.Image):
            if image.mode not in MODES:
                accepted = f"a PIL image of mode {', '.join(MODES)} (convert others to RGB)"
                raise fail(ValueError, "image", accepted, image.mode)
            return [np.asarray(image)]
        if image.ndim not in (3, 4) or image.dtype not in DTYPES or 0 in image.shape:
            raise fail(ValueError, "image", ACCEPTED_IMAGE, f"{image.dtype} {tuple(image.shape)}")
        return [to_array(one) for one in (image if image.ndim == 4 else image[None])]

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
    """`AnomalyTransform` under its name in version 0.1, which still works."""


def _mask_array(name: str, mask: Any, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """An existing mask, checked except that floats are at most 1."""
    if mask is None:
        return None
    shapes = (shape, (1, *shape)) if len(shape) == 2 else (shape,)
    accepted = f"None or a tensor of shape {' or '.join(map(str, shapes))}"
    if isinstance(mask, PIL.Image.Image):
        array = np.asarray(mask)
    elif isinstance(mask, Tensor):
        array = to_numpy(mask)
    else:
        raise fail(ValueError, name, accepted, mask)
    if array.shape not in shapes:
        raise fail(ValueError, name, accepted, mask)
    if array.dtype.kind == "i" and array.min() < 0:
        raise ValueError(f"{name} must be {accepted} without values below 0, got values from {array.min()}")
    return array


def _restored(changed: list[Image], given: Any) -> Any:
    """Changed images in the form of the given one."""
    if not isinstance(given, Tensor):
        return PIL.Image.fromarray(changed[0])
    tensor = torch.stack([to_tensor(one) for one in changed]).to(given.dtype).reshape(given.shape)
    return as_given(tensor.to(given.device), given)


def _with_results(sample: Any, places: Places, image: Any, mask: Tensor) -> Any:
    if not places.image:
        return image, mask
    return with_part(with_part(sample, places.image, image), places.mask, mask)
