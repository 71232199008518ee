"""Images and masks of one class in the layout of MVTec AD, checked on reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from examples.train_detector.files import Image, list_images, read_image

EVALUATION_SIZE = 256


@dataclass(frozen=True)
class TestSet:
    """Test images at the training size, their masks (N, 256, 256), kinds ("good", "scratch"...), and names."""

    __test__ = False

    images: list[Image]
    masks: NDArray[np.bool_]
    names: list[str]


def find_classes(root: Path) -> dict[str, Path]:
    """Folders of the classes below `root` (or `root` itself), by name.

    Raises
    ------
    ValueError
        If there is no folder with train/good in it.
    """
    if not root.is_dir():
        raise ValueError(f"--data must be a folder, got {root}")
    if (root / "train" / "good").is_dir():
        return {root.resolve().name: root}
    folders = {path.name: path for path in sorted(root.iterdir()) if (path / "train" / "good").is_dir()}
    if not folders:
        raise ValueError(f"--data must be in the layout of MVTec AD: found no CLASS/train/good in {root}")
    return folders


def load_training_images(folder: Path, size: int, *, grey: bool = False) -> list[Image]:
    """All images of train/good, (size, size[, 3]) uint8."""
    return [_load(path, size, grey) for path in list_images(folder / "train" / "good")]


def load_test_set(folder: Path, size: int, *, grey: bool = False) -> TestSet:
    """All images of test/*, with the masks of ground_truth/*.

    Raises
    ------
    ValueError
        If there are no defective test images, a defect has no mask, or a file is damaged; the message names it.
    """
    if not (folder / "test").is_dir():
        raise ValueError(f"no test images: {folder / 'test'} is missing")
    kinds = [kind for kind in sorted((folder / "test").iterdir()) if kind.is_dir() and any(kind.iterdir())]
    if not any(kind.name != "good" for kind in kinds):
        raise ValueError(f"no defective test images in {folder / 'test'}")
    paths = [path for kind in kinds for path in list_images(kind)]
    images = [_load(path, size, grey) for path in paths]
    masks = np.stack([_load_mask(folder, path) for path in paths])
    return TestSet(images, masks, [f"{path.parent.name}/{path.stem}" for path in paths])


def as_shown(image: Image) -> Image:
    """A test image as (256, 256, 3), the size of its mask."""
    shown = image if image.ndim == 3 else np.repeat(image[:, :, np.newaxis], 3, axis=2)
    return np.asarray(cv2.resize(shown, (EVALUATION_SIZE, EVALUATION_SIZE), interpolation=cv2.INTER_LINEAR))


def _load(path: Path, size: int, grey: bool) -> Image:
    image = read_image(path, grey=grey)
    shrinks = min(image.shape[:2]) > size
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def _load_mask(folder: Path, image: Path) -> NDArray[np.bool_]:
    if image.parent.name == "good":
        return np.zeros((EVALUATION_SIZE, EVALUATION_SIZE), bool)
    candidates = [folder / "ground_truth" / image.parent.name / f"{image.stem}{end}.png" for end in ("_mask", "")]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise ValueError(f"no mask for {image}: looked for {' and '.join(map(str, candidates))}")
    mask = read_image(path, grey=True)
    height, width = read_image(image, grey=True).shape
    if mask.shape != (height, width):
        raise ValueError(f"mask {path} must have the {(height, width)} pixels of its image, got {mask.shape}")
    if not mask.any():
        raise ValueError(f"mask {path} is empty, but {image} is in the folder of a defect")
    size = EVALUATION_SIZE, EVALUATION_SIZE
    resized = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)) > 0
    if not resized.any():  # thinner than the steps between pixels that are kept
        resized = np.asarray(cv2.resize((mask > 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)) > 0
    return resized
