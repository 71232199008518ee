"""The parts of the reference that are written from the code whenever the site is built."""

import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from typing import Any

from nsa_augment.planning import OUTLINES
from nsa_augment.planning.patterns.base import PATTERNS
from nsa_augment.tasks import ABLATIONS, PRESETS, TASKS


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def commands() -> str:
    """Every command with its arguments and options, as Typer describes them."""
    command = [sys.executable, "-m", "typer", "nsa_augment.cli", "utils", "docs", "--name", "nsa-augment"]
    written = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return written[written.index("\n## ") :]


def presets() -> str:
    """Table 4 of the paper, with a row for each preset."""
    columns = list(dict.fromkeys(name for preset in PRESETS.values() for name in preset))
    rows = ([f"`{name}`", *(plain(preset.get(column)) for column in columns)] for name, preset in PRESETS.items())
    return table(["preset", *(column.replace("_", "_<br>") for column in columns)], rows)


def own_presets() -> str:
    """Presets of single tasks."""
    owners = ((task, kind.own_presets) for task, kind in TASKS.items())
    rows = ([f"`{task}`", f"`{name}`", arguments(preset)] for task, own in owners for name, preset in own.items())
    return table(("task", "preset", "arguments"), rows)


def ablations() -> str:
    """What each ablation replaces."""
    return table(("ablation", "arguments"), ([f"`{name}`", arguments(given)] for name, given in ABLATIONS.items()))


def task_arguments() -> str:
    """Every argument with its default in every task; empty where a task does not take it."""
    taken = {name: kind.argument_names() for name, kind in TASKS.items()}
    defaults = {name: {field.name: field.default for field in fields(kind)} for name, kind in TASKS.items()}
    names = dict.fromkeys(field.name for kind in TASKS.values() for field in fields(kind))
    rows = (
        [f"`{name}`", *(default(defaults[task][name]) if name in taken[task] else "" for task in TASKS)]
        for name in names
    )
    return table(["argument", *(f"`{task}`" for task in TASKS)], rows)


def outlines() -> str:
    """The fields of every outline in a plan."""
    return _kinds(OUTLINES)


def patterns() -> str:
    """The fields of every pattern in a plan."""
    return _kinds(PATTERNS)


def _kinds(registry: Any) -> str:
    rows = ([f"`{name}`", ", ".join(f"`{field.name}`" for field in fields(kind))] for name, kind in registry.items())
    return table(("`kind`", "further fields"), rows)


def arguments(given: Any) -> str:
    """Arguments with their values, as they are written in Python."""
    return ", ".join(f"`{name}={plain(value)}`" for name, value in given.items())


def default(value: Any) -> str:
    """A default, or that there is none."""
    return "required" if value is MISSING else plain(value)


def plain(value: Any) -> str:
    """A value as people write it: three digits of a float, spaces after commas."""
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(plain, value))})"
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:.3g}" if isinstance(value, float) else str(value)


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part for part in (commands, presets, own_presets, ablations, task_arguments, outlines, patterns)
}
"""What `<!-- generated: NAME -->` in a page stands for."""
