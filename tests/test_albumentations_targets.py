"""Every image target that a transform declares, alone and together, in both libraries."""

import albumentations as A
import numpy as np
import pytest
from pipelines import (
    TEXTURE,
    USES,
    VISIBLE,
    by_hand,
    each_transform,
    normals,
    params_of,
    recorder,
    transform_of,
    write_folder,
)

from nsa_augment import NSA

IMAGE = normals()[0]
OTHERS = normals()[1:]
SIZE = IMAGE.shape[:2]
STACKS = {
    "images": ((3,), "masks"),
    "volume": ((3,), "mask3d"),
    "volumes": ((2, 2), "masks3d"),
}


def stack(shape, channels=3, dtype=np.uint8):
    frames = np.stack([normals()[index % 6] for index in range(int(np.prod(shape)))])
    frames = frames[..., 0] if channels is None else frames[..., :channels]
    frames = frames if dtype == np.uint8 else frames.astype(dtype) / dtype(255)
    return np.ascontiguousarray(frames.reshape(*shape, *frames.shape[1:]))


@each_transform(USES)
@pytest.mark.parametrize("target", STACKS)
@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_image_of_a_stack_receives_the_same_plan(use, target, channels, dtype):
    (shape, label_key), value = STACKS[target], stack(STACKS[target][0], channels, dtype)
    sources = [np.ascontiguousarray(form) for form in stack((2,), channels, dtype)[1:]]
    pipeline = recorder([transform_of(use, sources=sources)])
    before = value.copy()
    out = pipeline(**{target: value})
    params = params_of(out)
    assert (out[target].shape, out[target].dtype) == (value.shape, value.dtype)
    assert (out[label_key].shape, out[label_key].dtype) == ((*shape, *SIZE), np.float32)
    np.testing.assert_array_equal(value, before)
    for index in np.ndindex(*shape):
        core = by_hand(value[index], params, use=use)
        np.testing.assert_array_equal(out[target][index], core.image)
        np.testing.assert_array_equal(out[label_key][index], core.label)
    assert use == "pii" or out[label_key].any()
    again = A.ReplayCompose.replay(out["replay"], **{target: value})
    np.testing.assert_array_equal(again[target], out[target])
    np.testing.assert_array_equal(again[label_key], out[label_key])


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("target", STACKS)
def test_a_stack_beside_an_image(target, p):
    shape, label_key = STACKS[target]
    value = stack(shape)
    out = A.Compose([transform_of("nsa", p=p), A.HorizontalFlip(p=1.0)], seed=3)(image=IMAGE, **{target: value})
    assert out["mask"].shape == SIZE
    assert out[label_key].shape == (*shape, *SIZE)
    assert out["mask"].any() == out[label_key].any() == bool(p)
    changed = (out[target] != value[..., ::-1, :]).any(axis=-1)
    assert changed.any() == bool(p)


@pytest.mark.parametrize("target", STACKS)
def test_a_strict_pipeline_serves_stacks(target):
    pipeline = A.Compose([transform_of("nsa", label_key="flaw"), A.NoOp()], strict=True, seed=3)
    value = stack(STACKS[target][0])
    out = pipeline(**{target: value})
    assert out[STACKS[target][1].replace("mask", "flaw")].any()
    assert (out[target] != value).any()


@pytest.mark.parametrize("target", STACKS)
def test_an_empty_stack_stays_empty(target):
    shape, label_key = STACKS[target]
    value = np.zeros((0, *shape[1:], *SIZE, 3), np.uint8)
    out = NSA(TEXTURE, OTHERS, p=1.0, **VISIBLE)(**{target: value})
    assert out[target].shape == value.shape
    assert out[label_key].shape == (0, *shape[1:], *SIZE)


@each_transform(USES)
def test_a_target_that_is_none_is_left_alone(use):
    transform = transform_of(use)
    out = transform(image=IMAGE, images=None, volume=None)
    assert out["images"] is None
    assert out["volume"] is None
    assert "masks" not in out
    out = transform(image=None, images=stack((2,)))
    assert out["image"] is None
    assert out["masks"].shape == (2, *SIZE)


def test_none_of_all_targets_is_an_error():
    with pytest.raises(TypeError, match=r"image must be.*images, volume, volumes"):
        NSA(TEXTURE, OTHERS)(mask=np.zeros(SIZE))


@pytest.mark.parametrize(
    ("target", "shape", "layout"),
    [("images", SIZE, r"\(N, H, W\)"), ("volume", SIZE, r"\(D, H, W\)"), ("volumes", (2, *SIZE), r"\(N, D, H, W\)")],
)
def test_a_stack_of_other_axes_is_named(target, shape, layout):
    with pytest.raises(ValueError, match=f"{target} must be.*{layout}"):
        NSA(TEXTURE, OTHERS)(**{target: np.zeros(shape, np.uint8)})


# additional targets of another form


DEPTHS = [np.full((64, 64), 40 * index, np.float32) / 255 for index in range(6)]


def depth_of(index):
    return np.random.default_rng(index).random((64, 64)).astype(np.float32)


@pytest.mark.parametrize("kind", ["folder", "arrays"])
@pytest.mark.parametrize("form", ["float32 grey", "uint8 grey"])
def test_another_form_without_a_source_of_its_own_is_refused(kind, form, tmp_path):
    sources = write_folder(tmp_path, OTHERS) if kind == "folder" else OTHERS
    pipeline = A.Compose([NSA(TEXTURE, sources, p=1.0, **VISIBLE)], additional_targets={"depth": "image"})
    depth = depth_of(0) if form == "float32 grey" else IMAGE[:, :, 0].copy()
    with pytest.raises(ValueError, match=r"depth must be.*channels.*paired_sources.*nsa_metadata"):
        pipeline(image=IMAGE, depth=depth)


def test_another_dtype_is_prepared_anew(tmp_path):
    pipeline = recorder(
        [NSA(TEXTURE, write_folder(tmp_path, OTHERS), p=1.0, **VISIBLE)], additional_targets={"after": "image"}
    )
    after = OTHERS[2].astype(np.float32) / np.float32(255)
    for _ in range(5):
        out = pipeline(image=IMAGE, after=after)
        np.testing.assert_array_equal(out["after"], by_hand(after, params_of(out)).image)


@pytest.mark.parametrize("given", ["lists", "folders", "metadata", "metadata list", "previous"])
@pytest.mark.parametrize("transform", [None, A.RandomCrop(64, 64), A.VerticalFlip(p=0.5)], ids=["none", "crop", "flip"])
def test_paired_sources_receive_the_same_plan(given, transform, tmp_path):
    grey = [np.ascontiguousarray(image[:, :, 1]) for image in normals()]  # recognisable: a channel of the source
    arguments, call = {"sources": OTHERS, "paired_sources": {"depth": grey[1:]}}, {}
    if given == "folders":
        write_folder(tmp_path / "rgb", OTHERS)
        write_folder(tmp_path / "depth", grey[1:])
        arguments = {"sources": tmp_path / "rgb", "paired_sources": {"depth": tmp_path / "depth"}}
    elif given == "previous":
        arguments = {"sources": "previous"}
    elif given != "lists":
        pairs = [{"image": image, "depth": depth} for image, depth in zip(OTHERS, grey[1:], strict=True)]
        arguments, call = {}, {"nsa_metadata": pairs if given == "metadata list" else pairs[2]}
    arguments = {**arguments, "blending": "copy_paste", "source_transform": transform}
    pipeline = recorder([NSA(TEXTURE, p=1.0, **VISIBLE, **arguments)], additional_targets={"depth": "image"}, seed=2)
    changed = 0
    for index in range(8):
        image, depth = normals()[index % 6], grey[index % 6]
        out = pipeline(image=image, depth=depth, **call)
        np.testing.assert_array_equal(out["depth"], out["image"][:, :, 1])
        changed += not np.array_equal(out["depth"], depth)
        again = A.ReplayCompose.replay(out["replay"], image=image, depth=depth)
        np.testing.assert_array_equal(again["depth"], out["depth"])
    assert changed >= 7


@pytest.mark.parametrize(
    ("sources", "paired", "message"),
    [
        (OTHERS, DEPTHS[:2], r"paired_sources\['depth'\] must hold as many images as sources \(5\), got 2"),
        (None, DEPTHS, "and so must sources"),
        (lambda rng: IMAGE, DEPTHS, "and so must sources"),
        (OTHERS, lambda rng: DEPTHS[0], "and so must sources"),
    ],
)
def test_sources_that_are_no_pairs_are_refused(sources, paired, message):
    with pytest.raises(ValueError, match=message):
        NSA(TEXTURE, sources, paired_sources={"depth": paired})


def test_folders_of_other_names_are_refused(tmp_path):
    write_folder(tmp_path / "a", OTHERS)
    write_folder(tmp_path / "b", OTHERS)
    (tmp_path / "b" / "4.png").rename(tmp_path / "b" / "9.png")
    with pytest.raises(ValueError, match=r"same names.*4\.png.*9\.png"):
        NSA(TEXTURE, tmp_path / "a", paired_sources={"depth": tmp_path / "b"})
