"""Tables 7 and 8 of the NSA paper in their own layout: `python -m examples.train_detector.paper_tables`.

Averages computed from the rows are above the printed ones; remarks name those that differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from examples.train_detector.tables import AVERAGES, COLUMNS, OBJECTS, TEXTURES, Value, read_published

Column = tuple[str, str]
"""Variant or method, and metric, as in the files."""

VARIANTS = {
    "final": "NSA (logistic)",
    "A": "A: no foreground constraints",
    "B": "B: single patch",
    "C": "C: patches as in CutPaste",
    "D": "D: ellipses",
}
METHODS = {
    "padim": "PaDiM (ImageNet)",
    "cutpaste_end_to_end": "CutPaste (binary)",
    "fpi": "FPI (factor)",
    "pii": "PII (factor)",
    "nsa_binary": "NSA (binary)",
    "nsa_continuous": "NSA (continuous)",
    "nsa_logistic": "NSA (logistic)",
}
TABLES = {
    7: ("table7.csv", VARIANTS, ("image_auroc", "pixel_auroc")),
    8: ("table8.csv", METHODS, ("aupro_0.3",)),
}
GROUPS = {"object_average": OBJECTS, "texture_average": TEXTURES, "overall_average": ()}
"""The last class before each average."""

LAST_DIGIT = 0.1
"""Figures are printed with one decimal."""


def paper_table(number: int) -> str:
    """A table of the paper as Markdown, in percent, with the remarks of `remarks` below it.

    Parameters
    ----------
    number : 7 or 8
        Ablations: image and pixel AUROC; or tasks and labels: AU-PRO.
    """
    _, names, metrics = TABLES[number]
    columns = _figures(number)
    lines = [["class", *(f"{COLUMNS[metric]}, {name}" for metric in metrics for name in names.values())]]
    lines.append(["---"] * len(lines[0]))
    for average, classes in GROUPS.items():
        for row in (*classes, average):
            label = f"{_said(row)}, printed" if row == average else row
            lines.append([label, *(_printed(figures.get(row)) for figures in columns.values())])
        means = [_mean(figures, average) for figures in columns.values()]
        shown = ["" if mean is None else f"{mean:.2f}" for mean in means]
        lines.insert(-1, [f"{_said(average)}, of the rows", *shown])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([f"Table {number}", "", table, "", *(f"- {remark}" for remark in remarks(number))])


def remarks(number: int) -> list[str]:
    """Printed averages that differ from those of the printed rows by more than half of their last digit.

    If the rows are rounded, too, a difference of a whole digit is possible; larger ones cannot come from rounding.
    """
    _, names, _ = TABLES[number]
    found = []
    for (name, metric), figures in _figures(number).items():
        for average in AVERAGES:
            mean, printed = _mean(figures, average), figures.get(average)
            where = f"{COLUMNS[metric]}, {names[name]}, {_said(average)}"
            if mean is None:
                continue
            if printed is None:
                found.append(f"{where}: {mean:.2f} from the rows, no printed figure available")
            elif abs(mean - printed[0]) > LAST_DIGIT / 2 + 1e-9:
                follows = abs(mean - printed[0]) < LAST_DIGIT + 1e-9
                why = "rounding of the rows can explain it" if follows else "the rows do not explain it"
                found.append(f"{where}: {mean:.2f} from the rows, {printed[0]:.1f} printed; {why}")
    return found


def _figures(number: int) -> dict[Column, dict[str, Value]]:
    """Columns of a table, each by class and average."""
    file, names, metrics = TABLES[number]
    columns: dict[Column, dict[str, Value]] = {(name, metric): {} for metric in metrics for name in names}
    for (row, name), values in read_published(file).items():
        for metric, value in values.items():
            columns[str(name), metric][row] = value
    return columns


def _mean(figures: Mapping[str, Value], average: str) -> float | None:
    """Average of the rows; None if a class is missing."""
    members: Sequence[str] = AVERAGES[average]
    if not all(name in figures for name in members):
        return None
    return sum(figures[name][0] for name in members) / len(members)


def _printed(value: Value | None) -> str:
    if value is None:
        return ""
    mean, error = value
    return f"{mean:.2f}".removesuffix("0") + ("" if error is None else f" ± {error:.1f}")


def _said(average: str) -> str:
    return average.replace("_", " ")


if __name__ == "__main__":
    print("\n\n".join(map(paper_table, TABLES)))
