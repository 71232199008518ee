"""Explicit signatures of the transforms, from the fields of their tasks."""

from __future__ import annotations

import inspect
from typing import Any

from nsa_augment.tasks import AnomalyTask
from nsa_augment.tasks.signature import explicit_signature


def task_init(cls: type[Any], task: type[AnomalyTask]) -> Any:
    """A constructor with the signature of a task that calls the constructor of the class."""

    def init(self: Any, *args: Any, **parameters: Any) -> None:
        super(cls, self).__init__(*args, **parameters)

    init.__signature__ = explicit_signature(cls.__init__, [task])  # type: ignore[attr-defined]
    init.__name__, init.__qualname__ = "__init__", f"{cls.__qualname__}.__init__"
    return init


def joined_signature(init: Any, base: Any) -> inspect.Signature:
    """Signature of a constructor that passes its `**parameters` on to a base class, with the parameters of both.

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
