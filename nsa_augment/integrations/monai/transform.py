"""A transform for MONAI's dictionary pipelines."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.config import KeysCollection  # type: ignore[import-not-found, unused-ignore]
from monai.data import get_track_meta  # type: ignore[import-not-found, unused-ignore]
from monai.transforms import MapTransform, RandomizableTransform  # type: ignore[import-not-found, unused-ignore]
from monai.utils import convert_to_dst_type, convert_to_tensor, ensure_tuple  # type: ignore[import-not-found, unused-ignore]
from torch.utils.data import get_worker_info

from nsa_augment._shared.checks import check_choice, check_number, fail
from nsa_augment._shared.types import Image
from nsa_augment.integrations._masks import check_mergeable, merge_labels
from nsa_augment.integrations._planes import check_planes
from nsa_augment.integrations.monai._layout import AXES, channel_first, image_from, upright_sources
from nsa_augment.sources import Sources, open_pool
from nsa_augment.tasks import PUBLISHED, AnomalyTask, bind_task
from nsa_augment.tasks.signature import spell_out


class NSAd(RandomizableTransform, MapTransform):  # type: ignore[misc, unused-ignore]
    """Put synthetic anomalies into images of a dictionary, and add their labels.

    Use it after transforms that make images channel-first and scale intensities to [0, 1] (or give ``max_value=255``
    for images as `LoadImaged` returns them). Images and labels become tensors with the metadata of the image; give
    later spatial transforms both keys. Images are 2-D: (C, x, y).

    Parameters
    ----------
    keys : str or sequence of str
        Keys of images; each gets different anomalies.
    label_key : str or sequence of str
        Key of the label for each of `keys`, (1, x, y) float32, zero where nothing changed. An existing mask is merged
        by maximum (bool or integer: above 0 counts as 1; float in [0, 1]).
    preset : str or path-like, optional
        A name in `PRESETS`, or a YAML file of arguments; None: the task's defaults.
    sources : folder, list, or callable, optional
        Normal images to cut patches from: a folder (``folder/**``: with its subfolders), a list of paths or of
        channel-first tensors or arrays, or a callable ``rng -> channel-first array``. Files are brought into
        the orientation of the images. Without sources, tasks that need none (CutPaste) cut from the image itself.
    task : str or AnomalyTask
        A name in `nsa_augment.tasks.TASKS`, or a task object, which excludes preset, ablation and parameters.
    ablation : "A", "B", "C" or "D", optional
        An ablation of the paper.
    prob : float
        Probability that an item gets anomalies.
    axes : "xy" or "yx"
        Order of the spatial axes of images: (C, x, y), as MONAI's readers load files, or (C, y, x).
    max_channels : int
        Images with more channels are refused, as they look like volumes.
    allow_missing_keys : bool
        Skip keys that an item does not have.
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
    `set_random_state` (of this transform, or of the `Compose` that holds it) makes it reproducible. Workers never
    repeat each other, even with PyTorch's own DataLoader, which starts all with one state of MONAI's transforms.

    Examples
    --------
    >>> from nsa_augment.samples import draw_sample
    >>> images = [draw_sample("hide", index, size=64).image.transpose(2, 1, 0) for index in range(4)]
    >>> transform = NSAd("image", "label", "leather", images[1:], prob=1.0).set_random_state(0)
    >>> item = transform({"image": images[0]})
    >>> item["image"].shape, item["label"].shape, item["label"].dtype
    (torch.Size([3, 64, 64]), torch.Size([1, 64, 64]), torch.float32)
    """

    @spell_out(PUBLISHED)
    def __init__(
        self,
        keys: KeysCollection,
        label_key: KeysCollection = "label",
        preset: str | os.PathLike[str] | None = None,
        sources: Sources | Sequence[Any] | None = None,
        *,
        task: str | AnomalyTask = "nsa",
        ablation: str | None = None,
        prob: float = 0.5,
        axes: str = "xy",
        max_channels: int = 4,
        allow_missing_keys: bool = False,
        cache_mib: float = 256,
        object_masks: str | os.PathLike[str] | None = None,
        **parameters: Any,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, check_number("prob", prob, 0, 1))
        self.label_keys: tuple[Hashable, ...] = ensure_tuple(label_key)
        if len({*self.keys, *self.label_keys}) < 2 * len(self.keys) or len(self.label_keys) != len(self.keys):
            raise fail(ValueError, "label_key", f"a different key for each of keys={self.keys}", label_key)
        if axes is None:
            raise fail(TypeError, "axes", "'xy' or 'yx'", axes)
        check_choice("axes", axes, AXES)
        check_planes("image", 1, max_channels)
        self.axes, self.max_channels = axes, max_channels
        self.task = bind_task(task, preset, ablation, parameters, owner=type(self))
        if sources is None and self.task.needs_source:
            raise fail(ValueError, "sources", f"given for {type(self.task).__name__}", sources)
        upright = upright_sources(sources, axes, max_channels)
        self._pool = open_pool(upright, cache_mib, self.task.max_value, object_masks=object_masks)
        self._seeds: tuple[int, ...] = ()
        self._seeded_in = os.getpid()

    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> NSAd:
        """Seed this transform, or let it share a state, as in MONAI's transforms."""
        super().set_random_state(seed, state)
        self._seeded_in = os.getpid()
        return self

    def randomize(self, data: Any = None) -> None:
        """Draw whether there are anomalies, and the seed of each key."""
        worker = get_worker_info()
        if worker is not None and self._seeded_in != os.getpid():
            drawn = map(int, self.R.randint(2**32, size=4, dtype=np.uint64))
            self.set_random_state(state=np.random.RandomState([*drawn, worker.seed % 2**32, worker.seed >> 32]))
        super().randomize(data)
        self._seeds = tuple(map(int, self.R.randint(2**63 - 1, size=len(self.keys), dtype=np.int64)))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """A copy of the dictionary with changed images and their labels."""
        self.randomize()
        result = dict(data)
        for key, label_key, seed in self.key_iterator(result, self.label_keys, self._seeds):
            given = result.get(label_key)
            check_mergeable(str(label_key), given, self.task)
            result[key], result[label_key] = self._change(result[key], given, str(key), str(label_key), seed)
        return result

    def _change(self, value: Any, given: Any, name: str, label_name: str, seed: int) -> tuple[Any, Any]:
        image = self._checked(value, name)
        changed, label = image, np.zeros(image.shape[:2], np.float32)
        if self._do_transform:
            rng = np.random.default_rng(seed)
            source = None if self._pool is None else self._pool.prepare(self._pool.draw(rng), image, self.task)
            made = self.task(image, source, rng)
            changed, label = made.image, made.label
        if given is not None:
            label = merge_labels(label_name, label, image_from(given, self.axes, label_name, self.max_channels))
        tensor = convert_to_tensor(value, track_meta=get_track_meta())
        changed_tensor, *_ = convert_to_dst_type(channel_first(changed, self.axes), tensor)
        like = tensor if given is None else convert_to_tensor(given, track_meta=get_track_meta())
        label_tensor, *_ = convert_to_dst_type(channel_first(label, self.axes), like, dtype=np.float32)
        return changed_tensor, label_tensor

    def _checked(self, value: Any, name: str) -> Image:
        image = image_from(value, self.axes, name, self.max_channels)
        try:
            self.task.scale.check_image(name, image)
        except ValueError as error:
            hint = (
                "put NSAd after scaling to [0, 1], before normalisation; or give max_value=255 for loaded grey levels"
            )
            raise ValueError(f"{error} ({hint})") from error
        return image
