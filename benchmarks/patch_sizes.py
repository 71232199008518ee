"""Sizes of images and patches: the least side of images with patches, and the final sizes of patches.

    python benchmarks/patch_sizes.py [--calls N]

The object fills the images, so that only size matters. First table, for every preset: the smallest side of a square
image at which a patch is placed at all, and in nine of ten calls; and the share of patches in images of 256 pixels that
the size limits shrink below the lower end of `scale_range`. Second table: the final sizes of patches with ranges of 0.2
to 0.4, as fractions of an image of 256 pixels.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator

import numpy as np

from nsa_augment import PRESETS, AnomalyTask, NaturalSyntheticAnomaly, SynthesisPlan

SIDES = range(8, 257, 2)
ASKED = {"height_range": (0.2, 0.4), "width_range": (0.2, 0.4)}


def draw(task: AnomalyTask, side: int, calls: int) -> Iterator[SynthesisPlan]:
    image, everywhere = np.zeros((side, side), np.uint8), np.ones((side, side), bool)
    rng = np.random.default_rng(0)
    for _ in range(calls):
        yield task.plan(image, image, rng, mask=everywhere, source_mask=everywhere)


def smallest_sides(task: AnomalyTask, calls: int) -> list[int]:
    placed = {side: np.mean([bool(plan.patches) for plan in draw(task, side, calls)]) for side in SIDES}
    return [min(side for side, share in placed.items() if share > least) for least in (0, 0.9)]


def shrunk_share(task: AnomalyTask, calls: int) -> float:
    """Share of patches shrunk in height and width below the smallest factor drawn, by more than rounding."""
    assert task.scale_range is not None
    shrunk = [
        all(
            after + 1 < task.scale_range[0] * before
            for after, before in zip(patch.size, patch.source_box.size, strict=True)
        )
        for plan in draw(task, 256, calls)
        for patch in plan.patches
    ]
    return float(np.mean(shrunk))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    calls = parser.parse_args().calls
    warnings.filterwarnings("ignore", r"\w+ has placed no patch")
    print(f"{'preset':<12} {'limits':<6} {'first':>6} {'nine of ten':>12} {'shrunk':>7}")
    for preset in PRESETS:
        for limits in ("half", "full"):
            task = NaturalSyntheticAnomaly.from_preset(preset, resize_limits=limits)
            first, mostly = smallest_sides(task, calls)
            print(f"{preset:<12} {limits:<6} {first:>6} {mostly:>12} {shrunk_share(task, 10 * calls):>7.2f}")
    print(f"\n{'asked for 0.2 to 0.4':<40} {'smallest':>8} {'largest':>8}")
    for options in ({"resize_limits": "half"}, {"resize_limits": "full"}, {"scale_range": None}):
        task = NaturalSyntheticAnomaly(**ASKED, **options)
        heights = [patch.size[0] / 256 for plan in draw(task, 256, 10 * calls) for patch in plan.patches]
        print(f"{options!s:<40} {min(heights):>8.2f} {max(heights):>8.2f}")


if __name__ == "__main__":
    main()
