"""Datasets whose objects and allowed regions lie in files, or in the alpha channel."""

import json
import shutil

import numpy as np
import pytest
from dataset_folders import command, content, manifest
from PIL import Image

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.datasets import Options, generate, verify

SIZE = 96
LEAST = 0.6
TASK = NaturalSyntheticAnomaly(
    max_patches=2,
    height_range=(0.15, 0.4),
    width_range=(0.15, 0.4),
    scale_range=None,
    min_object=LEAST,
    min_overlap=LEAST,
)
SETS = [f"{name}={getattr(TASK, name)!r}" for name in ("max_patches", "height_range", "width_range", "scale_range")]
SETS += [f"{name}={LEAST}" for name in ("min_object", "min_overlap")]
ARGUMENTS = ["-w", 0, *(word for each in SETS for word in ("--set", each))]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """RGBA images of noise with discs as objects, in other places; these discs as files; and allowed regions."""
    root = tmp_path_factory.mktemp("inputs")
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for name in ("good", "objects", "regions"):
        (root / name).mkdir()
    for number, (top, left) in enumerate([(40, 40), (45, 52), (52, 44), (48, 48)]):
        disc = np.hypot(rows - top, columns - left) < 33
        pixels = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
        rgba = np.dstack([pixels, disc * np.uint8(255)])
        Image.fromarray(rgba, "RGBA").save(root / "good" / f"{number}.png")
        Image.fromarray(disc).save(root / "objects" / f"{number}.gif")
        Image.fromarray(columns > left - 10).save(root / "regions" / f"{number}.png")
    return root


def of(inputs, kind, name):
    (file,) = (inputs / kind).glob(f"{name.split('.')[0]}.*")
    return opened(file, "RGB" if kind == "good" else "L")


def opened(file, mode="RGB"):
    with Image.open(file) as image:
        return np.array(image.convert(mode))


def cut(pixels, box):
    top, left, bottom, right = box or (0, 0, *pixels.shape[:2])
    return pixels[top:bottom, left:right]


def check_items(inputs, out):
    """Pixels change in the regions alone, and patches of the object lie on the object."""
    changed = 0
    for record in manifest(out):
        if record["kind"] == "normal":
            continue
        made = opened(out / record["image_path"])
        window, source_window = record.get("window"), record.get("source_window")
        differs = (made != cut(of(inputs, "good", record["image"]), window)).any(axis=2)
        assert not differs[cut(of(inputs, "regions", record["image"]), window) == 0].any()
        changed += differs.any()
        objects = cut(of(inputs, "objects", record["image"]), window) > 0
        source_objects = objects
        if record["source"] is not None:
            source_objects = cut(of(inputs, "objects", record["source"]), source_window) > 0
        for patch in record["plan"]["patches"]:
            source, destination = (
                cut(mask, patch[box]) for mask, box in ((source_objects, "source_box"), (objects, "destination_box"))
            )
            assert source.mean() > LEAST
            assert (source & destination).sum() / source.sum() > LEAST
    assert changed


@pytest.mark.parametrize(
    "more",
    [
        ("-n", 6, "--layout", "mvtec"),
        ("-n", 6, "--task", "nsa", "--task", "cutpaste", "--backgrounds", 2, "--label", "binary"),
        ("-n", 5, "--tile", 64, 72, "--overlap", 16, "--layout", "mvtec"),
        ("-n", 5, "--crop", 72, 64, "--backgrounds", 2),
    ],
)
def test_items_follow_the_masks(inputs, tmp_path, more):
    masks = ("--object-masks", inputs / "objects", "--allowed-masks", inputs / "regions")
    done = command("generate", inputs / "good", tmp_path / "out", *masks, *more, *ARGUMENTS)
    assert done.returncode == 0, done.stderr
    check_items(inputs, tmp_path / "out")
    checked = command("verify", tmp_path / "out", "-w", 0)
    assert checked.returncode == 0, checked.stderr


@pytest.fixture(scope="module")
def dataset(inputs, tmp_path_factory):
    """A dataset, and folders with its images and masks which a test may change."""
    root = tmp_path_factory.mktemp("dataset")
    make(inputs, root / "out")
    return root / "out"


def make(inputs, out, count=4, **arguments):
    masks = {"object_masks": inputs / "objects", "allowed_masks": inputs / "regions"}
    return generate(inputs / "good", out, TASK, count=count, workers=0, **{**masks, **arguments})


@pytest.fixture
def copied(inputs, dataset, tmp_path):
    """The same inputs and dataset, which a test may change."""
    return shutil.copytree(inputs, tmp_path / "inputs"), shutil.copytree(dataset, tmp_path / "out")


def items(out):
    files = content(out)
    return {name: data for name, data in files.items() if name.startswith(("images/", "masks/", "labels/"))}


def test_alpha_makes_the_same_items_as_files(inputs, dataset, tmp_path):
    make(inputs, tmp_path / "out", object_masks="alpha")
    assert items(tmp_path / "out") == items(dataset)
    assert not verify(tmp_path / "out", workers=0).problems
    with pytest.raises(ValueError, match="object_masks must be left out, as the dataset was made with object_masks='a"):
        verify(tmp_path / "out", object_masks=inputs / "objects", workers=0)


def test_it_grows_from_masks_elsewhere(inputs, dataset, copied, tmp_path):
    moved, out = copied
    assert make(moved, out, count=6).kept == 4
    make(inputs, tmp_path / "whole", count=6)
    assert items(out) == items(tmp_path / "whole")


def test_moved_masks(dataset, copied):
    moved, out = copied
    recipe = json.loads((out / "recipe.json").read_text())
    for name in ("object_masks", "allowed_masks"):
        recipe["masks"][name]["folder"] = "/nowhere"
    (out / "recipe.json").write_text(json.dumps(recipe))
    found = {problem.what for problem in verify(out, workers=0).problems}
    assert all("cannot read image file /nowhere/" in what for what in found)
    places = ("--object-masks", moved / "objects", "--allowed-masks", moved / "regions")
    done = command("verify", out, "-w", 0, *places)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["objects", "regions"])
def test_changed_masks_are_noticed(copied, kind):
    inputs, out = copied
    (file,) = (inputs / kind).glob(f"{manifest(out)[0]['image'].split('.')[0]}.*")
    Image.fromarray(np.full((SIZE, SIZE), 255, np.uint8)).save(file)
    argument = {"objects": "object_masks", "regions": "allowed_masks"}[kind]
    before = content(out)
    with pytest.raises(ValueError, match=rf"begun with other arguments: {argument} file {file.name} was '"):
        make(inputs, out)
    assert content(out) == before
    places = {"object_masks": inputs / "objects", "allowed_masks": inputs / "regions"}
    problems = verify(out, workers=0, **places).problems
    assert problems
    assert all(f"{file} has changed since the dataset was begun" in problem.what for problem in problems)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"object_masks": None}, "object_masks was 'folder', is None now"),
        ({"object_masks": "alpha"}, "object_masks was 'folder', is 'alpha' now"),
    ],
)
def test_other_masks_are_another_dataset(inputs, dataset, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(inputs, dataset, **arguments)


def test_masks_that_do_not_fit_are_one_line(copied, tmp_path):
    inputs, _ = copied
    command_line = ("generate", inputs / "good", tmp_path / "new", "-n", 3, *ARGUMENTS)
    Image.new("L", (SIZE, SIZE - 1)).save(inputs / "objects" / "1.gif")
    (inputs / "objects" / "2.gif").write_bytes(b"no image")
    (inputs / "regions" / "3.png").unlink()
    Image.new("RGB", (SIZE, SIZE)).save(inputs / "good" / "0.png")
    expected = {
        ("--object-masks", inputs / "objects"): "2 of 4 masks cannot be used: ",
        ("--allowed-masks", inputs / "regions"): "no mask for 3.png of 4 images",
        ("--object-masks", "alpha"): "1 of 4 masks cannot be used: object_masks='alpha' needs",
    }
    for masks, text in expected.items():
        done = command(*command_line, *masks)
        assert done.returncode == 1
        assert text in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_a_blending_that_needs_objects_gets_them(inputs, tmp_path):
    task = NaturalSyntheticAnomaly(
        blending="silhouette", height_range=TASK.height_range, width_range=TASK.width_range, scale_range=None
    )
    generate(inputs / "good", tmp_path, task, count=2, object_masks="alpha", options=Options(backgrounds=1), workers=0)
    assert not verify(tmp_path, workers=0).problems


def test_images_without_object_are_hopeless(copied, tmp_path):
    inputs, _ = copied
    for mask in (inputs / "objects").iterdir():
        Image.new("L", (SIZE, SIZE)).save(mask)
    with pytest.raises(ValueError, match=f"nsa-augment preview .*good --object-masks {inputs / 'objects'}") as caught:
        make(inputs, tmp_path / "new", count=1, allowed_masks=None)
    assert "object" in str(caught.value).partition("Likeliest reason")[2]
