"""Command line of the example; see `python -m examples.train_detector --help`."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from examples.train_detector.configurations import CALIBRATED, Configuration, calibrated_preset
from examples.train_detector.data import load_test_set, load_training_images
from examples.train_detector.options import PRECISIONS, check_choice, device_of, folders_of, precision_of, shown_name
from examples.train_detector.report import write_summary
from examples.train_detector.run import run
from examples.train_detector.settings import BUDGETS, Settings, epochs_of, is_grey, preset_of
from examples.train_detector.training import Stopped
from examples.train_detector.views import view_of
from nsa_augment import ABLATIONS
from nsa_augment.cli.options import parse_overrides
from nsa_augment.labelling import LABELS
from nsa_augment.tasks import TASKS

SHOWN = "weave"
"""Product of the sample set to train on if no class is named."""


def train(
    data: Annotated[
        Path | None, typer.Option(help="Folder in the layout of MVTec AD. Default: the embedded samples.")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            "--class", "--classes", help=f"Names separated by commas, or all. Default: all; of the samples: {SHOWN}."
        ),
    ] = None,
    task: Annotated[str, typer.Option(help=f"{', '.join(TASKS)}.")] = "nsa",
    label: Annotated[str | None, typer.Option(help=f"{', '.join(LABELS)}. Default: the paper's.")] = None,
    ablation: Annotated[str | None, typer.Option(help=f"{', '.join(ABLATIONS)}: an ablation of the paper.")] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Preset, YAML file, or calibrated (estimated from the images). Default: that of the class."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Replace an argument of the preset; may be repeated."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help=f"{', '.join(BUDGETS)}. Default: paper; of the samples: quick.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Number of epochs. Default: the budget's.")] = None,
    size: Annotated[int | None, typer.Option(min=64, help="Side length of the images. Default: the budget's.")] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Images per batch. Default: the budget's.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first run.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Number of runs per class.")] = 1,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1... Default: a GPU if there is one.")] = None,
    precision: Annotated[str | None, typer.Option(help=f"{', '.join(PRECISIONS)}. Default: by device.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that make anomalies.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; the same command resumes an unfinished run.")
    ] = None,
) -> None:
    """Train the detector of the NSA paper from scratch and evaluate it on the test images."""
    TASKS.check("--task", task)
    if label is not None:
        LABELS.check("--label", label)
    chosen = Configuration(
        task=task, preset=preset, label=label, ablation=ablation, set=parse_overrides(overrides or [])
    )
    budget = budget or ("quick" if data is None else "paper")
    check_choice("--budget", budget, BUDGETS)
    schedule, used = BUDGETS[budget], device_of(device)
    parts = "samples" if data is None else None, task, label or TASKS[task].label, ablation, budget
    out = out or Path("runs") / "-".join(filter(None, parts))
    folders = folders_of(data, classes or (SHOWN if data is None else None), out / "samples")
    precision = precision_of(precision, used)
    if workers is None:
        workers = 1 if used.type == "cpu" else min(8, os.cpu_count() or 1)
    for name, folder in folders.items():
        load_test_set(folder, size or schedule.size, grey=is_grey(preset_of(name, preset)))  # shows errors at once
    for name, folder in folders.items():
        calibrated = partial(calibrated_preset, folder, out / "presets" / f"{name}.yaml")
        view, side = preset_of(name, calibrated() if preset == CALIBRATED else preset), size or schedule.size
        images = load_training_images(folder, view_of(view, side).load_size, grey=is_grey(view))
        test_set = load_test_set(folder, side, grey=is_grey(view))
        together = min(batch or schedule.batch, len(images))
        bound = chosen.bind(view, calibrated)
        for number in range(seed, seed + seeds):
            settings = Settings(
                class_name=shown_name(name, data),
                epochs=epochs or epochs_of(view, ablation, schedule, len(images), together),
                size=side,
                batch=together,
                seed=number,
                precision=precision,
                view=view,
                **bound,
            )
            run(settings, images, test_set, out / name / f"seed{number}", used, workers)
    write_summary(out, [json.loads(path.read_text()) for path in sorted(out.glob("*/seed*/metrics.json"))])
    print((out / "table.md").read_text())
    print(f"wrote {out}")


def main() -> None:
    """Run the command; errors that the user can correct are printed in one line."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(train)
    try:
        app()
    except Stopped:
        print("stopped; the same command resumes from the checkpoint", file=sys.stderr)
        sys.exit(130)
    except (ValueError, TypeError, OSError) as error:
        print(f"train_detector: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
