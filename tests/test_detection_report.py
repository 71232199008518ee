import csv
import io
import json
from dataclasses import fields, replace

import numpy as np
import pytest

from examples.train_detector import figures, report
from examples.train_detector.compare import compare
from examples.train_detector.figures import gallery, loss_curve, roc_and_pro_curves
from examples.train_detector.files import read_image
from examples.train_detector.metrics import METRICS, evaluate
from examples.train_detector.report import Outcome, write_report, write_summary
from examples.train_detector.tables import AVERAGES, COLUMNS, as_csv, as_markdown, published, results_table

RUN_FILES = ["curves.png", "gallery.png", "loss.png", "metrics.json", "predictions.npz"]


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch):
    monkeypatch.setattr(report, "RESAMPLES", 50)


def outcome_of(defective=3, good=2, seed=0, size=32):
    rng = np.random.default_rng(seed)
    count = defective + good
    masks = np.zeros((count, size, size), bool)
    masks[:defective, 8:14, 8:20] = True
    maps = (rng.random(masks.shape) + 0.8 * masks).astype(np.float32)
    return Outcome(
        class_name="screw",
        task="nsa",
        label="logistic",
        ablation=None,
        seed=seed,
        images=rng.integers(0, 255, (*masks.shape, 3), dtype=np.uint8),
        masks=masks,
        maps=maps,
        scores=maps.mean((1, 2)),
        names=[f"scratch/{number:03d}.png" for number in range(count)],
        history=[
            {"epoch": 1, "loss": 0.5, "images_per_second": 90.0},
            {"epoch": 2, "loss": 0.25, "images_per_second": 99},
        ],
    )


def run_of(class_name="bottle", value=0.9, seed=0, *, task="nsa", label="logistic", ablation=None):
    return {
        "class_name": class_name,
        "task": task,
        "label": label,
        "ablation": ablation,
        "seed": seed,
        "metrics": dict.fromkeys(COLUMNS, value),
        "intervals": {metric: [value - 0.1, value + 0.05] for metric in COLUMNS},
    }


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_report_files(tmp_path):
    outcome = outcome_of(size=80)
    extra = {"settings": {"epochs": 2, "rate": np.float32(0.5)}, "folder": tmp_path, "speed": np.nan}
    values = write_report(tmp_path / "a" / "b", outcome, extra)
    assert files_in(tmp_path / "a" / "b") == RUN_FILES
    read = json.loads((tmp_path / "a" / "b" / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert read == {**values, "folder": str(tmp_path)}
    direct = evaluate(outcome.scores, outcome.maps, outcome.masks)
    assert read["metrics"] == direct
    assert set(read["intervals"]) == set(METRICS)
    assert all(
        low <= direct[metric] + 0.002 and direct[metric] - 0.002 <= high
        for metric, (low, high) in read["intervals"].items()
    )
    assert (read["class_name"], read["seed"], read["test_images"], read["defective_images"]) == ("screw", 0, 5, 3)
    assert read["settings"] == {"epochs": 2, "rate": 0.5}
    assert read["speed"] is None
    assert 0 < read["evaluation_seconds"] < 600


@pytest.mark.slow
def test_report_replaces_an_earlier_one(tmp_path):
    write_report(tmp_path, outcome_of())
    before = (tmp_path / "gallery.png").read_bytes()
    write_report(tmp_path, outcome_of(seed=1))
    assert files_in(tmp_path) == RUN_FILES
    assert (tmp_path / "gallery.png").read_bytes() != before


def test_failed_figure_leaves_the_earlier_one(tmp_path, monkeypatch):
    path = tmp_path / "loss.png"
    loss_curve(outcome_of().history, path)
    before = path.read_bytes()
    monkeypatch.setattr(figures.Figure, "savefig", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        loss_curve([], path)
    assert path.read_bytes() == before
    assert files_in(tmp_path) == ["loss.png"]


@pytest.mark.slow
@pytest.mark.parametrize(("defective", "good"), [(1, 1), (2, 0), (20, 9)])
def test_few_and_many_images(tmp_path, defective, good):
    values = write_report(tmp_path, outcome_of(defective, good))
    assert files_in(tmp_path) == RUN_FILES
    assert (values["metrics"]["image_auroc"] is None) == (good == 0)
    assert (values["intervals"]["image_ap"] == [None, None]) == (good == 0)
    write_summary(tmp_path, [values])
    assert "screw" in (tmp_path / "table.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.0, 7000.0])
def test_constant_maps(tmp_path, level):
    outcome = outcome_of()
    constant = replace(outcome, maps=np.full_like(outcome.maps, level), scores=np.full(5, level))
    values = write_report(tmp_path, constant)
    assert values["metrics"]["aupro_0.3"] == pytest.approx(0.15)
    assert values["metrics"]["image_auroc"] == values["metrics"]["pixel_auroc"] == 0.5


@pytest.mark.parametrize("history", [[], [{"epoch": 1, "loss": float("nan"), "images_per_second": 3.0}]])
def test_short_histories(tmp_path, history):
    loss_curve(history, tmp_path / "loss.png")
    assert read_image(tmp_path / "loss.png").shape[2] == 3


def test_curves_of_one_pixel_images(tmp_path):
    maps = np.array([[[0.2]], [[0.7]]])
    roc_and_pro_curves(maps[:, 0, 0], maps, maps > 0.5, tmp_path / "curves.png")
    assert files_in(tmp_path) == ["curves.png"]


def test_gallery_sections():
    scores = np.array([5, 1, 4, 2, 3, 9, 8, 7])
    defective = np.array([1, 1, 1, 1, 1, 0, 0, 0], bool)
    best, missed, alarms = figures._sections(scores, defective).values()
    assert (best.tolist(), missed.tolist(), alarms.tolist()) == ([0, 2, 4], [1, 3], [5, 6, 7])
    assert [len(chosen) for chosen in figures._sections(np.arange(40), np.arange(40) < 20).values()] == [6, 6, 6]
    worst = figures._sections(np.arange(40), np.arange(40) < 20)["Worst missed defects (lowest scores)"]
    assert worst.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(figures._sections(np.ones(3), np.zeros(3, bool))) == 1


@pytest.mark.slow
def test_gallery_takes_any_name_and_mask(tmp_path):
    outcome = outcome_of(4, 1)
    masks = outcome.masks.copy()
    masks[0], masks[1] = True, False
    masks[1, 0, 0] = True
    names = ["$x_{$", "$\\foo$", "a" * 200, "under_score/x", ""]
    gallery(outcome.images, masks, outcome.maps, outcome.scores, names, tmp_path / "gallery.png")
    image = read_image(tmp_path / "gallery.png")
    assert (image == (0, 229, 255)).all(axis=2).any()  # an outline


@pytest.mark.parametrize("name", ["images", "names"])
def test_outcome_checks_its_parts(name):
    outcome = outcome_of()
    with pytest.raises(ValueError, match="images must be 5 RGB images"):
        replace(outcome, **{name: getattr(outcome, name)[:-1]})
    assert [field.name for field in fields(Outcome)][:5] == ["class_name", "task", "label", "ablation", "seed"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (
            ("bottle", "nsa", "logistic"),
            {"image_auroc": (97.7, 0.3), "pixel_auroc": (98.3, 0.1), "aupro_0.3": (92.9, 0.3)},
        ),
        (("screw", "nsa", "logistic", "A"), {"image_auroc": (77.8, 3.3), "pixel_auroc": (92.9, 0.6)}),
        (("wood", "nsa", "logistic", "C"), {"image_auroc": (91.4, 2.5), "pixel_auroc": (78.56, 2.0)}),
        (("cable", "nsa", "logistic", "A"), {}),
        (("wood", "nsa", "continuous"), {"aupro_0.3": (86.1, 5.7)}),
        (("grid", "nsa", "binary"), {"aupro_0.3": (96.5, 0.1)}),
        (("grid", "nsa", "binary", "B"), {}),
        (("leather", "cutpaste", "binary"), {"aupro_0.3": (83.7, None)}),
        (("leather", "fpi", "factor"), {"aupro_0.3": (84.1, None)}),
        (("leather", "pii", "factor"), {"aupro_0.3": (98.1, None)}),
        (("leather", "pii", "factor", "B"), {}),
        (("leather", "pii", "logistic"), {}),
        (("leather", "cutpaste", "logistic"), {}),
        (("bolt", "nsa", "logistic"), {}),
        (
            ("overall_average", "nsa", "logistic"),
            {"image_auroc": (97.2, 0.3), "pixel_auroc": (96.3, 0.4), "aupro_0.3": (91.0, 0.6)},
        ),
        (("texture_average", "nsa", "logistic"), {"image_auroc": (98.6, 0.3), "pixel_auroc": (96.8, 0.7)}),
    ],
)
def test_published(key, expected):
    assert published(*key) == expected


def test_table_row_of_several_seeds():
    (row,) = results_table([run_of(value=0.9, seed=2), run_of(value=0.8, seed=0), run_of(value=0.7, seed=1)])
    assert row["seeds"] == [0, 1, 2]
    assert row["pixel_auroc"] == pytest.approx(80)
    assert row["pixel_auroc_error"] == pytest.approx(10 / np.sqrt(3), abs=1e-4)
    assert row["pixel_auroc_low"] is None
    assert (row["pixel_auroc_published"], row["pixel_auroc_published_error"]) == (98.3, 0.1)
    assert row["pixel_ap_published"] is None
    assert "| bottle | nsa | logistic | - | 0, 1, 2 | 80.0 ± 5.8 | 97.7 ± 0.3 | 80.0 ± 5.8 |" in as_markdown([row])


def test_table_row_of_a_single_seed():
    rows = results_table([run_of(ablation="B"), run_of(task="pii", label="factor"), run_of("bolt")])
    assert len(rows) == 3
    assert (rows[0]["aupro_0.3"], rows[0]["aupro_0.3_low"], rows[0]["aupro_0.3_high"]) == (90, 80, 95)
    text = as_markdown(rows)
    assert "| bottle | nsa | logistic | B | 0 | 90.0 [80.0, 95.0] | 97.1 ± 0.4 |" in text
    assert "| 90.0 [80.0, 95.0] | 79.0 | 90.0" in text  # PII: no standard error was published
    assert "published |" not in as_markdown(results_table([run_of("bolt")]))
    first, *_ = csv.DictReader(io.StringIO(as_csv(rows)))
    assert (first["class"], first["ablation"], first["seeds"]) == ("bottle", "B", "0")
    assert (first["image_auroc"], first["image_auroc_published"], first["image_ap_published"]) == ("90.0", "97.1", "")


def test_averages_need_every_class():
    objects, textures = AVERAGES["object_average"], AVERAGES["texture_average"]
    runs = [run_of(name, value=0.9, seed=seed) for name in objects for seed in (0, 1)]
    runs += [run_of(name, value=0.6) for name in textures]
    rows = {row["class"]: row for row in results_table(runs)}
    assert list(rows)[-3:] == ["object_average", "texture_average", "overall_average"]
    assert rows["object_average"]["seeds"] == [0, 1]
    assert rows["overall_average"]["seeds"] == [0]
    assert rows["overall_average"]["image_auroc"] == pytest.approx(80)
    assert rows["overall_average"]["image_auroc_published"] == 97.2
    assert rows["texture_average"]["aupro_0.3_published"] is None
    names = [row["class"] for row in results_table(runs[1:])]
    assert "object_average" in names
    assert "overall_average" not in names


def test_undefined_metrics_in_tables():
    nothing = run_of()
    nothing["metrics"] = nothing["metrics"] | {"image_auroc": None}
    nothing["intervals"] = nothing["intervals"] | {"image_auroc": [None, None]}
    assert "| 0 | - | 97.7 ± 0.3 | 90.0" in as_markdown(results_table([nothing]))
    (row,) = results_table([nothing, run_of(seed=1)])
    assert (row["image_auroc"], row["image_auroc_error"]) == (90, None)
    runs = [run_of(name) for name in AVERAGES["texture_average"]]
    runs[0]["metrics"] = nothing["metrics"]
    assert results_table(runs)[-1]["image_auroc"] is None


def test_run_made_before_a_metric_was_added():
    old = run_of()
    del old["metrics"]["aupimo"], old["intervals"]["aupimo"]
    (row,) = results_table([old])
    assert (row["aupimo"], row["pixel_ap"]) == (None, 90)
    assert as_markdown([row]).splitlines()[-1].endswith("| - | 90.0 [80.0, 95.0] |")
    runs = [run_of(name) for name in AVERAGES["texture_average"][1:]] + [run_of(AVERAGES["texture_average"][0])]
    del runs[2]["metrics"]["aupimo"]
    assert (results_table(runs)[-1]["aupimo"], results_table(runs)[-1]["aupimo_above_0"]) == (None, 90)


def test_one_run_twice():
    with pytest.raises(ValueError, match=r"got twice: class_name 'bottle', .* seed 0"):
        results_table([run_of(), run_of(value=0.5)])


def test_summary_files(tmp_path):
    write_summary(tmp_path / "all", [run_of(seed=seed) for seed in range(5)])
    assert files_in(tmp_path / "all") == ["table.csv", "table.md"]
    write_summary(tmp_path / "all", [])
    assert files_in(tmp_path / "all") == ["table.csv", "table.md"]


@pytest.mark.slow
def test_compare_decides_only_what_the_images_decide(tmp_path, monkeypatch):
    for figure in ("loss_curve", "roc_and_pro_curves", "gallery"):
        monkeypatch.setattr(report, figure, lambda *_: None)
    usual = outcome_of(defective=16, good=8, size=40)
    rng = np.random.default_rng(1)
    alike = usual.masks + rng.random(usual.maps.shape).astype(np.float32)
    blind = rng.random(usual.maps.shape).astype(np.float32)
    for name, maps in (("usual", usual.maps), ("alike", alike), ("blind", blind)):
        write_report(tmp_path / name, replace(usual, task=name, maps=maps, scores=maps.mean((1, 2))))
    header, _, first, second, third = compare([tmp_path / name for name in ("usual", "alike", "blind")]).splitlines()
    assert header.endswith("| AUPIMO | AUPIMO, difference |")
    assert third.split("|")[-2].strip().startswith("[-")
    assert first.startswith("| usual logistic, seed 0 | ")
    assert "undecided" in second.split("|")[7]
    assert third.split("|")[3].strip().startswith("[-")
    with pytest.raises(ValueError, match=r"no finished run in .*missing"):
        compare([tmp_path / "missing"])
    old = json.loads((tmp_path / "alike" / "metrics.json").read_text())
    del old["metrics"]["aupimo"], old["intervals"]["aupimo"]  # made before the metric was added
    (tmp_path / "alike" / "metrics.json").write_text(json.dumps(old))
    assert compare([tmp_path / "usual", tmp_path / "alike"]).splitlines()[3].split("|")[-3].strip() == "-"
    write_report(tmp_path / "other", outcome_of(defective=15, good=9, size=40))
    with pytest.raises(ValueError, match="has other test images than"):
        compare([tmp_path / "usual", tmp_path / "other"])
