"""How often an outline results in an empty mask, on the embedded products with suitable presets.

    python benchmarks/empty_masks.py [--calls N]

"no patch": share of calls in which no patch found a place; "empty": share of the others whose mask is empty.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from timing import report

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.samples import PRODUCTS, draw_sample

OUTLINES = {
    "rectangles": {},
    "ellipses": {"shape": "ellipses"},
    "strokes": {"shape": "stroke"},
    "noise (0, 3)": {"shape": "noise", "noise_scales": (0, 3)},
    "fine_noise (0, 3)": {"shape": "fine_noise", "noise_scales": (0, 3)},
    "fine_scar": {"selection": "fine_scar"},
    "cutpaste_scar": {"selection": "cutpaste_scar"},
    "cutpaste_scar, one patch": {"selection": "cutpaste_scar", "max_patches": 1},
}
IMAGES = 12


def count(task, images, calls):
    """Shares of calls without a patch, and of empty masks among the others."""
    placed = empty = 0
    for call in range(calls):
        first, second = np.random.default_rng([0, call]).choice(len(images), 2, replace=False)
        plan = task.plan(images[first], images[second], np.random.default_rng([1, call]))
        placed += bool(plan.patches)
        empty += bool(plan.patches) and not task.apply(images[first], images[second], plan).mask.any()
    return 1 - placed / calls, empty / max(placed, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=400)
    calls = parser.parse_args().calls
    warnings.filterwarnings("ignore", r"\w+ has placed no patch")
    rows = []
    for name, product in PRODUCTS.items():
        images = [draw_sample(name, index).image for index in range(IMAGES)]
        for outline, arguments in OUTLINES.items():
            task = NaturalSyntheticAnomaly.from_preset(product.preset, **arguments)
            no_patch, empty = count(task, images, calls)
            rows.append({"images": name, "outline": outline, "no patch": no_patch, "empty": empty})
    report(f"Shares of {calls} calls", rows, None)


if __name__ == "__main__":
    main()
