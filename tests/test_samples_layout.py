"""The sample set as files: MVTec AD's folders, the images of `draw_sample` and `draw_defect`, and refusals."""

import os

import cv2
import numpy as np
import pytest
from commands import run

from nsa_augment._shared.images import read_image
from nsa_augment.samples import DEFECTS, PRODUCTS, draw_defect, draw_sample, write_samples

SMALL = {"size": 32, "train": 3, "good": 2, "defective": 2}


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def tablet(tmp_path_factory):
    (folder,) = write_samples(tmp_path_factory.mktemp("samples") / "new", "tablet", seed=5, **SMALL)
    return folder


def test_the_layout_is_that_of_mvtec_ad(tablet):
    expected = [f"train/good/{number:03d}.png" for number in range(3)]
    expected += [f"test/good/{number:03d}.png" for number in range(2)]
    for kind in DEFECTS["tablet"]:
        expected += [f"test/{kind}/{number:03d}.png" for number in range(2)]
        expected += [f"ground_truth/{kind}/{number:03d}_mask.png" for number in range(2)]
    assert files(tablet) == sorted(expected)
    assert tablet.name == "tablet"


def test_images_and_masks_are_those_that_are_drawn(tablet):
    np.testing.assert_array_equal(
        read_image(tablet / "train/good/002.png"), draw_sample("tablet", 2, size=32, seed=5).image
    )
    for kind in DEFECTS["tablet"]:
        sample = draw_defect("tablet", kind, 1, size=32, seed=5)
        np.testing.assert_array_equal(read_image(tablet / f"test/{kind}/001.png"), sample.image)
        mask = cv2.imread(str(tablet / f"ground_truth/{kind}/001_mask.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(mask, np.where(sample.mask, 255, 0))
        assert mask.dtype == np.uint8


def test_no_individual_is_there_twice(tablet):
    images = [read_image(path).astype(int) for path in tablet.glob("t*/*/*.png")]
    assert len(images) == 3 + 2 + 2 * len(DEFECTS["tablet"])
    for number, one in enumerate(images):
        assert all(np.abs(one - other).mean() > 1 for other in images[:number])


def test_the_test_images_do_not_depend_on_the_number_of_training_images(tablet, tmp_path):
    (folder,) = write_samples(tmp_path, ["tablet"], size=32, train=1, good=2, defective=0, seed=5)
    assert (folder / "test/good/001.png").read_bytes() == (tablet / "test/good/001.png").read_bytes()


def test_writes_all_products_or_those_asked_for(tmp_path):
    none = {"size": 32, "train": 0, "good": 0, "defective": 0}
    assert [path.name for path in write_samples(tmp_path / "all", **none)] == list(PRODUCTS)
    some = write_samples(str(tmp_path / "some"), ("hide", "bolt", "hide"), **none)
    assert some == [tmp_path / "some" / "hide", tmp_path / "some" / "bolt"]


def test_an_empty_folder_is_written_to_and_others_beside_it_are_left_alone(tmp_path):
    (tmp_path / "hide").mkdir()
    (tmp_path / "bolt").mkdir()
    (tmp_path / "bolt" / "note.txt").write_text("mine")
    write_samples(tmp_path, "hide", size=32, train=1, good=0, defective=0)
    assert files(tmp_path) == ["bolt/note.txt", "hide/train/good/000.png"]


@pytest.mark.parametrize("as_file", [False, True])
def test_a_product_folder_in_use_is_refused_before_anything_is_written(tmp_path, as_file):
    if as_file:
        (tmp_path / "zipper").write_text("mine")
    else:
        (tmp_path / "zipper").mkdir()
        (tmp_path / "zipper" / "note.txt").write_text("mine")
    message = f"folder must be a folder in which 'zipper' does not exist or is empty, got .*{tmp_path.name}"
    with pytest.raises(ValueError, match=message):
        write_samples(tmp_path, **SMALL)
    assert os.listdir(tmp_path) == ["zipper"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"folder": 3}, TypeError, "folder must be a path, got 3"),
        ({"products": "screw"}, ValueError, "products must be one of 'bolt', .* got 'screw'"),
        ({"products": ["bolt", None]}, TypeError, "products must be one of 'bolt', .* got None"),
        ({"products": 3}, TypeError, "products must be a product, .* got 3"),
        ({"products": []}, ValueError, r"products must be at least one of 'bolt', .* got \[\]"),
        ({"size": 16}, ValueError, "size must be an integer from 32 to 2048, got 16"),
        ({"train": -1}, ValueError, r"train must be an integer in \[0, 1000000\], got -1"),
        ({"good": 1.5}, TypeError, "good must be an integer >= 0, got 1.5"),
        ({"defective": True}, TypeError, "defective must be an integer >= 0, got True"),
        ({"seed": -2}, ValueError, "seed must be an integer >= 0, got -2"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_written(tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        write_samples(**{"folder": tmp_path / "new", **SMALL, **arguments})
    assert not (tmp_path / "new").exists()


def test_the_command_writes_what_the_function_writes(tmp_path, tablet):
    options = ("--product", "tablet", "--size", 32, "--train", 3, "--good", 2, "--defective", 2, "--seed", 5)
    done = run("samples", "out", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "wrote tablet to out\n"
    assert files(tmp_path / "out" / "tablet") == files(tablet)
    for name in files(tablet):
        assert (tmp_path / "out" / "tablet" / name).read_bytes() == (tablet / name).read_bytes()


def test_the_command_refuses_in_one_line(tmp_path):
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "note.txt").write_text("mine")
    done = run("samples", ".", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "nsa-augment: folder must be a folder in which 'hide' does not exist or is empty, got '.'"
    ]
    assert files(tmp_path) == ["hide/note.txt"]
