"""A task from its name, a preset, an ablation and further arguments."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from nsa_augment._shared.checks import check_names, fail
from nsa_augment.tasks.base import TASKS, AnomalyTask
from nsa_augment.tasks.signature import given_parameters, own_parameters


def bind_task(
    task: str | AnomalyTask,
    preset: str | PathLike[str] | None = None,
    ablation: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    argument: str = "task",
    owner: type | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> AnomalyTask:
    """Create a task with its arguments, for every entry point.

    Parameters
    ----------
    task : str or AnomalyTask
        One of `TASKS`; or an instance, which excludes the other arguments.
    preset : str or path-like, optional
        One of `PRESETS`, or a YAML file; None: the defaults of the task.
    ablation : str, optional
        One of `ABLATIONS`, for a preset.
    arguments : mapping, optional
        Keyword arguments, which override the preset; those equal to `signature.FROM_PRESET` are ignored.
    argument : str
        Name of `task` in errors.
    owner : type, optional
        Class whose constructor passes its ``**parameters`` on: errors about unknown ones name it, and list its other
        parameters with those of the task. None: the class of the task.
    fixed : mapping, optional
        Arguments that the owner sets itself, also in a task object; in `arguments` they are unknown.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.

    Examples
    --------
    >>> bind_task("cutpaste", "screw", arguments={"max_patches": 1}).height_range
    (0.06, 0.24)
    """
    own, fixed = given_parameters(arguments or {}), dict(fixed or {})
    if isinstance(task, AnomalyTask):
        given = {"preset": preset, "ablation": ablation}
        for name, value in ({name: value for name, value in given.items() if value is not None} | own).items():
            raise fail(TypeError, name, f"left out if {argument} is an AnomalyTask", value)
        return task.replaced(**fixed) if fixed else task
    task_class = TASKS.check(argument, task)
    accepted = task_class.argument_names() - fixed.keys() | (frozenset() if owner is None else own_parameters(owner))
    check_names((owner or task_class).__name__, own, accepted)
    own |= fixed
    if preset is not None:
        return task_class.from_preset(preset, ablation=ablation, **own)
    if ablation is not None:
        raise fail(ValueError, "ablation", "None without a preset", ablation)
    return task_class(**own)
