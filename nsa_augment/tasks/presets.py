"""Parameters of the paper as data (Table 4, one entry per class), and parameters from YAML files."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nsa_augment._shared.checks import fail
from nsa_augment._shared.plain import parse_yaml
from nsa_augment.planning.selection import NATURAL_GAMMA

_BRIGHT_BACKGROUND: dict[str, Any] = {"background": (200.0, 60.0)}
_DARK_BACKGROUND: dict[str, Any] = {"background": (20.0, 20.0)}
_CHEST_XRAY: dict[str, Any] = {
    "background": (0.0, 20.0),
    "min_object": 0.70,
    "min_overlap": 0.70,
    "size_gamma": (2.0, 0.03, 0.05),
}


def _preset(
    max_patches: int,
    height_range: tuple[float, float],
    width_range: tuple[float, float],
    midpoint: float,
    steepness: float,
    gradient: str,
    *,
    min_object: float | None = None,
    scale_range: tuple[float, float] = (0.7, 1.3),
    **more: Any,
) -> MappingProxyType[str, Any]:
    constraints = {} if min_object is None else {"min_object": min_object, "min_overlap": 0.25}
    return MappingProxyType(
        {
            "max_patches": max_patches,
            "height_range": height_range,
            "width_range": width_range,
            "scale_range": scale_range,
            "logistic_midpoint": midpoint,
            "logistic_steepness": steepness,
            "gradient": gradient,
            "size_gamma": NATURAL_GAMMA,
            **constraints,
            **more,
        }
    )


_ANY = (0.06, 0.80)
_TEXTURE = _preset(4, _ANY, _ANY, 7.0, 1 / 3, "mixed", scale_range=(0.5, 2.0))
_RCXR = _preset(3, _ANY, _ANY, 4.0, 1 / 2, "mixed", **_CHEST_XRAY)

PRESETS: MappingProxyType[str, MappingProxyType[str, Any]] = MappingProxyType(
    {
        "bottle": _preset(3, _ANY, _ANY, 24.0, 1 / 12, "source", min_object=0.70, **_BRIGHT_BACKGROUND),
        "cable": _preset(3, (0.10, 0.80), (0.10, 0.80), 24.0, 1 / 12, "source"),
        "capsule": _preset(3, (0.06, 0.30), _ANY, 4.0, 1 / 2, "source", min_object=0.70, **_BRIGHT_BACKGROUND),
        "hazelnut": _preset(3, (0.06, 0.70), (0.06, 0.70), 24.0, 1 / 12, "source", min_object=0.70, **_DARK_BACKGROUND),
        "metal_nut": _preset(3, _ANY, _ANY, 7.0, 1 / 3, "source", min_object=0.50, **_DARK_BACKGROUND),
        "pill": _preset(3, (0.06, 0.40), _ANY, 7.0, 1 / 3, "source", min_object=0.70, **_DARK_BACKGROUND),
        "screw": _preset(4, (0.06, 0.24), (0.06, 0.24), 3.0, 1.0, "source", min_object=0.50, **_BRIGHT_BACKGROUND),
        "toothbrush": _preset(3, _ANY, (0.06, 0.40), 15.0, 1 / 6, "source", min_object=0.25, **_DARK_BACKGROUND),
        "transistor": _preset(3, _ANY, _ANY, 15.0, 1 / 6, "source"),
        "zipper": _preset(4, _ANY, (0.06, 0.40), 15.0, 1 / 6, "source", min_object=0.70, **_BRIGHT_BACKGROUND),
        "carpet": _TEXTURE,
        "grid": _TEXTURE,
        "leather": _TEXTURE,
        "tile": _TEXTURE,
        "wood": _preset(4, _ANY, _ANY, 15.0, 1 / 6, "mixed", scale_range=(0.5, 2.0)),
        "rcxr_male": _RCXR,
        "rcxr_female": _RCXR,
    }
)
"""Keyword arguments of `NaturalSyntheticAnomaly` by class name (Table 4 of the paper)."""


ABLATIONS: MappingProxyType[str, MappingProxyType[str, Any]] = MappingProxyType(
    {
        "A": MappingProxyType({"background": None}),
        "B": MappingProxyType({"max_patches": 1}),
        "C": MappingProxyType({"selection": "cutpaste", "max_patches": 1, "background": None, "scale_range": None}),
        "D": MappingProxyType({"shape": "ellipses"}),
    }
)
"""Arguments that turn a preset into an ablation of the paper.

A: no foreground constraints; B: a single patch; C: patches as in CutPaste; D: patches shaped as unions of ellipses.
"""


FILE_SUFFIXES = (".yaml", ".yml")
_YAML = "or a YAML file of arguments (.yaml, .yml)"
_ACCEPTED = f"one of {', '.join(map(repr, PRESETS))}, {_YAML}"


def preset_arguments(
    name: str | os.PathLike[str],
    accepted: Callable[[], Collection[str]] | None = None,
    others: Collection[str] = (),
) -> dict[str, Any]:
    """Keyword arguments of a preset.

    Parameters
    ----------
    name : str or path-like
        A class of MVTec AD, or "rcxr_male" / "rcxr_female"; or a YAML file (.yaml, .yml) with a mapping of
        arguments of `NaturalSyntheticAnomaly`, as written by `nsa-augment calibrate`.
    accepted : callable, optional
        Returns the names of arguments that a file may hold; None: any.
    others : collection of str
        Further names of presets for errors.

    Raises
    ------
    TypeError, ValueError
        If `name` is not the name of a preset, or the file cannot be read or has other contents.

    Examples
    --------
    >>> preset_arguments("screw")["background"]
    (200.0, 60.0)
    """
    if isinstance(name, os.PathLike) or (isinstance(name, str) and name.lower().endswith(FILE_SUFFIXES)):
        return _read_arguments(Path(name), accepted)
    if not isinstance(name, str) or name not in PRESETS:
        known = f"one of {', '.join(map(repr, (*PRESETS, *others)))}, {_YAML}"
        raise fail(ValueError if isinstance(name, str) else TypeError, "preset", known, name)
    return dict(PRESETS[name])


def _read_arguments(path: Path, accepted: Callable[[], Collection[str]] | None) -> dict[str, Any]:
    """Arguments from a YAML file; the task checks their values."""
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"preset must be {_ACCEPTED}; cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ValueError(f"preset file {path} must be YAML: {error}") from error
    if not isinstance(content, dict):
        raise fail(ValueError, f"preset file {path}", "a YAML mapping of arguments to values", content)
    known = content if accepted is None else accepted()
    if unknown := [key for key in content if key not in known]:
        raise fail(ValueError, f"every key of preset file {path}", f"one of {', '.join(sorted(known))}", unknown[0])
    return {key: _tuples(value) for key, value in content.items()}


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
