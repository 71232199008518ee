"""How the cost of a call scales with the image, threads and DataLoader workers; spectral solver.

    python benchmarks/bench_scaling.py [--json FILE] [--sides 128 ... 4096]

Patches of fixed size (64 x 64 pixels, in place, no constraints) and of a fixed fraction of the image (preset tile);
times as multiples of those at side 1024. The foreground is one pass over the image: its rate, with that of a copy.
Threads: the speed-up of two over one, with that of bare `seamlessClone` calls. Workers: images per second over those of
the transform alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from bench_synthesis import bare_inputs, bare_seconds
from timing import report, seconds

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.samples import draw_sample
from nsa_augment.scenes import object_mask

BASE = 1024
KINDS = ("fixed", "fixed_with_label", "fraction")


def texture(index, side):
    tile = draw_sample("hide", index, size=256).image
    return np.tile(tile, (-(-side // 256), -(-side // 256), 1))[:side, :side].copy()


def fixed_size_task(side):
    fraction = 64 / side
    ranges = {"height_range": (fraction, fraction), "width_range": (fraction, fraction), "scale_range": (1.0, 1.0)}
    return NaturalSyntheticAnomaly(solver="spectral", max_patches=1, resize_limits="full", **ranges)


def labelled(task, image, source, plan):
    """Apply in place and get the label, an array of the size of the image."""
    return task.apply(image, source, plan, out=image).label


def growth(sides, calls=50):
    """Median times of interleaved calls, by side."""
    scenes = {side: [texture(index, side) for index in range(2)] for side in sides}
    tasks = {side: fixed_size_task(side) for side in sides}
    fractions = NaturalSyntheticAnomaly.from_preset("tile", solver="spectral")
    times = {(side, kind): [] for side in sides for kind in KINDS}
    for call in range(calls + 2):
        for side, (image, source) in scenes.items():
            plan = tasks[side].plan(image, source, call)
            times[side, "fixed"].append(seconds(tasks[side].apply, image, source, plan, out=image))
            times[side, "fixed_with_label"].append(seconds(labelled, tasks[side], image, source, plan))
            if call < 7:
                times[side, "fraction"].append(seconds(fractions, image, source, call))
    return {key: statistics.median(values[2:]) for key, values in times.items()}


def rates(side):
    """GB/s of the foreground of an image, and of a copy."""
    image = texture(0, side)
    target = np.empty_like(image)
    copies = statistics.median(seconds(np.copyto, target, image) for _ in range(9))
    passes = statistics.median(seconds(object_mask, image, [(200, 60)]) for _ in range(9))
    return image.nbytes / passes / 1e9, image.nbytes / copies / 1e9


def speed_up(function, jobs):
    """Time of all jobs in one thread over that in two threads."""

    def run(threads):
        with ThreadPoolExecutor(threads) as pool:
            begin = time.perf_counter()
            list(pool.map(function, jobs))
            return time.perf_counter() - begin

    run(2)
    return statistics.median(run(1) / run(2) for _ in range(7))


def thread_rows(side, calls):
    images = [texture(index, side) for index in range(4)]
    task = NaturalSyntheticAnomaly.from_preset("tile", solver="spectral")
    plans = [task.plan(images[0], images[1], seed) for seed in range(calls // 4)]
    inputs = [bare_inputs(images[0], images[1], plan) for plan in plans]
    ours = speed_up(lambda seed: task(images[seed % 4], images[(seed + 1) % 4], seed), range(calls))
    bare = speed_up(bare_seconds, inputs)
    return [
        {"what": f"two threads, side {side}: speed-up of the whole call", "value": ours},
        {"what": f"two threads, side {side}: speed-up of bare seamlessClone calls", "value": bare},
        {"what": f"two threads, side {side}: the one over the other", "value": ours / bare},
    ]


def worker_rows():
    try:
        import albumentations as A
        from bench_loader import rate

        from nsa_augment import NSA
    except ImportError:
        return []
    images = [draw_sample("hide", index).image for index in range(4)]
    transform = A.Compose([NSA("tile", images, p=1.0, solver="spectral"), A.ToTensorV2()], seed=1)
    alone = 1000 / seconds(lambda: [transform(image=images[0]) for _ in range(1000)])
    values = {workers: rate(images[0], transform, 2000, workers) / alone for workers in (0, 1, 2)}
    return [
        {"what": f"DataLoader, {count} workers / transform alone", "value": value} for count, value in values.items()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 256, 512, 1024, 2048, 4096])
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    times = growth(sorted({*arguments.sides, BASE}))
    rows = []
    for side in arguments.sides:
        foreground, copy = rates(side)
        row = {"side": side}
        for kind in KINDS:
            row[f"{kind}_patches_vs_{BASE}"] = times[side, kind] / times[BASE, kind]
        rows.append({**row, "foreground_GB_per_s": foreground, "copy_GB_per_s": copy})
    report("Growth with the image", rows, arguments.json)
    report(
        "Threads and workers",
        [*thread_rows(256, 400), *thread_rows(512, 120), *thread_rows(1024, 40), *worker_rows()],
        None,
    )


if __name__ == "__main__":
    main()
