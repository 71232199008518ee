"""Importing this module makes the transforms attributes of `albumentations`, for libraries that look them up by name.

MMDetection and MMSegmentation do: with this module among the imports of `custom_imports`
their `Albu` takes ``dict(type="NSA", ...)``.

Examples
--------
>>> import albumentations
>>> albumentations.CutPaste(p=1.0).task.name
'cutpaste'
"""

import albumentations

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

for _transform in (FPI, NSA, PII, AnomalyTransform, CutOut, CutPaste, Mix, Texture):
    setattr(albumentations, _transform.__name__, _transform)
