"""Object masks and allowed regions of a call, in both libraries."""

import albumentations as A
import numpy as np
import pytest
from pipelines import each_transform, normals, params_of, recorder, transform_of

from nsa_augment import SynthesisPlan
from nsa_augment.integrations.albumentations import AnomalyTransform

IMAGES = normals(count=4, size=96)
SOURCES = list(IMAGES[1:])
CALLS = 12
PATCHES = {"height_range": (0.15, 0.3), "width_range": (0.15, 0.3), "resize_limits": "full"}


def half(dtype=np.uint8):
    mask = np.zeros((96, 96), dtype)
    mask[:, :48] = 1
    return mask


def outputs(transform, **masks):
    pipeline = A.Compose([transform], seed=0)
    return [pipeline(image=IMAGES[0], **masks) for _ in range(CALLS)]


@each_transform(["nsa", "cutpaste"])
@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int64])
def test_patches_land_on_the_object_of_the_call(use, dtype):
    """With `min_overlap=1`, and sources that are all object."""
    transform = transform_of(use, sources=SOURCES, arguments={**PATCHES, "min_overlap": 1, "min_object": 0.3})
    free = outputs(transform)
    bound = outputs(transform, object_mask=half(dtype))
    assert any(out["mask"][:, 56:].any() for out in free)
    assert any(out["mask"].any() for out in bound)
    assert not any((out["image"] != IMAGES[0])[:, 49:].any() for out in bound)


@each_transform()
def test_nothing_changes_outside_the_allowed_region(use):
    found = outputs(transform_of(use, sources=SOURCES, arguments=PATCHES), allowed_mask=half())
    assert not any((out["image"] != IMAGES[0])[:, 48:].any() for out in found)
    assert any(out["mask"].any() for out in found)


@each_transform()
def test_they_are_moved_and_replayed(use):
    targets = {"object_mask": "mask", "allowed_mask": "mask"}
    flipped = {"object_mask": half()[:, ::-1].copy(), "allowed_mask": half()[:, ::-1].copy()}
    flipped["mask"] = np.zeros((96, 96), np.float32)  # X wants it beside additional masks
    pipeline = recorder(
        [A.HorizontalFlip(p=1), transform_of(use, sources=SOURCES, arguments=PATCHES)], additional_targets=targets
    )
    for _ in range(4):
        out = pipeline(image=IMAGES[0], **flipped)
        assert np.array_equal(out["object_mask"].reshape(96, 96), half())
        assert not (out["image"] != IMAGES[0][:, ::-1])[:, 48:].any()
        again = A.ReplayCompose.replay(out["replay"], image=IMAGES[0], **flipped)
        assert np.array_equal(again["image"], out["image"])
        assert np.array_equal(again["mask"], out["mask"])


@each_transform()
def test_the_result_is_that_of_the_task(use):
    transform = transform_of(use, sources=SOURCES, arguments=PATCHES)
    out = recorder([transform])(image=IMAGES[0], object_mask=half())
    params = params_of(out)
    plan = SynthesisPlan.from_dict(params["plan"])
    expected = transform.task.apply(IMAGES[0], params["source"], plan, mask=half())
    assert np.array_equal(expected.image, out["image"])
    assert np.array_equal(expected.label, out["mask"])


@pytest.mark.parametrize("key", ["object_mask", "allowed_mask"])
@pytest.mark.parametrize(
    "wrong", [np.ones((96, 96), np.float32), np.ones((4, 4), bool), np.ones((96, 96, 2), bool), "all"]
)
def test_what_is_no_mask_is_named(key, wrong):
    transform = AnomalyTransform("nsa", "leather", SOURCES, p=1.0)
    with pytest.raises((TypeError, ValueError), match=f"{key} must be a bool or integer array of shape"):
        transform(image=IMAGES[0], **{key: wrong})


def test_strict_pipelines_let_them_through():
    pipeline = A.Compose([AnomalyTransform("nsa", "leather", SOURCES, p=1.0)], strict=True)
    assert pipeline(image=IMAGES[0], object_mask=half(), allowed_mask=half())["image"].shape == IMAGES[0].shape
