"""What the classes for anomalib do with their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import Any

from nsa_augment._shared.checks import fail
from nsa_augment.sources import Sources
from nsa_augment.tasks import AnomalyTask, bind_task

MASK = "binary"
"""The label of models that learn from masks of 0 and 1."""


def bind_labelled(
    owner: type,
    task: str | AnomalyTask,
    preset: str | PathLike[str] | None,
    ablation: str | None,
    label: str,
    parameters: Mapping[str, Any],
) -> AnomalyTask:
    """Bind a task as `bind_task` does, with a label in place of its own."""
    return replace(bind_task(task, preset, ablation, parameters, owner=owner), label=label)


def check_sources(sources: Sources | None, task: AnomalyTask) -> None:
    """Raise if a task that needs sources has none: anomalib's loaders may end an epoch with a single image."""
    if sources is None and task.needs_source:
        accepted = f"a folder, a list or a callable for {type(task).__name__}, the folder of normal images say"
        raise fail(ValueError, "sources", accepted, sources)
