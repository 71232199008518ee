"""Signatures that spell out the arguments of tasks, for classes that pass them on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from typing import Any, Literal, TypeVar, get_type_hints

from nsa_augment.tasks.base import AnomalyTask

FROM_PRESET = "preset"
"""Default of every argument in such a signature: the value of the preset, or of the task where there is none.

A plain string, so that configuration files can hold it. Tools that pass every default explicitly (jsonargparse,
LightningCLI) thereby leave the preset as it is.
"""


Function = TypeVar("Function", bound=Callable[..., Any])


def explicit_signature(
    function: Callable[..., Any], tasks: Iterable[type[AnomalyTask]], without: Collection[str] = ()
) -> inspect.Signature:
    """Signature of a function with the arguments of tasks in place of its ``**parameters``.

    Parameters
    ----------
    function : callable
        Takes the arguments of a task as ``**parameters``, and leaves out those that are `FROM_PRESET`, as
        `given_parameters` and `bind_task` do.
    tasks : iterable of type of AnomalyTask
        Where several have an argument, its type is that of the first.
    without : collection of str
        Arguments of tasks that the function sets itself. Those that it has under the same name are its own.

    Returns
    -------
    inspect.Signature
        All types are resolved.

    Examples
    --------
    >>> from nsa_augment import NaturalSyntheticAnomaly
    >>> def build(preset: str, **parameters: object) -> None: ...
    >>> signature = explicit_signature(build, [NaturalSyntheticAnomaly])
    >>> list(signature.parameters)[:3], signature.parameters["min_overlap"].default
    (['preset', 'label', 'logistic_midpoint'], 'preset')
    >>> [name for name, one in signature.parameters.items() if one.kind is one.VAR_KEYWORD]
    []
    """
    signature = inspect.signature(function, eval_str=True)
    own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    taken = {*without, *(one.name for one in own)}
    added: dict[str, inspect.Parameter] = {}
    for task in tasks:
        types = get_type_hints(task)
        for field in (field for field in fields(task) if field.name in task.argument_names()):
            kind = types[field.name] | Literal["preset"]
            parameter = inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=FROM_PRESET, annotation=kind
            )
            if field.name not in taken:
                added.setdefault(field.name, parameter)
    return signature.replace(parameters=[*own, *added.values()])


def spell_out(tasks: Iterable[type[AnomalyTask]], without: Collection[str] = ()) -> Callable[[Function], Function]:
    """Decorator: the function shows the signature that `explicit_signature` makes of these arguments.

    Examples
    --------
    >>> from nsa_augment import NaturalSyntheticAnomaly
    >>> @spell_out([NaturalSyntheticAnomaly], without=["label"])
    ... def build(preset: str, **parameters: object) -> None: ...
    >>> list(inspect.signature(build).parameters)[:2]
    ['preset', 'logistic_midpoint']
    """

    def decorate(function: Function) -> Function:
        function.__signature__ = explicit_signature(function, tasks, without)  # type: ignore[attr-defined]
        return function

    return decorate


def given_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the arguments that are not `FROM_PRESET`.

    Examples
    --------
    >>> given_parameters({"max_patches": 2, "label": "preset", "background": None})
    {'max_patches': 2, 'background': None}
    """
    return {name: value for name, value in parameters.items() if not (isinstance(value, str) and value == FROM_PRESET)}


def own_parameters(owner: type) -> frozenset[str]:
    """Names that the constructor of a class takes beside the arguments of tasks.

    Examples
    --------
    >>> class Owner:
    ...     def __init__(self, preset: str, **parameters: object) -> None: ...
    >>> own_parameters(Owner)
    frozenset({'preset'})
    """
    parameters = inspect.signature(owner).parameters.values()
    return frozenset(
        one.name
        for one in parameters
        if one.kind is not one.VAR_KEYWORD and not (isinstance(one.default, str) and one.default == FROM_PRESET)
    )
