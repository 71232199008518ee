"""How a recipe records tasks and their arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from nsa_augment._shared.checks import check_names, fail
from nsa_augment.labelling import LABELS
from nsa_augment.tasks import TASKS, AnomalyTask

LARGEST = 65535
"""Largest value in a file of labels."""


def check_tasks(task: Any) -> list[tuple[str, AnomalyTask]]:
    """Check one or several tasks, and return them with their names; all need the same label, which must fit a file."""
    tasks: Sequence[Any] = task if isinstance(task, (list, tuple)) else [task]
    if not tasks:
        raise fail(ValueError, "task", "a task or several", task)
    named = [(check_task(each), each) for each in tasks]
    names = [name for name, _ in named]
    if len(set(names)) < len(names):
        raise fail(ValueError, "task", "tasks of different names, as each is a class of the dataset", names)
    for argument in ("label", "max_value"):
        values = [getattr(each, argument) for each in tasks]
        if any(value != values[0] for value in values):
            raise fail(ValueError, argument, "the same for all tasks", dict(zip(names, values, strict=True)))
    label = LABELS.check("label", tasks[0].label)
    if label.maximum * label.file_scale > LARGEST:
        accepted = f"one whose maximum * file_scale fits into 16 bits, {LARGEST}"
        raise fail(ValueError, f"label {label.name!r}", accepted, f"{label.maximum:g} * {label.file_scale}")
    return named


def task_from(name: str, arguments: Mapping[str, Any]) -> AnomalyTask:
    """A task with its arguments; arguments newer than the recipe have their defaults."""
    kind = TASKS.check("task", name)
    check_names(kind.__name__, arguments, kind.argument_names())
    return kind(**arguments)


def check_task(task: Any) -> str:
    """The registered name of a task's class, for the recipe."""
    if not isinstance(task, AnomalyTask):
        raise fail(TypeError, "task", f"a task ({', '.join(kind.__name__ for kind in TASKS.values())}...)", task)
    kind = type(task)
    if "name" not in vars(kind):
        message = f"task must be of a class that a recipe can name, got {kind.__qualname__}"
        raise TypeError(f"{message}: give the class its own `name`")
    if TASKS.get(kind.name) is not kind:
        message = f"task must be of the class that is registered as {kind.name!r}, got one of an older definition of it"
        raise TypeError(f"{message}: make the task again")
    return kind.name


def plain_arguments(task: AnomalyTask) -> dict[str, Any]:
    """Keyword arguments that recreate a task, as plain JSON."""
    plain = {}
    names = [item.name for item in fields(task) if item.name in task.argument_names()]
    for name, value in task.given_arguments(names).items():
        try:
            plain[name] = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError) as error:
            accepted = "plain JSON (None, numbers, strings, lists), for the recipe of a dataset"
            raise fail(TypeError, name, accepted, value) from error
    return plain
