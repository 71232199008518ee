"""Command line of the example; see `python -m examples.train_detector --help`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import torch
import typer

from examples.train_detector.data import find_classes, load_test_set, load_training_images
from examples.train_detector.report import write_summary
from examples.train_detector.run import run
from examples.train_detector.settings import BUDGETS, Settings, epochs_of, is_grey, preset_of
from examples.train_detector.training import Stopped
from examples.train_detector.views import view_of
from nsa_augment import ABLATIONS
from nsa_augment.labelling import LABELS
from nsa_augment.samples import PRODUCTS, write_samples
from nsa_augment.tasks import TASKS

SHOWN = "weave"
"""Product of the sample set that is trained on where no class is named."""
PRECISIONS = ("float32", "bfloat16", "float16")


def train(
    data: Annotated[Path | None, typer.Option(help="Folder in MVTec AD's layout; none: the embedded samples.")] = None,
    classes: Annotated[
        str | None,
        typer.Option("--class", "--classes", help=f"Names with commas between, or all (default; samples: {SHOWN})."),
    ] = None,
    task: Annotated[str, typer.Option(help=f"{', '.join(TASKS)}.")] = "nsa",
    label: Annotated[str | None, typer.Option(help=f"{', '.join(LABELS)}; none: the paper's.")] = None,
    ablation: Annotated[str | None, typer.Option(help=f"{', '.join(ABLATIONS)}: a variation of the preset.")] = None,
    preset: Annotated[str | None, typer.Option(help="Preset; none: that of the class.")] = None,
    budget: Annotated[str | None, typer.Option(help=f"{', '.join(BUDGETS)}; none: paper (samples: quick).")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Replaces the budget's.")] = None,
    size: Annotated[int | None, typer.Option(min=64, help="Side of the images; replaces the budget's.")] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Replaces the budget's.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first run.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Number of runs of each class.")] = 1,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1...; none: a GPU if there is one.")] = None,
    precision: Annotated[str | None, typer.Option(help=f"{', '.join(PRECISIONS)}; none: by the device.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that make anomalies.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; the same command resumes an unfinished run.")] = None,
) -> None:
    """Train the detector of the NSA paper from scratch and evaluate it on the test images."""
    label = label or TASKS.check("--task", task).label
    LABELS.check("--label", label)
    budget = budget or ("quick" if data is None else "paper")
    _check_choice("--budget", budget, BUDGETS)
    schedule, used = BUDGETS[budget], _device(device)
    parts = "samples" if data is None else None, task, label, ablation, budget
    out = out or Path("runs") / "-".join(filter(None, parts))
    folders = _samples(out / "samples", classes or SHOWN) if data is None else _chosen(find_classes(data), classes)
    precision = precision or _precision(used)
    _check_choice("--precision", precision, PRECISIONS)
    if workers is None:
        workers = 1 if used.type == "cpu" else min(8, os.cpu_count() or 1)
    for name, folder in folders.items():
        load_test_set(folder, size or schedule.size, grey=is_grey(preset or preset_of(name)))  # errors show at once
    for name, folder in folders.items():
        chosen, side = preset or preset_of(name), size or schedule.size
        images = load_training_images(folder, view_of(chosen, side).load_size, grey=is_grey(chosen))
        test_set = load_test_set(folder, side, grey=is_grey(chosen))
        together = min(batch or schedule.batch, len(images))
        for number in range(seed, seed + seeds):
            settings = Settings(
                class_name=name if data else f"{name} sample",  # MVTec AD has a zipper, too
                preset=chosen,
                task=task,
                label=label,
                ablation=ablation,
                epochs=epochs or epochs_of(chosen, ablation, schedule, len(images), together),
                size=side,
                batch=together,
                seed=number,
                precision=precision,
            )
            run(settings, images, test_set, out / name / f"seed{number}", used, workers)
    write_summary(out, [json.loads(path.read_text()) for path in sorted(out.glob("*/seed*/metrics.json"))])
    print((out / "table.md").read_text())
    print(f"written to {out}")


def _samples(folder: Path, names: str) -> dict[str, Path]:
    """Products of the embedded sample set as files, each drawn once."""
    chosen = _chosen({name: folder / name for name in PRODUCTS}, names)
    for name, product in chosen.items():
        if not product.is_dir():
            write_samples(folder, name)
    return chosen


def _chosen(folders: dict[str, Path], names: str | None) -> dict[str, Path]:
    if names in (None, "all"):
        return folders
    for name in names.split(","):
        _check_choice("--class", name, folders)
    return {name: folders[name] for name in names.split(",")}


def _check_choice(option: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise ValueError(f"{option} must be one of {', '.join(map(repr, choices))}, got {value!r}")


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"--device must be one that PyTorch can use here, got {name!r}: {error}") from error
    return device


def _precision(device: torch.device) -> str:
    """The fastest that the device has instructions for."""
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return "bfloat16" if capabilities.get("avx512_bf16") or capabilities.get("bf16") else "float32"


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
