"""NSA in an albumentations pipeline: the image, the mask that comes with it, and the other targets."""

import albumentations as A
import numpy as np
import pytest
from pipelines import (
    TEXTURE,
    USES,
    VISIBLE,
    assert_same,
    by_hand,
    each_transform,
    is_zero_mask,
    normals,
    params_of,
    recorder,
    transform_of,
    write_folder,
)
from table5 import ROWS

from nsa_augment import NSA

IMAGE = normals()[0]
OTHERS = normals()[1:]
SIZE = IMAGE.shape[:2]
NOWHERE = {"background": (0, 255)}  # nothing is object: no place is ever found


def nsa(p=1.0, **arguments):
    return NSA(TEXTURE, OTHERS, p=p, **VISIBLE, **arguments)


# image and mask


@pytest.mark.parametrize(("use", "label"), [(use, label) for use in USES for label in ROWS[use.split()[0]].labels])
@pytest.mark.parametrize(("product", "preset"), [("hide", "leather"), ("tablet", "pill"), ("bolt", "screw")])
def test_image_and_mask_are_those_of_the_core_task(use, product, preset, label):
    images = normals(product, count=4, size=128)
    pipeline = recorder([transform_of(use, preset, images[1:], arguments={"label": label, "min_object": 0.1})])
    changed = 0
    for image in images * 5:
        out = pipeline(image=image)
        expected = by_hand(image, params_of(out), preset, use, label=label, min_object=0.1)
        assert_same(out, {"image": expected.image, "mask": expected.label})
        assert out["mask"].shape == (128, 128)
        changed += out["mask"].any()
    assert changed > 3


@each_transform(USES)
@pytest.mark.parametrize("given", ["absent", None])
@pytest.mark.parametrize("label", ["binary", "continuous", "logistic"])
@pytest.mark.parametrize(
    ("p", "arguments"), [(0.0, {}), (1.0, NOWHERE), (0.5, NOWHERE)], ids=["p=0", "no place", "both"]
)
def test_an_unchanged_image_has_a_zero_mask(use, p, arguments, label, given):
    data = {} if given == "absent" else {"mask": given}
    transform = transform_of(use, p=p, label=label, **arguments)
    for _ in range(8):
        for out in (transform(image=IMAGE, **data), A.Compose([transform, A.NoOp()])(image=IMAGE, **data)):
            np.testing.assert_array_equal(out["image"], IMAGE)
            assert is_zero_mask(out["mask"], SIZE)


@each_transform(USES)
@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_the_mask_is_always_there(use, p):
    pipeline = A.Compose([transform_of(use, p=p)], seed=2)
    outs = [pipeline(image=IMAGE) for _ in range(60)]
    assert {(out["mask"].shape, out["mask"].dtype.name) for out in outs} == {(SIZE, "float32")}
    applied, faint = sum(bool(out["mask"].any()) for out in outs), use in ("fpi", "pii")
    # Mixed gradients do not always show, nor do small factors.
    low, high = {0.0: (0, 0), 0.5: (8 if faint else 15, 45), 1.0: (25 if faint else 60, 60)}[p]
    assert low <= applied <= high


@each_transform(USES)
@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 1), (64, 64, 3), (57, 66, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_image_keeps_shape_and_dtype_and_mask_is_two_dimensional(use, shape, dtype):
    def as_type(image):
        image = np.resize(image[:, :, 0], shape[:2]) if len(shape) == 2 else np.resize(image, shape)
        return image if dtype == np.uint8 else image.astype(np.float32) / np.float32(255)

    for p in (0.0, 1.0):
        out = transform_of(use, sources=[as_type(OTHERS[0])], p=p, arguments={})(image=as_type(IMAGE))
        assert (out["image"].shape, out["image"].dtype) == (shape, dtype)
        assert (out["mask"].shape, out["mask"].dtype) == (shape[:2], np.float32)


@each_transform(USES)
def test_inputs_are_not_written_to_and_not_handed_out(use):
    image, source, mask = IMAGE.copy(), OTHERS[0].copy(), np.zeros(SIZE, np.float32)
    before = image.copy(), source.copy()
    transform = transform_of(use, sources=[source], arguments={})
    for _ in range(20):
        out = transform(image=image, mask=mask)
        out["image"][:] = 7
        out["mask"][:] = 1
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(source, before[1])
    assert not mask.any()


def test_parameters_replace_those_of_the_preset():
    transform = NSA("screw", OTHERS, label="binary", max_patches=1, p=1.0, background=None)
    out = transform(image=IMAGE)
    assert set(np.unique(out["mask"])) <= {0, 1}
    assert len(params_of(recorder([transform])(image=IMAGE))["plan"]["patches"]) <= 1


@each_transform(USES)
def test_without_a_preset_the_defaults_are_those_of_tile(use):
    outs = []
    for preset in ("tile", None):
        transform = transform_of(use, preset, arguments={"label": "logistic"})
        transform.set_random_seed(4)
        outs.append(transform(image=IMAGE))
    assert_same(*outs)


# later transforms


@each_transform(USES)
@pytest.mark.parametrize(
    "later",
    [
        A.HorizontalFlip(p=1.0),
        A.VerticalFlip(p=1.0),
        A.Transpose(p=1.0),
        A.Rotate((30, 30), p=1.0),
        A.RandomCrop(40, 48, p=1.0),
        A.Resize(50, 70),
    ],
    ids=lambda transform: type(transform).__name__,
)
def test_later_transforms_move_the_mask_like_any_mask(use, later):
    pipeline = recorder([transform_of(use), later])
    out = pipeline(image=IMAGE)
    core = by_hand(IMAGE, params_of(out), use=use)
    moved = {**out["replay"], "transforms": out["replay"]["transforms"][1:]}
    expected = A.ReplayCompose.replay(moved, image=core.image, mask=core.label)
    assert out["mask"].any() or use == "pii"
    assert_same(out, expected)


def test_earlier_transforms_come_first():
    pipeline = recorder([A.HorizontalFlip(p=1.0), nsa()])
    out = pipeline(image=IMAGE)
    expected = by_hand(np.ascontiguousarray(IMAGE[:, ::-1]), params_of(out, 1))
    assert_same(out, {"image": expected.image, "mask": expected.label})


def test_a_given_mask_is_moved_by_earlier_and_later_transforms():
    mask = np.zeros(SIZE, np.uint8)
    mask[:20, :10] = 1
    out = A.Compose([A.VerticalFlip(p=1.0), nsa(p=0.0), A.HorizontalFlip(p=1.0)])(image=IMAGE, mask=mask)
    np.testing.assert_array_equal(out["mask"], mask[::-1, ::-1])


def test_normalize_and_to_tensor_as_in_the_documentation():
    torch = pytest.importorskip("torch")
    steps = [A.RandomCrop(48, 48), nsa(source_transform=A.RandomCrop(48, 48)), A.HorizontalFlip()]
    out = A.Compose([*steps, A.Normalize(), A.ToTensorV2()], seed=1)(image=IMAGE)
    assert (out["image"].shape, out["image"].dtype) == ((3, 48, 48), torch.float32)
    assert (out["mask"].shape, out["mask"].dtype) == ((48, 48), torch.float32)


# another key for the label


@pytest.mark.parametrize("moved", [True, False])
def test_label_key_is_moved_under_additional_targets_only(moved):
    options = {"additional_targets": {"defect": "mask"}} if moved else {}
    out = recorder([nsa(label_key="defect"), A.HorizontalFlip(p=1.0)], **options)(image=IMAGE)
    core = by_hand(IMAGE, params_of(out))
    np.testing.assert_array_equal(out["image"], core.image[:, ::-1])
    np.testing.assert_array_equal(out["defect"], core.label[:, ::-1] if moved else core.label)
    assert "mask" not in out


def test_label_key_leaves_the_mask_alone():
    mask = np.arange(64 * 64, dtype=np.int32).reshape(SIZE)
    given_label = np.eye(64, dtype=bool)
    out = nsa(label_key="defect", p=0.0)(image=IMAGE, mask=mask, defect=given_label)
    np.testing.assert_array_equal(out["mask"], mask)
    np.testing.assert_array_equal(out["defect"], np.eye(64, dtype=np.float32))


# other targets


def test_boxes_and_keypoints_pass_through():
    boxes = np.array([[5, 6, 30, 40], [20, 3, 50, 33]], np.float32)
    points = np.array([[5.5, 6.25], [63, 0]], np.float32)
    pipeline = A.Compose(
        [nsa(), A.HorizontalFlip(p=0.0)],
        bbox_params=A.BboxParams("pascal_voc", label_fields=["classes"]),
        keypoint_params=A.KeypointParams("xy", remove_invisible=False),
    )
    out = pipeline(image=IMAGE, bboxes=boxes, classes=[1, 2], keypoints=points, name="part 7")
    np.testing.assert_allclose(out["bboxes"], boxes, atol=1e-4)
    np.testing.assert_allclose(out["keypoints"], points)
    assert list(out["classes"]) == [1, 2]
    assert out["name"] == "part 7"


def test_other_masks_pass_through():
    masks = [np.full(SIZE, value, np.uint8) for value in (2, 9)]
    out = A.Compose([nsa(), A.NoOp()])(image=IMAGE, masks=masks)
    np.testing.assert_array_equal(out["masks"], masks)


@each_transform(USES)
def test_additional_images_receive_the_same_patches(use):
    second = np.ascontiguousarray(normals()[5][::-1])  # none of the sources
    pipeline = recorder([transform_of(use), A.NoOp()], additional_targets={"after": "image"})
    out = pipeline(image=IMAGE, after=second)
    params = params_of(out)
    core = by_hand(IMAGE, params, use=use)
    assert_same(out, {"image": core.image, "mask": core.label})
    np.testing.assert_array_equal(out["after"], by_hand(second, params, use=use).image)
    assert not np.array_equal(out["after"], second)


def test_additional_images_of_another_dtype_take_the_same_file(tmp_path):
    folder = write_folder(tmp_path, OTHERS[:1])
    second = normals()[5] / np.float32(255)
    pipeline = recorder([NSA(TEXTURE, folder, p=1.0, **VISIBLE)], additional_targets={"after": "image"})
    out = pipeline(image=IMAGE, after=second)
    np.testing.assert_array_equal(out["image"], by_hand(IMAGE, params_of(out)).image)
    np.testing.assert_array_equal(out["after"], by_hand(second, params_of(out)).image)
    assert not np.array_equal(out["after"], second)


# mistakes


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"preset": "screws"}, ValueError, "preset.*'screws'"),
        ({"preset": 3}, TypeError, "preset.*3"),
        ({"patches": 3}, TypeError, "patches"),
        ({"always_apply": True}, TypeError, "always_apply"),
        ({"p": 1.5}, ValueError, r"\bp\b"),
        ({"p": -0.1}, ValueError, r"\bp\b"),
        ({"p": "often"}, (TypeError, ValueError), r"\bp\b"),
        ({"p": float("nan")}, ValueError, r"\bp\b"),
        ({"label": "factor"}, ValueError, "label.*'factor'"),
        ({"max_patches": 0}, ValueError, "max_patches.*0"),
        ({"label_key": 3}, TypeError, "label_key.*3"),
        ({"metadata_key": None}, TypeError, "metadata_key.*None"),
        ({"source_transform": 3}, TypeError, "source_transform.*3"),
        ({"source_transform": "flip"}, TypeError, "source_transform.*'flip'"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        NSA(**{"preset": TEXTURE, "sources": OTHERS, **arguments})


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize(
    "wrong",
    [None, "0.png", IMAGE.astype(np.int32), IMAGE.astype(np.float64), IMAGE / np.float32(2), IMAGE[:0], IMAGE[0, 0]],
    ids=["None", "path", "int32", "float64", "float32 above 1", "empty", "one axis"],
)
def test_a_wrong_image_is_named(wrong, p):
    with pytest.raises((TypeError, ValueError), match="image must be"):
        nsa(p=p)(image=wrong)
    with pytest.raises((TypeError, ValueError), match="image must be"):
        nsa(p=p)()
    with pytest.raises(KeyError, match="named arguments"):
        nsa(p=p)(IMAGE)


@pytest.mark.parametrize("wrong", [None, "0.png", IMAGE.astype(np.float64)], ids=["None", "path", "float64"])
def test_a_source_transform_that_returns_no_image_is_an_error(wrong):
    with pytest.raises((TypeError, ValueError), match="source_transform"):
        nsa(source_transform=lambda source: wrong)(image=IMAGE)
