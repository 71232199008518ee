"""Explicit signatures of the transforms, from the fields of their tasks."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any, Literal, get_type_hints

from nsa_augment.tasks import AnomalyTask

OF_PRESET = "preset"
"""Default of the arguments of a task: the value of the preset, or of the task where there is none."""


def given_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments that are not left to the preset."""
    return {name: value for name, value in arguments.items() if not (isinstance(value, str) and value == OF_PRESET)}


def task_signature(base: Any, task: type[AnomalyTask]) -> inspect.Signature:
    """Signature of a constructor whose `**parameters` are the arguments of a task.

    Examples
    --------
    >>> from nsa_augment import CutPasteAnomaly
    >>> def base(self, preset=None, **parameters): ...
    >>> list(task_signature(base, CutPasteAnomaly).parameters)[:3]
    ['self', 'preset', 'background']
    """
    hints = get_type_hints(task)
    own = [
        parameter for parameter in inspect.signature(base).parameters.values() if parameter.kind.name != "VAR_KEYWORD"
    ]
    of_task = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=OF_PRESET, annotation=hints[name] | Literal["preset"]
        )
        for name in sorted(field.name for field in fields(task))
    ]
    return inspect.Signature([*own, *of_task])


def task_init(cls: type[Any], task: type[AnomalyTask]) -> Any:
    """A constructor that only has the signature of a task, and calls that of the class it is for."""

    def init(self: Any, *args: Any, **parameters: Any) -> None:
        super(cls, self).__init__(*args, **parameters)

    init.__signature__ = task_signature(cls.__init__, task)  # type: ignore[attr-defined]
    init.__name__, init.__qualname__ = "__init__", f"{cls.__qualname__}.__init__"
    return init


def joined_signature(init: Any, base: Any) -> inspect.Signature:
    """Signature of a constructor that passes its `**parameters` on to that of a base, which has some more.

    Examples
    --------
    >>> def base(self, preset=None, *, p=0.5, **parameters): ...
    >>> def init(self, task, preset=None, **parameters): ...
    >>> str(joined_signature(init, base))
    '(self, task, preset=None, *, p=0.5, **parameters)'
    """
    own = dict(inspect.signature(init).parameters)
    rest = own.popitem()[1]
    added = [value for name, value in inspect.signature(base).parameters.items() if name not in {*own, rest.name}]
    return inspect.Signature([*own.values(), *added, rest])
