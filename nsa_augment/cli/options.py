"""What the commands share: options, tasks made from them, tables and progress bars."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from nsa_augment._shared.checks import fail
from nsa_augment._shared.scale import Scale
from nsa_augment.blending import BLENDINGS
from nsa_augment.blending.solvers import SOLVERS
from nsa_augment.labelling import LABELS
from nsa_augment.planning.outlines import OUTLINES
from nsa_augment.tasks import ABLATIONS, TASKS, AnomalyTask, bind_task

WIDTH = 140
"""Width of tables, in characters, when not printed to a terminal."""


def _label_help() -> str:
    """The labels, each with the tasks it suits, unless it suits all."""
    texts = []
    for name, label in LABELS.items():
        suited = [task for task, kind in TASKS.items() if label.unsuited(kind) is None]
        texts.append(name if len(suited) == len(TASKS) else f"{name} (of {', '.join(suited)})")
    return f"{', '.join(texts)}. Default: that of the task."


def _set_help() -> str:
    choices = {
        "label": LABELS,
        "shape": [name for name, outline in OUTLINES.items() if outline.drawable],
        "solver": SOLVERS,
        "blending": BLENDINGS,
    }
    known = [f"{name}: {', '.join(kinds)}" for name, kinds in choices.items()]
    return f"Replace an argument, as in --set background=200,60; may be repeated. Choices for {'; '.join(known)}."


Output = Annotated[Path, typer.Option("--output", "-o", help="PNG file to write.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed makes the same picture.")]
Preset = Annotated[str, typer.Option(help="A name from `nsa-augment presets`, or a YAML file from `calibrate`.")]
Task = Annotated[str, typer.Option(help=f"{', '.join(TASKS)}.")]
Label = Annotated[str | None, typer.Option(help=_label_help())]
Ablation = Annotated[str | None, typer.Option(help=f"{', '.join(ABLATIONS)}: an ablation of the paper.")]
MaxValue = Annotated[
    float | None, typer.Option("--max-value", help="Pixel value of grey level 255, as 4095 for 12 bits in 16.")
]
Recursive = Annotated[bool, typer.Option("--recursive", help="Read subfolders, too.")]
SkipDamaged = Annotated[bool, typer.Option("--skip-damaged", help="Skip files that cannot be decoded.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=_set_help())]

Bank = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Defects for --task bank: a folder with test/ and ground_truth/, or images/ and masks/."
    ),
]
ObjectMasks = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|alpha",
        help="Object masks, instead of a background: a folder with a mask of the same name for each image, or `alpha` "
        "for the alpha channel of the images.",
    ),
]
AllowedMasks = Annotated[
    str | None,
    typer.Option(metavar="DIR|alpha", help="Masks of where patches may land, given as for --object-masks."),
]


def make_task(
    name: str,
    preset: str,
    label: str | None,
    ablation: str | None = None,
    overrides: list[str] | None = None,
    max_value: float | None = None,
    bank: Path | None = None,
) -> AnomalyTask:
    """Bind a task to the options of a command."""
    arguments = _arguments(overrides, max_value)
    if bank is not None:
        arguments["bank"] = str(bank)
    if label is not None:
        arguments["label"] = label
    return bind_task(name, preset, ablation, arguments, "--task")


def in_eight_bits(task: AnomalyTask) -> tuple[AnomalyTask, Scale]:
    """The task for 8-bit images, and the scale of the files they are read from."""
    return task.replaced(max_value=None), task.scale


def make_all_tasks(
    preset: str, ablation: str | None, overrides: list[str] | None, max_value: float | None = None
) -> dict[str, AnomalyTask]:
    """All tasks, each with the overrides it accepts and a label that suits it.

    Tasks without a required argument are left out.
    """
    arguments = _arguments(overrides, max_value)
    if "label" in arguments:
        raise ValueError("--set label must be left out: compare shows all labels")
    known = {name: task.argument_names() for name, task in TASKS.items()}
    accepted = set().union(*known.values())
    if unknown := sorted(set(arguments) - accepted):
        raise fail(ValueError, "--set", f"NAME=VALUE with a name of {', '.join(sorted(accepted))}", unknown[0])
    tasks = {}
    for name, kind in TASKS.items():
        usable = known[name] if kind.shift else known[name] - {"scale_range"}
        own = {key: value for key, value in arguments.items() if key in usable}
        if not kind.required <= own.keys():
            continue
        label = next(label for label in LABELS if LABELS[label].unsuited(kind) is None)
        tasks[name] = bind_task(name, preset, ablation, {**own, "label": label})
    return tasks


def _arguments(overrides: list[str] | None, max_value: float | None) -> dict[str, Any]:
    arguments = parse_overrides(overrides or [])
    if max_value is not None:
        if "max_value" in arguments:
            raise ValueError("--max-value must be left out beside --set max_value")
        arguments["max_value"] = max_value
    return arguments


def parse_overrides(overrides: list[str]) -> dict[str, Any]:
    """Keyword arguments from NAME=VALUE; values are Python literals, anything else is a string.

    Examples
    --------
    >>> parse_overrides(["background=200,60", "shape=ellipses"])
    {'background': (200, 60), 'shape': 'ellipses'}
    """
    arguments: dict[str, Any] = {}
    for entry in overrides:
        name, separator, text = entry.partition("=")
        if not separator or not name.isidentifier():
            raise ValueError(f"--set must be NAME=VALUE, got {entry!r}")
        try:
            arguments[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            arguments[name] = text
    return arguments


def table_console() -> Console:
    """Console for tables: wide enough for all columns when it is not a terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def progress(items: Iterable[Any], description: str) -> Iterable[Any]:
    """Show a progress bar while iterating, in a terminal."""
    console = Console(stderr=True)
    return track(list(items), description, console=console, transient=True) if console.is_terminal else items
