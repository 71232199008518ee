"""Signatures that list the arguments of tasks, for classes that pass them on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from typing import Any, Literal, TypeVar, get_type_hints

from nsa_augment.tasks.base import AnomalyTask

FROM_PRESET = "preset"
"""Default of every argument in such a signature: the value of the preset, or of the task without a preset.

A plain string, so that configuration files can hold it, and tools that pass every default explicitly (jsonargparse,
LightningCLI) do not override the preset.
"""


Function = TypeVar("Function", bound=Callable[..., Any])


def explicit_signature(
    function: Callable[..., Any], tasks: Iterable[type[AnomalyTask]], without: Collection[str] = ()
) -> inspect.Signature:
    """Signature of a function with the arguments of tasks in place of its ``**parameters``.

    Parameters
    ----------
    function : callable
        Takes the arguments of a task as ``**parameters``, and ignores those equal to `FROM_PRESET`, like
        `given_parameters` and `bind_task`.
    tasks : iterable of type of AnomalyTask
        If several have an argument, the first one determines its type.
    without : collection of str
        Arguments of tasks that the function sets itself. Parameters of the function take precedence.

    Returns
    -------
    inspect.Signature
        Signature with resolved types.

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
    """Decorator that gives a function the signature from `explicit_signature`.

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
    """The arguments that differ from `FROM_PRESET`.

    Examples
    --------
    >>> given_parameters({"max_patches": 2, "label": "preset", "background": None})
    {'max_patches': 2, 'background': None}
    """
    return {name: value for name, value in parameters.items() if not (isinstance(value, str) and value == FROM_PRESET)}


def own_parameters(owner: type) -> frozenset[str]:
    """Names of the parameters of a class's constructor, except the arguments of tasks.

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
