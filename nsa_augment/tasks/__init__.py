"""The tasks, each a row of Table 5 of the paper, and the presets of Table 4."""

from nsa_augment.tasks.base import TASKS, AnomalyTask
from nsa_augment.tasks.binding import bind_task
from nsa_augment.tasks.mixture import MixedAnomaly
from nsa_augment.tasks.presets import ABLATIONS, PRESETS
from nsa_augment.tasks.published import (
    PUBLISHED,
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    NaturalSyntheticAnomaly,
    PoissonImageInterpolation,
)

__all__ = [
    "ABLATIONS",
    "PRESETS",
    "PUBLISHED",
    "TASKS",
    "AnomalyTask",
    "CutPasteAnomaly",
    "ForeignPatchInterpolation",
    "MixedAnomaly",
    "NaturalSyntheticAnomaly",
    "PoissonImageInterpolation",
    "bind_task",
]
