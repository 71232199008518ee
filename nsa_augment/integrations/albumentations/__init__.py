"""The tasks as transforms of albumentations 2.0.8 or AlbumentationsX 2.5 and newer, whichever is installed."""

try:
    import albumentations as _albumentations  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "albumentations":
        raise
    raise ModuleNotFoundError(
        "nsa_augment.integrations.albumentations needs albumentations 2.0.8, "
        "pip install 'nsa-augment[albumentations]', "
        "or AlbumentationsX 2.5 or newer, pip install 'nsa-augment[albumentationsx]'",
        name="albumentations",
    ) from error

from nsa_augment.integrations.albumentations.base import SynthesisTransform
from nsa_augment.integrations.albumentations.transforms import (
    FPI,
    NSA,
    PII,
    AnomalyTransform,
    CutOut,
    CutPaste,
    Mix,
    Texture,
)

__all__ = ["FPI", "NSA", "PII", "AnomalyTransform", "CutOut", "CutPaste", "Mix", "SynthesisTransform", "Texture"]
