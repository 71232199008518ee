"""Configurations x seeds x classes at one budget: `python -m examples.train_detector.study --help`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from examples.train_detector.configurations import (
    CALIBRATED,
    Configuration,
    calibrated_preset,
    read_configurations,
    suits,
)
from examples.train_detector.files import write_bytes
from examples.train_detector.jobs import PREDICTIONS, Job, check_job, load_images, run_jobs
from examples.train_detector.network import WIDTH
from examples.train_detector.options import PRECISIONS, cores, device_of, folders_of, precision_of, shown_name
from examples.train_detector.settings import BUDGETS, Settings, epochs_of, is_grey, preset_of
from examples.train_detector.sheet import draw_sheet
from examples.train_detector.training import Stopped
from examples.train_detector.views import view_of
from examples.train_detector.worth import RunKey, as_csv, as_markdown, measure_runs, study_table

STUDIES = Path("runs/study")
SHIPPED = Path(__file__).with_name("study.yaml")
BUDGET = BUDGETS["quick"]
NOTE = (
    "Percent: mean ± standard error over the seeds. Differences to {first}, paired over seeds and test images: mean ± "
    "standard error over the seeds [95 % bootstrap interval over the test images], bold where the interval excludes 0."
)


def study(
    configurations: Annotated[
        Path, typer.Option(help="YAML file of configurations by name; the others are compared with the first.")
    ] = SHIPPED,
    data: Annotated[
        Path | None, typer.Option(help="Folder in the layout of MVTec AD. Default: the embedded samples.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option("--class", "--classes", help="Names separated by commas. Default: all.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Preset for classes without one, or calibrated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of runs per class and configuration.")] = 3,
    epochs: Annotated[
        int | None, typer.Option(min=1, help=f"Number of epochs. Default: enough for {BUDGET.images} images.")
    ] = None,
    size: Annotated[int, typer.Option(min=64, help="Side length of the images.")] = BUDGET.size,
    batch: Annotated[int, typer.Option(min=2)] = BUDGET.batch,
    width: Annotated[
        int, typer.Option(min=32, help=f"Channels of the network's first stage; {WIDTH}: the paper's network.")
    ] = WIDTH,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Runs at once. Default: one per core, or one on a GPU.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1... Default: a GPU if there is one.")] = None,
    precision: Annotated[str | None, typer.Option(help=f"{', '.join(PRECISIONS)}. Default: by device.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that make anomalies, per run.")] = None,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Do not train; write the results of the finished runs.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder; the same command resumes an unfinished study.")] = STUDIES,
) -> None:
    """Train the detector with every configuration on every class and seed, and compare the configurations."""
    chosen, used = read_configurations(configurations), device_of(device)
    folders = folders_of(data, classes, out / "samples")
    common: dict[str, Any] = {"size": size, "width": width, "precision": precision_of(precision, used)}
    found: list[Job] = []
    for name, folder in folders.items():
        calibrated = partial(calibrated_preset, folder, out / "presets" / f"{name}.yaml")
        view = preset_of(name, calibrated() if preset == CALIBRATED else preset)
        images, _ = load_images(folder, view_of(view, size).load_size, size, is_grey(view))
        together = min(batch, len(images))
        rounds = epochs or epochs_of(view, None, BUDGET, len(images), together)
        common |= {"class_name": shown_name(name, data), "epochs": rounds, "batch": together, "view": view}
        for title, configuration in chosen.items():
            bound = _bound(title, configuration, view, calibrated)
            for seed in range(seeds):
                settings = Settings(seed=seed, **common, **bound)
                if suits(settings.make_task()):
                    found.append(Job(title, settings, folder, out / "runs" / title / name / f"seed{seed}"))
    if not found:
        raise ValueError(f"no configuration of {configurations} suits the classes: all need a background")
    found.sort(key=lambda job: job.settings.seed)
    for job in found:
        check_job(job)
    at_once, threads, helpers = _shares(used, jobs, workers, len(found))
    if not report_only:
        _train(found, used, at_once, threads, helpers)
    write_results(out, list(chosen), found)
    print(f"wrote study.md, study.csv and a picture of each class to {out}")


def _bound(title: str, configuration: Configuration, view: str, calibrated: Callable[[], str]) -> dict[str, Any]:
    try:
        return configuration.bind(view, calibrated)
    except (TypeError, ValueError) as error:
        raise ValueError(f"configuration {title}: {error}") from error


def _shares(device: torch.device, jobs: int | None, workers: int | None, runs: int) -> tuple[int, int, int]:
    """Number of runs at once, and threads and workers of each."""
    available = cores()
    if device.type == "cpu":
        at_once = min(jobs or available, runs)
        return at_once, max(1, available // at_once), workers or 0
    at_once = jobs or 1
    return at_once, max(1, available // at_once), min(8, available // at_once) if workers is None else workers


def _train(jobs: Sequence[Job], device: torch.device, at_once: int, threads: int, workers: int) -> None:
    missing = [job for job in jobs if not job.finished]
    print(f"{len(missing)} of {len(jobs)} runs to train, {at_once} at once with {threads} threads each", flush=True)
    began = time.perf_counter()
    try:
        with closing(run_jobs(missing, device, at_once, threads, workers)) as finished:
            for done, job in enumerate(finished, 1):
                left = (time.perf_counter() - began) / done * (len(missing) - done) / 60
                print(f"{done} of {len(missing)}: {job.title}; about {left:.0f} minutes left", flush=True)
    except KeyboardInterrupt:
        raise Stopped from None


def write_results(out: Path, configurations: Sequence[str], jobs: Sequence[Job]) -> None:
    """Write study.md, study.csv and a sheet for each class from the finished runs.

    Raises
    ------
    ValueError
        If there are none, or two runs of a class have different test images.
    """
    paths = {
        RunKey(job.settings.class_name, job.configuration, job.settings.seed): job.folder / PREDICTIONS
        for job in jobs
        if job.finished
    }
    if not paths:
        raise ValueError(f"no finished run in {out}")
    rows = study_table(measure_runs(paths), configurations)
    settings = jobs[0].settings
    schedule = f"batches of {settings.batch}, {settings.epochs} epochs, width {settings.width}"
    budget = f"{settings.size} x {settings.size} pixels, {schedule}"
    text = f"# Study\n\n{budget}, {len(paths)} runs.\n\n{NOTE.format(first=configurations[0])}\n\n{as_markdown(rows)}"
    write_bytes(out / "study.csv", as_csv(rows).encode())
    for name in dict.fromkeys(key.class_name for key in paths):
        shown: dict[str, Job] = {}
        for job in jobs:
            if job.finished and job.settings.class_name == name:
                shown.setdefault(job.configuration, job)
        draw_sheet(shown, out / f"{name}.png".replace(" ", "_"))
    write_bytes(out / "study.md", text.encode())


def main() -> None:
    """Run the command; errors that the user can correct are printed in one line."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(study)
    try:
        app()
    except Stopped:
        print(
            "stopped; the same command resumes from the checkpoints, or writes the results so far with --report-only",
            file=sys.stderr,
        )
        sys.exit(130)
    except (ValueError, TypeError, OSError) as error:
        print(f"study: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
