"""Datasets with tasks, labels and layouts that the package does not know of itself."""

import importlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from dataset_folders import command, content, make, manifest, read, write_samples

from nsa_augment import CutPasteAnomaly, NaturalSyntheticAnomaly
from nsa_augment.datasets import LAYOUTS, Layout, verify
from nsa_augment.labelling import LABELS
from nsa_augment.tasks import TASKS

KINDS = """
from dataclasses import dataclass
import numpy as np
from nsa_augment import Label, NaturalSyntheticAnomaly
from nsa_augment.datasets import Layout

@dataclass(frozen=True, kw_only=True)
class Stronger(NaturalSyntheticAnomaly):
    factor: float = 2.0
    name = "stronger"

class ShareLabel(Label):
    name = "share"
    maximum = 2.0
    file_scale = 1000
    def compute(self, area):
        return area.mask.astype(np.float32) * 1.5

class Table(Layout):
    name = "table"
    label = "soft/{number}.png"
    extra_paths = {"points": "points/{number}.txt"}
    index = "table.csv"
    def extra_files(self, result):
        return {"points": f"{int(result.mask.sum())}".encode()}
    def record_fields(self, result):
        return {"pixels": int(result.mask.sum())}
    def index_text(self, recipe, records):
        yield f"{recipe.task} {recipe.label_scale}\\n"
        for record in records():
            yield f"{record['index']},{record['pixels']}\\n"
"""
SCRIPT = """
import sys
{kinds}
def main(folder, out):
    from nsa_augment.datasets import generate, verify
    task = Stronger.from_preset("screw", label="share")
    generate(folder, out, task, count=6, layout="table", workers=1)
    print(verify(out, workers=0).problems)

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples") / "good")


@pytest.fixture
def other_package(registries, tmp_path, monkeypatch):
    place = tmp_path / "packages"
    place.mkdir()
    (place / "other_package.py").write_text(KINDS)
    monkeypatch.syspath_prepend(place)
    yield importlib.import_module("other_package")
    sys.modules.pop("other_package", None)


def test_every_part_of_a_dataset_may_be_of_another_package(folder, other_package, tmp_path):
    task = other_package.Stronger.from_preset("screw", label="share")
    out = tmp_path / "out"
    make(folder, out, task, layout="table", workers=1)
    recipe = json.loads((out / "recipe.json").read_text())
    assert (recipe["task"], recipe["label_scale"], recipe["arguments"]["factor"]) == ("stronger", 1000, 2.0)
    pixels = []
    for record in manifest(out):
        mask, label = (read(out / record["files"][name]["path"]) for name in ("mask", "label"))
        np.testing.assert_array_equal(label, (mask > 0) * 1500)
        pixels.append((mask > 0).sum())
        assert record["pixels"] == pixels[-1] == int((out / record["files"]["points"]["path"]).read_text())
    table = "".join(f"{index},{count}\n" for index, count in enumerate(pixels))
    assert (out / "table.csv").read_text() == "stronger 1000\n" + table
    before = content(out)
    assert verify(out, workers=0).problems == ()
    (out / "table.csv").write_text("stronger 1000\n")
    (out / "points/003.txt").unlink()
    found = {problem.name: problem.what for problem in verify(out, workers=0).problems}
    assert found == {"table.csv": "differs from the manifest", "points/003.txt": "missing"}
    assert make(folder, out, task, layout="table").kept == 5
    assert content(out) == before


def test_kinds_of_a_script(folder, other_package, tmp_path):
    """Workers import the script again, so they know what it defines."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(kinds=KINDS))
    words = [sys.executable, script, folder, tmp_path / "out"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "()\n"), done.stderr
    make(folder, tmp_path / "here", other_package.Stronger.from_preset("screw", label="share"), layout="table")
    assert content(tmp_path / "out") == content(tmp_path / "here")


@pytest.mark.parametrize(
    ("registry", "kind", "known"),
    [(TASKS, "stronger", "'nsa'"), (LAYOUTS, "table", "'mvtec'"), (LABELS, "share", "'logistic'")],
)
def test_unknown_kinds_are_named_and_nothing_is_imported(folder, other_package, tmp_path, registry, kind, known):
    out = tmp_path / "out"
    make(folder, out, other_package.Stronger.from_preset("screw", label="share"), layout="table")
    del registry._kinds[kind], sys.modules["other_package"]
    with pytest.raises(ValueError, match=r"cannot use .*recipe\.json here: .* must be one of") as caught:
        verify(out, workers=0)
    assert known in str(caught.value)
    assert f"got '{kind}'" in str(caught.value)
    done = command("verify", out)
    assert done.returncode == 1
    assert known in done.stderr
    assert done.stderr.count("\n") == 1
    assert "other_package" not in sys.modules


def test_a_worker_that_cannot_import_a_module_says_so_where_it_matters(folder, other_package, tmp_path):
    path = tmp_path / "packages" / "other_package.py"
    path.write_text("raise OSError('no licence')")
    make(folder, tmp_path / "needs none of it", workers=1)
    task = other_package.Stronger.from_preset("screw")
    with pytest.raises(ValueError, match=r"got 'stronger'; .*could not import other_package \(OSError: no licence\)"):
        make(folder, tmp_path / "out", task, workers=1)
    path.write_text(KINDS)
    make(folder, tmp_path / "out", task)


def test_tasks_that_a_recipe_cannot_name(folder, registries, tmp_path):
    @dataclass(frozen=True, kw_only=True)
    class Unnamed(NaturalSyntheticAnomaly):
        pass

    with pytest.raises(TypeError, match=r"task must be .*Unnamed: give the class its own `name`"):
        make(folder, tmp_path / "out", Unnamed())

    def define():
        @dataclass(frozen=True, kw_only=True)
        class Defined(CutPasteAnomaly):
            anything: Any = None
            name = "defined"

        return Defined

    old, new = define(), define()
    with pytest.raises(TypeError, match=r"registered as 'defined', got one of an older definition"):
        make(folder, tmp_path / "out", old())
    with pytest.raises(TypeError, match=r"anything must be plain JSON .* got <object"):
        make(folder, tmp_path / "out", new(anything=object()))
    assert not (tmp_path / "out").exists()
    assert make(folder, tmp_path / "out", new(anything=[1, None])).anomalies == 6


def test_labels_that_do_not_fit_into_their_files(folder, other_package, tmp_path, monkeypatch):
    monkeypatch.setattr(other_package.ShareLabel, "file_scale", 40_000)
    with pytest.raises(ValueError, match=r"label 'share' must be one whose maximum \* file_scale .* got '2 \* 40000'"):
        make(folder, tmp_path / "out", other_package.Stronger(label="share"))


def test_a_layout_needs_numbers_in_its_paths(registries):
    with pytest.raises(
        ValueError, match=r"path of 'label' in .*Flat must be one with \{number\} in it, got 'labels.png'"
    ):

        class Flat(Layout):
            name = "flat"
            label = "labels.png"

    assert "flat" not in LAYOUTS
