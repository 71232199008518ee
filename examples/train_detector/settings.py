"""The settings of a run: class, task and schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from examples.train_detector.network import WIDTH
from nsa_augment import PRESETS
from nsa_augment.samples import PRODUCTS
from nsa_augment.tasks import AnomalyTask, bind_task

EPOCHS = {"hazelnut": 560, "metal_nut": 560, "screw": 560, "rcxr_male": 240, "rcxr_female": 240}
OTHER_EPOCHS, ELLIPSES_EPOCHS = 320, 240


@dataclass(frozen=True)
class Budget:
    """Image size, batch size, and number of training images (None: the published number of epochs)."""

    size: int
    batch: int
    images: int | None


BUDGETS = {
    "quick": Budget(size=128, batch=8, images=5_000),
    "cpu": Budget(size=256, batch=32, images=25_600),
    "paper": Budget(size=256, batch=64, images=None),
}


@dataclass(frozen=True)
class Settings:
    """Everything that determines the result of a training run.

    `overrides` are arguments of the task, which override its preset, `view` is the preset that determines the views of
    images, `width` is that of the network.
    """

    class_name: str
    preset: str
    task: str
    label: str
    ablation: str | None
    epochs: int
    size: int
    batch: int
    seed: int
    precision: str
    view: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    width: int = WIDTH

    def make_task(self) -> AnomalyTask:
        """The self-supervised task."""
        return bind_task(self.task, self.preset, self.ablation, {**self.overrides, "label": self.label})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; a preset file by its name without the folder."""
        return {**asdict(self), "preset": Path(self.preset).name, "view": Path(self.view).name}


def is_grey(preset: str) -> bool:
    """Whether images are loaded with one channel."""
    return preset.startswith("rcxr")


def preset_of(class_name: str, other: str | None = None) -> str:
    """Preset of a class of MVTec AD or of a product of the samples; for other names `other`, or a ValueError."""
    if class_name in PRODUCTS:
        return PRODUCTS[class_name].preset
    if class_name in PRESETS:
        return class_name
    if other is None:
        raise ValueError(f"--preset must be given for class {class_name!r}, which has no preset")
    return other


def epochs_of(preset: str, ablation: str | None, budget: Budget, images: int, batch: int) -> int:
    """Published number of epochs of a class, or the number for `budget.images` images in whole batches."""
    if budget.images is not None:
        return max(1, round(budget.images / (images // batch * batch)))
    return EPOCHS.get(preset, OTHER_EPOCHS) + (ELLIPSES_EPOCHS if ablation == "D" else 0)
