"""Layouts as the tools that read them see them."""

import json

import cv2
import numpy as np
import pytest
import yaml
from dataset_folders import make, manifest, overlap, read, screws, write_samples
from hypothesis import given
from hypothesis import strategies as st

from nsa_augment._shared.images import read_image
from nsa_augment.datasets import Options
from nsa_augment.datasets._polygons import coco_annotations, yolo_lines
from nsa_augment.datasets.layouts.mvtec import held_out

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples") / "good", 11)


def lines_and_blobs(seed):
    """Masks with thin lines, rings (holes), single pixels and parts at the border."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(rng.integers(1, 70, 2), np.uint8)

    def point():
        return tuple(int(number) for number in rng.integers(0, mask.shape[::-1]))

    for _ in range(rng.integers(1, 5)):
        cv2.line(mask, point(), point(), 1, 1)
        cv2.circle(mask, point(), int(rng.integers(0, 25)), 1, int(rng.integers(1, 4)))
        mask[rng.integers(mask.shape[0]), rng.integers(mask.shape[1])] = 1
    return mask


def decode_coco(annotation, shape):
    mask = pytest.importorskip("pycocotools.mask")
    encoded = mask.merge(mask.frPyObjects(annotation["segmentation"], *shape))
    assert mask.area(encoded) == annotation["area"]
    assert mask.toBbox(encoded).tolist() == annotation["bbox"]
    return mask.decode(encoded)


def fill_yolo(lines, shape, to_pixels):
    """As readers of YOLO files do it: some round, most cut off."""
    mask = np.zeros(shape, np.uint8)
    for line in lines.splitlines():
        kind, *numbers = line.split()
        corners = np.array(numbers, float).reshape(-1, 2)
        assert kind == "0"
        assert len(corners) >= 3
        assert corners.min() >= 0
        assert corners.max() <= 1
        cv2.fillPoly(mask, [to_pixels(corners * shape[::-1]).astype(np.int32)], 1)
    return mask


@given(st.integers(0, 2**32))
def test_polygons_give_back_the_mask(seed):
    mask = lines_and_blobs(seed)
    annotations = coco_annotations(mask)
    assert len(annotations) == cv2.connectedComponents(mask, connectivity=8)[0] - 1
    for annotation in annotations:
        assert overlap(decode_coco(annotation, mask.shape), mask) > 0
    together = sum(decode_coco(annotation, mask.shape).astype(int) for annotation in annotations)
    np.testing.assert_array_equal(together, mask)
    for to_pixels in (np.trunc, np.rint):
        assert overlap(fill_yolo(yolo_lines(mask), mask.shape, to_pixels), mask) >= 0.95


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_polygons_of_noise_give_back_the_mask_as_coco(seed, density):
    rng = np.random.default_rng(seed)
    mask = (rng.random(rng.integers(1, 30, 2)) < density).astype(np.uint8)
    together = sum((decode_coco(each, mask.shape).astype(int) for each in coco_annotations(mask)), np.zeros(mask.shape))
    np.testing.assert_array_equal(together, mask)


@pytest.mark.parametrize("mask", [[[1]], [[1, 0], [0, 1]], [[0, 1, 0], [1, 0, 1], [0, 1, 0]], [[1, 1, 1, 1]], [[0, 0]]])
def test_polygons_of_tiny_masks(mask):
    mask = np.array(mask, np.uint8)
    assert overlap(fill_yolo(yolo_lines(mask), mask.shape, np.trunc), mask) >= 0.95
    assert sum(annotation["area"] for annotation in coco_annotations(mask)) == mask.sum()


def test_coco_loads_in_pycocotools(folder, tmp_path, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    make(folder, tmp_path, count=12, layout="coco")
    dataset = coco.COCO(str(tmp_path / "annotations/instances_train.json"))
    capsys.readouterr()
    assert len(dataset.imgs) == 12
    assert [category["name"] for category in dataset.loadCats(dataset.getCatIds())] == ["anomaly"]
    assert min(dataset.imgs) == min(dataset.anns) == 1
    for identifier, image in dataset.imgs.items():
        pixels = read(tmp_path / "images" / image["file_name"])
        assert pixels.shape[:2] == (image["height"], image["width"])
        mask = read(tmp_path / "masks" / image["file_name"]) > 0
        annotations = dataset.loadAnns(dataset.getAnnIds(identifier))
        np.testing.assert_array_equal(np.any([dataset.annToMask(each) for each in annotations], axis=0), mask)
        assert sum(annotation["area"] for annotation in annotations) == mask.sum()


def test_yolo(folder, tmp_path):
    make(folder, tmp_path, count=12, layout="yolo")
    data = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert data == {"train": "images", "val": "images", "names": {0: "anomaly"}}
    images = sorted((tmp_path / data["train"]).glob("*.png"))
    assert len(images) == 12
    for image in images:
        lines = (tmp_path / "labels" / f"{image.stem}.txt").read_text()
        mask = read(tmp_path / "masks" / image.name) > 0
        assert overlap(fill_yolo(lines, mask.shape, np.trunc), mask) >= 0.95
        assert read(tmp_path / "soft_labels" / image.name).dtype == np.uint16


def test_mvtec(folder, tmp_path):
    out = tmp_path / "data" / "screw"
    make(folder, tmp_path / "data", count=12, layout="mvtec", options=Options(category="screw"))
    samples = [
        (*path.relative_to(out).parts, path) for path in out.rglob("*.png") if len(path.relative_to(out).parts) == 3
    ]
    names = sorted(path.name for path in folder.iterdir())
    held = [names[index] for index in held_out(len(names))]
    split = {
        name: sorted(path for part, kind, _, path in samples if (part, kind) == name)
        for name in [("train", "good"), ("test", "good"), ("test", "nsa"), ("ground_truth", "nsa")]
    }
    assert len(samples) == len(list(out.rglob("*.*"))) == sum(map(len, split.values()))
    assert [path.stem for path in split["ground_truth", "nsa"]] == [
        f"{path.stem}_mask" for path in split["test", "nsa"]
    ]
    assert len(split["test", "nsa"]) == len(list((out.parent / "labels/nsa").iterdir())) == 12
    for (part, kind), originals in ((("test", "good"), held), (("train", "good"), [n for n in names if n not in held])):
        for path, name in zip(split[part, kind], originals, strict=True):
            np.testing.assert_array_equal(read_image(path), read_image(folder / name))
    used = {
        record[role] for record in manifest(out.parent) if record["kind"] == "anomaly" for role in ("image", "source")
    }
    assert used == set(held), "a detector that is trained on train/good has seen no part of test"
    for image, mask in zip(split["test", "nsa"], split["ground_truth", "nsa"], strict=True):
        assert read(image).shape[:2] == read(mask).shape
        assert set(np.unique(read(mask))) == {0, 255}


def test_mvtec_names_the_defect_after_the_task(folder, tmp_path):
    from nsa_augment import PoissonImageInterpolation

    make(folder, tmp_path, PoissonImageInterpolation(), count=1, layout="mvtec")
    assert (tmp_path / "product/test/pii/000.png").exists()
    assert (tmp_path / "product/ground_truth/pii/000_mask.png").exists()


@pytest.mark.parametrize("count", [3, 4, 5, 9, 10, 11, 200])
def test_held_out_images_are_at_least_two_and_leave_some(count):
    assert 2 <= len(held_out(count)) < count
    if count >= 10:
        assert len(held_out(count)) == -(-count // 5)


def test_annotations_stand_in_the_manifest(folder, tmp_path):
    make(folder, tmp_path, screws(max_patches=1), count=3, layout="coco")
    listed = json.loads((tmp_path / "annotations/instances_train.json").read_text())["annotations"]
    told = [annotation for record in manifest(tmp_path) for annotation in record["annotations"]]
    assert [each["segmentation"] for each in listed] == [each["segmentation"] for each in told]
