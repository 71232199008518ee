"""The estimates of `calibrate` compared with Table 4 for MVTec AD, and with the drawn objects for embedded products.

    python benchmarks/check_calibration.py [--mvtec DIR] [--subsets N]

Overlap is the intersection over union with the object masks of the published (b, t) for MVTec AD, and of the drawn
objects for the embedded products, averaged over the images. With `--mvtec DIR` also the overlap on screw for random
choices of few images, `--subsets` of each number.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from timing import report

from nsa_augment import PRESETS, calibrate
from nsa_augment.samples import PRODUCTS, draw_sample
from nsa_augment.scenes import Foreground

IMAGES = 24
SHOWN = ("background", "height_range", "width_range", "min_object", "logistic_midpoint", "logistic_steepness")
FEW = (2, 4, 8, 16, 32, 64)


def overlap(found, images, truth):
    """Mean over images of the overlap of the calibrated object masks with the true ones; None without background."""
    pair = found.arguments["background"]
    if pair is None:
        return None
    masks = [Foreground(image, (pair,)).mask > 0 for image in images]
    return float(np.mean([(mask & true).sum() / (mask | true).sum() for mask, true in zip(masks, truth, strict=True)]))


def row(name, images, truth):
    began = time.perf_counter()
    found = calibrate(images)
    seconds = time.perf_counter() - began
    same = overlap(found, images, truth)
    values = {argument: str(found.arguments.get(argument, "-")) for argument in SHOWN}
    placed = {"placed": found.placed_share, "visible": found.visible_share, "seconds": seconds}
    return {
        "images": f"{name}, {len(images)}",
        "kind": found.kind,
        **values,
        "overlap": "-" if same is None else same,
        **placed,
    }


def published(name, images):
    """Object masks with the published parameters."""
    pairs = PRESETS[name].get("background")
    return [None if pairs is None else Foreground(image, (pairs,)).mask > 0 for image in images]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mvtec", type=Path, metavar="DIR", help="folder of MVTec AD with screw and leather")
    parser.add_argument("--subsets", type=int, default=20)
    given = parser.parse_args()
    calibrate([draw_sample("bolt", index, size=64).image for index in range(2)])  # compiles
    rows = []
    for name in PRODUCTS:
        samples = [draw_sample(name, index) for index in range(IMAGES)]
        rows.append(row(name, [sample.image for sample in samples], [sample.foreground for sample in samples]))
    few = []
    for name in () if given.mvtec is None else ("screw", "leather"):
        paths = sorted((given.mvtec / name / "train" / "good").glob("*.png"))
        images = [cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in paths]
        picked = images[:: max(len(images) // 64, 1)][:64]
        rows.append(row(f"{name} (real)", picked, published(name, picked)))
        if name == "screw":
            rng = np.random.default_rng(0)
            for count in FEW:
                chosen = [[images[index] for index in rng.choice(len(images), count)] for _ in range(given.subsets)]
                found = [(overlap(calibrate(some), some, published(name, some)) or 0) for some in chosen]
                lowest, middle, highest = np.quantile(found, (0, 0.5, 1)).tolist()
                few.append({"screws": count, "lowest": lowest, "median": middle, "highest": highest})
    report("Calibrated arguments", rows, None)
    if few:
        report(f"Overlap for random choices of images ({given.subsets} of each number)", few, None)


if __name__ == "__main__":
    main()
