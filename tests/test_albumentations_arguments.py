"""Signatures, reserved keys, masks of classes, boxes, forms of sources, and notices, in both libraries."""

import inspect
import os
from dataclasses import fields
from types import SimpleNamespace

import albumentations as A
import cv2
import numpy as np
import pytest
from pipelines import (
    TEXTURE,
    TRANSFORMS,
    USES,
    VISIBLE,
    X,
    each_transform,
    normals,
    recorder,
    transform_of,
    write_folder,
)

from nsa_augment import NSA, CutPaste
from nsa_augment.integrations.albumentations import AnomalyTransform
from nsa_augment.integrations.albumentations.hosts import host_module
from nsa_augment.integrations.albumentations.labels import anomaly_boxes

IMAGE = normals()[0]
OTHERS = normals()[1:]
SIZE = IMAGE.shape[:2]
BOX_FORMAT = "coord_format" if X else "format"


def nsa(p=1.0, sources=OTHERS, **arguments):
    return NSA(TEXTURE, sources, p=p, **VISIBLE, **arguments)


# which library


class Of2:
    def get_params_dependent_on_data(self): ...


class OfX:
    def sample_parameters(self): ...

    def apply_in_invocation(self): ...


def test_both_libraries_have_a_host():
    assert host_module("2.0.8", Of2) == "albumentations2"
    assert [host_module(version, OfX) for version in ("2.5.0", "2.10", "3.0.1rc1")] == ["albumentationsx"] * 3


@pytest.mark.parametrize(
    ("version", "base"),
    [("2.0.7", Of2), ("2.0.9", Of2), ("1.4.24", Of2), ("2.4.3", OfX), ("2.5.1", Of2), ("2.0.8", OfX)],
)
def test_other_libraries_are_refused_by_name(version, base):
    with pytest.raises(ImportError, match=rf"albumentations 2\.0\.8 and AlbumentationsX 2\.5.*found {version}"):
        host_module(version, base)


# signatures


@each_transform()
def test_the_signature_lists_every_argument_of_the_task(use):
    transform = TRANSFORMS[use]
    parameters = inspect.signature(transform).parameters
    assert not [name for name, parameter in parameters.items() if parameter.kind.name.startswith("VAR")]
    assert {field.name for field in fields(transform.task_class)} <= set(parameters)
    assert list(parameters)[:2] == ["preset", "sources"]
    assert all(parameter.annotation is not parameter.empty for parameter in parameters.values())


@each_transform()
@pytest.mark.parametrize("preset", [None, "screw"])
def test_all_defaults_given_are_no_arguments_given(use, preset):
    """What hydra and jsonargparse do."""
    transform = TRANSFORMS[use]
    defaults = {name: parameter.default for name, parameter in inspect.signature(transform).parameters.items()}
    assert transform(**{**defaults, "preset": preset}).task == transform(preset).task


@each_transform()
def test_what_is_written_down_stands_in_the_signature(use):
    paired = {"depth": [np.zeros((8, 8), np.uint8)]}
    transform = TRANSFORMS[use](
        "screw", [OTHERS[0]], max_patches=2, background=None, paired_sources=paired, anomaly_class=3, box_label="x"
    )
    written = set(transform.get_transform_init_args())
    assert {"max_patches", "background", "paired_sources", "anomaly_class", "box_label"} <= written
    assert written <= set(inspect.signature(type(transform)).parameters)
    assert written <= set(transform.get_transform_init_args_names())


def test_any_task_is_written_down_in_the_signature():
    transform = AnomalyTransform("fpi", "tile", "previous", max_patches=2)
    assert set(transform.get_transform_init_args()) <= set(inspect.signature(AnomalyTransform).parameters)
    assert A.from_dict(A.to_dict(transform)).task == transform.task


@pytest.mark.parametrize("cls", [NSA, CutPaste])
def test_round_trip_of_the_new_arguments(cls, tmp_path):
    for name in ("a", "b"):
        write_folder(tmp_path / name, OTHERS)
    new = {"channel_order": "bgr", "anomaly_class": 2, "box_label": "flaw", "max_patches": 3}
    paired = {"after": str(tmp_path / "b")}
    transform = cls("screw", str(tmp_path / "a"), paired_sources=paired, **new)
    again = A.from_dict(A.to_dict(transform))
    assert again.get_transform_init_args() == transform.get_transform_init_args()
    assert new.items() <= again.get_transform_init_args().items()


# keys


@pytest.mark.parametrize("key", ["image", "images", "volume", "volumes", "bboxes", "keypoints", "masks", "replay", ""])
@pytest.mark.parametrize("name", ["label_key", "metadata_key"])
def test_keys_of_the_pipeline_are_refused(name, key):
    with pytest.raises(ValueError, match=f"{name} must be a key of its own.*{key!r}"):
        nsa(**{name: key})


@pytest.mark.parametrize("keys", [{"metadata_key": "mask"}, {"metadata_key": "same", "label_key": "same"}])
def test_metadata_and_label_have_keys_of_their_own(keys):
    with pytest.raises(ValueError, match="metadata_key must be a key of its own"):
        nsa(**keys)


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


# forms of sources


def forms(images):
    tensors = pytest.importorskip("torch")
    pictures = pytest.importorskip("PIL.Image")
    as_tensor = [tensors.from_numpy(image.copy()).permute(2, 0, 1) for image in images]
    as_picture = [pictures.fromarray(image) for image in images]
    return {
        "stack": np.stack(images),
        "tensors": as_tensor,
        "stack of tensors": tensors.stack(as_tensor),
        "pictures": as_picture,
        "mixed": [images[0], as_tensor[1], *as_picture[2:]],
        "dataset": Numbered(images),
        "dataset of tuples": Numbered([(image, 0) for image in as_picture]),
        "dataset of dicts": Numbered([{"image": image, "path": "a.png"} for image in as_tensor]),
        "callable": lambda rng: as_picture[int(rng.integers(len(images)))],
    }


class Numbered:
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


FORMS = ("stack", "tensors", "stack of tensors", "pictures", "mixed", "dataset", "dataset of tuples")
FORMS += ("dataset of dicts", "callable")


@pytest.mark.parametrize("form", FORMS)
def test_sources_in_every_form_are_those_of_arrays(form):
    expected, same = (A.Compose([nsa(sources=s)], seed=2) for s in (OTHERS, forms(OTHERS)[form]))
    for _ in range(4):
        np.testing.assert_array_equal(same(image=IMAGE)["image"], expected(image=IMAGE)["image"])


@pytest.mark.parametrize("form", ["array", "dict", "list", "list of dicts", "mixed", "stack", "tensor", "picture"])
def test_metadata_in_every_form(form):
    values = forms(OTHERS)
    given = {
        "array": OTHERS[0],
        "dict": {"image": OTHERS[0], "mask": None, "path": "a.png"},
        "list": [OTHERS[0]],
        "list of dicts": [{"image": OTHERS[0]}],
        "mixed": [OTHERS[0], {"image": OTHERS[0]}],
        "stack": values["stack"][:1],
        "tensor": values["tensors"][0],
        "picture": {"image": values["pictures"][0]},
    }[form]
    out, expected = (
        A.Compose([nsa(sources=None, source_transform=np.flipud)], seed=2)(image=IMAGE, nsa_metadata=value)
        for value in (given, [OTHERS[0]] if isinstance(given, list) or form == "stack" else OTHERS[0])
    )
    assert out["mask"].any()
    if form != "mixed":  # a list of two draws otherwise
        np.testing.assert_array_equal(out["image"], expected["image"])


def test_files_in_the_channel_order_of_the_pipeline(tmp_path):
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200
    folder = write_folder(tmp_path, [red])
    image = cv2.imread(str(folder / "0.png")) // 2  # blue, green, red
    assert image[0, 0].tolist() == [0, 0, 100]
    for transform in (None, np.flipud):
        arguments = {"sources": folder, "blending": "copy_paste", "source_transform": transform}
        wrong = nsa(**arguments)(image=image)["image"]
        assert wrong[..., 0].max() == 200
        pipeline = recorder([nsa(**arguments, channel_order="bgr")])
        out = pipeline(image=image)
        assert out["image"].reshape(-1, 3).max(axis=0).tolist() == [0, 0, 200]
        np.testing.assert_array_equal(A.ReplayCompose.replay(out["replay"], image=image)["image"], out["image"])
    with pytest.raises(ValueError, match="channel_order must be one of 'rgb', 'bgr'"):
        nsa(channel_order="gbr")


# notices


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_normalised_images_and_tensors_are_told_their_place(p):
    normalised = A.Normalize()(image=IMAGE)["image"]
    with pytest.raises(ValueError, match=r"image must be.*put NSA before Normalize"):
        nsa(p=p)(image=normalised)
    tensors = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"(?s)image must be.*put NSA before ToTensorV2"):
        nsa(p=p)(image=tensors.zeros(3, 64, 64))


def test_a_label_that_cannot_be_returned_is_said():
    grey = [np.ascontiguousarray(image[:, :, :1]) for image in OTHERS]
    pipeline = A.Compose([A.SelectiveChannelTransform([nsa(sources=grey)], channels=[1])], seed=1)
    with pytest.warns(UserWarning, match="NSA inside SelectiveChannelTransform.*label cannot be"):
        out = pipeline(image=IMAGE)
    assert "mask" not in out
    pipeline(image=IMAGE)  # said once


# ranks


def ranked(monkeypatch, rank, seed=5):
    monkeypatch.setenv("RANK", str(rank))
    pipeline = A.Compose([nsa()], seed=seed)
    return [pipeline(image=IMAGE)["image"] for _ in range(3)]


def test_equal_seeds_on_several_ranks_give_other_anomalies(monkeypatch):
    results = [ranked(monkeypatch, rank) for rank in (0, 1, 2, 1)]
    np.testing.assert_array_equal(results[1], results[3])
    assert len({image.tobytes() for images in results[:3] for image in images}) == 9


def test_rank_0_draws_what_a_single_process_draws(monkeypatch):
    first = ranked(monkeypatch, 0)
    monkeypatch.delenv("RANK")
    pipeline = A.Compose([nsa()], seed=5)
    for image in first:
        np.testing.assert_array_equal(pipeline(image=IMAGE)["image"], image)
    assert "RANK" not in os.environ


def test_the_rank_is_asked_of_torch_where_it_is_in_use(monkeypatch):
    first = ranked(monkeypatch, 1)
    group = SimpleNamespace(is_available=lambda: True, is_initialized=lambda: True, get_rank=lambda: 1)
    monkeypatch.setitem(__import__("sys").modules, "torch.distributed", group)
    np.testing.assert_array_equal(ranked(monkeypatch, 0), first)
