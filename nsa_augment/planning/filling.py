"""Fillings, which replace the source's pixels in a patch: a pattern, and augmentations of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nsa_augment._shared.checks import fail, set_field
from nsa_augment._shared.types import Image
from nsa_augment.planning.augmentations import Augmentation
from nsa_augment.planning.patterns import Material, Pattern, pattern_from_dict


@dataclass(frozen=True)
class Filling:
    """Content of a patch in place of a part of the source.

    The source's object is ignored: under constraints, the patch changes only object pixels of the image.

    Parameters
    ----------
    pattern : Pattern
    augmentations : tuple of Augmentation
        In the order of application.

    Examples
    --------
    >>> from nsa_augment.planning.patterns import Constant
    >>> Filling(Constant((40,))).to_dict()
    {'pattern': {'kind': 'constant', 'levels': [40.0]}}
    """

    pattern: Pattern
    augmentations: tuple[Augmentation, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.pattern, Pattern):
            raise fail(TypeError, "pattern", "a Pattern (Constant, Fractal...)", self.pattern)
        accepted = "a sequence of Augmentation"
        if not isinstance(self.augmentations, (list, tuple)):
            raise fail(TypeError, "augmentations", accepted, self.augmentations)
        if wrong := [each for each in self.augmentations if not isinstance(each, Augmentation)]:
            raise fail(TypeError, "augmentations", accepted, wrong[0])
        set_field(self, "augmentations", tuple(self.augmentations))

    def pixels(self, material: Material) -> Image:
        """(h, w, C) array with the size of the patch, and the dtype and channels of the image."""
        pixels = self.pattern.pixels(material)
        if not self.augmentations:
            return pixels
        levels = material.levels(pixels)
        for augmentation in self.augmentations:
            levels = augmentation.apply(levels)
        return material.pixels(levels)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        plain: dict[str, Any] = {"pattern": self.pattern.to_dict()}
        changes = [each.to_dict() for each in self.augmentations]
        return {**plain, "augmentations": changes} if changes else plain

    @classmethod
    def from_dict(cls, data: Any) -> Filling:
        """Inverse of `to_dict`."""
        accepted = "null or a mapping with the key 'pattern', optionally 'augmentations'"
        if not isinstance(data, Mapping):
            raise fail(TypeError, "filling", accepted, data)
        if not {"pattern"} <= set(data) <= {"pattern", "augmentations"}:
            raise fail(ValueError, "filling", accepted, dict(data))
        changes = data.get("augmentations", ())
        if not isinstance(changes, (list, tuple)):
            raise fail(TypeError, "augmentations", "a list of augmentations", changes)
        return cls(pattern_from_dict(data["pattern"]), tuple(map(Augmentation.from_dict, changes)))
