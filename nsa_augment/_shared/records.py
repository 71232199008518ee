"""Frozen dataclasses of several kinds as JSON: the name of the kind, and the fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from nsa_augment._shared.checks import fail
from nsa_augment._shared.registry import Registry

Kind = TypeVar("Kind")


def to_record(instance: Any) -> dict[str, Any]:
    """Plain JSON types: the kind and the fields of a dataclass that has a `name`."""
    return {"kind": instance.name, **{name: _plain(value) for name, value in asdict(instance).items()}}


def from_record(argument: str, kinds: Registry[Kind], data: Any) -> tuple[type[Kind], dict[str, Any]]:
    """The class that JSON names, and its arguments; a TypeError or ValueError lists the known ones."""
    if not isinstance(data, Mapping):
        raise fail(TypeError, argument, _accepted(kinds), data)
    arguments = dict(data)
    kind = arguments.pop("kind", None)
    if not isinstance(kind, str) or kind not in kinds or set(arguments) != _fields(kinds[kind]):
        raise fail(ValueError, argument, _accepted(kinds), dict(data))
    return kinds[kind], arguments


def _accepted(registry: Registry[Any]) -> str:
    kinds = [f"{name!r} (with {', '.join(sorted(_fields(kind)))})" for name, kind in registry.items()]
    return f"null or a mapping of kind {' or '.join(kinds)}"


def _fields(kind: type[Any]) -> set[str]:
    return {field.name for field in fields(kind)}


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value
