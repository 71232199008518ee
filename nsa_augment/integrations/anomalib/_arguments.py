"""Arguments of the classes for anomalib."""

from __future__ import annotations

from os import PathLike

from nsa_augment._shared.checks import fail
from nsa_augment.integrations.torch import AnomalyTransform
from nsa_augment.sources import Sources
from nsa_augment.tasks import AnomalyTask

MASK = {"label": "binary"}
"""Label for models that learn from masks of 0 and 1."""


def changing(
    task: AnomalyTask,
    sources: Sources | None,
    p: float,
    cache_mib: float,
    object_masks: str | PathLike[str] | None,
) -> AnomalyTransform:
    """The transform behind a class; it needs sources, as the last batch of an epoch may be a single image."""
    if sources is None and task.needs_source:
        accepted = f"a folder, a list or a callable for {type(task).__name__}, such as the folder of normal images"
        raise fail(ValueError, "sources", accepted, sources)
    return AnomalyTransform(sources=sources, task=task, p=p, cache_mib=cache_mib, object_masks=object_masks)
