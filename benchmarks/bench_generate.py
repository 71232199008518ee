"""Images per second that `generate` writes, compared with making and encoding the same images in memory.

    python benchmarks/bench_generate.py [--json FILE] [--images N] [--pairs N] [--workers N ...] [--sizes N ...]

"bare" is the rate of the same number of processes that only call the transform (on decoded images and prepared sources)
and encode image, mask and label as PNG; "generate" counts from the first tenth of the images to the last, so that both
exclude the start of processes. "processor" is the ratio in processor time of workers and parent, which other programs
disturb less: the difference between a whole run and one with a tenth of the images. Each ratio is the median of pairs
of consecutive runs. Sources are the embedded bolt; all files go to the folder for temporary files (set TMPDIR).
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from timing import report

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.datasets import generate
from nsa_augment.samples import draw_sample

SOURCES = 12
PNG_OPTIONS = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)  # as `generate` encodes


def encode_png(pixels):
    return cv2.imencode(".png", pixels, PNG_OPTIONS)[1].tobytes()


def bare(folder, count, first):
    """Wall and processor seconds for making and encoding `count` images."""
    cv2.setNumThreads(1)
    task = NaturalSyntheticAnomaly.from_preset("screw")
    images = [cv2.imread(str(path))[..., ::-1].copy() for path in sorted(Path(folder).iterdir())]
    sources = [task.prepare_source(image, image.shape[:2]) for image in images]

    def make(index):
        rng = np.random.default_rng([0, index])
        image, source = rng.choice(len(images), 2, replace=False)
        result = task(images[image], sources[source], rng)
        label = (result.label * 65535 + 0.5).astype(np.uint16)
        bgr = cv2.cvtColor(result.image, cv2.COLOR_RGB2BGR)
        return [encode_png(pixels) for pixels in (bgr, result.mask * np.uint8(255), label)]

    for index in range(20):
        make(index)
    begin = time.perf_counter(), time.process_time()
    for index in range(first, first + count):
        make(index)
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


def measure_bare(folder, count, workers):
    """Images per second of all workers, and processor seconds per image."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        share = count // workers
        jobs = [pool.submit(bare, folder, share, worker * share) for worker in range(workers)]
        walls, processors = zip(*(job.result() for job in jobs), strict=True)
    return sum(share / wall for wall in walls), sum(processors) / (share * workers)


def processor_seconds():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure_generate(folder, count, workers):
    """The same for `generate`."""
    tenth = generate_once(folder, count // 10, workers)
    whole = generate_once(folder, count, workers)
    return whole[0], (whole[1] - tenth[1]) / (count - count // 10)


def generate_once(folder, count, workers):
    states = []
    before = processor_seconds()
    with tempfile.TemporaryDirectory() as out:
        generate(
            folder,
            Path(out) / "dataset",
            NaturalSyntheticAnomaly.from_preset("screw"),
            count=count,
            workers=workers,
            on_progress=lambda state: states.append((time.monotonic(), state.done)),
        )
    begin = next(state for state in states if state[1] >= max(count // 10, 1))
    end = states[-1]
    return (end[1] - begin[1]) / (end[0] - begin[0]), processor_seconds() - before


def measure(arguments):
    for size in arguments.sizes:
        count = arguments.images * 256 // size
        with tempfile.TemporaryDirectory() as folder:
            for index in range(SOURCES):
                image = draw_sample("bolt", index, size=size).image
                cv2.imwrite(str(Path(folder) / f"{index:03}.png"), image[:, :, ::-1])
            for workers in arguments.workers:
                pairs = [
                    (measure_bare(folder, count, workers), measure_generate(folder, count, workers))
                    for _ in range(arguments.pairs)
                ]
                yield {
                    "size": size,
                    "workers": workers,
                    "images": count,
                    "bare, images/s": statistics.median(bare[0] for bare, _ in pairs),
                    "generate, images/s": statistics.median(made[0] for _, made in pairs),
                    "generate / bare": statistics.median(made[0] / bare[0] for bare, made in pairs),
                    "bare / generate, processor": statistics.median(bare[1] / made[1] for bare, made in pairs),
                }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--images", type=int, default=4000, help="at 256 pixels; fewer at larger sizes")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 1024])
    arguments = parser.parse_args()
    report("generate, preset screw, layout masks", list(measure(arguments)), arguments.json)


if __name__ == "__main__":
    main()
