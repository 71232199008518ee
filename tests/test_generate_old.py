"""Datasets that an earlier version made: arguments that tasks got since then are missing in their recipes.

`old_dataset` holds three images, and two datasets of five made of them: a finished one without its contact sheet, and
one that was interrupted after two items.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from dataset_folders import content, make, manifest

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.datasets import Recipe, verify
from nsa_augment.datasets._items import ItemMaker
from nsa_augment.datasets.recipe import current_versions, load_recipe

TASK = NaturalSyntheticAnomaly.from_preset("tile", label="continuous")
ORIGIN = {"preset": "tile", "ablation": None}


@pytest.fixture
def old(tmp_path):
    return shutil.copytree(Path(__file__).parent / "old_dataset", tmp_path / "old")


def need_the_same_opencv(old):
    made, here = load_recipe(old / "finished").versions["opencv"], cv2.__version__
    if made != here:
        pytest.skip(f"the dataset was made with OpenCV {made}, and bytes differ between versions; this is {here}")


def give_versions_of_here(out):
    """Other versions of NumPy and Numba make the same bytes of images as small as these."""
    recipe = json.loads((out / "recipe.json").read_text())
    (out / "recipe.json").write_text(json.dumps({**recipe, "versions": current_versions()}, indent=1) + "\n")


def without_versions(files):
    """Content of a dataset, with neither the recipe, nor the versions in the manifest, nor the contact sheet."""
    lines = [json.loads(line) for line in files["manifest.jsonl"].splitlines()]
    kept = {name: data for name, data in files.items() if name not in ("recipe.json", "contact.png")}
    return {**kept, "manifest.jsonl": [{**line, "versions": None} for line in lines]}


def test_a_recipe_without_newer_arguments_is_the_same_recipe(old):
    recipe = load_recipe(old / "begun")
    assert "blending" not in recipe.arguments
    assert recipe.make_task() == TASK
    now = Recipe.create(old / "good", TASK, 5, 1, "coco", ORIGIN)
    assert all(difference.startswith("version of ") for difference in recipe.differences(now))
    pasted = Recipe.create(old / "good", replace(TASK, blending="copy_paste"), 5, 1, "coco", ORIGIN)
    assert "blending was 'poisson', is 'copy_paste' now" in recipe.differences(pasted)


def test_items_have_the_same_plans_and_names(old):
    maker = ItemMaker(load_recipe(old / "finished").moved(str(old / "good")))
    for record in manifest(old / "finished"):
        for again in (maker.remake(record), maker.make(record["index"])):
            assert {name: part["path"] for name, part in again.record["files"].items()} == {
                name: part["path"] for name, part in record["files"].items()
            }
            for name in ("kind", "image", "source", "seed", "plan", "size"):
                assert again.record[name] == record[name]


def test_it_verifies(old):
    need_the_same_opencv(old)
    assert verify(old / "finished", folder=old / "good", workers=0).problems == ()


def test_it_grows_in_the_form_that_it_has(old):
    need_the_same_opencv(old)
    give_versions_of_here(old / "finished")
    before = manifest(old / "finished")
    state = make(old / "good", old / "finished", TASK, count=8, seed=1, layout="coco", origin=ORIGIN)
    assert (state.kept, state.total) == (5, 8)
    lines = manifest(old / "finished")
    assert [line | {"versions": None} for line in lines[:5]] == [line | {"versions": None} for line in before]
    assert {tuple(line) for line in lines} == {tuple(before[0])}
    names = set(content(old / "finished"))
    assert {"annotations.json", "images/007.png", "masks/007.png", "labels/007.png"} <= names
    assert not [name for name in names if name.startswith("annotations/") or "metadata" in name]
    assert len(json.loads((old / "finished/annotations.json").read_text())["images"]) == 8
    assert verify(old / "finished", folder=old / "good", workers=0).problems == ()


@pytest.mark.parametrize("name", ["finished", "begun"])
def test_it_is_finished_without_being_made_anew(old, name):
    need_the_same_opencv(old)
    give_versions_of_here(old / name)
    expected = without_versions(content(old / "finished"))
    state = make(old / "good", old / name, TASK, count=5, seed=1, layout="coco", origin=ORIGIN)
    assert state.kept == {"finished": 5, "begun": 2}[name]
    assert without_versions(content(old / name)) == expected
    assert "contact.png" in content(old / name)
