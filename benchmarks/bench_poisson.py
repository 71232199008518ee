"""Poisson blending of one square patch: both solvers, and Poisson packages from PyPI if installed.

    python benchmarks/bench_poisson.py [--json FILE] [--plot FILE] [--sides 16 ... 512]
        [--channels 1 3 16]

One thread. "times faster" is the time of `cv2.seamlessClone` (in groups of three channels) over that of the solver;
"difference" is the largest one from seamlessClone's result, in grey levels. Peers: fpie (numba backend, source
gradients, its default of 5000 iterations; one run each) and pietorch (NumPy version).
"""

from __future__ import annotations

import argparse
import statistics

import cv2
import numpy as np
from timing import report, seconds

from nsa_augment.blending import SOLVERS


def patches(side, channels):
    rng = np.random.default_rng(side)
    small = rng.integers(0, 256, (2, max(side // 8, 2), max(side // 8, 2), channels)).astype(np.float32)
    images = [
        np.stack([cv2.resize(part[:, :, c], (side, side), interpolation=cv2.INTER_CUBIC) for c in range(channels)], -1)
        for part in small
    ]
    mask = np.zeros((side, side), np.uint8)
    mask[1:-1, 1:-1] = 255
    return *(np.clip(image, 0, 255).astype(np.uint8) for image in images), mask


def by_opencv(image, source, mask):
    SOLVERS["opencv"].clone(image, source, mask, "source", 255.0)


def by_spectral(image, source, mask):
    SOLVERS["spectral"].clone(image, source, mask, "source", 255.0)


def peers():
    """Functions that blend in place, by name, of the packages that are installed."""
    found = {}
    try:
        from fpie.process import EquProcessor
    except ImportError:
        pass
    else:

        def by_fpie(image, source, mask):
            solver = EquProcessor("src", "numba", 1)
            solver.reset(source, np.repeat(mask[:, :, None], 3, 2), image, (0, 0), (0, 0))
            image[...] = solver.step(5000)[0]

        found["fpie"] = by_fpie
    try:
        from pietorch import blend_numpy
    except ImportError:
        pass
    else:

        def by_pietorch(image, source, mask):
            floats = [part.astype(np.float64) for part in (image, source)]
            corner = np.array([0, 0])
            blended = blend_numpy(*floats, (mask > 0).astype(float), corner, False, channels_dim=2)
            image[...] = np.clip(blended, 0, 255)

        found["pietorch"] = by_pietorch
    return found


def median_time(function, image, source, mask, repeats):
    times = [seconds(function, image.copy(), source, mask) for _ in range(repeats + 1)]
    return statistics.median(times[1:] or times)


def bench(side, channels, others):
    image, source, mask = patches(side, channels)
    expected = image.copy()
    by_opencv(expected, source, mask)
    repeats = max(3, min(50, 4_000_000 // (side * side * channels)))
    reference = median_time(by_opencv, image, source, mask, repeats)
    row = {"side": side, "channels": channels, "seamlessClone_us": reference * 1e6}
    for name, function in {"spectral": by_spectral, **others}.items():
        if name == "fpie" and channels != 3:
            row |= {f"{name}_times_faster": "-", f"{name}_difference": "-"}
            continue
        result = image.copy()
        time = median_time(function, image, source, mask, 1 if name == "fpie" else repeats)
        function(result, source, mask)
        difference = int(np.abs(result.astype(int) - expected.astype(int)).max())
        row |= {f"{name}_times_faster": reference / time, f"{name}_difference": difference}
    return row


def plot(rows, path):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    for channels in sorted({row["channels"] for row in rows}):
        chosen = [row for row in rows if row["channels"] == channels]
        values = [row["spectral_times_faster"] for row in chosen]
        axes.plot([row["side"] for row in chosen], values, "o-", label=f"{channels} channels")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel="side of the patch, pixels", ylabel="times faster than seamlessClone", ylim=(0, None))
    ticks = sorted({row["side"] for row in rows})
    axes.set_xticks(ticks, map(str, ticks), minor=False)
    axes.minorticks_off()
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--sides", type=int, nargs="+", default=[16, 32, 64, 100, 128, 200, 256, 400, 512])
    parser.add_argument("--channels", type=int, nargs="+", default=[1, 3, 16])
    parser.add_argument("--plot")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    others = peers()
    rows = [bench(side, channels, others) for channels in arguments.channels for side in arguments.sides]
    report("Poisson blending of one patch", rows, arguments.json)
    if arguments.plot:
        plot(rows, arguments.plot)


if __name__ == "__main__":
    main()
