"""Views of training and test images: the transforms of the paper, for any image size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from examples.train_detector.files import Image
from nsa_augment import NaturalSyntheticAnomaly

PAPER_SIZE = 256
ROTATED = {"bottle": 5.0, "hazelnut": 5.0, "metal_nut": 5.0, "screw": 5.0, "rcxr_male": 3.0, "rcxr_female": 3.0}
"""Largest rotation, in degrees, by preset."""


@dataclass(frozen=True)
class View:
    """Random rotation, centre crop, vertical flip and random crop of a square image; all sizes in pixels."""

    load_size: int
    within: int
    crop: int
    test_crop: int
    degrees: float = 0.0
    flip: bool = False

    def __call__(self, image: Image, rng: np.random.Generator) -> Image:
        """Draw a view of a training image."""
        if self.degrees:
            centre = (self.load_size - 1) / 2
            turn = cv2.getRotationMatrix2D((centre, centre), rng.uniform(-self.degrees, self.degrees), 1.0)
            image = cv2.warpAffine(image, turn, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        if self.flip and rng.random() < 0.5:
            image = image[::-1]
        margin = (self.load_size - self.within) // 2
        y, x = (margin + int(rng.integers(self.within - self.crop + 1)) for _ in range(2))
        return np.ascontiguousarray(image[y : y + self.crop, x : x + self.crop])

    def test(self, image: Image) -> Image:
        """Centre crop of a test image."""
        margin = (image.shape[0] - self.test_crop) // 2
        return image[margin : margin + self.test_crop, margin : margin + self.test_crop]

    def pad(self, maps: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """Pad maps (N, h, w) of test crops with zeros to the size of whole images (N, size, size)."""
        margin = (size - self.test_crop) // 2
        rest = size - self.test_crop - margin
        return np.pad(maps, ((0, 0), (margin, rest), (margin, rest)))


def view_of(preset: str, size: int) -> View:
    """View of a class in the paper (crops of 230 and 224 of 256 pixels; textures 256 of 264), scaled to `size`."""
    task = NaturalSyntheticAnomaly.from_preset(preset)
    scaled = {pixels: round(pixels * size / PAPER_SIZE) for pixels in (224, 230, 264)}
    if task.background is None and task.gradient == "mixed":
        return View(load_size=scaled[264], within=scaled[264], crop=size, test_crop=size, flip=True)
    degrees = ROTATED.get(preset, 0.0)
    within = scaled[224] if preset.startswith("rcxr") else scaled[230]
    return View(load_size=size, within=within, crop=scaled[224], test_crop=scaled[224], degrees=degrees)
