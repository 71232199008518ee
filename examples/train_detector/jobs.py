"""Runs of a study: each trained once, in parallel processes, and resumed after a stop."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context, parent_process
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import torch

from examples.train_detector.data import TestSet, load_test_set, load_training_images
from examples.train_detector.detection import detect
from examples.train_detector.files import Image, write_bytes
from examples.train_detector.run import dataset_of, make_trainer
from examples.train_detector.settings import Settings, is_grey
from examples.train_detector.training import Stopped, check_same, described
from examples.train_detector.views import view_of

PREDICTIONS = "predictions.npz"

_stop: Callable[[], bool] = lambda: False  # noqa: E731
_RUNNING = threading.Lock()


@dataclass(frozen=True)
class Job:
    """A run: its settings, images and folder for results.

    Attributes
    ----------
    configuration : str
        Name of its configuration.
    settings : Settings
    images : Path
        Folder of the class.
    folder : Path
        Folder of the run.
    """

    configuration: str
    settings: Settings
    images: Path
    folder: Path

    @property
    def finished(self) -> bool:
        """Whether its results exist."""
        return (self.folder / PREDICTIONS).exists()

    @property
    def title(self) -> str:
        """Class, configuration and seed, in a line."""
        return f"{self.settings.class_name}, {self.configuration}, seed {self.settings.seed}"


def check_job(job: Job) -> None:
    """ValueError if the folder has a run with other settings or images, or the task does not accept the images."""
    dataset = dataset_of(job.settings, images_of(job)[0])
    dataset[0]
    config = job.folder / "config.json"
    if config.exists():
        check_same(config, json.loads(config.read_text()), described(job.settings, dataset))


def run_jobs(
    jobs: Sequence[Job], device: torch.device, at_once: int, threads: int, workers: int
) -> Generator[Job, None, None]:
    """Train the unfinished runs in order, several at once; yields each run when it is finished.

    On any end, such as Ctrl-C, every running job first writes its checkpoint, even if this process is killed.
    """
    context = get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(at_once, context, initializer=_start, initargs=(stop, threads))
    try:
        futures = {pool.submit(_run, job, str(device), workers): job for job in jobs if not job.finished}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _start(stop: Event, threads: int) -> None:
    """Prepare a process: only the parent receives Ctrl-C, and signals it through `stop`."""
    global _stop
    _stop = stop.is_set
    threading.Thread(target=_outlive_by_a_checkpoint, args=(stop,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)


def _outlive_by_a_checkpoint(stop: Event) -> None:
    """End this process once its parent is gone and the running job has written its checkpoint."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    stop.set()
    with _RUNNING:
        os._exit(1)


def _run(job: Job, device: str, workers: int) -> None:
    with _RUNNING:
        _train(job, device, workers)


def _train(job: Job, device: str, workers: int) -> None:
    if _stop():
        raise Stopped
    began = time.perf_counter()
    images, test_set = images_of(job)
    used = torch.device(device)
    trainer = make_trainer(job.settings, dataset_of(job.settings, images), job.folder, used, workers)
    trainer.train(lambda *_: None, _stop)
    maps, scores = detect(trainer.network, test_set.images, view_of(job.settings.view, job.settings.size), used)
    seconds = time.perf_counter() - began
    write_bytes(job.folder / "history.json", json.dumps({"seconds": seconds, "epochs": trainer.history}).encode())
    buffer = io.BytesIO()
    np.savez_compressed(buffer, maps=maps, scores=scores, masks=test_set.masks, names=np.asarray(test_set.names))
    write_bytes(job.folder / PREDICTIONS, buffer.getvalue())
    trainer.checkpoint.unlink()


def images_of(job: Job) -> tuple[list[Image], TestSet]:
    """Training images and test set of a run."""
    settings = job.settings
    return load_images(
        job.images, view_of(settings.view, settings.size).load_size, settings.size, is_grey(settings.view)
    )


@lru_cache(maxsize=8)
def load_images(folder: Path, load_size: int, size: int, grey: bool) -> tuple[list[Image], TestSet]:
    """Training images and test set of a class, cached for its next run."""
    return load_training_images(folder, load_size, grey=grey), load_test_set(folder, size, grey=grey)
