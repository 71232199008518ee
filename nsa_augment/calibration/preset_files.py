"""The text of a preset file: arguments of a task in YAML, with comments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nsa_augment._shared.version import VERSION

HEADER = "Arguments of natural synthetic anomalies, for --preset, NSA(preset=...) and from_preset(...)."


def preset_text(
    arguments: Mapping[str, Any], reasons: Mapping[str, str], notes: Sequence[str], maker: str = "calibrate"
) -> str:
    """Text of a preset file: arguments, each with its reason; `maker` is the command that writes it.

    Examples
    --------
    >>> text = preset_text({"height_range": (0.06, 0.8)}, {"height_range": "the object's extent"}, [])
    >>> print(text)  # doctest: +ELLIPSIS
    # Arguments of natural synthetic anomalies, for --preset, NSA(preset=...) and from_preset(...).
    # Made by nsa-augment ...
    height_range: [0.06, 0.8]  # the object's extent
    <BLANKLINE>
    """
    header = [HEADER, f"Made by nsa-augment {VERSION} {maker}.", *notes]
    comments = [f"# {' '.join(line.split())}" for line in header]
    lines = [f"{name}: {json.dumps(value)}  # {reasons[name]}" for name, value in arguments.items()]
    return "\n".join([*comments, *lines, ""])
