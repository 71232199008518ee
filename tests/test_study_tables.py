"""Tables of a study: means, paired differences and intervals, against direct computation."""

import csv

import numpy as np
import pytest

pytest.importorskip("torch")

from sklearn.metrics import roc_auc_score

from examples.train_detector.metrics import _draw_images, evaluate
from examples.train_detector.worth import RunKey, as_csv, as_markdown, group_of, measure_runs, study_table
from nsa_augment.samples import DEFECTS

RESAMPLES = 4
KINDS = ("good", "good", "good", "scratch", "scratch", "hole", "stain")


def test_groups_of_kinds():
    groups = {kind: group_of(kind) for kinds in DEFECTS.values() for kind in kinds}
    assert groups == {
        "scratch": "thin defects",
        "hole": "parts missing",
        "missing": "parts missing",
        "stain": "other defects",
        "bend": "other defects",
        "colour": "other defects",
    }


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    """Made-up predictions.npz of two classes, two configurations, and two seeds (of one: three), few levels."""
    folder = tmp_path_factory.mktemp("predictions")
    rng = np.random.default_rng(0)
    runs = {}
    for class_name in ("bolt", "hide"):
        masks = np.zeros((len(KINDS), 12, 12), bool)
        for mask, kind in zip(masks, KINDS, strict=True):
            top, left, height, width = rng.integers(1, 6, 4)
            mask[top : top + height, left : left + width] = kind != "good"
        for configuration, seeds in (("first", 2), ("second", 3)):
            for seed in range(seeds):
                maps = (masks + rng.integers(0, 4, masks.shape)).astype(np.float32)
                names = [f"{kind}/{number}" for number, kind in enumerate(KINDS)]
                path = folder / f"{class_name}-{configuration}-{seed}.npz"
                np.savez_compressed(path, maps=maps, scores=maps.mean((1, 2)), masks=masks, names=names)
                runs[RunKey(class_name, configuration, seed)] = path
    return runs


def by_hand(path, metric, kinds, counts=None):
    """A metric of good images and those of some kinds, each image as often as counted."""
    chosen = [number for number, kind in enumerate(KINDS) if kind in ("good", *kinds)]
    chosen = np.repeat(chosen, 1 if counts is None else counts[chosen].astype(int))
    with np.load(path) as arrays:
        scores, maps, masks = (arrays[name][chosen] for name in ("scores", "maps", "masks"))
    if metric == "image_auroc":
        return 100 * roc_auc_score(masks.any((1, 2)), scores)
    if metric == "pixel_auroc":
        return 100 * roc_auc_score(masks.ravel(), maps.ravel())
    return 100 * evaluate(scores, maps, masks)[metric]


@pytest.fixture(scope="module")
def table(predictions):
    rows = study_table(measure_runs(predictions, RESAMPLES), ["first", "second"])
    return {(row["class"], row["configuration"], row["defects"], row["metric"]): row for row in rows}


@pytest.mark.parametrize(
    ("defects", "kinds", "metrics"),
    [
        ("all", ("scratch", "hole", "stain"), ("image_auroc", "pixel_auroc", "aupro_0.3")),
        ("scratch", ("scratch",), ("image_auroc", "pixel_auroc")),
        ("parts missing", ("hole",), ("image_auroc", "pixel_auroc")),
        ("other defects", ("stain",), ("image_auroc", "pixel_auroc")),
    ],
)
def test_table_is_what_the_hand_computes(predictions, table, defects, kinds, metrics):
    order = np.unique(KINDS, return_inverse=True)[1]
    draws = _draw_images(order, RESAMPLES, 0)
    for metric in metrics:
        differences = {}
        for name in ("bolt", "hide"):
            values = {
                configuration: [by_hand(predictions[name, configuration, seed], metric, kinds) for seed in range(seeds)]
                for configuration, seeds in (("first", 2), ("second", 3))
            }
            for configuration, own in values.items():
                row = table[name, configuration, defects, metric]
                assert row["mean"] == pytest.approx(np.mean(own), abs=1e-3)
                assert row["error"] == pytest.approx(np.std(own, ddof=1) / len(own) ** 0.5, abs=1e-3)
                assert (row["seeds"], row["classes"]) == (len(own), 1)
            paired = np.subtract(values["second"][:2], values["first"])
            row = table[name, "second", defects, metric]
            assert row["difference"] == pytest.approx(paired.mean(), abs=1e-3)
            assert row["difference_error"] == pytest.approx(abs(paired[0] - paired[1]) / 2, abs=1e-3)
            differences[name] = [
                np.mean(
                    [
                        by_hand(predictions[name, "second", seed], metric, kinds, counts)
                        - by_hand(predictions[name, "first", seed], metric, kinds, counts)
                        for seed in range(2)
                    ]
                )
                for counts in draws
            ]
            expected = np.quantile(differences[name], [0.025, 0.975])
            assert [row["low"], row["high"]] == pytest.approx(expected, abs=1e-3)
        row = table["average", "second", defects, metric]
        parts = [table[name, "second", defects, metric]["mean"] for name in ("bolt", "hide")]
        assert row["mean"] == pytest.approx(np.mean(parts), abs=1e-3)
        expected = np.quantile(np.mean(list(differences.values()), axis=0), [0.025, 0.975])
        assert [row["low"], row["high"]] == pytest.approx(expected, abs=1e-3)
        assert (row["seeds"], row["classes"]) == (3, 2)
        assert table[name, "first", defects, metric]["difference"] is None


def test_averages_take_the_classes_and_seeds_that_are_there(predictions):
    some = {
        key: path
        for key, path in predictions.items()
        if key != ("hide", "first", 1) and (key.class_name == "bolt" or key.configuration == "first")
    }
    rows = study_table(measure_runs(some, RESAMPLES), ["first", "second"])
    found = {(row["class"], row["configuration"]): row for row in rows if row["metric"] == "aupro_0.3"}
    assert (found["average", "first"]["classes"], found["average", "first"]["seeds"]) == (2, 1)
    assert found["average", "first"]["error"] is None
    assert (found["average", "second"]["classes"], found["average", "second"]["seeds"]) == (1, 3)
    alike = ("mean", "error", "difference", "difference_error", "low", "high")
    assert all(found["average", "second"][name] == found["bolt", "second"][name] for name in alike)
    text = as_markdown(rows)
    assert "| configuration | classes | seeds | image AUROC | image AUROC, difference |" in text
    assert text.index("Average over classes") < text.index("## bolt") < text.index("## hide")
    first, *_ = csv.DictReader(as_csv(rows).splitlines())
    assert (first["class"], first["configuration"], first["defects"]) == ("bolt", "first", "all")


def test_other_test_images_are_refused(predictions, tmp_path):
    key = RunKey("bolt", "second", 0)
    with np.load(predictions[key]) as arrays:
        np.savez(tmp_path / "other.npz", **{**arrays, "masks": ~arrays["masks"]})
    with pytest.raises(ValueError, match=r"other\.npz has other test images than .*bolt-first-0"):
        measure_runs({**predictions, key: tmp_path / "other.npz"}, RESAMPLES)
