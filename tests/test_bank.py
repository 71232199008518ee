"""Defects of a bank: found, taken apart, and put onto images, against SciPy and by copying pixels by hand."""

import json
import pickle

import albumentations as A
import cv2
import numpy as np
import oracle
import pytest
from dataset_folders import command, manifest, read, write_samples
from drawing import agree, draw_plans
from hypothesis import given
from hypothesis import strategies as st
from pipelines import params_of, recorder
from scipy import ndimage
from strategies import draw_pixels, seeds

from nsa_augment import Bitmap, DefectBankAnomaly, FineBitmap, SynthesisPlan
from nsa_augment.datasets import verify
from nsa_augment.integrations.albumentations import AnomalyTransform
from nsa_augment.planning.defects import DefectImage, defects_of, list_defects

SIZE = (60, 70)
SPOTS = {
    "broad": [(10, 12, 30, 40)],
    "line": [(5, 5, 7, 60)],
    "several": [(3, 3, 9, 12), (40, 50, 52, 62), (30, 20, 32, 22)],  # the last has 4 pixels: too small
}
IMAGE = draw_pixels(1, (*SIZE, 3))


def mask_of(boxes):
    mask = np.zeros(SIZE, np.uint8)
    for box in boxes:
        oracle.view(mask, box)[...] = 1
    return mask


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.fixture(scope="module", params=["mvtec", "plain"])
def bank(request, tmp_path_factory):
    """Defects of dark noise."""
    folder = tmp_path_factory.mktemp(request.param)
    mvtec = request.param == "mvtec"
    for index, (name, boxes) in enumerate(SPOTS.items()):
        pixels = np.random.default_rng(index).integers(0, 60, (*SIZE, 3), np.uint8)
        if mvtec:
            write(folder / "test" / name / "000.png", pixels)
            write(folder / "ground_truth" / name / "000_mask.png", 255 * mask_of(boxes))
        else:
            write(folder / "images" / f"{name}.png", pixels)
            write(folder / "masks" / f"{name}.bmp", 255 * mask_of(boxes))
    write(folder / ("test/good" if mvtec else "images") / "900.png", IMAGE)
    return folder


def name_of(pattern):
    return next(name for name in SPOTS if name in pattern.path)


def rgb(path):
    return cv2.imread(path)[:, :, ::-1]


def test_images_with_masks_are_found(bank):
    found = list_defects(bank)
    assert [name_of(type("", (), {"path": str(pair.image)})) for pair in found] == ["broad", "line", "several"]
    for pair in found:
        assert pair.mask.stem.removesuffix("_mask") == pair.image.stem


@given(seeds, st.integers(0, 4))
def test_defects_are_the_connected_parts_of_at_least_9_pixels(tmp_path_factory, seed, margin):
    folder = tmp_path_factory.mktemp("parts")
    mask = (ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(40, 50)), 2) > 0.15).astype(np.uint8)
    write(folder / "image.png", np.zeros((40, 50, 3), np.uint8))
    write(folder / "mask.png", 7 * mask)
    found = defects_of(DefectImage(folder / "image.png", folder / "mask.png"), margin)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    parts = [labels == number for number in range(1, count + 1)]
    expected = [part for part in parts if part.sum() >= min(9, max(other.sum() for other in parts))]
    shown = []
    for defect in found:
        whole = np.zeros((40, 50), bool)
        oracle.view(whole, defect.box)[...] = defect.mask > 0
        rows, columns = (np.flatnonzero(whole.any(axis=axis)) for axis in (1, 0))
        box = rows[0] - margin, columns[0] - margin, rows[-1] + 1 + margin, columns[-1] + 1 + margin
        assert tuple(defect.box) == (max(box[0], 0), max(box[1], 0), min(box[2], 40), min(box[3], 50))
        assert defect.image_size == (40, 50)
        shown.append(whole)
    assert {part.tobytes() for part in shown} == {part.tobytes() for part in expected}


def test_pixels_of_the_defect_are_copied_along_its_mask(bank):
    task = DefectBankAnomaly(bank=bank, scale_range=None, blending="copy_paste")
    drawn = []
    for seed in range(40):
        result = task(IMAGE, rng=seed)
        for patch in result.plan.patches:
            name = name_of(patch.filling.pattern)
            y0, x0, y1, x1 = patch.filling.pattern.box
            there = oracle.view(mask_of(SPOTS[name]), (y0, x0, y1, x1)) > 0
            expected, y, x = IMAGE.copy(), patch.destination_box[0], patch.destination_box[1]
            inside = expected[y : y + y1 - y0, x : x + x1 - x0]
            inside[there] = rgb(patch.filling.pattern.path)[y0:y1, x0:x1][there]
            np.testing.assert_array_equal(result.image, expected)
            drawn.append((name, (y0 + 2, x0 + 2, y1 - 2, x1 - 2)))
    assert {(name, box) for name, box in drawn if name != "several"} == {
        ("broad", (10, 12, 30, 40)), ("line", (5, 5, 7, 60)),
    }  # fmt: skip
    assert {box for name, box in drawn if name == "several"} == {(3, 3, 9, 12), (40, 50, 52, 62)}


def test_images_have_the_same_probability(bank):
    plans = draw_plans(DefectBankAnomaly(bank=bank, scale_range=None), np.zeros((200, 200, 3), np.uint8), 300)
    names = [name_of(plan.patches[0].filling.pattern) for plan in plans]
    agree([names.count(name) for name in SPOTS], np.full(3, 1 / 3))


def test_sizes_are_the_fractions_of_the_image_times_a_random_factor(bank):
    image = np.zeros((120, 210, 3), np.uint8)
    for plan in draw_plans(DefectBankAnomaly(bank=bank, scale_range=None), image, 20):
        y0, x0, y1, x1 = plan.patches[0].filling.pattern.box
        assert plan.patches[0].size == (2 * (y1 - y0), 3 * (x1 - x0))
    ratios = []
    for plan in draw_plans(DefectBankAnomaly(bank=bank, scale_range=(0.5, 1.5)), image, 200):
        for patch in plan.patches:
            y0, x0, y1, x1 = patch.filling.pattern.box
            ratios.append(patch.size[1] / (3 * (x1 - x0)))
    assert 0.45 < min(ratios) < 0.6
    assert 1.35 < max(ratios) < 1.55


def test_thin_defects_have_fine_outlines_and_are_labelled(bank):
    for seed in range(30):
        result = DefectBankAnomaly(bank=bank, scale_range=None)(np.full((*SIZE, 3), 220, np.uint8), rng=seed)
        for patch in result.plan.patches:
            thick = name_of(patch.filling.pattern) == "broad" or patch.filling.pattern.box[0] > 30
            assert type(patch.shape) is (Bitmap if thick else FineBitmap)
            landed = np.zeros(SIZE, np.uint8)
            oracle.view(landed, patch.destination_box)[...] = patch.shape.mask(patch.size)
            wrong = result.mask != landed
            assert wrong.sum() <= 12 if thick else not wrong.any()  # the median takes three pixels of a corner


def test_defects_land_on_the_object_and_in_the_allowed_region(bank):
    objects, allowed = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    objects[5:50, 8:66], allowed[:, :60] = True, True
    task = DefectBankAnomaly(bank=bank, min_overlap=1)
    placed = 0
    for seed in range(30):
        result = task(IMAGE, rng=seed, mask=objects, allowed=allowed)
        for patch in result.plan.patches:
            landed = np.zeros(SIZE, bool)
            oracle.view(landed, patch.destination_box)[...] = patch.shape.mask(patch.size) > 0
            assert not (landed & ~(objects & allowed)).any()
            placed += 1
        outside = ~(objects & allowed)
        np.testing.assert_array_equal(result.image[outside], IMAGE[outside])
    assert placed > 20


@pytest.mark.parametrize("shape", [SIZE, (*SIZE, 1), (*SIZE, 5), (90, 40, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("blending", ["feather", "poisson"])
def test_every_kind_of_image(bank, shape, dtype, blending):
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    image = (np.random.default_rng(0).random(shape) * full).astype(dtype)
    image.flags.writeable = False
    task = DefectBankAnomaly(bank=bank, max_patches=3, blending=blending)
    for seed in range(4):
        result = task(image, rng=seed)
        assert (result.image.shape, result.image.dtype) == (shape, dtype)
        plan = SynthesisPlan.from_dict(json.loads(json.dumps(result.plan.to_dict())))
        assert plan == result.plan
        np.testing.assert_array_equal(task.apply(image, None, plan).image, result.image)
        np.testing.assert_array_equal(task(image, image[::-1], seed).image, result.image)


def test_a_bank_that_cannot_be_used_is_named(tmp_path):
    good = draw_pixels(1, (20, 20, 3))
    for bank, message in [(None, "None"), ("", "''"), (3, "3"), (tmp_path / "none", "none")]:
        with pytest.raises((TypeError, ValueError), match=rf"bank must be a folder that holds test/ and .*{message}"):
            DefectBankAnomaly(bank=bank)
    with pytest.raises(ValueError, match="bank must be a folder"):
        DefectBankAnomaly()
    write(tmp_path / "masks" / "b.png", good)
    with pytest.raises(ValueError, match=f"no such folder: {tmp_path / 'images'}"):
        DefectBankAnomaly(bank=tmp_path)
    write(tmp_path / "images" / "a.png", good)
    with pytest.raises(ValueError, match=r"bank must have an image for every mask, got none in .* for b.png"):
        DefectBankAnomaly(bank=tmp_path)
    write(tmp_path / "images" / "b.png", good[:10])
    with pytest.raises(
        ValueError, match=r"masks of bank must be as large as images: .*b.png is \(20, 20\), .*\(10, 20\)"
    ):
        DefectBankAnomaly(bank=tmp_path)(good, rng=0)
    write(tmp_path / "images" / "b.png", good)
    mask = np.zeros((20, 20), np.uint8)
    mask[3, 4] = mask[9:11, 8] = 1
    write(tmp_path / "masks" / "b.png", mask)
    (defect,) = defects_of(*list_defects(tmp_path))
    assert tuple(defect.box) == (9, 8, 11, 9)
    write(tmp_path / "masks" / "c.png", 0 * mask)
    write(tmp_path / "images" / "c.png", good)
    with pytest.raises(ValueError, match=r"masks of bank must show a defect: .*c.png has no pixel > 0"):
        [DefectBankAnomaly(bank=tmp_path).plan(good, rng=seed) for seed in range(9)]


@pytest.mark.parametrize("argument", [{"selection": "fpi"}, {"shape": "noise"}, {"height_range": (0, 1)}], ids=str)
def test_arguments_without_a_meaning_are_refused(bank, argument):
    with pytest.raises(TypeError, match="DefectBankAnomaly has no argument"):
        DefectBankAnomaly(bank=bank, **argument)


def test_presets_pickles_and_pipelines(bank, tmp_path):
    task = DefectBankAnomaly.from_preset("screw", bank=bank)
    assert (task.background, task.scale_range, task.min_overlap) == (((200.0, 60.0),), (0.7, 1.3), 0.9)
    assert pickle.loads(pickle.dumps(task)) == task
    transform = AnomalyTransform("bank", "leather", bank=str(bank), p=1.0)
    restored = A.from_dict(json.loads(json.dumps(A.to_dict(A.Compose([transform])))))
    assert restored[0].task == transform.task
    out = recorder([transform])(image=IMAGE)
    plan = SynthesisPlan.from_dict(params_of(out)["plan"])
    np.testing.assert_array_equal(out["image"], transform.task.apply(IMAGE, None, plan).image)


def test_commands(bank, tmp_path):
    folder = write_samples(tmp_path / "good", size=64, product="hide")
    given = ("--task", "bank", "--preset", "leather", "--bank", bank)
    done = command("generate", folder, tmp_path / "out", "-n", 5, *given, "-w", 0)
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "out", workers=0).problems == ()
    for record in manifest(tmp_path / "out"):
        mask = read(tmp_path / "out" / record["files"]["mask"]["path"])
        assert mask.any()
        assert record["plan"]["patches"][0]["filling"]["pattern"]["kind"] == "defect"
    assert command("preview", folder, *given, "-n", 1, "-o", tmp_path / "page.png").returncode == 0
    for options, message in [
        (("--task", "bank"), "bank must be a folder that holds test/ and ground_truth/ or images/ and masks/"),
        (("--task", "fpi", "--bank", bank), "ForeignPatchInterpolation has no argument 'bank'"),
    ]:
        done = command("preview", folder, *options, "-o", tmp_path / "no.png")
        assert done.returncode == 1
        assert message in " ".join(done.stderr.split())
    sizes = []
    for options in ((), ("--set", f"bank={bank}")):
        done = command("compare", folder, *options, "-o", tmp_path / "compare.png")
        assert done.returncode == 0, done.stderr
        sizes.append(read(tmp_path / "compare.png").shape[0])
    assert sizes[1] > sizes[0]
