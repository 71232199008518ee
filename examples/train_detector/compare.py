"""Compare runs on the same test images: `python -m examples.train_detector.compare RUN RUN...` (folders of a seed).

Prints a Markdown table: each metric with its bootstrap interval over the test images, and the interval of the
difference to the first run on the same resamples, marked "undecided" if it includes 0.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from examples.train_detector.metrics import paired_bootstrap_difference
from examples.train_detector.tables import COLUMNS

SHOWN = {
    metric: COLUMNS[metric]
    for metric in ("pixel_auroc", "aupro_0.3", "image_auroc", "aupro_0.05", "pixel_f1_max", "image_f1_max", "aupimo")
}


def compare(runs: list[Path]) -> str:
    """Markdown table of runs; ValueError if one is unfinished or has other test images."""
    columns = [f"{shown}{what}" for shown in SHOWN.values() for what in ("", ", difference")]
    lines = ["| run | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    first = _predictions(runs[0])
    for run in runs:
        metrics = json.loads((run / "metrics.json").read_text())
        predictions = _predictions(run)
        if not np.array_equal(predictions["masks"], first["masks"]):
            raise ValueError(f"{run} has other test images than {runs[0]}")
        cells = [_name(metrics)]
        detectors = [(part["scores"], part["maps"]) for part in (predictions, first)]
        differences = paired_bootstrap_difference(*detectors, first["masks"]) if run != runs[0] else None
        for metric in SHOWN:
            value = metrics["metrics"].get(metric)  # missing in runs made before it was added
            cells.append("-" if value is None else _with_interval(value, metrics["intervals"][metric]))
            cells.append("" if differences is None else _difference(*differences[metric]))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _predictions(run: Path) -> dict[str, Any]:
    path = run / "predictions.npz"
    if not path.is_file():
        raise ValueError(f"no finished run in {run}: {path.name} is missing")
    with np.load(path) as arrays:
        return dict(arrays)


def _name(metrics: dict[str, Any]) -> str:
    parts = metrics["task"], metrics["label"], metrics["ablation"] and f"ablation {metrics['ablation']}"
    return " ".join(filter(None, parts)) + f", seed {metrics['seed']}"


def _with_interval(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _difference(low: float, high: float) -> str:
    if not np.isfinite(low):
        return "-"
    interval = f"[{100 * low:+.1f}, {100 * high:+.1f}]"
    return f"undecided {interval}" if low <= 0 <= high else interval


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m examples.train_detector.compare RUN RUN...")
    try:
        print(compare([Path(run) for run in sys.argv[1:]]))
    except (ValueError, OSError) as error:
        sys.exit(f"compare: {error}")
