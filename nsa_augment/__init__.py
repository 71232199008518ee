"""Natural synthetic anomalies for visual anomaly detection: realistic defects, with labels, from normal images."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from nsa_augment.jitter import Jitter
from nsa_augment.plan import PatchPlacement, SynthesisPlan
from nsa_augment.presets import ABLATIONS, PRESETS
from nsa_augment.scene import PreparedSource
from nsa_augment.shapes import Ellipses, Strip
from nsa_augment.synthesis import SynthesisResult
from nsa_augment.tasks import (
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    NaturalSyntheticAnomaly,
    PoissonImageInterpolation,
)

if TYPE_CHECKING:
    from nsa_augment.calibration import Calibration as Calibration
    from nsa_augment.calibration import calibrate as calibrate
    from nsa_augment.integrations.albumentations import FPI as FPI
    from nsa_augment.integrations.albumentations import NSA as NSA
    from nsa_augment.integrations.albumentations import PII as PII
    from nsa_augment.integrations.albumentations import CutPaste as CutPaste

__version__ = version("nsa-augment")
__all__ = [
    "ABLATIONS",
    "PRESETS",
    "CutPasteAnomaly",
    "Ellipses",
    "ForeignPatchInterpolation",
    "Jitter",
    "NaturalSyntheticAnomaly",
    "PatchPlacement",
    "PoissonImageInterpolation",
    "PreparedSource",
    "Strip",
    "SynthesisPlan",
    "SynthesisResult",
]

_ON_FIRST_USE = dict.fromkeys(("Calibration", "calibrate"), "nsa_augment.calibration")
_INTEGRATIONS = dict.fromkeys(("NSA", "CutPaste", "FPI", "PII"), "albumentations")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ON_FIRST_USE, *_INTEGRATIONS])


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        return getattr(import_module(_ON_FIRST_USE[name]), name)
    if name not in _INTEGRATIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    extra = _INTEGRATIONS[name]
    try:
        return getattr(import_module(f"nsa_augment.integrations.{extra}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != extra:
            raise
        message = f"{name} needs {extra}: install it with pip install 'nsa-augment[{extra}]'"
        raise ModuleNotFoundError(message, name=error.name) from error
