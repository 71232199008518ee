import json
import shutil
from unittest import mock

import cv2
import numpy as np
import pytest
from dataset_folders import command, content, make, manifest, read, screws, write_samples

from nsa_augment.blending.solvers import Spectral
from nsa_augment.datasets import LAYOUTS, verify
from nsa_augment.datasets._folder import digest
from nsa_augment.datasets.recipe import current_versions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples") / "good")


@pytest.fixture(scope="module")
def pristine(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("datasets") / "pristine"
    make(folder, out, count=10, layout="coco")
    return out


@pytest.fixture
def dataset(pristine, tmp_path):
    return shutil.copytree(pristine, tmp_path / "dataset")


def otherwise(levels):
    """A solver whose results are, here and there, some levels above those of the real one."""
    clone = Spectral.clone

    def changed(canvas, *arguments):
        clone(canvas, *arguments)
        inner = canvas[1:-1:3, 1:-1:5]
        inner[...] = np.minimum(inner, 255 - levels) + levels

    return mock.patch.multiple(Spectral, clone=staticmethod(changed), takes_uncut=False)


def change(dataset, index, role, edit):
    """Change a file of an item, and its digest in the manifest."""
    lines = manifest(dataset)
    described = lines[index]["files"][role]
    pixels = read(dataset / described["path"])
    edit(pixels)
    cv2.imwrite(str(dataset / described["path"]), pixels)
    described["sha256"] = digest((dataset / described["path"]).read_bytes())
    (dataset / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def names(report):
    return [problem.name for problem in report.problems]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("label", ["continuous", "logistic"])
def test_a_dataset_as_generated_passes_and_is_not_touched(folder, tmp_path, layout, label):
    state = make(folder, tmp_path / "out", screws(label=label), layout=layout)
    before = content(tmp_path / "out")
    report = verify(tmp_path / "out", workers=0)
    assert report.problems == report.versions == ()
    assert report.checked == report.total == state.total
    assert content(tmp_path / "out") == before


def test_damage_is_named(dataset):
    (dataset / "images/003.png").unlink()
    mask = dataset / "masks/007.png"
    mask.write_bytes(mask.read_bytes() + b"\0")
    annotations = dataset / "annotations/instances_train.json"
    annotations.write_text(annotations.read_text().replace('"iscrowd": 0', '"iscrowd": 1', 1))
    found = {problem.name: problem.what for problem in verify(dataset, workers=0).problems}
    assert found == {
        "images/003.png": "missing",
        "masks/007.png": "changed",
        "annotations/instances_train.json": "differs from the manifest",
    }
    annotations.unlink()
    assert "annotations/instances_train.json" in names(verify(dataset, workers=0))


def test_a_changed_manifest_is_found(dataset):
    path = dataset / "manifest.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    record = json.loads(lines[2])
    record["plan"]["patches"][0]["destination_box"] = [0, 0, 20, 20]
    path.write_text("".join([*lines[:2], json.dumps(record) + "\n", *lines[3:8], "{broken\n", *lines[9:]]))
    found = names(verify(dataset, workers=0))
    assert "images/002.png" in found
    assert "item 8" in found
    assert {name for name in found if "002" not in name} <= {"item 2", "item 8"}


def test_a_sample_is_checked_in_less_work(dataset):
    (dataset / "images/003.png").unlink()
    done = []
    reports = [
        verify(dataset, sample=4, seed=seed, workers=0, on_progress=lambda *state: done.append(state))
        for seed in range(12)
    ]
    assert {report.checked for report in reports} == {4}
    assert {len(report.problems) for report in reports} == {0, 1}
    assert done[-1] == (4, 4)
    assert verify(dataset, sample=4, seed=5, workers=0) == reports[5]
    assert verify(dataset, sample=99, workers=0).checked == 10


def test_images_that_were_moved_or_changed(folder, dataset, tmp_path):
    moved = shutil.copytree(folder, tmp_path / "moved")
    assert not verify(dataset, folder=moved, workers=0).problems
    (moved / "002.png").write_bytes((moved / "001.png").read_bytes())
    (moved / "003.png").unlink()
    found = {problem.what for problem in verify(dataset, folder=moved, workers=0).problems}
    assert any("002.png has changed" in what for what in found)
    assert any("cannot read image file" in what and "003.png" in what for what in found)


def test_other_versions_are_told(dataset, monkeypatch):
    versions = {**current_versions(), "opencv": "3.0"}
    monkeypatch.setattr("nsa_augment.datasets.verification.current_versions", lambda: versions)
    report = verify(dataset, workers=0)
    assert not report.problems
    assert len(report.versions) == 1
    assert "opencv" in report.versions[0]
    assert "3.0 is here" in report.versions[0]


def test_what_is_no_finished_dataset_is_refused(folder, dataset):
    with pytest.raises(ValueError, match="is no dataset"):
        verify(folder, workers=0)
    (dataset / "manifest.jsonl").unlink()
    with pytest.raises(ValueError, match="must be finished"):
        verify(dataset, workers=0)
    for arguments, name in (
        ({"sample": 0}, "sample"),
        ({"seed": -1, "sample": 1}, "seed"),
        ({"workers": -1}, "workers"),
    ):
        shutil.copy(dataset / "recipe.json", dataset / "manifest.jsonl")
        with pytest.raises(ValueError, match=name):
            verify(dataset, **arguments)


def test_command_line(dataset):
    done = command("verify", dataset, "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert "checked 10 of 10 images: no problems" in done.stdout
    (dataset / "labels/004.png").write_bytes(b"")
    done = command("verify", dataset, "--workers", 0)
    assert done.returncode == 1
    assert "labels/004.png: changed" in done.stderr
    assert "1 problem" in done.stdout
    done = command("verify", dataset / "labels")
    assert done.returncode == 1
    assert done.stderr.startswith("nsa-augment: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_made_by_another_machine_are_near_not_wrong(folder, tmp_path, layout):
    task = screws(label="logistic", max_patches=1)
    with otherwise(1):
        make(folder, tmp_path / "out", task, layout=layout)
    report = verify(tmp_path / "out", workers=0)
    assert report.problems == ()
    assert len(report.near) == 6
    assert {problem.what for problem in report.near} == {"within a grey level of what its plan makes"}
    exact = verify(tmp_path / "out", exact=True, workers=0)
    assert exact.problems == report.near
    assert exact.near == ()
    done = command("verify", tmp_path / "out", "-w", 0)
    assert done.returncode == 0
    assert "6 within a grey level" in done.stdout
    assert command("verify", tmp_path / "out", "-w", 0, "--exact").returncode == 1


def test_images_that_are_two_levels_away_are_wrong(folder, tmp_path):
    with otherwise(2):
        make(folder, tmp_path / "out", screws(max_patches=1))
    report = verify(tmp_path / "out", workers=0)
    assert report.near == ()
    assert {f"images/{index:03}.png" for index in range(6)} <= set(names(report))


def test_what_no_other_machine_would_have_made_is_wrong(folder, tmp_path):
    with otherwise(1):
        make(folder, tmp_path / "out", screws(label="logistic", max_patches=1))
    out = tmp_path / "out"

    def outside(pixels):
        top, left, *_ = manifest(out)[0]["plan"]["patches"][0]["destination_box"]
        pixels[top - 1, left] ^= 1

    def elsewhere(pixels):
        pixels[0, 0] = 255

    def stronger(pixels):
        pixels[pixels > 0] -= 2

    def nearly(pixels):
        pixels[pixels > 0] -= 1

    for index, (role, edit) in enumerate((("image", outside), ("mask", elsewhere), ("label", stronger))):
        change(out, index, role, edit)
    change(out, 3, "label", nearly)
    report = verify(out, workers=0)
    assert [problem.name for problem in report.near] == [f"images/{index:03}.png" for index in (3, 4, 5)]
    assert {f"{index:03}.png" for index in range(3)} == {name.split("/")[1] for name in names(report)}
    assert {"masks/001.png", "labels/002.png"} <= set(names(report))
