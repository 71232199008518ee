"""Plain data (mappings, lists, strings, numbers) from JSON and YAML, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

MAX_DEPTH = 32
MAX_VALUES = 100_000
"""Of a YAML file, whose aliases let a few lines stand for billions of values."""


def parse_json(text: str | bytes) -> Any:
    """Read JSON.

    Raises
    ------
    ValueError
        If it is not JSON, repeats a key, holds NaN or Infinity, or is nested more than `MAX_DEPTH` deep.

    Examples
    --------
    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: key 'a' is repeated
    """
    try:
        value = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(f"nested more than {MAX_DEPTH} deep") from None
    _check_extent(value, float("inf"))
    return value


def parse_yaml(text: str) -> Any:
    """Read YAML, without tags for Python objects.

    Raises
    ------
    ValueError
        If it is not YAML, repeats a key, contains itself, is nested more than `MAX_DEPTH` deep or stands for more than
        `MAX_VALUES` values.
    """
    import yaml

    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            _check_node(node, frozenset(), set())
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    except RecursionError:
        raise ValueError(f"nested more than {MAX_DEPTH} deep") from None
    _check_extent(value, MAX_VALUES)
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _check_repeats(key for key, _ in pairs)
    return dict(pairs)


def _check_node(node: Any, above: frozenset[int], done: set[int]) -> None:
    """Refuse YAML that contains itself or repeats a key; keys that are merged in may be replaced."""
    import yaml

    if id(node) in above:
        raise ValueError("it contains itself")
    if id(node) in done or not isinstance(node, yaml.CollectionNode):
        return
    parts = node.value
    if isinstance(node, yaml.MappingNode):
        _check_repeats(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        parts = [value for _, value in node.value]
    for part in parts:
        _check_node(part, above | {id(node)}, done)
    done.add(id(node))


def _check_repeats(keys: Iterable[str]) -> None:
    seen = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"key {key!r} is repeated")
        seen.add(key)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _check_extent(value: Any, most: float) -> None:
    level, count = [value], 0
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, (dict, list)):
                inner += item.values() if isinstance(item, dict) else item
            count += 1
            if count + len(inner) > most:
                raise ValueError(f"it stands for more than {most} values")
        level = inner
        if not level:
            return
    raise ValueError(f"nested more than {MAX_DEPTH} deep")
