"""Configurations that name transforms by strings, as `Albu` of MMDetection and MMSegmentation reads them."""

import albumentations as A
import numpy as np
import pytest
from pipelines import VISIBLE, X, normals, run_python, write_folder

import nsa_augment.integrations.albumentations.names  # noqa: F401

BGR = [np.ascontiguousarray(image[..., ::-1]) for image in normals()]


def build(config):
    """A transform of a configuration, nested ones first."""
    arguments = dict(config)
    kind = getattr(A, arguments.pop("type"))
    if "transforms" in arguments:
        arguments["transforms"] = [build(inner) for inner in arguments["transforms"]]
    return kind(**arguments)


@pytest.mark.parametrize("name", ["NSA", "CutPaste", "FPI", "PII"])
def test_segmentation_with_classes(name, tmp_path):
    folder = str(write_folder(tmp_path, normals()[1:]))
    large = {"height_range": [0.5, 0.8], "width_range": [0.5, 0.8]}  # configurations hold lists
    config = {"type": name, "preset": "leather", "sources": folder, "channel_order": "bgr", "anomaly_class": 1}
    pipeline = A.Compose([build({**config, "p": 1.0, **large}), build({"type": "HorizontalFlip", "p": 0.5})], seed=1)
    segmentation = np.zeros((64, 64), np.uint8)
    marked = 0
    for image in BGR:
        out = pipeline(image=image, mask=segmentation)
        assert (out["mask"].dtype, out["mask"].shape) == (np.uint8, (64, 64))
        marked += int((out["mask"] == 1).sum())
    assert marked > 0


def test_detection_with_boxes_and_instance_masks():
    nsa = build({"type": "NSA", "preset": "leather", "sources": BGR[1:], "box_label": 4, "p": 1.0, **VISIBLE})
    choice = build({"type": "OneOf", "transforms": [{"type": "NoOp", "p": 1.0}], "p": 1.0})
    layout = {"coord_format" if X else "format": "pascal_voc"}
    boxes = A.BboxParams(**layout, label_fields=["gt_bboxes_labels"])
    pipeline = A.Compose([nsa, choice], bbox_params=boxes, seed=1)
    given = np.array([[3, 4, 30, 40]], np.float32)
    masks = np.zeros((1, 64, 64), np.uint8)
    out = pipeline(image=BGR[0], bboxes=given, gt_bboxes_labels=np.array([2]), masks=masks)
    assert len(out["bboxes"]) == len(out["gt_bboxes_labels"]) > 1
    assert out["gt_bboxes_labels"].tolist()[1:] == [4] * (len(out["bboxes"]) - 1)
    np.testing.assert_allclose(out["bboxes"][0], given[0], atol=1e-4)
    np.testing.assert_array_equal(out["masks"], masks)


def test_names_appear_with_the_import_alone():
    code = """
import albumentations as A
before = hasattr(A, "NSA")
import nsa_augment.integrations.albumentations
between = hasattr(A, "NSA")
import nsa_augment.integrations.albumentations.names
print(before, between, A.NSA.__module__)
"""
    assert run_python(code).split() == ["False", "False", "nsa_augment.integrations.albumentations.transforms"]
