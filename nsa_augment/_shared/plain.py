"""Plain data (mappings, lists, strings, numbers) from untrusted JSON and YAML."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

MAX_DEPTH = 32
MAX_VALUES = 100_000
"""Most values of a YAML file, as aliases let a few lines stand for billions."""
MERGE = "tag:yaml.org,2002:merge"


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
            _Nodes(loader.construct_object).check(node)
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except RecursionError:
        raise ValueError(f"nested more than {MAX_DEPTH} deep") from None
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    except (LookupError, AttributeError, OverflowError) as error:  # a tag with a text that is no value of it
        raise ValueError(f"a value is not what its tag says ({type(error).__name__}: {error})") from error
    _check_extent(value, MAX_VALUES)
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _check_repeats((key, key) for key, _ in pairs)
    return dict(pairs)


class _Nodes:
    """Checked nodes of a YAML document, with the number of their entries after merging."""

    def __init__(self, construct: Callable[[Any], Any]) -> None:
        self._construct = construct
        self._entries: dict[int, int] = {}
        self._total = 0

    def check(self, node: Any, above: frozenset[int] = frozenset()) -> None:
        """Refuse a node that contains itself, repeats a key (except merged ones) or stands for too many values."""
        import yaml

        if id(node) in above:
            raise ValueError("it contains itself")
        if id(node) in self._entries or not isinstance(node, yaml.CollectionNode):
            return
        mapping = isinstance(node, yaml.MappingNode)
        for part in [value for _, value in node.value] if mapping else node.value:
            self.check(part, above | {id(node)})
        entries = len(node.value)
        if mapping:
            scalars = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            _check_repeats((key.tag if key.tag == MERGE else self._construct(key), key.value) for key in scalars)
            for value in [value for key, value in node.value if key.tag == MERGE]:
                parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
                entries += sum(self._entries.get(id(part), 0) for part in parts)
        self._entries[id(node)] = entries
        self._total += entries
        if self._total > MAX_VALUES:
            raise ValueError(f"it stands for more than {MAX_VALUES} values")


def _check_repeats(keys: Iterable[tuple[Any, str]]) -> None:
    """ValueError, with the text of the second one, if two keys mean the same (in YAML, `yes` and `true`)."""
    seen = set()
    for key, text in keys:
        if key in seen:
            raise ValueError(f"key {text!r} is repeated")
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
