"""Items of `AnomalyDataset`: what they are made of, and in which form."""

import copy
from types import SimpleNamespace

import albumentations as A
import numpy as np
import pytest
from drawing import agree
from PIL import Image
from pipelines import LARGE, TEXTURE
from table5 import each_row

from nsa_augment import CutPasteAnomaly, NaturalSyntheticAnomaly, SynthesisPlan, SynthesisResult

torch = pytest.importorskip("torch")
from anomaly_datasets import CROP, NORMALS, SIZE, TASK, VIEWS, assert_items_equal, build  # noqa: E402
from torch import nn  # noqa: E402

from nsa_augment.integrations.torch import AnomalyDataset  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12


each_random_view = pytest.mark.parametrize("view", [name for name in VIEWS if name != "none"])


class Spy(NaturalSyntheticAnomaly):
    """Puts the channels of the source behind those of the image."""

    def __call__(self, image, source=None, rng=None, *, mask=None, source_mask=None):
        return SynthesisResult(np.concatenate([image, source], 2), SynthesisPlan((1, 1), (1, 1), ()), ())


def marked(count, size=SIZE):
    """Images whose pixels hold (row, column, number of the image)."""
    rows, columns = np.indices((size, size), np.uint8)
    return [np.stack([rows, columns, np.full_like(rows, number)], 2) for number in range(count)]


@each_row()
def test_items_are_those_of_the_core(row):
    task = row.task.from_preset(TEXTURE, **LARGE)
    dataset = build(task=task, seed=6)
    dataset.set_epoch(2)
    changes = 0
    for index, (image, label) in enumerate(dataset):
        rng = np.random.default_rng([6, 2, index])
        rng.random()
        source = NORMALS[(index + 1 + rng.integers(6)) % 7]
        result = task(NORMALS[index], source if row.needs_source else None, rng)
        np.testing.assert_array_equal(image.permute(1, 2, 0), result.image)
        np.testing.assert_array_equal(label, result.label)
        assert (image.dtype, label.dtype) == (torch.uint8, torch.float32)
        changes += bool(label.any())
    assert changes > 2


# sources and views


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_source_is_any_other_image(count):
    dataset = build(images=marked(count, size=4), task=Spy())
    pairs = np.zeros((count, count))
    for epoch in range(100):
        dataset.set_epoch(epoch)
        for index, (image, _) in enumerate(dataset):
            assert torch.all(image[2] == index)
            pairs[index, int(image[5, 0, 0])] += 1
    others = ~np.eye(count, dtype=bool)
    assert not pairs[~others].any()
    assert count == 2 or agree(pairs[others], np.full(others.sum(), 1 / others.sum()))


def test_a_single_image_is_its_own_source():
    ((image, _),) = build(images=marked(1), task=Spy())
    assert torch.equal(image[:3], image[3:])
    ((image, label),) = build(images=NORMALS[:1])
    assert label.any()
    assert image.shape == (3, SIZE, SIZE)


@each_random_view
def test_image_and_source_get_views_of_their_own(view):
    dataset = build(view, images=marked(3), task=Spy())
    corners = []
    for epoch in range(30):
        dataset.set_epoch(epoch)
        for image, _ in dataset:
            assert image.shape == (6, CROP, CROP)
            corners.append(image[[0, 1, 3, 4], 0, 0].tolist())
    corners = np.array(corners, int)
    assert corners.min() == 0
    assert corners.max() == SIZE - CROP
    assert np.count_nonzero((corners[:, :2] == corners[:, 2:]).all(1)) < 8  # of 90, 1 in 81 by chance
    assert len(np.unique(corners[:, :2] - corners[:, 2:], axis=0)) > 45
    assert np.abs(np.corrcoef(corners.T) - np.eye(4)).max() < 0.35


@each_random_view
def test_normal_items_are_viewed_too(view):
    dataset = build(view, images=marked(3), p=0.0)
    found = set()
    for index, (image, label) in enumerate(dataset):
        top, left = image[:2, 0, 0].tolist()
        expected = marked(3)[index][top : top + CROP, left : left + CROP]
        np.testing.assert_array_equal(image.permute(1, 2, 0), expected)
        assert label.shape == (CROP, CROP)
        assert not label.any()
        found.add((top, left))
    assert len(found) > 1


def test_cutpaste_looks_at_no_other_image():
    class Watched(list):
        def __getitem__(self, index):
            seen.append(index)
            return super().__getitem__(index)

    seen = []
    dataset = build(images=Watched(NORMALS), task=CutPasteAnomaly.from_preset(TEXTURE, **LARGE))
    assert dataset[4][1].any()
    assert seen == [4]


def test_views_may_end_in_tensors_or_pillow_images():
    class Pillow:
        def __call__(self, image, rng):
            return Image.fromarray(image)

    expected = list(build())
    for view in (A.Compose([A.ToTensorV2()]), Pillow(), lambda image, rng: torch.from_numpy(image.transpose(2, 0, 1))):
        images = [image.copy() for image in NORMALS]
        dataset = AnomalyDataset(images, TASK, view_transform=view)
        for (image, _), (expected_image, _) in zip(dataset, expected, strict=True):
            assert image.shape == expected_image.shape
        dataset = AnomalyDataset(images, TASK, view_transform=view, p=0.0)
        np.testing.assert_array_equal(dataset[0][0].permute(1, 2, 0), NORMALS[0])


# share of anomalies, and what is done to finished items


def test_p_is_the_share_of_anomalies():
    task = CutPasteAnomaly.from_preset(TEXTURE, **LARGE)
    images = NORMALS * 40
    counts = [sum(bool(label.any()) for _, label in build(images=images, task=task, p=p)) for p in (0, 0.25, 1)]
    assert counts[0] == 0
    assert counts[2] == len(images) == 280
    assert 46 < counts[1] < 96  # 3.4 deviations


def test_without_anomalies_the_images_are_as_they_were():
    for (image, label), normal in zip(build(p=0.0), NORMALS, strict=True):
        np.testing.assert_array_equal(image.permute(1, 2, 0), normal)
        assert label.shape == (SIZE, SIZE)
        assert label.dtype == torch.float32
        assert not label.any()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_the_image_transform_sees_finished_images(p):
    transform = nn.Sequential(Halve(), nn.Flatten(0))
    for (image, label), (plain, expected) in zip(build(p=p, image_transform=transform), build(p=p), strict=True):
        torch.testing.assert_close(image, plain.float().flatten() / 2, rtol=0, atol=0)
        assert torch.equal(label, expected)


class Halve(nn.Module):
    def forward(self, image):
        assert image.dtype == torch.uint8
        return image.float() / 2


@pytest.mark.parametrize("kind", ["array", "grey", "tensor", "channels last"])
@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("view", ["none", "module", "callable"])
def test_items_may_be_changed_in_place(kind, p, view):
    convert = {
        "array": np.copy,
        "grey": lambda image: image[..., 0].copy(),
        "tensor": as_tensor,
        "channels last": lambda image: as_tensor(image).permute(1, 2, 0).contiguous().permute(2, 0, 1),
    }[kind]
    images = [convert(image) for image in NORMALS]
    before = copy.deepcopy(images)
    for image, label in build(view, images, p=p, image_transform=lambda tensor: tensor.mul_(0)):
        assert not image.any()
        label.fill_(7)
    for image, kept in zip(images, before, strict=True):
        np.testing.assert_array_equal(image, kept)


# what may be wrapped


def as_tensor(image):
    return torch.from_numpy(np.ascontiguousarray(image.reshape(SIZE, SIZE, -1).transpose(2, 0, 1)))


KINDS = {
    "tensor": as_tensor,
    "non-contiguous tensor": lambda image: torch.from_numpy(image.copy()).permute(2, 0, 1),
    "non-contiguous array": lambda image: np.asfortranarray(image),
    "Pillow": Image.fromarray,
    "tuple": lambda image: (image, 3),
    "tuple of tensors": lambda image: (as_tensor(image), torch.zeros(())),
    "list": lambda image: [Image.fromarray(image), "good"],
    "dict": lambda image: {"label": 0, "image": image},
    "dict of tensors": lambda image: {"image": as_tensor(image)},
    "object": lambda image: SimpleNamespace(image=as_tensor(image), gt_label=0),
    "object of Pillow": lambda image: SimpleNamespace(image=Image.fromarray(image)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_items(kind):
    images = [KINDS[kind](image) for image in NORMALS]
    assert_items_equal(build(images=images), build())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_keep_their_dtype(dtype):
    arrays = [(image / 255).astype(dtype) for image in NORMALS]
    dataset = build(images=arrays)
    image, label = dataset[0]
    assert image.numpy().dtype == dtype
    assert label.any()
    assert_items_equal(build(images=[as_tensor(array) for array in arrays]), dataset)


@pytest.mark.parametrize("view", VIEWS)
def test_grey_images_give_one_channel(view):
    arrays = [image[..., 1].copy() for image in NORMALS]
    size = SIZE if view == "none" else CROP
    for image, label in build(view, arrays):
        assert image.shape == (1, size, size)
        assert label.shape == (size, size)
    for convert in (Image.fromarray, as_tensor, lambda image: image[..., None]):
        assert_items_equal(build(view, [convert(array) for array in arrays]), build(view, arrays))
