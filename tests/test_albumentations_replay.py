"""A.ReplayCompose plays back exactly what NSA did."""

import copy
import itertools
import json

import albumentations as A
import numpy as np
import pytest
from pipelines import (
    TEXTURE,
    USES,
    VISIBLE,
    assert_same,
    each_transform,
    is_zero_mask,
    normals,
    params_of,
    recorder,
    visible,
    write_folder,
)

from nsa_augment import NSA

IMAGE = normals()[0]
OTHERS = normals()[1:]
SIZE = IMAGE.shape[:2]
KINDS = ("folder", "list of paths", "arrays", "callable", "previous", "metadata", "metadata list")
TRANSFORMS = {
    "none": lambda: None,
    "albumentations": lambda: A.Compose([A.RandomCrop(64, 64), A.RandomBrightnessContrast(p=1.0)]),
    "callable": lambda: np.flipud,
}


def nsa(kind="arrays", folder=None, p=1.0, use="nsa", **arguments):
    """NSA, or another transform."""
    if kind in ("folder", "list of paths"):
        write_folder(folder, OTHERS)
    sources = {
        "folder": folder,
        "list of paths": [] if folder is None else sorted(folder.iterdir()),
        "arrays": list(OTHERS),
        "callable": lambda rng: OTHERS[int(rng.integers(len(OTHERS)))],
        "previous": "previous",
    }.get(kind)
    sources = None if use == "cutpaste alone" else sources
    return USES[use](TEXTURE, sources, p=p, **visible(use), **arguments)


def metadata(kind):
    return {
        "metadata": {"nsa_metadata": OTHERS[1]},
        "metadata list": {"nsa_metadata": [{"image": image} for image in OTHERS]},
    }.get(kind, {})


@each_transform(USES)
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_replay_is_exact(use, kind, transform, tmp_path):
    changed = nsa(kind, tmp_path, p=0.5, use=use, source_transform=TRANSFORMS[transform]())
    pipeline = recorder([A.HorizontalFlip(), changed, A.Rotate(p=0.5)], seed=5)
    applied = []
    for index in range(12):
        image = normals()[index % 3]
        out = pipeline(image=image, **metadata(kind))
        # Mixed gradients do not always show.
        applied.append(params_of(out, 1) is not None if use == "pii" else bool(out["mask"].any()))
        for replay in (out["replay"], copy.deepcopy(out["replay"])):  # without the sources of the call
            assert_same(A.ReplayCompose.replay(replay, image=image), out)
    assert len(set(applied)) == 2


def test_replay_does_not_need_the_files_of_a_transformed_source(tmp_path):
    folder = write_folder(tmp_path, OTHERS)
    pipeline = recorder([NSA(TEXTURE, folder, p=1.0, source_transform=np.flipud, **VISIBLE)])
    out = pipeline(image=IMAGE)
    for path in folder.iterdir():
        path.unlink()
    assert_same(A.ReplayCompose.replay(out["replay"], image=IMAGE), out)


def test_a_record_is_a_copy_of_the_array():
    source = OTHERS[0].copy()
    out = recorder([NSA(TEXTURE, [source], p=1.0, **VISIBLE)])(image=IMAGE)
    source[:] = 0
    assert_same(A.ReplayCompose.replay(out["replay"], image=IMAGE), out)


@pytest.mark.parametrize(
    "mask", [None, np.eye(64, dtype=np.uint8), np.full(SIZE, 0.25)], ids=["None", "uint8", "float"]
)
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_replay_merges_the_mask_it_is_given(mask, p):
    out = recorder([nsa(p=p), A.HorizontalFlip()])(image=IMAGE, mask=mask)
    assert_same(A.ReplayCompose.replay(out["replay"], image=IMAGE, mask=mask), out)


def test_what_was_skipped_is_skipped():
    out = recorder([nsa(p=0.0)])(image=IMAGE)
    assert params_of(out) is None
    for _ in range(3):
        again = A.ReplayCompose.replay(out["replay"], image=IMAGE)
        np.testing.assert_array_equal(again["image"], IMAGE)
        assert is_zero_mask(again["mask"], SIZE)


def test_replay_of_no_place_found():
    out = recorder([nsa(background=(0, 255))])(image=IMAGE)
    assert params_of(out)["plan"]["patches"] == []
    assert_same(A.ReplayCompose.replay(out["replay"], image=IMAGE), out)
    assert is_zero_mask(out["mask"], SIZE)


def test_replay_with_arguments_of_every_sort():
    arguments = {"label": "binary", "shape": "ellipses", "min_object": 0.01, "label_key": "defect"}
    backgrounds = ((20, 20), [(20, 20), (250, 5)], lambda image: image.mean(axis=-1) > 60)
    for background, use in itertools.product(backgrounds, USES):
        pipeline = recorder([nsa(use=use, background=background, **arguments), A.HorizontalFlip()])
        for _ in range(5):
            out = pipeline(image=IMAGE)
            again = A.ReplayCompose.replay(copy.deepcopy(out["replay"]), image=IMAGE)
            assert_same(again, out, ("image", "defect"))
            assert set(again) == set(out)


def test_replay_of_continuous_labels():
    out = recorder([nsa(label="continuous")])(image=IMAGE)
    assert out["mask"].max() > 1
    assert_same(A.ReplayCompose.replay(out["replay"], image=IMAGE), out)


@pytest.mark.parametrize("image", [IMAGE[:, :, 0].copy(), IMAGE[:, :, :1].copy(), IMAGE / np.float32(255)])
def test_replay_of_other_forms_of_images(image, tmp_path):
    pipeline = recorder([NSA(TEXTURE, write_folder(tmp_path, OTHERS), p=1.0, **VISIBLE)])
    out = pipeline(image=image)
    assert_same(A.ReplayCompose.replay(out["replay"], image=image), out)


def test_replay_of_a_source_of_another_size():
    pipeline = recorder([NSA(TEXTURE, normals(size=72), p=1.0, **VISIBLE)])
    out = pipeline(image=IMAGE)
    assert_same(A.ReplayCompose.replay(out["replay"], image=IMAGE), out)


@each_transform(USES)
def test_replay_on_an_image_of_another_size_is_an_error(use):
    out = recorder([nsa(use=use)])(image=IMAGE)
    with pytest.raises(ValueError, match=r"64.*60"):
        A.ReplayCompose.replay(out["replay"], image=IMAGE[:60])


def test_replay_of_additional_images():
    pipeline = recorder([nsa(), A.HorizontalFlip(p=1.0)], additional_targets={"after": "image"})
    out = pipeline(image=IMAGE, after=OTHERS[0])
    again = A.ReplayCompose.replay(out["replay"], image=IMAGE, after=OTHERS[0])
    assert_same(again, out, ("image", "mask", "after"))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: A.Sequential([t, A.VerticalFlip()], p=1.0),
        lambda t: A.Compose([A.Compose([t])]),
        lambda t: A.SomeOf([t, A.HorizontalFlip(p=1.0)], n=2),
    ],
    ids=["Sequential", "Compose", "SomeOf"],
)
def test_replay_in_containers(wrap):
    pipeline = recorder([wrap(nsa(p=0.7)), A.HorizontalFlip()], seed=2)
    for _ in range(10):
        out = pipeline(image=IMAGE)
        assert_same(A.ReplayCompose.replay(out["replay"], image=IMAGE), out)


@pytest.mark.parametrize("mask", [None, np.arange(64 * 64, dtype=np.int32).reshape(SIZE)], ids=["no mask", "classes"])
def test_replay_where_a_container_chose_another_branch(mask):
    pipeline = recorder([A.OneOf([nsa(), A.HorizontalFlip(p=1.0)], p=1.0)], seed=2)
    data = {"image": IMAGE} if mask is None else {"image": IMAGE, "mask": mask}
    for _ in range(10):
        out = pipeline(**data)
        again = A.ReplayCompose.replay(out["replay"], **data)
        assert set(again) == set(out)
        assert_same(again, out, set(out) - {"replay"})


@each_transform(USES)
@pytest.mark.parametrize("kind", ["folder", "list of paths"])
def test_a_record_of_paths_survives_json(use, kind, tmp_path):
    pipeline = recorder([A.RandomCrop(56, 56), nsa(kind, tmp_path, p=0.8, use=use), A.HorizontalFlip()], seed=1)
    small = np.ascontiguousarray(IMAGE[:60, :60])
    for _ in range(8):
        out = pipeline(image=small)
        replay = json.loads(json.dumps(out["replay"]))
        assert_same(A.ReplayCompose.replay(replay, image=small), out)
