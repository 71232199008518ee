"""How natural anomalies look: shares of patches with visible flaws of their synthesis, and pictures.

    python benchmarks/bench_naturalness.py [FOLDER ...] [--preset NAME] [--task NAME] [--set KEY=VALUE ...]
        [--patches N] [--mvtec DIR] [--json FILE] [--pictures FOLDER]

Without folders: the five embedded products with suitable presets, and screw and leather of MVTec AD in `--mvtec DIR`.
A folder needs `--preset`; its images are not resized. `--preset calibrated` stands for the arguments that `calibrate`
estimates from the images.

Pairs (image, source) of different normal images are drawn, each with a plan, until `--patches` patches are placed.
Every patch of a plan is applied alone. All figures are in grey levels of the destination box: D the image, S the
source's pixels resized to the box, R the result. A pixel is *changed* if the mean over channels of |R - D| exceeds 1.

overshoot
    Share of patches with more than 5 % of the changed pixels outside the range of both inputs: in some channel R is
    more than 10 below the smallest or above the largest value of D and S in the box.
clipping
    Share of patches with more than 5 % of the changed pixels at R = 0 or R = 255 in some channel where neither D nor S
    has that value.
ghost
    Of the patches with at least 20 visible pixels of source object over background of the image, the share in which the
    median brightness of R there is nearer to that of D than to that of S. *Visible* pixels are inside the patch, at
    least 3 from the border of its box, and differ in brightness (mean over channels) between D and S by more than 20.
no hole
    The same for source background over the object of the image.
faint
    Share of patches whose logistic label stays below 0.5 everywhere.
no patch
    Share of calls in which no patch found a place.
empty
    Share of the other calls (plans with all their patches) whose mask is empty.

Object masks are those of the task; "-" stands for a figure without patches to count, such as ghosts on textures.

`--pictures` writes a sheet of the first patches and, for each flaw, one of the patches that have it most: image,
source, result and label. Ghosts and missing holes are ordered by a / (a + b), with a and b the distances of R's median
from those of S and D.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import yaml
from PIL import Image
from timing import report

from nsa_augment import calibrate
from nsa_augment.blending import BLENDINGS
from nsa_augment.samples import PRODUCTS, draw_sample
from nsa_augment.scenes import Foreground
from nsa_augment.tasks import TASKS

SHARE = 0.05
SLACK = 10
VISIBLE = 20
LEAST_PIXELS = 20
MARGIN = 3
EMBEDDED_IMAGES = 40
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
PLAIN = str.maketrans(" ", "_", "()")
PICTURED, ACROSS, TILE, CONTEXT = 12, 3, 128, 12
FLAWS = ("overshoot", "clipping", "ghost", "no hole", "faint")


@dataclass(frozen=True, eq=False)
class PatchMeasures:
    """Flaws of one patch, by name (None: it cannot have the flaw), and their degrees, for the order of pictures."""

    flaws: dict
    degrees: dict
    images: tuple


def resize(pixels, size):
    return cv2.resize(np.ascontiguousarray(pixels), size[::-1])


def measure_patch(task, image, source, plan):
    """Measure a plan of one patch."""
    (patch,) = plan.patches
    result = task.apply(image, source, plan)
    box = patch.destination_box
    cubes = [part.reshape(*part.shape[:2], -1) for part in (image, source, result.image)]
    before, after = (box.of(part).astype(np.float64) for part in (cubes[0], cubes[2]))
    pasted = resize(patch.source_box.of(cubes[1]), patch.size).reshape(before.shape).astype(np.float64)
    changed = np.abs(after - before).mean(axis=2) > 1
    count = max(int(changed.sum()), 1)
    low, high = (pick([pick(part, axis=(0, 1)) for part in (before, pasted)], axis=0) for pick in (np.min, np.max))
    outside = ((after < low - SLACK) | (after > high + SLACK)).any(axis=2)
    clipped = np.zeros_like(changed)
    for limit in (0, 255):
        clipped |= ((after == limit) & (before != limit) & (pasted != limit)).any(axis=2)
    degrees = {"overshoot": (outside & changed).sum() / count, "clipping": (clipped & changed).sum() / count}
    flaws = {name: degree > SHARE for name, degree in degrees.items()}
    degrees |= disagreement(task, image, source, patch, [part.mean(axis=2) for part in (before, pasted, after)])
    flaws |= {name: None if degrees[name] is None else degrees[name] > 0.5 for name in ("ghost", "no hole")}
    degrees["faint"] = 1 - float(result.label.max())
    flaws["faint"] = degrees["faint"] > 0.5
    return PatchMeasures(flaws, degrees, (image, source, result, patch))


def disagreement(task, image, source, patch, brightness):
    """How close the result is to the image where object meets background: 0 is the source, 1 the image."""
    before, pasted, after = brightness
    if task.background is None:
        return {"ghost": None, "no hole": None}
    image_object = patch.destination_box.of(Foreground(image, task.background).mask) > 0
    source_object = Foreground(source, task.background).crop(patch.source_box)
    source_object = resize(source_object, patch.size) > 0
    inside = np.zeros(patch.size, bool)
    inside[MARGIN:-MARGIN, MARGIN:-MARGIN] = True
    if patch.shape is not None:
        inside &= resize(patch.shape.mask(patch.source_box.size), patch.size) > 0
    inside &= np.abs(before - pasted) > VISIBLE
    degrees = {}
    for name, where in (("ghost", source_object & ~image_object), ("no hole", image_object & ~source_object)):
        where = where & inside
        if where.sum() < LEAST_PIXELS:
            degrees[name] = None
            continue
        from_image, from_source = (abs(np.median(after[where]) - np.median(part[where])) for part in (before, pasted))
        degrees[name] = float(from_source / max(from_image + from_source, 1e-9))
    return degrees


def measure(task, images, patches):
    """Measures of at least `patches` patches, and the numbers of calls, of calls with patches, and of empty masks."""
    rng = np.random.default_rng(0)
    measures, calls, placed, empty = [], 0, 0, 0
    while len(measures) < patches and calls < 4 * patches:
        first, second = rng.choice(len(images), 2, replace=False)
        plan = task.plan(images[first], images[second], rng)
        calls += 1
        if not plan.patches:
            continue
        placed += 1
        empty += not task.apply(images[first], images[second], plan).mask.any()
        measures += [
            measure_patch(task, images[first], images[second], replace(plan, patches=(patch,)))
            for patch in plan.patches
        ]
    return measures, calls, placed, empty


def summary(name, options, measures, calls, placed, empty):
    row = {"images": name, "options": options or "-", "patches": len(measures)}
    for flaw in FLAWS:
        counted = [one.flaws[flaw] for one in measures if one.flaws[flaw] is not None]
        row[flaw] = float(np.mean(counted)) if counted else "-"
    return {**row, "no patch": 1 - placed / calls, "empty": empty / max(placed, 1)}


def draw_sheet(measures):
    """Rows of image, source, result and label around their patches, three to a line."""
    rows = [
        np.hstack(
            [
                crop(image, patch.destination_box, patch.size),
                crop(source, patch.source_box, patch.size),
                crop(result.image, patch.destination_box, patch.size),
                crop(np.rint(255 * result.label).astype(np.uint8), patch.destination_box, patch.size),
            ]
        )
        for image, source, result, patch in (one.images for one in measures)
    ]
    rows += [np.zeros_like(rows[0])] * (-len(rows) % ACROSS)
    return np.vstack([np.hstack(rows[first : first + ACROSS]) for first in range(0, len(rows), ACROSS)])


def crop(image, box, size):
    """Square around the middle of a box, enlarged."""
    image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 or image.shape[2] == 1 else image
    half = max(size) // 2 + CONTEXT
    padded = np.pad(image, ((half, half), (half, half), (0, 0)))
    y, x = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
    return cv2.resize(padded[y : y + 2 * half, x : x + 2 * half], (TILE, TILE), interpolation=cv2.INTER_NEAREST)


def write_pictures(folder, name, measures):
    """Write sheets of the first patches ("typical"), and of those that have each flaw most."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {"typical": measures[:PICTURED]}
    for flaw in FLAWS:
        able = [one for one in measures if one.degrees[flaw] is not None]
        if able:
            chosen[flaw] = sorted(able, key=lambda one: -one.degrees[flaw])[:PICTURED]
    for title, shown in chosen.items():
        path = folder / f"{name} {title}.png".translate(PLAIN)
        cv2.imwrite(str(path), cv2.cvtColor(draw_sheet(shown), cv2.COLOR_RGB2BGR))


def read_folder(folder):
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return [np.asarray(Image.open(path)) for path in paths]


def default_sets(mvtec):
    """(name, preset, images) of the embedded products, and of two of MVTec AD if its folder is given."""
    for name, product in PRODUCTS.items():
        yield name, product.preset, [draw_sample(name, index).image for index in range(EMBEDDED_IMAGES)]
    for name in () if mvtec is None else ("screw", "leather"):
        yield f"{name} (real)", name, read_folder(mvtec / name / "train" / "good")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--preset", help="default: the product's")
    parser.add_argument("--task", default="nsa", choices=list(TASKS))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="argument of the task, YAML")
    parser.add_argument("--patches", type=int, default=400)
    parser.add_argument("--mvtec", type=Path, metavar="DIR", help="folder of MVTec AD")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    if given.folders and given.preset is None:
        parser.error("folders need --preset")
    options = {key: yaml.safe_load(value) for key, _, value in (one.partition("=") for one in given.set)}
    of_folders = ((folder.name, given.preset, read_folder(folder)) for folder in given.folders)
    rows = []
    for name, preset, images in of_folders if given.folders else default_sets(given.mvtec):
        if given.preset == "calibrated":
            task = TASKS[given.task](**{**calibrate(images).arguments, **options})
        else:
            task = TASKS[given.task].from_preset(given.preset or preset, **options)
        if BLENDINGS[task.blending].needs_objects and task.background is None:
            print(f"{name}: skipped, blending={task.blending!r} needs object masks")
            continue
        measures, *counts = measure(task, images, given.patches)
        rows.append(summary(name, " ".join(given.set), measures, *counts))
        if given.pictures is not None:
            write_pictures(given.pictures, name, measures)
    report("Shares of patches (no patch, empty: of calls)", rows, given.json)


if __name__ == "__main__":
    main()
