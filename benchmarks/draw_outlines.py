"""The picture in docs/how_to/tasks.md: thin and irregular outlines on the products, each with its logistic label.

python benchmarks/draw_outlines.py FILE
"""

from __future__ import annotations

import sys

import numpy as np
from PIL import Image

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.samples import PRODUCTS, draw_sample

COLUMNS = (
    {"shape": "noise", "noise_scales": (0, 3)},
    {"shape": "polygon"},
    {"shape": "stroke"},
    {"selection": "fine_scar"},
)
SEEDS = range(40)


def draw(product, arguments):
    """Result and label of the first seed that changes the image."""
    image, source = (draw_sample(product, index).image for index in range(2))
    task = NaturalSyntheticAnomaly.from_preset(PRODUCTS[product].preset, label="logistic", **arguments)
    result = next(result for seed in SEEDS if (result := task(image, source, seed)).mask.any())
    return [result.image, np.repeat((result.label * 255).astype(np.uint8)[..., np.newaxis], 3, axis=2)]


def main():
    rows = [[tile for arguments in COLUMNS for tile in draw(product, arguments)] for product in PRODUCTS]
    sheet = Image.fromarray(np.concatenate([np.concatenate(row, axis=1) for row in rows]))
    sheet.reduce(2).save(sys.argv[1])


if __name__ == "__main__":
    main()
