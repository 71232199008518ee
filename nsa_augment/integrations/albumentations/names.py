"""Importing this module makes the transforms attributes of `albumentations`, for libraries that look them up by name.

For MMDetection and MMSegmentation: with this module in `custom_imports`, their `Albu` takes ``dict(type="NSA", ...)``.

Examples
--------
>>> import albumentations
>>> albumentations.CutPaste(p=1.0).task.name
'cutpaste'
"""

import albumentations

from nsa_augment.integrations import albumentations as transforms

for _name in set(transforms.__all__) - {"SynthesisTransform"}:
    setattr(albumentations, _name, getattr(transforms, _name))
