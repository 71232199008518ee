"""Time of a whole call by stage, against the bare `cv2.seamlessClone` calls of the same plans; one thread.

    python benchmarks/bench_synthesis.py [--json FILE] [--calls N] [--rounds N] [--sizes 256 1024]

Every figure is a ratio within the run, so that machines can be compared. Columns: the time of each stage and of the
total as a multiple of the bare calls (blending by the spectral solver includes cutting and resizing; "rest" is outside
all stages; tasks without OpenCV lack these columns); the total, with and without blending, as a multiple of one
`cv2.medianBlur` with aperture 7 of the grey image; and the share of calls that placed a patch.

Second table: the time of a call with an option as a multiple of the same call without it, the median of rounds in which
both take turns, after one that fills the caches.

    python benchmarks/bench_synthesis.py --between decode [--json FILE] [--calls N] [--rounds N] [--sizes 256 1024]

Calls in a training loop find the processor's caches full of other data. Here a PNG file of the image's size is decoded
before every call and before the bare calls of its plan, which take turns; only the calls are timed. "alone" is the same
without decoding; "between_ms" is the time of one call, milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import cv2
import numpy as np
from timing import StageClock, report, seconds

from nsa_augment import synthesis
from nsa_augment.blending import BLENDINGS, SOLVERS
from nsa_augment.labelling import LABELS
from nsa_augment.samples import draw_sample
from nsa_augment.scenes import foreground
from nsa_augment.tasks import TASKS, base, published

POISSON_CASES = [
    ("nsa", "bottle", "bottle"),
    ("nsa", "bottle", "bolt"),
    ("nsa", "screw", "bolt"),
    ("nsa", "tile", "hide"),
    ("pii", "bottle", "bottle"),
    ("pii", "tile", "hide"),
]
CASES = [
    *((*case, solver) for solver in SOLVERS for case in POISSON_CASES),
    ("cutpaste", "bottle", "bottle", "-"),
    ("fpi", "bottle", "bottle", "-"),
]
OPTION_CASES = [
    *(
        (*products, option)
        for products in (("bottle", "bottle"), ("screw", "bolt"))
        for option in ({"candidates": 4}, {"blending": "silhouette"}, {"candidates": 4, "blending": "silhouette"})
    ),
    ("tile", "hide", {"candidates": 4}),
    ("leather", "hide", {"min_change": 1}),
]
STAGES = {
    "foreground": [(foreground, "object_mask")],
    "placement": [(base, "draw_plan"), (published, "draw_plan")],
    "blending": [
        (kind, name) for kind in BLENDINGS.values() for name in ("blend", "blend_uncut") if name in vars(kind)
    ],
    "label": [(synthesis, "visible_change"), *((kind, "compute") for kind in LABELS.values())],
}
FLAGS = {"source": cv2.NORMAL_CLONE, "mixed": cv2.MIXED_CLONE}


def draw_product(product, index, size):
    """An embedded sample, or a bottle from above: a disc of darkened embedded leather on bright ground."""
    if product != "bottle":
        return draw_sample(product, index, size=size).image
    rng = np.random.default_rng(index)
    texture = draw_sample("hide", index, size=size).image * 0.7
    y, x = np.mgrid[:size, :size] / size - 0.5 - rng.uniform(-0.02, 0.02, (2, 1, 1))
    disc = cv2.GaussianBlur((np.hypot(y, x) < 0.42).astype(np.float32), (0, 0), size / 256)[..., None]
    ground = rng.normal(215, 2, (size, size, 3))
    return np.clip(disc * texture + (1 - disc) * ground, 0, 255).astype(np.uint8)


def bare_inputs(image, source, plan):
    """Arguments of the `seamlessClone` calls of a plan, cut to the patches: the least work for OpenCV."""
    calls = []
    for patch in plan.patches:
        if patch.gradient is None:
            continue
        (y0, x0, y1, x1), (top, left, bottom, right) = patch.source_box, patch.destination_box
        height, width = bottom - top, right - left
        pixels = cv2.resize(source[y0:y1, x0:x1], (width, height))
        mask = np.zeros((height, width), np.uint8)
        mask[1:-1, 1:-1] = np.ceil(255 * patch.factor)
        centre = (1 + (width - 2) // 2, 1 + (height - 2) // 2)
        calls.append((pixels, image[top:bottom, left:right].copy(), mask, centre, FLAGS[patch.gradient]))
    return calls


def bare_seconds(calls):
    copies = [(pixels, target, mask.copy(), centre, flag) for pixels, target, mask, centre, flag in calls]
    return sum(seconds(cv2.seamlessClone, *call) for call in copies)


def described(*case):
    return dict(zip(("task", "preset", "product", "solver", "side"), case, strict=True))


def bench(name, preset, product, solver, size, calls, rounds):
    images = [draw_product(product, index, size) for index in range(6)]
    options = {} if solver == "-" else {"solver": solver}
    task = TASKS[name].from_preset(preset, label="logistic", **options)
    task(images[0], images[1], 0)
    times, placed = {part: [] for part in (*STAGES, "rest", "total", "bare", "median")}, 0
    for round_ in range(rounds):
        clock = StageClock()
        total = bare = median = 0.0
        for call in range(calls):
            image, source = images[call % 6], images[(call + 1) % 6]
            seed = [round_, call]
            plan = task.plan(image, source, np.random.default_rng(seed))
            bare += bare_seconds(bare_inputs(image, source, plan))
            total += seconds(task, image, source, np.random.default_rng(seed))
            undo = [clock.wrap(owner, name, stage) for stage, places in STAGES.items() for owner, name in places]
            task(image, source, np.random.default_rng(seed))
            for restore in undo:
                restore()
            median += seconds(cv2.medianBlur, cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 7)
            placed += bool(plan.patches)
        measured = {stage: clock.seconds[stage] for stage in STAGES}
        measured |= {"rest": total - sum(measured.values()), "total": total, "bare": bare, "median": median}
        for part, value in measured.items():
            times[part].append(value)

    def ratio(part, unit):
        values = [value / base if base else 0.0 for value, base in zip(times[part], times[unit], strict=True)]
        return statistics.median(values) if all(times[unit]) else "-"

    times["unblended"] = [value - blend for value, blend in zip(times["total"], times["blending"], strict=True)]
    return {
        **described(name, preset, product, solver, size),
        **{part: ratio(part, "bare") for part in (*STAGES, "rest", "total")},
        "total_per_median_blur": ratio("total", "median"),
        "unblended_per_median_blur": ratio("unblended", "median"),
        "placed": placed / (rounds * calls),
    }


def bench_between(name, preset, product, solver, size, calls, rounds):
    images = [draw_product(product, index, size) for index in range(6)]
    files = [cv2.imencode(".png", image)[1] for image in images]
    task = TASKS[name].from_preset(preset, label="logistic", solver=solver)
    ratios, times = {"alone": [], "between": []}, {"alone": [], "between": []}
    for round_ in range(rounds + 1):
        for way, values in ratios.items():
            total = bare = 0.0
            for call in range(calls):
                image, source, file = images[call % 6], images[(call + 1) % 6], files[(call + 2) % 6]
                seed = [round_, call]
                inputs = bare_inputs(image, source, task.plan(image, source, np.random.default_rng(seed)))
                generator = np.random.default_rng(seed)
                if way == "between":
                    cv2.imdecode(file, cv2.IMREAD_COLOR)
                total += seconds(task, image, source, generator)
                if way == "between":
                    cv2.imdecode(file, cv2.IMREAD_COLOR)
                bare += bare_seconds(inputs)
            values.append(total / bare)
            times[way].append(1000 * total / calls)
    medians = {way: statistics.median(values[1:]) for way, values in ratios.items()}
    return {
        **described(name, preset, product, solver, size),
        **medians,
        "between_ms": statistics.median(times["between"][1:]),
    }


def bench_option(preset, product, option, size, calls, rounds):
    images = [draw_product(product, index, size) for index in range(2 * calls)]
    tasks = [published.NaturalSyntheticAnomaly.from_preset(preset, **options) for options in ({}, option)]
    pairs = list(zip(images[::2], images[1::2], strict=True))
    ratios = []
    for _ in range(1 + rounds):
        spent = [0.0, 0.0]
        for seed, pair in enumerate(pairs):
            for index, task in enumerate(tasks):
                spent[index] += seconds(task, *pair, seed)
        ratios.append(spent[1] / spent[0])
    written = " ".join(f"{name}={value}" for name, value in option.items())
    return {
        "preset": preset,
        "product": product,
        "side": size,
        "option": written,
        "ratio": statistics.median(ratios[1:]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--between", choices=["decode"])
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.between:
        rows = [
            bench_between(*case, solver, size, max(arguments.calls * 256 // size, 4), arguments.rounds)
            for size in arguments.sizes
            for solver in SOLVERS
            for case in POISSON_CASES
        ]
        report("One call / bare seamlessClone calls of its plan, files decoded in between", rows, arguments.json)
        return
    rows = [
        bench(*case, size, max(arguments.calls * 256 // size, 4), arguments.rounds)
        for size in arguments.sizes
        for case in CASES
    ]
    report("One call / bare seamlessClone calls of its plan", rows, arguments.json)
    rows = [
        bench_option(*case, size, max(arguments.calls * 256 // size, 4), arguments.rounds)
        for size in arguments.sizes
        for case in OPTION_CASES
    ]
    path = arguments.json and Path(arguments.json)
    report("One call with an option / without", rows, path and path.with_stem(f"{path.stem}_options"))


if __name__ == "__main__":
    main()
