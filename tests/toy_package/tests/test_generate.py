"""Whole datasets of the task: in every layout, in two processes, verified."""

import csv
import json

import cv2
import numpy as np
import pytest

from nsa_augment import SynthesisPlan
from nsa_augment.datasets import LAYOUTS, generate, verify
from nsa_augment.tasks import bind_task

COUNT = 6


def spots():
    return bind_task(
        "dark_spots", arguments={"height_range": (0.4, 0.6), "width_range": (0.4, 0.6), "label": "percent"}
    )


def content(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def manifest(out):
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()][:COUNT]


def test_two_workers_make_what_one_process_makes(folder, tmp_path):
    for name, workers in (("one", 0), ("two", 2)):
        generate(folder, tmp_path / name, spots(), count=COUNT, seed=1, layout="csv_index", workers=workers)
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout, folder, tmp_path):
    generate(folder, tmp_path / "out", spots(), count=COUNT, seed=1, layout=layout, workers=0)
    assert not verify(tmp_path / "out", workers=0).problems


def test_files_hold_what_the_plan_makes(folder, tmp_path):
    generate(folder, tmp_path / "out", spots(), count=COUNT, seed=1, layout="csv_index", workers=0)
    assert json.loads((tmp_path / "out" / "recipe.json").read_text())["label_scale"] == 655
    for record in manifest(tmp_path / "out"):
        image = cv2.imread(str(folder / record["image"]))[:, :, ::-1]
        result = spots().apply(image, None, SynthesisPlan.from_dict(record["plan"]))
        files = {
            role: cv2.imread(str(tmp_path / "out" / file["path"]), cv2.IMREAD_UNCHANGED)
            for role, file in record["files"].items()
        }
        np.testing.assert_array_equal(files["image"][:, :, ::-1], result.image)
        np.testing.assert_array_equal(files["mask"], result.mask * 255)
        np.testing.assert_allclose(files["label"], result.label * 655, atol=0.51)
        assert record["source"] is None
        assert record["changed_pixels"] == result.mask.sum() > 0


def test_index_of_the_new_layout(folder, tmp_path):
    generate(folder, tmp_path / "out", spots(), count=COUNT, seed=1, layout="csv_index", workers=0)
    with open(tmp_path / "out" / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [f"pictures/{index:03}.png" for index in range(COUNT)]
    assert [int(row["changed_pixels"]) for row in rows] == [
        record["changed_pixels"] for record in manifest(tmp_path / "out")
    ]
    (tmp_path / "out" / "index.csv").write_text("image\n")
    assert [problem.name for problem in verify(tmp_path / "out", workers=0).problems] == ["index.csv"]


def test_commands(command, folder):
    options = ("--task", "dark_spots", "--label", "percent", "--layout", "csv_index", "--set", "darkness=0.5")
    command("generate", folder, "out", "--count", COUNT, "--workers", 2, *options)
    assert "no problems" in command("verify", "out", "--workers", 0)


def test_solver_blending_and_outline_in_a_dataset(folder, tmp_path):
    arguments = {"solver": "conjugate_gradients", "shape": "triangle"}
    task = bind_task("nsa", "leather", arguments=arguments)
    generate(folder, tmp_path / "out", task, count=COUNT, seed=1, workers=2)
    assert not verify(tmp_path / "out", workers=0).problems
    shapes = {patch["shape"]["kind"] for record in manifest(tmp_path / "out") for patch in record["plan"]["patches"]}
    assert shapes == {"triangle"}
