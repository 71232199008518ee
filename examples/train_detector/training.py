"""The training loop: Adam with a cosine schedule, checkpoints to resume from, and a stop that loses nothing."""

from __future__ import annotations

import hashlib
import io
import json
import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler

from examples.train_detector.files import write_bytes
from examples.train_detector.network import AnomalyDetector
from examples.train_detector.settings import Settings, is_grey
from nsa_augment.integrations.torch import AnomalyDataset
from nsa_augment.integrations.torch.tensors import image_of
from nsa_augment.labelling import LABELS

FIRST_RATE, LAST_RATE = 1e-3, 1e-6
SECONDS_BETWEEN_CHECKPOINTS = 60
SECONDS_BETWEEN_REPORTS = 0.5
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Report = Callable[[float, float, float], None]


class Stopped(Exception):  # noqa: N818
    """Ctrl-C: the checkpoint is written, and the same command resumes the run."""


class BatchOrder(Sampler[list[int]]):
    """Batches of shuffled indices that depend only on (seed, epoch); `skip` omits those already trained on."""

    def __init__(self, length: int, batch: int, seed: int) -> None:
        self.batch = min(batch, length)
        self.length, self.seed = length, seed
        self.epoch = self.skip = 0

    def __len__(self) -> int:
        return self.length // self.batch - self.skip

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.length).tolist()
        for start in range(self.skip * self.batch, self.length - self.batch + 1, self.batch):
            yield order[start : start + self.batch]


class Trainer:
    """A detector in training.

    Parameters
    ----------
    settings : Settings
    dataset : AnomalyDataset
        Images and labels to train on.
    device : torch.device
    workers : int
        Processes that make anomalies; the result does not depend on their number.
    checkpoint : Path
        File of the state; training resumes from it if it exists.
    """

    def __init__(
        self, settings: Settings, dataset: AnomalyDataset, device: torch.device, workers: int, checkpoint: Path
    ) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.dataset, self.device, self.checkpoint = settings, dataset, device, checkpoint
        continuous = LABELS[settings.label].maximum > 1
        channels = 1 if is_grey(settings.view) else 3
        self.network = AnomalyDetector(channels, continuous=continuous, width=settings.width)
        self.network.to(device, memory_format=torch.channels_last)
        self.loss = nn.functional.mse_loss if continuous else nn.functional.binary_cross_entropy_with_logits
        self.optimizer = torch.optim.Adam(self.network.parameters(), FIRST_RATE, fused=True)
        self.scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "float16")
        self.order = BatchOrder(len(dataset), settings.batch, settings.seed)
        self.loader = DataLoader(
            dataset,
            batch_sampler=self.order,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=device.type == "cuda",
            worker_init_fn=_ignore_interrupts,
        )
        self.inputs = described(settings, dataset)
        self.epoch = self.step = 0
        self.history: list[dict[str, float]] = []
        if checkpoint.exists():
            self._restore()

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in an epoch."""
        return self.order.length // self.order.batch

    def train(self, report: Report, asked_to_stop: Callable[[], bool] = lambda: False) -> None:
        """Train to the end of the schedule; raises `Stopped` on Ctrl-C, or if `asked_to_stop` is true before a step.

        `report` is called about twice a second with the share of the schedule done, loss and images per second.
        """
        self.network.train()
        self._saved = time.perf_counter()
        with _interruptible(asked_to_stop) as interrupted:
            while self.epoch < self.settings.epochs:
                self._train_epoch(report, interrupted)
            self.save()
            if interrupted():
                raise Stopped

    @property
    def done(self) -> float:
        """Share of the schedule that has been trained."""
        return (self.epoch + self.step / self.steps_per_epoch) / self.settings.epochs

    def _train_epoch(self, report: Report, interrupted: Callable[[], bool]) -> None:
        """Train for the rest of an epoch."""
        self.dataset.set_epoch(self.epoch)
        self.order.epoch, self.order.skip = self.epoch, self.step
        losses: list[Tensor] = []
        waited, images, began = 0.0, 0, time.perf_counter()
        shown = began
        batches = iter(self.loader)
        while self.step < self.steps_per_epoch:
            if interrupted():
                self.save()
                raise Stopped
            asked = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - asked
            losses.append(self._train_on(*batch))
            images += len(batch[0])
            self.step += 1
            if time.perf_counter() - self._saved > SECONDS_BETWEEN_CHECKPOINTS:
                self.save()
                self._saved = time.perf_counter()
            if time.perf_counter() - shown > SECONDS_BETWEEN_REPORTS:
                shown = time.perf_counter()
                report(self.done, float(losses[-1]), images / (shown - began))
        mean_loss = float(torch.stack(losses).mean())
        seconds = time.perf_counter() - began
        self.epoch, self.step = self.epoch + 1, 0
        rates = {"images_per_second": images / seconds, "waiting_share": waited / seconds, "seconds": seconds}
        self.history.append({"epoch": self.epoch, "loss": mean_loss, **rates})

    def _train_on(self, images: Tensor, labels: Tensor) -> Tensor:
        rate = LAST_RATE + (FIRST_RATE - LAST_RATE) * (1 + math.cos(math.pi * self.done)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        labels = labels.to(self.device, non_blocking=True)
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.device, self.settings.precision):
            scores = self.network(normalise(images, self.device))
        scores = scores.float()
        loss = self.loss(torch.relu(scores) if self.network.continuous else scores, labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach()

    def save(self) -> None:
        """Write the checkpoint, under a temporary name first."""
        state = {
            "settings": self.inputs,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_bytes(self.checkpoint, buffer.getvalue())

    def _restore(self) -> None:
        state: dict[str, Any] = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        check_same(self.checkpoint, state["settings"], self.inputs)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.epoch, self.step, self.history = state["epoch"], state["step"], state["history"]


def described(settings: Settings, dataset: AnomalyDataset) -> dict[str, Any]:
    """Everything that determines the result, to compare with the record of an earlier run."""
    images = hashlib.sha256(b"".join(image_of(item, "images").tobytes() for item in dataset.images))
    return {**settings.to_dict(), "arguments": repr(dataset.task), "images": images.hexdigest()[:16]}


def check_same(path: Path, made_with: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
    """ValueError if the file was made with other inputs; inputs that are equal as JSON (lists, tuples) are the same."""
    for name, value in inputs.items():
        if json.dumps(made_with.get(name)) != json.dumps(value):
            raise ValueError(
                f"{path} was made with {name} {made_with.get(name)!r}, not {value!r}: use another --out, or remove it"
            )


def normalise(images: Tensor, device: torch.device) -> Tensor:
    """(N, C, H, W) uint8 to float with the mean and deviation of ImageNet (their averages for one channel)."""
    images = images.to(device, non_blocking=True).contiguous(memory_format=torch.channels_last).float() / 255
    mean, deviation = torch.tensor(MEAN, device=device), torch.tensor(DEVIATION, device=device)
    if images.shape[1] == 1:
        mean, deviation = mean.mean(0, keepdim=True), deviation.mean(0, keepdim=True)
    return (images - mean.view(-1, 1, 1)) / deviation.view(-1, 1, 1)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Mixed precision, or nothing for float32."""
    dtype = getattr(torch, precision)
    return torch.autocast(device.type, dtype if dtype != torch.float32 else torch.bfloat16, precision != "float32")


def _ignore_interrupts(_worker: int) -> None:
    """Ignore Ctrl-C, which a terminal sends to all processes; the parent handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _interruptible(asked_to_stop: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a flag, so that the running step is completed; a second one interrupts as usual."""
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, previous)

    previous = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked or asked_to_stop()
    finally:
        signal.signal(signal.SIGINT, previous)
