"""Forms of sources and metadata, notices, and ranks, in both libraries."""

import os
from types import SimpleNamespace

import albumentations as A
import cv2
import numpy as np
import pytest
from albumentations_images import IMAGE, OTHERS, nsa
from pipelines import (
    recorder,
    write_folder,
)

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


FORMS = (
    "stack",
    "tensors",
    "stack of tensors",
    "pictures",
    "mixed",
    "dataset",
    "dataset of tuples",
    "dataset of dicts",
    "callable",
)


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
