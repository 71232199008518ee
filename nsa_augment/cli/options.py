"""What the commands share: options, tasks from options, progress."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from nsa_augment.tasks import TASKS, AnomalyTask, bind_task

Output = Annotated[Path, typer.Option("--output", "-o", help="PNG file to write.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed makes the same picture.")]
Preset = Annotated[str, typer.Option(help="A row of `nsa-augment presets`, or a YAML file of `calibrate`.")]
Task = Annotated[str, typer.Option(help=f"{', '.join(TASKS)}.")]
Label = Annotated[str | None, typer.Option(help="binary, continuous, logistic or (fpi, pii) factor.")]
Ablation = Annotated[str | None, typer.Option(help="A, B, C or D: a variation of the preset in the paper.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Replace an argument of the preset: --set background=200,60"),
]


def progress(items: Iterable[Any], description: str) -> Iterable[Any]:
    """Show a progress bar while iterating, where someone watches."""
    console = Console(stderr=True)
    return track(list(items), description, console=console, transient=True) if console.is_terminal else items


def make_task(
    name: str,
    preset: str,
    label: str | None,
    ablation: str | None = None,
    overrides: list[str] | None = None,
    *,
    deep: bool = False,
) -> AnomalyTask:
    """Bind a task to the options of a command; `deep`: of one that works on 16 bits, too."""
    arguments = parse_overrides(overrides or [])
    if label is not None:
        arguments["label"] = label
    task = bind_task(name, preset, ablation, arguments, "--task")
    if not deep:
        check_eight_bits(task)
    return task


def check_eight_bits(task: AnomalyTask) -> None:
    """Refuse a full scale other than that of 8-bit images."""
    if task.max_value is not None:
        raise ValueError(f"max_value must be left out here, where images have 8 bits, got {task.max_value:g}")


def parse_overrides(overrides: list[str]) -> dict[str, Any]:
    """Keyword arguments from NAME=VALUE; values are Python literals, anything else is a string."""
    arguments: dict[str, Any] = {}
    for entry in overrides:
        name, separator, text = entry.partition("=")
        if not separator or not name.isidentifier():
            raise ValueError(f"--set must be NAME=VALUE, got {entry!r}")
        try:
            arguments[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            arguments[name] = text
    return arguments


def check_output(output: Path) -> None:
    """Refuse a picture that could not be written, before any work is done."""
    if output.suffix.lower() != ".png":
        raise ValueError(f"--output must end in .png, got {output}")
    if not output.parent.is_dir():
        raise ValueError(f"--output must lie in an existing folder, got {output}")
