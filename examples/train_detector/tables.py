"""Results over classes and seeds, with the published ones (Tables 7 and 8 of the NSA paper)."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

PUBLISHED = Path(__file__).parent / "published"
COLUMNS = {
    "image_auroc": "image AUROC",
    "pixel_auroc": "pixel AUROC",
    "aupro_0.3": "AU-PRO 0.3",
    "image_ap": "image AP",
    "pixel_ap": "pixel AP",
    "image_f1_max": "image F1-max",
    "pixel_f1_max": "pixel F1-max",
    "aupro_0.05": "AU-PRO 0.05",
    "aupimo": "AUPIMO",
    "aupimo_above_0": "AUPIMO > 0",
}
KEYS = ("class", "task", "label", "ablation")
NOTE = (
    "Percent: mean ± standard error over the seeds, or [95 % bootstrap interval over the test images] of a single one. "
    "Published: Tables 7 and 8 of the NSA paper, for the class of that name of MVTec AD."
)
METHODS = {
    ("nsa", "binary"): "nsa_binary",
    ("nsa", "continuous"): "nsa_continuous",
    ("nsa", "logistic"): "nsa_logistic",
    ("cutpaste", "binary"): "cutpaste_end_to_end",
    ("fpi", "factor"): "fpi",
    ("pii", "factor"): "pii",
}
TEXTURES = ("carpet", "grid", "leather", "tile", "wood")
OBJECTS = (
    "bottle",
    "cable",
    "capsule",
    "hazelnut",
    "metal_nut",
    "pill",
    "screw",
    "toothbrush",
    "transistor",
    "zipper",
)
AVERAGES = {"object_average": OBJECTS, "texture_average": TEXTURES, "overall_average": (*OBJECTS, *TEXTURES)}

Value = tuple[float, float | None]
Row = dict[str, Any]


def published(class_name: str, task: str, label: str, ablation: str | None = None) -> dict[str, Value]:
    """Published results of a class, in percent.

    Parameters
    ----------
    class_name : str
        A class of MVTec AD, or "object_average", "texture_average" or "overall_average".
    task, label : str
        Image and pixel AUROC are published for NSA with logistic labels only; AU-PRO for the paper's label of each
        task, and all three labels of NSA.
    ablation : str, optional
        "A" to "D", published for NSA with logistic labels, without AU-PRO.

    Returns
    -------
    dict of metric to (mean, standard error or None)
        Published metrics only.
    """
    table7, table8 = read_published("table7.csv"), read_published("table8.csv")
    found = {}
    if (task, label) == ("nsa", "logistic"):
        found.update(table7.get((class_name, ablation or "final"), {}))
    if ablation is None:
        found.update(table8.get((class_name, METHODS.get((task, label))), {}))
    return found


@cache
def read_published(name: str) -> dict[tuple[str, str | None], dict[str, Value]]:
    """Contents of a file, by class (or average) and variant or method."""
    found: dict[tuple[str, str | None], dict[str, Value]] = defaultdict(dict)
    with open(PUBLISHED / name, newline="") as file:
        for class_name, variant, metric, mean, error in list(csv.reader(file))[1:]:
            found[class_name, variant][metric] = float(mean), float(error) if error else None
    return dict(found)


def results_table(runs: Iterable[Mapping[str, Any]]) -> list[Row]:
    """One row per class, task, label and ablation.

    Parameters
    ----------
    runs : iterable of mappings
        Contents of metrics.json files; see `report.write_report`.

    Returns
    -------
    list of dict
        "class", "task", "label", "ablation", "seeds" and, in percent, of each metric its mean over the seeds
        ("image_auroc"), the mean's standard error ("image_auroc_error"), of a single seed the bootstrap interval
        ("image_auroc_low", "image_auroc_high"), and what was published ("image_auroc_published",
        "image_auroc_published_error"). None if unknown, as for runs older than a metric. Averages over
        objects, textures and all 15 classes of MVTec AD follow if all of these were run.

    Raises
    ------
    ValueError
        If two runs are of the same class, task, label, ablation and seed.
    """
    groups: dict[tuple[Any, ...], dict[int, Mapping[str, Any]]] = defaultdict(dict)
    for run in runs:
        same_seed = groups[run["class_name"], run["task"], run["label"], run["ablation"]]
        if run["seed"] in same_seed:
            raise ValueError(f"runs must differ in class, task, label, ablation or seed, got twice: {_identity(run)}")
        same_seed[run["seed"]] = run
    kinds = dict.fromkeys(key[1:] for key in groups)
    averages = {(name, *kind): _average(groups, kind, members) for kind in kinds for name, members in AVERAGES.items()}
    return [_row(key, by_seed) for key, by_seed in {**groups, **averages}.items() if by_seed]


def _identity(run: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {run[name]!r}" for name in ("class_name", "task", "label", "ablation", "seed"))


def _average(
    groups: Mapping[tuple[Any, ...], Mapping[int, Mapping[str, Any]]], kind: tuple[Any, ...], members: Sequence[str]
) -> dict[int, Mapping[str, Any]]:
    """Mean over classes for every seed that all of them have, in the form of runs."""
    by_class = [groups.get((name, *kind), {}) for name in members]
    averages: dict[int, Mapping[str, Any]] = {}
    for seed in sorted(set.intersection(*map(set, by_class))):
        results = {metric: [by_seed[seed]["metrics"].get(metric) for by_seed in by_class] for metric in COLUMNS}
        means = {metric: None if None in values else np.mean(values) for metric, values in results.items()}
        averages[seed] = {"metrics": means, "intervals": {}}
    return averages


def _row(key: tuple[Any, ...], by_seed: Mapping[int, Mapping[str, Any]]) -> Row:
    row: Row = dict(zip(KEYS, key, strict=True))
    row["seeds"] = sorted(by_seed)
    known, runs = published(*key), list(by_seed.values())
    for metric in COLUMNS:
        values = [run["metrics"][metric] for run in runs if run["metrics"].get(metric) is not None]
        interval = runs[0]["intervals"].get(metric) if len(runs) == 1 else None
        row[metric] = _percent(np.mean(values)) if values else None
        row[f"{metric}_error"] = _percent(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        row[f"{metric}_low"], row[f"{metric}_high"] = map(_percent, interval or (None, None))
        row[f"{metric}_published"], row[f"{metric}_published_error"] = known.get(metric, (None, None))
    return row


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * float(fraction), 4)


def as_markdown(rows: Sequence[Row]) -> str:
    """`results_table` as a Markdown table, with the published results if there are any."""
    columns: dict[str, list[str]] = {name: [str(row[name] or "-") for row in rows] for name in KEYS}
    columns["seeds"] = [", ".join(map(str, row["seeds"])) for row in rows]
    for metric, name in COLUMNS.items():
        columns[name] = [_cell(row, metric) for row in rows]
        if any(row[f"{metric}_published"] is not None for row in rows):
            columns[f"{name}, published"] = [_cell(row, f"{metric}_published") for row in rows]
    lines = [list(columns), ["---"] * len(columns), *zip(*columns.values(), strict=True)]
    return "\n".join([NOTE, "", *(f"| {' | '.join(line)} |" for line in lines), ""])


def _cell(row: Row, name: str) -> str:
    if row[name] is None:
        return "-"
    if row[f"{name}_error"] is not None:
        return f"{row[name]:.1f} ± {row[f'{name}_error']:.1f}"
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return f"{row[name]:.1f}" + (f" [{low:.1f}, {high:.1f}]" if low is not None else "")


def as_csv(rows: Sequence[Row]) -> str:
    """`results_table` as CSV with a header; seeds are separated by spaces."""
    parts = ("", "_error", "_low", "_high", "_published", "_published_error")
    file = io.StringIO()
    table = csv.DictWriter(file, [*KEYS, "seeds", *(metric + part for metric in COLUMNS for part in parts)])
    table.writeheader()
    table.writerows({**row, "seeds": " ".join(map(str, row["seeds"]))} for row in rows)
    return file.getvalue()
