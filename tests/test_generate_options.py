"""Parts, backgrounds, windows, several tasks and larger counts, in every layout that has a place for them."""

import json

import numpy as np
import pytest
import yaml
from dataset_folders import command, content, make, manifest, read, screws, write_samples

from nsa_augment import CutPasteAnomaly, SynthesisPlan
from nsa_augment._shared.images import read_image
from nsa_augment.datasets import Options, verify

PARTED = ("coco", "masks", "yolo")
TASKS = [screws(label="binary"), CutPasteAnomaly.from_preset("screw", label="binary")]
LARGE = screws(label="binary", height_range=(0.3, 0.6), width_range=(0.3, 0.6), size_gamma=None, background=None)
"""Finds a place in small windows."""

CASES = [
    *((layout, Options(split=0.3, backgrounds=4), TASKS) for layout in PARTED),
    ("coco", Options(crop=(72, 64), backgrounds=2), LARGE),
    ("mvtec", Options(tile=(64, 48), overlap=16, category="bolt"), TASKS),
    ("mvtec", Options(crop=(72, 64)), LARGE),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples") / "good", 10)


@pytest.mark.parametrize(("layout", "options", "tasks"), CASES)
def test_a_larger_count_continues_to_what_it_makes_at_once(folder, tmp_path, layout, options, tasks):
    given = {"task": tasks, "layout": layout, "options": options}
    make(folder, tmp_path / "once", count=12, **given)
    make(folder, tmp_path / "grown", count=5, **given)
    state = make(folder, tmp_path / "grown", count=12, workers=int(layout == "masks"), **given)
    assert state.kept >= 5
    assert content(tmp_path / "grown") == content(tmp_path / "once")
    assert verify(tmp_path / "grown", workers=0).problems == ()
    with pytest.raises(ValueError, match="count was 12, is 11 now"):
        make(folder, tmp_path / "grown", count=11, **given)


def test_more_digits_leave_no_file_behind(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("nsa_augment.datasets._items.number", lambda index, count: f"{index:0{len(str(count - 1))}}")
    make(folder, tmp_path / "once", count=11, layout="yolo")
    make(folder, tmp_path / "grown", count=9, layout="yolo")
    make(folder, tmp_path / "grown", count=11, layout="yolo")
    assert content(tmp_path / "grown") == content(tmp_path / "once")


@pytest.mark.parametrize("layout", PARTED)
def test_parts_are_made_of_different_normal_images(folder, tmp_path, layout):
    make(folder, tmp_path, TASKS, count=20, layout=layout, options=Options(split=0.3, backgrounds=4))
    used = {"train": set(), "val": set()}
    for record in manifest(tmp_path):
        used[record["split"]] |= {record["image"], record.get("source")} - {None}
        assert record["image_path"].startswith(f"images/{record['split']}/")
        assert record["label"] in (("nsa", "cutpaste") if record["kind"] == "anomaly" else ("good",))
        mask = read(tmp_path / record["mask_path"])
        assert mask.any() == (record["kind"] == "anomaly")
        if record["kind"] == "normal":
            np.testing.assert_array_equal(
                read_image(tmp_path / record["image_path"]), read_image(folder / record["image"])
            )
    assert not used["train"] & used["val"]
    kinds = [(record["kind"], record["split"]) for record in manifest(tmp_path)]
    assert [kinds.count(("anomaly", part)) for part in used] == [14, 6]
    assert [kinds.count(("normal", part)) for part in used] == [3, 1]
    for part in used:
        classes = {record["label"] for record in manifest(tmp_path) if record["split"] == part}
        assert classes == {"good", "nsa", "cutpaste"}


def test_classes(folder, tmp_path):
    make(folder, tmp_path / "yolo", TASKS, layout="yolo", options=Options(split=0.3))
    data = yaml.safe_load((tmp_path / "yolo/data.yaml").read_text())
    assert data == {"train": "images/train", "val": "images/val", "names": {0: "nsa", 1: "cutpaste"}}
    for record in manifest(tmp_path / "yolo"):
        lines = (tmp_path / "yolo" / record["files"]["polygons"]["path"]).read_text().splitlines()
        assert {data["names"][int(line.split()[0])] for line in lines} == {record["label"]}
    make(folder, tmp_path / "coco", TASKS, layout="coco")
    found = json.loads((tmp_path / "coco/annotations/instances_train.json").read_text())
    names = {each["id"]: each["name"] for each in found["categories"]}
    for annotation in found["annotations"]:
        record = manifest(tmp_path / "coco")[annotation["image_id"] - 1]
        assert names[annotation["category_id"]] == record["label"]


def test_windows_are_parts_of_the_normal_images(folder, tmp_path):
    make(folder, tmp_path / "tiles", LARGE, count=6, layout="mvtec", options=Options(tile=(64, 48), overlap=16))
    make(folder, tmp_path / "crops", LARGE, count=6, options=Options(crop=(72, 64), backgrounds=3))
    for name, shape in (("tiles", (64, 48)), ("crops", (72, 64))):
        for record in manifest(tmp_path / name):
            top, left, bottom, right = record["window"]
            assert (bottom - top, right - left) == shape
            made = read_image(tmp_path / name / record["image_path"])
            normal = read_image(folder / record["image"])[top:bottom, left:right]
            if record["kind"] != "normal":
                top, left, bottom, right = record["source_window"]
                source = read_image(folder / record["source"])[top:bottom, left:right]
                normal = LARGE.apply(normal, source, SynthesisPlan.from_dict(record["plan"])).image
            np.testing.assert_array_equal(made, normal)
    covered = np.zeros((96, 96), int)
    first = next(record["image"] for record in manifest(tmp_path / "tiles") if record["kind"] == "normal")
    for record in manifest(tmp_path / "tiles"):
        if record["kind"] == "normal" and record["image"] == first:
            top, left, bottom, right = record["window"]
            covered[top:bottom, left:right] += 1
    assert covered.min() == 1


@pytest.mark.parametrize("name", ["images/train/metadata.jsonl", "data.yaml", "images/val/background_3.png"])
def test_verify_covers_every_new_file(folder, tmp_path, name):
    make(folder, tmp_path, layout="yolo", options=Options(split=0.3, backgrounds=4))
    name = name.replace("_3", "_003")
    (tmp_path / name).write_bytes(b"{}")
    assert [problem.name for problem in verify(tmp_path, workers=0).problems] == [name]
    make(folder, tmp_path, layout="yolo", options=Options(split=0.3, backgrounds=4))
    assert verify(tmp_path, workers=0).problems == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": "mvtec", "options": {"split": 0.2}}, "split must be 0 with layout='mvtec'"),
        ({"layout": "mvtec", "options": {"backgrounds": 2}}, "backgrounds must be 0 with layout='mvtec'"),
        (
            {"options": {"backgrounds": 11}},
            "backgrounds must be at most 10, the number of normal images, got 11",
        ),
        ({"options": {"split": 0.1, "backgrounds": 10}}, "number of normal images"),
        ({"options": {"split": 1.5}}, "split must be"),
        ({"options": {"tile": (200, 64)}}, "tile must be at most as large as every image; .* is 96 x 96"),
        ({"options": {"tile": (64, 64), "crop": (64, 64)}}, "crop must be None with tile"),
        ({"options": {"overlap": 4}}, "overlap must be smaller than both sides of tile"),
        ({"options": {"category": "../up"}}, "category must be a name"),
        ({"task": [screws(), screws()]}, "task must be tasks of different names"),
        ({"task": [screws(label="binary"), CutPasteAnomaly(label="continuous")]}, "label must be the same"),
    ],
)
def test_bad_options(folder, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(folder, tmp_path / "out", **{**arguments, "options": Options(**arguments.get("options", {}))})
    assert not (tmp_path / "out").exists()


def test_command_line(folder, tmp_path):
    options = ("--task", "nsa", "--task", "cutpaste", "--label", "binary", "--split", 0.3, "--backgrounds", 2)
    given = (folder, tmp_path / "out", "--preset", "screw", "--layout", "coco", *options, "-w", 0)
    for count in (4, 6):
        done = command("generate", *given, "-n", count, "--tile", 64, 64, "--overlap", 8)
        assert done.returncode == 0, done.stderr
    assert command("verify", tmp_path / "out", "-w", 0).returncode == 0
    assert len(manifest(tmp_path / "out")) == 8
    refused = command("generate", *given, "-n", 6)
    assert "tile was [64, 64], is None now" in refused.stderr
