"""Masks of classes, and boxes of anomalies, in both libraries."""

import albumentations as A
import numpy as np
import pytest
from albumentations_images import IMAGE, nsa
from pipelines import (
    USES,
    X,
    each_transform,
    transform_of,
)

from nsa_augment.integrations.albumentations.labels import anomaly_boxes

SIZE = IMAGE.shape[:2]


BOX_FORMAT = "coord_format" if X else "format"


# masks


CLASSES = np.tile(np.arange(4), (64, 16))


@each_transform(USES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("trailing", [False, True])
def test_classes_keep_dtype_and_values(use, dtype, p, trailing):
    given = CLASSES.astype(dtype)[..., None] if trailing else CLASSES.astype(dtype)
    before = given.copy()
    out = A.Compose([transform_of(use, p=p, anomaly_class=9), A.NoOp()], seed=1)(image=IMAGE, mask=given)
    assert (out["mask"].dtype, out["mask"].shape) == (dtype, given.shape)
    marked = out["mask"] == 9
    np.testing.assert_array_equal(out["mask"][~marked], given[~marked])
    np.testing.assert_array_equal(given, before)
    assert use == "pii" or marked.any() == bool(p)


@pytest.mark.parametrize(("anomaly_class", "dtype"), [(1, np.uint8), (255, np.uint8), (300, np.int32)])
def test_without_a_mask_a_mask_of_classes_is_made(anomaly_class, dtype):
    out = nsa(anomaly_class=anomaly_class)(image=IMAGE)
    label = nsa(label="binary")(image=IMAGE)
    assert out["mask"].dtype == dtype
    assert set(np.unique(out["mask"])) == {0, anomaly_class}
    assert label["mask"].dtype == np.float32


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize(
    "wrong", [np.zeros(SIZE, np.float32), np.zeros(SIZE, bool), np.zeros(SIZE, np.int8), np.zeros((64, 32), int)]
)
def test_masks_that_cannot_hold_the_class_are_named(wrong, p):
    with pytest.raises((TypeError, ValueError), match=r"mask must be an integer array.*anomaly_class=200"):
        nsa(p=p, anomaly_class=200)(image=IMAGE, mask=wrong)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "flaw"])
def test_a_wrong_class_is_named(wrong):
    with pytest.raises((TypeError, ValueError), match="anomaly_class must be"):
        nsa(anomaly_class=wrong)


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("arguments", [{}, {"anomaly_class": 3}])
def test_masks_of_channels_are_refused_with_advice(p, arguments):
    mask = np.zeros((*SIZE, 4), np.uint8)
    with pytest.raises(ValueError, match=r"mask must be.*label_key="):
        nsa(p=p, **arguments)(image=IMAGE, mask=mask)
    out = nsa(p=p, label_key="anomaly", **arguments)(image=IMAGE, mask=mask)
    assert out["mask"] is mask


# boxes


def test_boxes_surround_the_parts_of_a_label():
    mask = np.zeros((20, 30, 1), np.float32)
    mask[2:5, 3:9] = 0.1
    mask[10:20, 25:30] = 1
    assert anomaly_boxes(mask).tolist() == [[3, 2, 9, 5], [25, 10, 30, 20]]
    assert anomaly_boxes(np.zeros((5, 5))).shape == (0, 4)


@pytest.mark.parametrize("layout", ["pascal_voc", "coco", "yolo", "albumentations"])
@pytest.mark.parametrize(
    ("label", "given", "classes"),
    [("flaw", 1, ["part"]), ("flaw", 0, []), (7, 1, [2]), (7, 0, []), ("part", 1, ["part"])],
)
def test_boxes_of_anomalies_are_added_and_moved(layout, label, given, classes):
    boxes = {
        "pascal_voc": [4, 6, 30, 40],
        "coco": [4, 6, 26, 34],
        "yolo": [17 / 64, 23 / 64, 26 / 64, 34 / 64],
        "albumentations": [4 / 64, 6 / 64, 30 / 64, 40 / 64],
    }[layout]
    params = A.BboxParams(**{BOX_FORMAT: layout}, label_fields=["classes"])
    pipeline = A.Compose([nsa(label="binary", box_label=label), A.HorizontalFlip(p=1.0)], bbox_params=params, seed=1)
    out = pipeline(image=IMAGE, bboxes=np.array([boxes][:given], np.float32).reshape(-1, 4), classes=classes)
    expected = anomaly_boxes(out["mask"])
    assert len(expected) > 0
    found = np.asarray(out["bboxes"])[given:]
    if layout == "coco":
        found = np.hstack([found[:, :2], found[:, :2] + found[:, 2:]])
    elif layout == "yolo":
        found = 64 * np.hstack([found[:, :2] - found[:, 2:] / 2, found[:, :2] + found[:, 2:] / 2])
    elif layout == "albumentations":
        found = 64 * found
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(expected, axis=0), atol=1e-3)
    assert list(out["classes"]) == [*classes, *[label] * len(expected)]


def test_boxes_need_a_pipeline_of_boxes():
    with pytest.raises(ValueError, match=r"box_label='flaw' needs.*bbox_params"):
        nsa(box_label="flaw")(image=IMAGE)


def test_boxes_need_a_label_for_every_field():
    params = A.BboxParams(**{BOX_FORMAT: "pascal_voc"}, label_fields=["classes", "ids"])
    pipeline = A.Compose([nsa(box_label={"classes": "flaw"})], bbox_params=params)
    with pytest.raises(ValueError, match="'ids'"):
        pipeline(image=IMAGE, bboxes=[[1, 2, 3, 4]], classes=["part"], ids=[1])
