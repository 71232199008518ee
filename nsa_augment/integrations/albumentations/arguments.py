"""Arguments of the transforms and of their calls: sources given per call, and what can be serialized."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nsa_augment._shared.checks import fail
from nsa_augment._shared.types import Image


def pick_source(name: str, given: Any, generator: np.random.Generator) -> Image:
    """The source that a call brings, one of several at random."""
    accepted = 'an image array or a non-empty list of {"image": array}'
    if isinstance(given, Sequence) and not isinstance(given, str):
        if not given:
            raise fail(ValueError, name, accepted, given)
        entry = given[int(generator.integers(len(given)))]
        if not isinstance(entry, Mapping) or "image" not in entry:
            raise fail(TypeError, name, accepted, entry)
        given = entry["image"]
    if not isinstance(given, np.ndarray):
        raise fail(TypeError, name, accepted, given)
    return given


def is_being_printed() -> bool:
    """Whether a container asks for the state in order to print itself (albumentations has one method for both)."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_name == "indented_repr":
            return True
    return False


def plain_sources(sources: Any) -> Any:
    """`sources` with paths as strings."""
    if isinstance(sources, os.PathLike):
        return os.fspath(sources)
    if isinstance(sources, Sequence) and not isinstance(sources, str):
        return [plain_sources(source) for source in sources]
    return sources


def is_plain(value: Any) -> bool:
    """Whether a value consists of what JSON and YAML know."""
    if isinstance(value, Mapping):
        return all(is_plain(entry) for entry in value.values())
    if isinstance(value, (list, tuple)):
        return all(is_plain(entry) for entry in value)
    return value is None or isinstance(value, (str, int, float))
