"""Tables 7 and 8 as the paper prints them."""

import csv
import shutil
from statistics import mean

import pytest

from examples.train_detector import tables
from examples.train_detector.paper_tables import paper_table, remarks
from examples.train_detector.tables import AVERAGES, PUBLISHED


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A copy of the published figures, to be changed."""
    shutil.copytree(PUBLISHED, tmp_path / "published")
    monkeypatch.setattr(tables, "PUBLISHED", tmp_path / "published")
    tables.read_published.cache_clear()
    yield tmp_path / "published"
    tables.read_published.cache_clear()


def cells(number):
    """Rows of the Markdown table by their first cell, in their order."""
    lines = [line for line in paper_table(number).splitlines() if line.startswith("|")]
    return {first.strip(): [*map(str.strip, rest)] for first, *rest in (line[1:-1].split("|") for line in lines)}


@pytest.mark.parametrize(("number", "columns"), [(7, 10), (8, 7)])
def test_every_published_figure_is_there(number, columns):
    table = cells(number)
    assert {len(row) for row in table.values()} == {columns}
    with open(PUBLISHED / f"table{number}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    names = list(dict.fromkeys(row.get("variant", row.get("method")) for row in rows if row["class"] != "cable"))
    names = sorted(names, key=["final", *"ABCD"].index) if number == 7 else names
    kinds = list(dict.fromkeys(row["metric"] for row in rows))
    for row in rows:
        column = kinds.index(row["metric"]) * len(names) + names.index(row.get("variant", row.get("method")))
        name = f"{row['class'].replace('_', ' ')}, printed" if "average" in row["class"] else row["class"]
        error = f" ± {row['standard_error']}" if row["standard_error"] else ""
        assert table[name][column] == row["mean_percent"] + error
    assert sum(bool(cell) for name, row in table.items() if "of the rows" not in name for cell in row) == (
        len(rows) + 2 * columns  # the header's two lines
    )


@pytest.mark.parametrize("number", [7, 8])
def test_groups_and_their_averages(number):
    table = cells(number)
    expected = []
    for average, members in (*list(AVERAGES.items())[:2], ("overall_average", ())):
        said = average.replace("_", " ")
        expected += [*members, f"{said}, of the rows", f"{said}, printed"]
    assert [name for name in table if name not in ("class", "---")] == expected
    for average, members in AVERAGES.items():
        for column, computed in enumerate(table[f"{average.replace('_', ' ')}, of the rows"]):
            values = [table[name][column].split(" ")[0] for name in members]
            assert computed == ("" if "" in values else f"{mean(map(float, values)):.2f}")


def test_remarks():
    c = "pixel AUROC, C: patches as in CutPaste"
    why = "92.3 printed; the rows do not explain it"
    assert remarks(7) == [
        f"{c}, object average: 92.52 from the rows, {why}",
        f"{c}, texture average: 90.89 from the rows, {why}",
        f"{c}, overall average: 91.98 from the rows, {why}",
    ]
    assert remarks(8) == [
        "AU-PRO 0.3, PaDiM (ImageNet), texture average: 93.14 from the rows, 93.2 printed; "
        "rounding of the rows can explain it",
        "AU-PRO 0.3, NSA (logistic), texture average: 92.22 from the rows, no printed figure available",
    ]
    assert paper_table(7).endswith(remarks(7)[-1])


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("tile,fpi,aupro_0.3,42.0", "tile,fpi,aupro_0.3,45.0", ["texture average: 55.68", "overall average: 62.46"]),
        ("texture_average,fpi,aupro_0.3,55.1", "texture_average,fpi,aupro_0.3,55.3", ["texture average: 55.08"]),
    ],
)
def test_remarks_follow_the_figures(files, before, after, said):
    text = (files / "table8.csv").read_text()
    assert before in text
    (files / "table8.csv").write_text(text.replace(before, after))
    found = [remark for remark in remarks(8) if "FPI" in remark]
    assert len(found) == len(said)
    for remark, part in zip(found, said, strict=True):
        assert part in remark
        assert "do not explain it" in remark
