"""Configurations of a study: task, arguments and preset for each class."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from examples.train_detector.files import write_bytes
from nsa_augment import MixedAnomaly, NaturalSyntheticAnomaly, calibrate
from nsa_augment.blending import BLENDINGS
from nsa_augment.tasks import TASKS, AnomalyTask, bind_task

CALIBRATED = "calibrated"
"""Name of the preset estimated from the training images of the class."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The anomalies to train on, for any class.

    Attributes
    ----------
    task : str
        One of `TASKS`; "mix" if `parts` are given.
    preset : str or None
        None: that of the class. "calibrated": estimated from its training images. One of the task's own ("draem")
        complements that of the class.
    label, ablation : str or None
        None: the label of the task or of its preset, and no ablation.
    set : mapping
        Arguments of the task, which override the preset.
    objects : mapping
        Further arguments for classes whose preset separates an object from the background.
    parts : sequence of mappings
        Parts of a mixture, see `nsa_augment.MixedAnomaly`.
    """

    task: str = NaturalSyntheticAnomaly.name
    preset: str | None = None
    label: str | None = None
    ablation: str | None = None
    set: Mapping[str, Any] = field(default_factory=dict)
    objects: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Any, ...] = ()

    def bind(self, class_preset: str, calibrated: Callable[[], str]) -> dict[str, Any]:
        """Task, preset, label, ablation and overrides for a class, for `Settings`.

        Parameters
        ----------
        class_preset : str
            Preset of the class.
        calibrated : callable
            Returns the file of the class's calibrated preset.

        Raises
        ------
        TypeError, ValueError
            If the task does not take the arguments.
        """
        kind = TASKS.check("task", self.task)
        preset, overrides = self.preset or class_preset, dict(self.set)
        if NaturalSyntheticAnomaly.from_preset(class_preset).background is not None:
            overrides |= self.objects
        if self.parts:
            overrides["parts"] = self.parts
        if preset == CALIBRATED:
            preset = calibrated()
        elif preset in kind.own_presets:
            preset, overrides = class_preset, {**kind.own_presets[preset], **overrides}
        label = overrides.pop("label", self.label)
        given = {} if label is None else {"label": label}
        task = bind_task(self.task, preset, self.ablation, {**overrides, **given}, "task")
        settings = {"task": self.task, "preset": preset, "ablation": self.ablation}
        return {**settings, "label": task.label, "overrides": overrides}


def suits(task: AnomalyTask) -> bool:
    """Whether a task works for a class: some blendings need object masks, which a class may lack."""
    parts = task.tasks.values() if isinstance(task, MixedAnomaly) else (task,)
    return all(part.background is not None or not BLENDINGS[part.blending].needs_objects for part in parts)


def calibrated_preset(folder: Path, file: Path) -> str:
    """Preset file of a class, estimated from its training images unless it exists."""
    if not file.exists():
        found = calibrate(folder / "train" / "good")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(file, found.to_yaml().encode())
    return str(file)


def read_configurations(path: Path) -> dict[str, Configuration]:
    """Configurations by name, in the order of a YAML file.

    Raises
    ------
    ValueError
        The message names the file, the configuration and what is accepted.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node, content = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"--configurations must be a YAML file; cannot read {path}: {error}") from error
    if node is None or not isinstance(content, dict) or not content:
        raise ValueError(f"{path} must map names to configurations, got {content!r}")
    names = [key.value for key, _ in node.value]
    for name in names:
        if names.count(name) > 1 or not re.fullmatch(r"\w[\w.+-]*", name):
            accepted = "different names of letters, digits, '_', '.', '+' and '-'"
            raise ValueError(f"configurations of {path} must have {accepted}, got {name!r}")
    return {str(name): _configuration(f"{name} in {path}", entry) for name, entry in content.items()}


def _configuration(name: str, entry: Any) -> Configuration:
    known = [item.name for item in fields(Configuration)]
    entry = {} if entry is None else entry
    if not isinstance(entry, dict) or not set(entry) <= set(known):
        raise ValueError(f"configuration {name} must be a mapping with keys of {', '.join(known)}, got {entry!r}")
    for key in ("set", "objects"):
        if not isinstance(entry.get(key, {}), dict):
            raise ValueError(f"{key} of configuration {name} must map arguments to values, got {entry[key]!r}")
    values = {key: _tuples(value) for key, value in entry.items()}
    if "parts" in values:
        values = {"task": MixedAnomaly.name, **values}
    return Configuration(**values)


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(entry) for key, entry in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
