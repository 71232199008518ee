"""The tasks as albumentations transforms (2.0.8)."""

from nsa_augment.integrations.albumentations.base import SynthesisTransform
from nsa_augment.integrations.albumentations.transforms import FPI, NSA, PII, AnomalyTransform, CutPaste

__all__ = ["FPI", "NSA", "PII", "AnomalyTransform", "CutPaste", "SynthesisTransform"]
