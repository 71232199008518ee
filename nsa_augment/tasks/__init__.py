"""The tasks: those of Table 5 of the paper with the presets of Table 4, and others."""

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
from nsa_augment.tasks.removal import CutOutAnomaly
from nsa_augment.tasks.texture import TEXTURE_PRESETS, TextureAnomaly
from nsa_augment.tasks.transplant import DefectBankAnomaly

__all__ = [
    "ABLATIONS",
    "PRESETS",
    "PUBLISHED",
    "TASKS",
    "TEXTURE_PRESETS",
    "AnomalyTask",
    "CutOutAnomaly",
    "CutPasteAnomaly",
    "DefectBankAnomaly",
    "ForeignPatchInterpolation",
    "MixedAnomaly",
    "NaturalSyntheticAnomaly",
    "PoissonImageInterpolation",
    "TextureAnomaly",
    "bind_task",
]
