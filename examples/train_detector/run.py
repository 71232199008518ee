"""One run: train on a class with a seed, score its test images, write the report."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from examples.train_detector.data import TestSet, as_shown
from examples.train_detector.detection import detect
from examples.train_detector.files import Image, write_bytes
from examples.train_detector.report import Outcome, write_report
from examples.train_detector.settings import Settings
from examples.train_detector.training import Trainer
from examples.train_detector.views import view_of
from nsa_augment.integrations.torch import AnomalyDataset

RATE_SAMPLES = 50


def run(
    settings: Settings,
    training_images: list[Image],
    test_set: TestSet,
    folder: Path,
    device: torch.device,
    workers: int,
) -> None:
    """Train, or resume training, evaluate, and write the report into `folder`.

    Raises
    ------
    Stopped
        On Ctrl-C, after the checkpoint is written.
    """
    dataset = dataset_of(settings, training_images)
    trainer = make_trainer(settings, dataset, folder, device, workers)
    _train(trainer, f"{settings.class_name}, seed {settings.seed}")
    maps, scores = detect(trainer.network, test_set.images, view_of(settings.view, settings.size), device)
    outcome = Outcome(
        class_name=settings.class_name,
        task=settings.task,
        label=settings.label,
        ablation=settings.ablation,
        seed=settings.seed,
        images=np.stack([as_shown(image) for image in test_set.images]),
        masks=test_set.masks,
        maps=maps,
        scores=scores,
        names=test_set.names,
        history=trainer.history,
    )
    rates = {"training": _speed(trainer.history), "augmentation_images_per_second": _augmentation_rate(dataset)}
    rates["training_seconds"] = sum(epoch["seconds"] for epoch in trainer.history)
    machine = {"device": _name(device), "workers": workers, "torch": torch.__version__}
    write_report(folder, outcome, {"settings": settings.to_dict(), **rates, **machine, "history": trainer.history})


def dataset_of(settings: Settings, images: list[Image]) -> AnomalyDataset:
    """Training images with anomalies, as in a run."""
    view = view_of(settings.view, settings.size)
    return AnomalyDataset(images, settings.make_task(), view_transform=view, seed=settings.seed)


def make_trainer(
    settings: Settings, dataset: AnomalyDataset, folder: Path, device: torch.device, workers: int
) -> Trainer:
    """A trainer with its checkpoint in `folder`, beside config.json, which holds all that determines the result."""
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(settings, dataset, device, workers, folder / "checkpoint.pt")
    write_bytes(folder / "config.json", json.dumps(trainer.inputs, indent=2).encode())
    return trainer


def _train(trainer: Trainer, description: str) -> None:
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}"), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(description, total=1.0, figures="", completed=trainer.done)

        def report(done: float, loss: float, rate: float) -> None:
            bars.update(bar, completed=done, figures=f"loss {loss:.4f}, {rate:.0f} images/s")

        trainer.train(report)
    print(f"{description}: trained for {trainer.epoch} epochs, loss {trainer.history[-1]['loss']:.4f}", flush=True)


def _speed(history: list[dict[str, float]]) -> dict[str, float]:
    """Medians over the epochs after the first, in which workers start and code is compiled."""
    usual = history[1:] or history
    return {name: float(np.median([epoch[name] for epoch in usual])) for name in ("images_per_second", "waiting_share")}


def _augmentation_rate(dataset: AnomalyDataset) -> float:
    """Images with anomalies per second of one process, including views."""
    dataset[0]  # compiles, as only workers have made items so far
    began = time.perf_counter()
    for index in range(RATE_SAMPLES):
        dataset[index % len(dataset)]
    return RATE_SAMPLES / (time.perf_counter() - began)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu, {torch.get_num_threads()} threads"
