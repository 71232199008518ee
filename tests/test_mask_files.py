"""Masks from files and folders of mixed sizes, through commands and datasets."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest
from commands import run
from PIL import Image
from test_mixed_sizes import SIZES

from nsa_augment import NaturalSyntheticAnomaly, calibrate
from nsa_augment._shared.mask_files import MaskFiles


@pytest.fixture
def mixed(tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number, size in enumerate(SIZES):
        cv2.imwrite(str(folder / f"{number}.png"), rng.integers(0, 256, (*size, 3), np.uint8))
    return folder


@pytest.mark.parametrize("fit", ["native", "resize"])
def test_ten_sizes_are_one_line_and_no_warning(mixed, tmp_path, fit):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        option = ["--set", f"source_fit={fit}", "--set", "height_range=(0.2,0.5)", "--set", "width_range=(0.2,0.5)"]
        previewed = run("preview", mixed, "-o", tmp_path / "page.png", *option)
        made = run("generate", mixed, tmp_path / "out", "-n", 12, "-w", 0, *option)
        verified = run("verify", tmp_path / "out", "-w", 0)
        compared = run("compare", mixed, "-o", tmp_path / "compare.png")
        calibrated = run("calibrate", mixed, "--out", tmp_path / "preset.yaml")
    for done in (previewed, made, verified, compared, calibrated):
        assert done.returncode == 0, done.stderr
    for done in (previewed, made):
        assert done.stderr.count("10 images of 10 sizes, 33 x 47 to 250 x 250") == 1


@pytest.mark.parametrize("fit", ["native", "resize"])
def test_one_size_needs_no_line(tmp_path, fit):
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), pixels)
    assert "sizes" not in run("preview", tmp_path, "-o", tmp_path / "page.png", "--set", f"source_fit={fit}").stderr


def test_arguments_that_place_nothing_are_not_written(tmp_path):
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 12, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), pixels)
    page, preset = tmp_path / "page.png", tmp_path / "preset.yaml"
    for options, text in (((), "calibrate found no arguments"), (("--out", preset), "preset.yaml is not written")):
        done = run("calibrate", tmp_path, *options, "--picture", page)
        assert done.returncode == 1
        assert text in done.stderr
        assert not preset.exists()
        assert page.exists()
        page.unlink()


@pytest.fixture
def cut_outs(tmp_path):
    """RGBA images of a disc, and the same mask as files."""
    folder, masks = tmp_path / "images", tmp_path / "masks"
    folder.mkdir()
    masks.mkdir()
    rows, columns = np.mgrid[:96, :96]
    disc = (rows - 48) ** 2 + (columns - 48) ** 2 <= 35**2
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (96, 96, 3), np.uint8)
        Image.fromarray(np.dstack([pixels, disc * np.uint8(255)]), "RGBA").save(folder / f"{number}.png")
        Image.fromarray(disc * np.uint8(255)).save(masks / f"{number}.bmp")
    return folder, masks, disc


def test_alpha_and_folder_give_the_same_mask(cut_outs):
    folder, masks, disc = cut_outs
    for where in ("alpha", masks):
        assert np.array_equal(
            MaskFiles("object_masks", where, [folder / "1.png"]).read(folder / "1.png", (96, 96)), disc
        )


def test_preview_is_the_same_with_alpha_and_folder(cut_outs, tmp_path):
    folder, masks, _ = cut_outs
    pages = []
    for where in ("alpha", masks, None):
        page = tmp_path / "page.png"
        options = [] if where is None else ["--object-masks", where, "--allowed-masks", where]
        done = run("preview", folder, "-o", page, *options)
        assert done.returncode == 0, done.stderr
        pages.append(page.read_bytes())
    assert pages[0] == pages[1] != pages[2]


@pytest.mark.parametrize("option", ["--object-masks", "--allowed-masks"])
def test_masks_that_do_not_fit_are_one_line(cut_outs, tmp_path, option):
    folder, masks, _ = cut_outs
    (masks / "2.bmp").rename(masks / "other.bmp")
    page = tmp_path / "page.png"
    missing = run("preview", folder, "-o", page, option, masks)
    Image.new("L", (96, 95)).save(masks / "2.bmp")
    size = run("preview", folder, "-o", page, option, masks)
    Image.new("L", (96, 96)).save(masks / "2.png")
    twice = run("preview", folder, "-o", page, option, masks)
    gone = run("preview", folder, "-o", page, option, tmp_path / "none")
    opaque = run("preview", masks / "0.bmp", "-o", page, option, "alpha")
    expected = ["no mask for 2.png", "96 x 96", "one mask for each image", "no such folder", "0.bmp has none"]
    for done, text in zip((missing, size, twice, gone, opaque), expected, strict=True):
        assert done.returncode == 1
        assert text in done.stderr
        assert done.stderr.count("\n") == 1
    assert not page.exists()


def test_calibrate_takes_the_object_from_alpha_or_files(cut_outs, tmp_path):
    folder, masks, disc = cut_outs
    found = [calibrate(folder, object_masks=where) for where in ("alpha", masks, [disc] * 3)]
    assert found[0] == found[1] == found[2]
    assert found[0].kind == "masked"
    assert found[0].arguments["background"] is None
    assert found[0].placed_share > 0.9
    height, width = (found[0].arguments[name][1] for name in ("height_range", "width_range"))
    assert 0.5 * 71 / 96 < height <= 71 / 96 + 0.01
    assert 0.5 * 71 / 96 < width <= 71 / 96 + 0.01
    out, page = tmp_path / "preset.yaml", tmp_path / "page.png"
    done = run("calibrate", folder, "--object-masks", "alpha", "--out", out, "--picture", page)
    assert done.returncode == 0, done.stderr
    assert "--object-masks alpha" in done.stdout
    assert NaturalSyntheticAnomaly.from_preset(out).min_object == found[0].arguments["min_object"]


def test_calibrate_measures_variation_on_the_object_only():
    rng = np.random.default_rng(0)
    images = np.full((4, 64, 64), 128, np.uint8)
    images[:, 20:44, 20:44] += rng.integers(0, 60, (4, 24, 24), np.uint8)
    mask = np.zeros((64, 64), bool)
    mask[20:44, 20:44] = True
    quiet, busy = calibrate(images), calibrate(images, object_masks=[mask] * 4)
    assert quiet.variation.typical < 1
    assert busy.variation.typical > 5


def test_calibrate_leaves_out_images_without_object():
    images = np.random.default_rng(0).integers(0, 256, (4, 64, 64), np.uint8)
    masks = np.zeros((4, 64, 64), bool)
    with pytest.raises(ValueError, match="object_masks must show an object, got 4 empty masks"):
        calibrate(images, object_masks=masks)
    masks[:3, 10:50, 10:50] = True
    found = calibrate(images, object_masks=masks)
    assert found.image_count == 3
    assert found.placed_share > 0.9
    assert "images with empty object masks were dropped: 1" in found.notes
    with pytest.raises(ValueError, match=r"one mask for each image \(4\)"):
        calibrate(images, object_masks=masks[:3])
    with pytest.raises(ValueError, match="object_masks must be"):
        calibrate(images, object_masks=masks[:, 1:])


@pytest.mark.parametrize("size", SIZES)
def test_calibrate_does_not_stretch(size):
    """The circle of an image of another size stays a circle, and its mask with it."""
    usual = np.random.default_rng(0).integers(0, 256, (2, 100, 100), np.uint8)
    rows, columns = np.mgrid[: size[0], : size[1]]
    radius = 0.4 * min(size)
    circle = np.hypot(rows - size[0] / 2 + 0.5, columns - size[1] / 2 + 0.5) <= radius
    whole = np.ones((100, 100), bool)
    other = np.where(circle, 200, 50).astype(np.uint8)
    found = calibrate([*usual, other], object_masks=[whole, whole, circle])
    seen = found.background.masks[2], found.images[2, :, :, 0] > 125
    expected = 2 * min(radius * max(100 / size[0], 100 / size[1]), 50)
    for mask in seen:
        for axis in (0, 1):
            assert abs(np.count_nonzero(mask.any(axis=axis)) - expected) <= 4


def check_labels(dataset, disc):
    labels = np.stack([dataset[index][1].numpy() for index in range(len(dataset))])
    assert labels.any()
    assert not labels[:, ~disc].any()


@pytest.mark.parametrize("listed", [False, True])
def test_masks_of_datasets_lie_in_files(cut_outs, listed):
    torch_dataset = pytest.importorskip("nsa_augment.integrations.torch")
    folder, masks, disc = cut_outs
    task = NaturalSyntheticAnomaly(height_range=(0.1, 0.3), width_range=(0.1, 0.3))
    images = sorted(folder.iterdir()) if listed else folder
    made = []
    for where in ("alpha", masks):
        dataset = torch_dataset.AnomalyDataset(images, task, allowed_masks=where, object_masks=where)
        check_labels(dataset, disc)
        made.append([image.numpy() for image, _ in dataset])
    assert np.array_equal(*made)
    with pytest.raises(ValueError, match="object_masks must be masks as arrays unless images is a folder"):
        torch_dataset.AnomalyDataset([np.zeros((96, 96), np.uint8)], task, object_masks=masks)
    (masks / "2.bmp").unlink()
    with pytest.raises(ValueError, match=r"object_masks has no mask for 2\.png of 3 images"):
        torch_dataset.AnomalyDataset(images, task, object_masks=masks)


def test_an_empty_mask_file_means_no_object(cut_outs):
    torch_dataset = pytest.importorskip("nsa_augment.integrations.torch")
    folder, masks, _ = cut_outs
    Image.new("L", (96, 96)).save(masks / "1.bmp")
    task = NaturalSyntheticAnomaly(height_range=(0.1, 0.3), width_range=(0.1, 0.3))
    dataset = torch_dataset.AnomalyDataset(folder, task, object_masks=masks)
    assert not dataset[1][1].any()


def test_images_of_one_name_cannot_share_a_mask(cut_outs):
    folder, masks, _ = cut_outs
    (folder / "more").mkdir()
    Image.new("RGB", (96, 96)).save(folder / "more" / "1.png")
    with pytest.raises(ValueError, match="masks for images of different names"):
        MaskFiles("object_masks", masks, sorted(folder.rglob("*.png")))


def test_items_of_datasets_follow_their_masks(cut_outs):
    torch_dataset = pytest.importorskip("nsa_augment.integrations.torch")
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (96, 96, 3), np.uint8) for _ in range(4)]
    disc = cut_outs[2]
    task = NaturalSyntheticAnomaly(height_range=(0.1, 0.3), width_range=(0.1, 0.3))
    dataset = torch_dataset.AnomalyDataset(images, task, allowed_masks=[disc] * 4, object_masks=[disc] * 4)
    check_labels(dataset, disc)
    with pytest.raises(ValueError, match="allowed_masks must be one mask for each"):
        torch_dataset.AnomalyDataset(images, task, allowed_masks=[disc])
    with pytest.raises(ValueError, match="object_masks must be None with a view_transform"):
        torch_dataset.AnomalyDataset(images, task, object_masks=[disc] * 4, view_transform=lambda image, rng: image)
