"""The tasks as albumentations transforms (2.0.8)."""

from nsa_augment.integrations.albumentations.transforms import FPI, NSA, PII, CutPaste

__all__ = ["FPI", "NSA", "PII", "CutPaste"]
