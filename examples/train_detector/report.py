"""The results of a run, metrics.json and figures; of several runs, a table."""

from __future__ import annotations

import io
import json
import math
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.train_detector.figures import gallery, loss_curve, roc_and_pro_curves
from examples.train_detector.files import write_bytes
from examples.train_detector.metrics import bootstrap, evaluate
from examples.train_detector.tables import as_csv, as_markdown, results_table

LEVEL, RESAMPLES = 0.95, 1000


@dataclass(frozen=True, eq=False)
class Outcome:
    """The results of a trained detector on its test images.

    Attributes
    ----------
    class_name, task, label : str
    ablation : str or None
    seed : int
    images : (N, H, W, 3) uint8
    masks : (N, H, W) bool
        True defects.
    maps : (N, H, W) float32
        Anomaly maps; the larger, the more anomalous.
    scores : (N,) array of numbers
        Anomaly scores of the images.
    names : N strings
    history : list of dict
        "epoch", "loss" and "images_per_second" of each epoch.
    """

    class_name: str
    task: str
    label: str
    ablation: str | None
    seed: int
    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    maps: NDArray[np.float32]
    scores: NDArray[Any]
    names: list[str]
    history: list[dict[str, float]]

    def __post_init__(self) -> None:
        count = len(self.maps)
        if self.images.shape != (*self.maps.shape, 3) or len(self.names) != count:
            accepted = f"{count} RGB images of the maps' size and {count} names"
            raise ValueError(f"images must be {accepted}, got shape {self.images.shape} and {len(self.names)} names")


def write_report(
    folder: str | os.PathLike[str], outcome: Outcome, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Evaluate a run and write metrics.json, predictions.npz, loss.png, curves.png and gallery.png into its folder.

    predictions.npz holds `maps`, `scores`, `masks` and `names`.

    Parameters
    ----------
    folder : path-like
        Created if missing.
    outcome : Outcome
    extra : mapping, optional
        Further entries of metrics.json.

    Returns
    -------
    dict
        Contents of metrics.json: "metrics" and their "intervals" as fractions, null if undefined.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    detector = outcome.scores, outcome.maps, outcome.masks
    values = {
        **{name: getattr(outcome, name) for name in ("class_name", "task", "label", "ablation", "seed")},
        "test_images": len(outcome.masks),
        "defective_images": np.count_nonzero(np.any(outcome.masks, axis=(1, 2))),
        "metrics": evaluate(*detector),
        "intervals": bootstrap(*detector, resamples=RESAMPLES, level=LEVEL),
        "interval_level": LEVEL,
        "resamples": RESAMPLES,
    }
    loss_curve(outcome.history, folder / "loss.png")
    roc_and_pro_curves(*detector, folder / "curves.png")
    gallery(outcome.images, outcome.masks, outcome.maps, outcome.scores, outcome.names, folder / "gallery.png")
    buffer = io.BytesIO()
    arrays = {name: np.asarray(getattr(outcome, name)) for name in ("maps", "scores", "masks", "names")}
    np.savez_compressed(buffer, **arrays)
    write_bytes(folder / "predictions.npz", buffer.getvalue())
    written = _plain({**values, "evaluation_seconds": time.perf_counter() - began, **(extra or {})})
    write_bytes(folder / "metrics.json", json.dumps(written, indent=2, allow_nan=False, default=str).encode())
    return written


def write_summary(folder: str | os.PathLike[str], metrics_list: Iterable[Mapping[str, Any]]) -> None:
    """Write table.md and table.csv over classes and seeds, from the results of `write_report`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = results_table(metrics_list)
    write_bytes(folder / "table.md", as_markdown(rows).encode())
    write_bytes(folder / "table.csv", as_csv(rows).encode())


def _plain(value: Any) -> Any:
    """A value for JSON: no NumPy types; None if not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
