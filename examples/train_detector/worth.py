"""Comparison of the configurations of a study: means over seeds, and differences paired over seeds and test images."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from examples.train_detector.metrics import PRO_LIMIT, _area, _draw_images, _interval, _pixel_histograms, _shares

Floats = NDArray[np.float64]
Key = tuple[str, str]
"""Defects ("all", a kind or a group of kinds) and metric."""
Measures = dict[Key, Floats]
"""Values of each metric on the test images, then on each resample of them."""

METRICS = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "aupro_0.3": "AU-PRO 0.3"}
GOOD, ALL, AVERAGE = "good", "all", "average"
GROUPS = {
    "thin defects": ("scratch", "crack", "thread"),
    "parts missing": ("hole", "missing", "broken", "cut"),
    "other defects": ("",),
}
"""Groups of kinds of defects: a kind belongs to the first group of which it contains a word."""
RESAMPLES, LEVEL = 1000, 0.95


class RunKey(NamedTuple):
    """The key of a run."""

    class_name: str
    configuration: str
    seed: int


def group_of(kind: str) -> str:
    """Group of a kind of defects."""
    return next(group for group, words in GROUPS.items() if any(word in kind for word in words))


def measure_runs(runs: Mapping[RunKey, Path], resamples: int = RESAMPLES) -> dict[RunKey, Measures]:
    """Measures of runs from their predictions.npz, on the same resamples for all runs of a class.

    Raises
    ------
    ValueError
        If two runs of a class have different test images.
    """
    seen: dict[str, tuple[Path, Any, Any]] = {}
    measures = {}
    for key, path in runs.items():
        with np.load(path) as arrays:
            scores, maps, masks, names = (arrays[name] for name in ("scores", "maps", "masks", "names"))
        first, *images = seen.setdefault(key.class_name, (path, masks, names))
        if not all(map(np.array_equal, images, (masks, names))):
            raise ValueError(f"{path} has other test images than {first}")
        kinds = [str(name).rpartition("/")[0] for name in names]
        measures[key] = measure(scores, maps, masks, kinds, resamples)
    return measures


def measure(scores: Any, maps: Any, masks: Any, kinds: Sequence[str], resamples: int = RESAMPLES) -> Measures:
    """Image AUROC and pixel AUROC of all defects and of each kind and group against good images, and AU-PRO of all.

    Images are drawn with replacement, each kind separately, so that each resample has as many of each as the test
    set; the resamples depend only on the kinds. Image AUROC is exact, pixel metrics come from histograms; see
    `metrics.bootstrap`.

    Parameters
    ----------
    scores : (N,) array of numbers
    maps : (N, H, W) array of numbers
    masks : (N, H, W) array of bool
    kinds : N strings
        "good", or the kind of defect.
    resamples : int
    """
    scores, kind_of = np.asarray(scores, np.float64), np.asarray(kinds)
    normal, defective, overlap = _pixel_histograms(np.asarray(maps), np.asarray(masks) > 0)
    drawn = _draw_images(np.unique(kind_of, return_inverse=True)[1], resamples, 0)
    counts = np.vstack([np.ones(len(kind_of)), drawn])
    higher = (scores > scores[:, None]) + (scores == scores[:, None]) / 2
    higher_pixels = normal @ (np.cumsum(defective, axis=1) - defective / 2).T
    good = kind_of == GOOD
    members = {ALL: ~good, **{kind: kind_of == kind for kind in dict.fromkeys(kinds) if kind != GOOD}}
    groups = np.asarray([group_of(kind) for kind in kinds])
    members |= {group: ~good & (groups == group) for group in dict.fromkeys(groups[~good].tolist())}
    found: Measures = {}
    for defects, bad in members.items():
        part = counts * (good | bad)
        found[defects, "image_auroc"] = _ratio(part * good, higher, part * bad)
        totals = normal.sum(axis=1), defective.sum(axis=1)
        found[defects, "pixel_auroc"] = _ratio(part, higher_pixels, part, *totals)
    found[ALL, "aupro_0.3"] = _area(_shares(counts @ normal), _shares(counts @ overlap), PRO_LIMIT)
    return found


def _ratio(low: Floats, wins: Floats, high: Floats, low_size: Any = 1, high_size: Any = 1) -> Floats:
    """Share of pairs of one item of `low` and one of `high` that are in order; NaN without pairs."""
    pairs = (low * low_size).sum(axis=1) * (high * high_size).sum(axis=1)
    ordered = ((low @ wins) * high).sum(axis=1)
    return np.asarray(np.divide(ordered, pairs, out=np.full(len(low), np.nan), where=pairs > 0))


def study_table(measures: Mapping[RunKey, Measures], configurations: Sequence[str]) -> list[dict[str, Any]]:
    """One row per class (and the average over classes), configuration, defects and metric; values in percent.

    Parameters
    ----------
    measures : mapping
        See `measure_runs`.
    configurations : sequence of str
        Names in order; differences are to the first.

    Returns
    -------
    list of dict
        "class", "configuration", "defects", "metric", "classes" (number), "seeds" (number), "mean" and its "error"
        (standard error over the seeds), "difference" and its "difference_error", over the seeds that both have, and
        its bootstrap interval over the test images, "low" and "high". None if unknown. The average over classes uses
        those that the configuration was trained on, and the seeds that all of these have.
    """
    by_seed: dict[tuple[str, str], dict[int, Measures]] = defaultdict(dict)
    for run, found in measures.items():
        by_seed[run.class_name, run.configuration][run.seed] = found
    first = configurations[0]
    rows = []
    for name in dict.fromkeys(run.class_name for run in measures):
        for configuration in configurations:
            own, other = by_seed[name, configuration], by_seed[name, first]
            keys = dict.fromkeys(key for found in own.values() for key in found)
            for key in keys:
                rows.append(_row(name, configuration, key, _values([own], key), _values([other], key), 1, first))
    for configuration in configurations:
        pairs = [
            (own, by_seed[name, first]) for (name, other), own in by_seed.items() if other == configuration and own
        ]
        for key in dict.fromkeys(key for own, _ in pairs for found in own.values() for key in found):
            able = [pair for pair in pairs if any(key in found for found in pair[0].values())]
            values, others = (_values([pair[side] for pair in able], key) for side in (0, 1))
            rows.append(_row(AVERAGE, configuration, key, values, others, len(able), first))
    return rows


def _values(runs: Iterable[Mapping[int, Measures]], key: Key) -> dict[int, Floats]:
    """Mean over classes for every seed that all of them have."""
    runs = list(runs)
    return {seed: np.mean([by_seed[seed][key] for by_seed in runs], axis=0) for seed in _shared(runs)}


def _shared(runs: Sequence[Mapping[int, Any]]) -> list[int]:
    return sorted(set.intersection(*map(set, runs))) if runs else []


def _row(
    name: str,
    configuration: str,
    key: Key,
    own: dict[int, Floats],
    other: dict[int, Floats],
    classes: int,
    first: str,
) -> dict[str, Any]:
    mean, error = _over_seeds([values[0] for values in own.values()])
    paired = [] if configuration == first else [own[seed] - other[seed] for seed in _shared([own, other])]
    difference, difference_error = _over_seeds([values[0] for values in paired])
    low, high = _interval(np.mean(paired, axis=0)[1:], LEVEL) if paired else (np.nan, np.nan)
    values = {"mean": mean, "error": error, "difference": difference, "difference_error": difference_error}
    return {
        "class": name,
        "configuration": configuration,
        "defects": key[0],
        "metric": key[1],
        "classes": classes,
        "seeds": len(own),
        **{what: _percent(value) for what, value in {**values, "low": low, "high": high}.items()},
    }


def _over_seeds(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard error; NaN if there are too few values."""
    count = len(values)
    return (
        float(np.mean(values)) if count else np.nan,
        float(np.std(values, ddof=1) / np.sqrt(count)) if count > 1 else np.nan,
    )


def _percent(fraction: float) -> float | None:
    return round(100 * fraction, 4) if np.isfinite(fraction) else None


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """`study_table` as CSV with a header."""
    file = io.StringIO()
    table = csv.DictWriter(file, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    return file.getvalue()


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """`study_table` as Markdown: for the average and each class a table of metrics, and two of kinds of defects."""
    names = dict.fromkeys(str(row["class"]) for row in rows)
    parts = []
    for name in sorted(names, key=lambda name: name != AVERAGE):
        of_class = [row for row in rows if row["class"] == name]
        parts.append(f"## {'Average over classes' if name == AVERAGE else name}\n")
        parts.append(_metrics_table(of_class))
        for metric in ("image_auroc", "pixel_auroc"):
            parts.append(f"{METRICS[metric]} by kind of defect, against good images:\n")
            parts.append(_kinds_table([row for row in of_class if row["metric"] == metric]))
    return "\n".join(parts)


def _metrics_table(rows: Sequence[Mapping[str, Any]]) -> str:
    found = {(row["configuration"], row["metric"]): row for row in rows if row["defects"] == ALL}
    columns = ["configuration", "classes", "seeds"]
    columns += [f"{shown}{what}" for shown in METRICS.values() for what in ("", ", difference")]
    lines = []
    for configuration in dict.fromkeys(row["configuration"] for row in rows):
        cells = [found[configuration, metric] for metric in METRICS]
        texts = [part for row in cells for part in (_with_error(row["mean"], row["error"]), _difference(row))]
        lines.append([configuration, str(cells[0]["classes"]), str(cells[0]["seeds"]), *texts])
    return _table(columns, lines)


def _kinds_table(rows: Sequence[Mapping[str, Any]]) -> str:
    found = {(row["configuration"], row["defects"]): row for row in rows}
    kinds = [kind for kind in dict.fromkeys(row["defects"] for row in rows) if kind != ALL]
    kinds.sort(key=lambda kind: kind in GROUPS)
    lines = []
    for configuration in dict.fromkeys(row["configuration"] for row in rows):
        cells = [found.get((configuration, kind)) for kind in kinds]
        texts = ["-" if row is None else f"{_number(row['mean'])} {_difference(row)}".strip() for row in cells]
        lines.append([configuration, *texts])
    return _table(["configuration", *kinds], lines)


def _table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), ""])


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.1f}"


def _with_error(value: float | None, error: float | None, sign: str = "") -> str:
    return _number(value, sign) + ("" if error is None else f" ± {error:.1f}")


def _difference(row: Mapping[str, Any]) -> str:
    """A difference with its error and interval, bold if the interval excludes 0."""
    if row["difference"] is None:
        return ""
    text = f"{_with_error(row['difference'], row['difference_error'], '+')} [{row['low']:+.1f}, {row['high']:+.1f}]"
    return text if row["low"] <= 0 <= row["high"] else f"**{text}**"
