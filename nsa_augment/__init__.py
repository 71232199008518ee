"""Natural synthetic anomalies for visual anomaly detection: realistic defects, with labels, from normal images."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nsa_augment import _moved
from nsa_augment._shared.cache import clear_caches
from nsa_augment._shared.version import VERSION
from nsa_augment.blending import Blending, Patch, Solver
from nsa_augment.labelling import AreaChange, Label
from nsa_augment.planning import (
    Augmentation,
    Bitmap,
    Ellipses,
    Filling,
    FineBitmap,
    FineNoise,
    FineStrip,
    Jitter,
    Noise,
    Outline,
    OutlineBox,
    PatchPlacement,
    Polygon,
    Strip,
    Stroke,
    SynthesisPlan,
)
from nsa_augment.planning.patterns import Material, Pattern
from nsa_augment.scenes import PreparedSource
from nsa_augment.synthesis import SynthesisResult
from nsa_augment.tasks import (
    ABLATIONS,
    PRESETS,
    AnomalyTask,
    CutOutAnomaly,
    CutPasteAnomaly,
    DefectBankAnomaly,
    ForeignPatchInterpolation,
    MixedAnomaly,
    NaturalSyntheticAnomaly,
    PoissonImageInterpolation,
    TextureAnomaly,
)

if TYPE_CHECKING:
    from nsa_augment.calibration import Calibration as Calibration
    from nsa_augment.calibration import calibrate as calibrate
    from nsa_augment.datasets import Layout as Layout
    from nsa_augment.integrations.albumentations import FPI as FPI
    from nsa_augment.integrations.albumentations import NSA as NSA
    from nsa_augment.integrations.albumentations import PII as PII
    from nsa_augment.integrations.albumentations import CutOut as CutOut
    from nsa_augment.integrations.albumentations import CutPaste as CutPaste
    from nsa_augment.integrations.albumentations import Mix as Mix
    from nsa_augment.integrations.albumentations import Texture as Texture
    from nsa_augment.sources import check_sources as check_sources

__version__ = VERSION
__all__ = [
    "ABLATIONS",
    "PRESETS",
    "AnomalyTask",
    "AreaChange",
    "Augmentation",
    "Bitmap",
    "Blending",
    "CutOutAnomaly",
    "CutPasteAnomaly",
    "DefectBankAnomaly",
    "Ellipses",
    "Filling",
    "FineBitmap",
    "FineNoise",
    "FineStrip",
    "ForeignPatchInterpolation",
    "Jitter",
    "Label",
    "Material",
    "MixedAnomaly",
    "NaturalSyntheticAnomaly",
    "Noise",
    "Outline",
    "OutlineBox",
    "Patch",
    "PatchPlacement",
    "Pattern",
    "PoissonImageInterpolation",
    "Polygon",
    "PreparedSource",
    "Solver",
    "Strip",
    "Stroke",
    "SynthesisPlan",
    "SynthesisResult",
    "TextureAnomaly",
    "clear_caches",
]

_ON_FIRST_USE = {
    "Calibration": "nsa_augment.calibration",
    "calibrate": "nsa_augment.calibration",
    "Layout": "nsa_augment.datasets",
    "check_sources": "nsa_augment.sources",
}
_INTEGRATIONS = dict.fromkeys(("NSA", "CutPaste", "FPI", "PII", "Mix", "CutOut", "Texture"), "albumentations")
_moved.install()


def __dir__() -> list[str]:
    return sorted([*__all__, *_ON_FIRST_USE, *_INTEGRATIONS, "__version__"])


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
