"""What the classes for anomalib do with their arguments."""

from __future__ import annotations

from nsa_augment._shared.checks import fail
from nsa_augment.integrations.torch import AnomalyTransform
from nsa_augment.sources import Sources
from nsa_augment.tasks import AnomalyTask

MASK = {"label": "binary"}
"""Argument of a task for models that learn from masks of 0 and 1."""


def changing(task: AnomalyTask, sources: Sources | None, p: float, cache_mib: float) -> AnomalyTransform:
    """The transform that does the work of a class; it needs sources, as anomalib's epochs may end with one image."""
    if sources is None and task.needs_source:
        accepted = f"a folder, a list or a callable for {type(task).__name__}, the folder of normal images say"
        raise fail(ValueError, "sources", accepted, sources)
    return AnomalyTransform(sources=sources, task=task, p=p, cache_mib=cache_mib)
