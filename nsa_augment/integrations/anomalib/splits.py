"""Validation and test splits with synthetic anomalies, in place of those with anomalib's Perlin noise."""

from __future__ import annotations

from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

from anomalib.data import AnomalibDataModule, AnomalibDataset
from anomalib.data.utils import TestSplitMode, ValSplitMode, random_split, split_by_label

from nsa_augment._shared.checks import check_integer, check_number, fail
from nsa_augment._shared.mask_files import MaskFiles
from nsa_augment.integrations.anomalib._arguments import MASK
from nsa_augment.integrations.anomalib._files import write_anomalies
from nsa_augment.integrations.anomalib._folder import TemporaryFolder
from nsa_augment.sources import SourcePool, Sources
from nsa_augment.tasks import PUBLISHED, AnomalyTask, bind_task
from nsa_augment.tasks.signature import spell_out


class SyntheticDataset(AnomalibDataset):  # type: ignore[misc, unused-ignore]
    """Normal images of a dataset, some with synthetic anomalies, which are files in a temporary folder.

    Parameters
    ----------
    normal : AnomalibDataset
        Normal images, as files. Its augmentations are kept.
    preset, task, ablation, cache_mib
        As for `NSAGenerator`.
    sources : folder, list or callable, optional
        As for `NSAGenerator`; None: the other images of the dataset.
    object_masks : folder or "alpha", optional
        Object masks of the images of the dataset: a folder with masks of the same names, or their alpha channel. Given
        `sources` have none; `background` finds their objects.
    ratio : float
        Share of the images that become anomalous.
    seed : int
        With the dataset, it determines which images become anomalous, and how.
    **parameters
        As for `NSAGenerator`, without `label`: masks are boolean in anomalib.

    Raises
    ------
    TypeError, ValueError
        If no anomaly fits any image; else the message names the argument, what is accepted and what was received.
    """

    @spell_out(PUBLISHED, without=MASK)
    def __init__(
        self,
        normal: AnomalibDataset,
        preset: str | PathLike[str] | None = None,
        sources: Sources | None = None,
        *,
        task: str | AnomalyTask = "nsa",
        ablation: str | None = None,
        ratio: float = 0.5,
        seed: int = 0,
        cache_mib: float = 256,
        object_masks: str | PathLike[str] | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(augmentations=normal.augmentations)
        bound = bind_task(task, preset, ablation, parameters, owner=type(self), fixed=MASK)
        samples = normal.samples
        if samples.label_index.any():
            raise fail(ValueError, "normal", "a dataset of normal images", f"{int(samples.label_index.sum())} others")
        count = int(check_number("ratio", ratio, 0, 1) * len(samples))
        if count == 0:
            raise fail(ValueError, "ratio", f"one that makes at least 1 of {len(samples)} images anomalous", ratio)
        paths = [Path(path) for path in samples.image_path]
        masks = None if object_masks is None else MaskFiles("object_masks", object_masks, paths)
        given, source_masks = (paths, masks) if sources is None else (sources, None)
        pool = SourcePool(given, cache_mib, bound.max_value, object_masks=source_masks)
        self._folder = TemporaryFolder("nsa-augment-anomalib-")
        written = write_anomalies(paths, masks, count, bound, pool, check_integer("seed", seed, 0), self._folder.path)
        samples = samples.astype({"mask_path": object}).reset_index(drop=True)
        for index, (image, mask) in written.items():
            samples.loc[index, ["image_path", "mask_path"]] = str(image), str(mask)
            samples.loc[index, ["label", "label_index"]] = "abnormal", 1
        self.samples = samples
        self.samples.attrs["task"] = "segmentation"
        self.category = normal.category


class _SyntheticSplits(AnomalibDataModule):  # type: ignore[misc, unused-ignore]
    """The methods of a datamodule with synthetic splits made by this package."""

    synthetic_arguments: dict[str, Any]
    train_data: Any
    val_data: Any
    test_data: Any

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _make, (type(self).__bases__[1],), vars(self)

    def _create_test_split(self) -> None:
        if self.test_split_mode != TestSplitMode.SYNTHETIC:
            super()._create_test_split()
        elif self.test_data.has_normal:
            self.test_data = self._synthetic(split_by_label(self.test_data)[0])
        else:
            self.train_data, normal = random_split(self.train_data, self.test_split_ratio, seed=self.seed)
            self.test_data = self._synthetic(normal)

    def _create_val_split(self) -> None:
        if self.val_split_mode != ValSplitMode.SYNTHETIC:
            super()._create_val_split()
        else:
            self.train_data, normal = random_split(self.train_data, self.val_split_ratio, seed=self.seed)
            self.val_data = self._synthetic(normal)

    def _synthetic(self, normal: AnomalibDataset) -> SyntheticDataset:
        return SyntheticDataset(normal, **self.synthetic_arguments)


@spell_out(PUBLISHED, without=MASK)
def synthetic_splits(
    datamodule: AnomalibDataModule,
    preset: str | PathLike[str] | None = None,
    sources: Sources | None = None,
    *,
    task: str | AnomalyTask = "nsa",
    ablation: str | None = None,
    ratio: float = 0.5,
    seed: int = 0,
    cache_mib: float = 256,
    object_masks: str | PathLike[str] | None = None,
    **parameters: Any,
) -> AnomalibDataModule:
    """Make the synthetic splits of a datamodule with this package.

    Parameters
    ----------
    datamodule : AnomalibDataModule
        With ``val_split_mode="synthetic"``, ``test_split_mode="synthetic"`` or both; not modified.
    preset, sources, task, ablation, ratio, seed, cache_mib, object_masks, **parameters
        As for `SyntheticDataset`.

    Returns
    -------
    AnomalibDataModule
        A copy of the datamodule whose `val_data` or `test_data` becomes a `SyntheticDataset`.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.
    """
    if not isinstance(datamodule, AnomalibDataModule):
        raise fail(TypeError, "datamodule", "an AnomalibDataModule", datamodule)
    modes = datamodule.val_split_mode, datamodule.test_split_mode
    if modes[0] != ValSplitMode.SYNTHETIC and modes[1] != TestSplitMode.SYNTHETIC:
        accepted = 'one with val_split_mode="synthetic" or test_split_mode="synthetic"'
        raise fail(ValueError, "datamodule", accepted, tuple(mode.value for mode in modes))
    bound = bind_task(task, preset, ablation, parameters, owner=SyntheticDataset, fixed=MASK)
    arguments = {"sources": sources, "task": bound, "ratio": ratio, "seed": seed}
    arguments |= {"cache_mib": cache_mib, "object_masks": object_masks}
    made = _make(type(datamodule))
    vars(made).update(vars(datamodule), synthetic_arguments=arguments)
    return made


def _make(datamodule: type[Any]) -> AnomalibDataModule:
    made = _with_synthetic_splits(datamodule)  # type: ignore[arg-type, unused-ignore]
    return made.__new__(made)


@cache
def _with_synthetic_splits(datamodule: Any) -> Any:
    """A class of the same name, as anomalib names the folder of results after it."""
    return type(datamodule.__name__, (_SyntheticSplits, datamodule), {"__module__": datamodule.__module__})
