"""Object masks and allowed regions as files: a picture of tablets whose patches land only on the right half."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.samples import PRODUCTS, draw_sample
from nsa_augment.scenes import object_mask


def main(output: str) -> None:
    """Write tablets, object masks and regions into folders, and preview them."""
    preset = PRODUCTS["tablet"].preset
    background = NaturalSyntheticAnomaly.from_preset(preset).background
    with TemporaryDirectory() as folder:
        images, objects, regions = (Path(folder) / name for name in ("images", "objects", "regions"))
        for path in (images, objects, regions):
            path.mkdir()
        for index in range(4):
            image = draw_sample("tablet", index, size=256).image
            mask = object_mask(image, background)
            region = mask & (np.arange(256) >= 128)
            cv2.imwrite(str(images / f"{index}.png"), image[:, :, ::-1])
            cv2.imwrite(str(objects / f"{index}.png"), mask * np.uint8(255))
            cv2.imwrite(str(regions / f"{index}.png"), region * np.uint8(255))
        masks = ["--object-masks", str(objects), "--allowed-masks", str(regions)]
        sizes = ["--set", "height_range=0.1,0.3", "--set", "width_range=0.1,0.3"]
        program = [sys.executable, "-c", "from nsa_augment.cli import main; main()", "preview", str(images)]
        subprocess.run([*program, "--preset", preset, "-n", "3", "-o", output, *masks, *sizes], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
