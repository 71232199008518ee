"""A picture of the anomaly maps of each configuration of a study on the same test images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from examples.train_detector.data import as_shown
from examples.train_detector.figures import _panel, _write
from examples.train_detector.jobs import PREDICTIONS, Job, images_of
from examples.train_detector.worth import GOOD

EXAMPLES = 2
RARE = 3.0
"""Powers of ten: pixels as anomalous as at most 1 in 1,000 good pixels have the brightest colour."""


def draw_sheet(jobs: Mapping[str, Job], path: Path) -> None:
    """Draw the first two test images of every kind and a good one in rows, configurations in columns, as a PNG file.

    Maps of different configurations have different scales, so pixels are coloured by the share of pixels of good test
    images that are as anomalous. The number of good images with a lower score is above each map.

    Parameters
    ----------
    jobs : mapping of str to Job
        A finished run of each configuration, all of one class.
    path : Path
    """
    first = next(iter(jobs.values()))
    test_set = images_of(first)[1]
    kinds = [name.rpartition("/")[0] for name in test_set.names]
    rows = [
        index
        for kind in sorted(dict.fromkeys(kinds), key=lambda kind: kind == GOOD)
        for index in [place for place, other in enumerate(kinds) if other == kind][: 1 if kind == GOOD else EXAMPLES]
    ]
    good = np.asarray(kinds) == GOOD
    figure = Figure((1.5 * (len(jobs) + 1) + 0.6, 1.65 * len(rows) + 0.6), layout="constrained")
    panels = figure.subplots(len(rows), len(jobs) + 1, squeeze=False)
    for row, index in zip(panels, rows, strict=True):
        _panel(row[0], as_shown(test_set.images[index]), test_set.masks[index])
        row[0].set_title(test_set.names[index], fontsize=8, parse_math=False)
    scale = Normalize(0, RARE)
    for column, (name, job) in zip(panels.T[1:], jobs.items(), strict=True):
        with np.load(job.folder / PREDICTIONS) as arrays:
            maps, scores = arrays["maps"], arrays["scores"]
        for axes, index in zip(column, rows, strict=True):
            _panel(axes, _rarity(maps[index], maps[good]), test_set.masks[index], cmap="inferno", norm=scale)
            below = np.count_nonzero(scores[good] < scores[index])
            axes.set_title(f"score above {below} of {good.sum()} good", fontsize=7)
        column[0].set_title(f"{name}\n{column[0].get_title()}", fontsize=8, parse_math=False)
    bar = figure.colorbar(ScalarMappable(scale, "inferno"), ax=panels, fraction=0.02, pad=0.01, ticks=range(4))
    bar.ax.set_yticklabels(["1", "0.1", "0.01", "0.001"], fontsize=8)
    bar.set_label("share of good pixels as anomalous", fontsize=8)
    _write(figure, path)


def _rarity(one: NDArray[Any], good: NDArray[Any]) -> NDArray[Any]:
    """Minus the logarithm of the share of good pixels that are at least as anomalous."""
    if not good.size:
        return np.zeros(one.shape)
    ordered = np.sort(good, axis=None)
    above = ordered.size - np.searchsorted(ordered, one, side="left")
    return -np.log10(np.maximum(above, 1) / ordered.size)
