"""AnomalyDataset: an item is that of (seed, epoch, index), whatever loads it; and what it takes for images."""

import copy
import hashlib
import itertools
import pickle
import random
from types import SimpleNamespace

import albumentations as A
import numpy as np
import pytest
from drawing import agree
from PIL import Image
from pipelines import LARGE, TEXTURE, VISIBLE, normals, run_python
from table5 import each_row

from nsa_augment import CutPasteAnomaly, NaturalSyntheticAnomaly, SynthesisPlan, SynthesisResult

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.data import ConcatDataset, DataLoader, Subset  # noqa: E402
from torch.utils.data.distributed import DistributedSampler  # noqa: E402

from nsa_augment.integrations.torch import AnomalyDataset  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12

SIZE, CROP = 32, 24
NORMALS = normals(count=7, size=SIZE)
TASK = NaturalSyntheticAnomaly.from_preset(TEXTURE, **VISIBLE)


class Crop(nn.Module):
    """Random place, and noise from another of torch's distributions that moves nothing."""

    def forward(self, image):
        top, left = (int(torch.rand(()) * (SIZE - CROP + 1)) for _ in range(2))
        assert torch.randn(()).isfinite()
        return image[:, top : top + CROP, left : left + CROP]


def crop(image, rng):
    top, left = rng.integers(SIZE - CROP + 1, size=2)
    return image[top : top + CROP, left : left + CROP]


VIEWS = {
    "none": None,
    "albumentations": A.Compose([A.RandomCrop(CROP, CROP)]),
    "module": Crop(),
    "callable": crop,
}
each_random_view = pytest.mark.parametrize("view", [name for name in VIEWS if name != "none"])


class Spy(NaturalSyntheticAnomaly):
    """Puts the channels of the source behind those of the image."""

    def __call__(self, image, source=None, rng=None, *, mask=None, source_mask=None):
        return SynthesisResult(np.concatenate([image, source], 2), SynthesisPlan((1, 1), (1, 1), ()), ())


def marked(count, size=SIZE):
    """Images whose pixels hold (row, column, number of the image)."""
    rows, columns = np.indices((size, size), np.uint8)
    return [np.stack([rows, columns, np.full_like(rows, number)], 2) for number in range(count)]


def build(view="none", images=NORMALS, task=TASK, **arguments):
    return AnomalyDataset(images, task, view_transform=VIEWS[view], **arguments)


def load(dataset, workers=0, context="fork", **options):
    if workers:
        options |= {"multiprocessing_context": context, "timeout": 60}
    return DataLoader(dataset, batch_size=2, num_workers=workers, **options)


def digest(tensors):
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


def run(dataset, loader, epochs=(0, 1)):
    """A digest of each epoch."""
    digests = []
    for epoch in epochs:
        dataset.set_epoch(epoch)
        digests.append(digest(itertools.chain.from_iterable(loader)))
    return digests


def run_alone(epochs=(0, 1), **arguments):
    """The same without workers."""
    dataset = build(**arguments)
    return run(dataset, load(dataset), epochs)


def items(dataset):
    return [digest(item) for item in dataset]


def assert_items_equal(one, other):
    for (image, label), (image2, label2) in zip(one, other, strict=True):
        assert image.dtype == image2.dtype
        assert torch.equal(image, image2)
        assert torch.equal(label, label2)


# the same in every process


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("view", VIEWS)
def test_workers_change_nothing(view, workers, persistent):
    expected = run_alone(view=view)
    assert expected[0] != expected[1]
    dataset = build(view)
    assert run(dataset, load(dataset, workers, persistent_workers=persistent)) == expected
    assert run_alone((1,), view=view) == expected[1:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "workers", "persistent"), [("albumentations", 2, True), ("module", 2, True), ("callable", 1, False)]
)
def test_spawned_workers_change_nothing(view, workers, persistent):
    dataset = build(view)
    loader = load(dataset, workers, context="spawn", persistent_workers=persistent)
    assert run(dataset, loader) == run_alone(view=view)


@pytest.mark.parametrize("workers", [0, 2])
def test_shuffling_changes_the_order_alone(workers):
    def shuffled(workers):
        dataset = build("module")
        return dataset, load(dataset, workers, shuffle=True, generator=torch.Generator().manual_seed(3))

    dataset, loader = shuffled(workers)
    assert run(dataset, loader) == run(*shuffled(0))
    seen = [digest(item) for images, labels in shuffled(workers)[1] for item in zip(images, labels, strict=True)]
    expected = items(build("module"))
    assert seen != expected
    assert sorted(seen) == sorted(expected)


@pytest.mark.parametrize("workers", [0, 2])
def test_two_ranks_see_together_what_one_sees(workers):
    images = [*NORMALS, NORMALS[0]]
    for epoch in (0, 1):
        seen = []
        for rank in (0, 1):
            dataset = build("callable", images)
            sampler = DistributedSampler(dataset, num_replicas=2, rank=rank, shuffle=True, seed=5)
            sampler.set_epoch(epoch)
            dataset.set_epoch(epoch)
            batches = load(dataset, workers, sampler=sampler)
            seen.append([digest(item) for pair in batches for item in zip(*pair, strict=True)])
        alone = build("callable", images)
        alone.set_epoch(epoch)
        assert len(seen[0]) == len(seen[1]) == 4
        assert sorted(seen[0] + seen[1]) == sorted(items(alone))


def test_a_run_is_resumed_in_a_new_process():
    code = """
import hashlib, sys
from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.integrations.torch import AnomalyDataset
from nsa_augment.samples import draw_sample

def digests(start, stop):
    images = [draw_sample("hide", index, size=64).image for index in range(3)]
    large = {"height_range": (0.5, 0.8), "width_range": (0.5, 0.8), "gradient": "source"}
    dataset = AnomalyDataset(images, NaturalSyntheticAnomaly.from_preset("leather", **large), seed=4)
    for epoch in range(start, stop):
        dataset.set_epoch(epoch)
        tensors = [tensor.numpy().tobytes() for item in dataset for tensor in item]
        yield hashlib.sha256(b"".join(tensors)).hexdigest()
"""
    here = {}
    exec(code, here)
    uninterrupted = list(here["digests"](0, 5))
    assert len(set(uninterrupted)) == 5
    assert run_python(code + "print(*digests(3, 5))").split() == uninterrupted[3:]


@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (2, False), (2, True)])
def test_breaking_off_an_epoch_leaves_no_trace(workers, persistent):
    dataset = build("module")
    loader = load(dataset, workers, persistent_workers=persistent)
    expected = run_alone((3, 2, 4), view="module")
    for epoch in (0, 3):
        dataset.set_epoch(epoch)
        for _ in loader:
            break
    assert run(dataset, loader, (3, 2, 4)) == expected


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda dataset: pickle.loads(pickle.dumps(dataset))])
def test_copies_and_pickles(duplicate):
    dataset = build("callable", seed=3)
    dataset.set_epoch(2)
    other = duplicate(dataset)
    assert other.epoch == 2
    assert items(other) == items(dataset)
    other.set_epoch(1)
    assert dataset.epoch == 2
    loader = load(other, 2, persistent_workers=True)
    assert run(other, loader) == run_alone(view="callable", seed=3)


def test_inside_other_datasets():
    dataset = build()
    expected = items(dataset)
    assert items(ConcatDataset([dataset, dataset])) == expected * 2
    subset = Subset(dataset, [4, 2])
    assert [digest(subset[position]) for position in range(2)] == [expected[4], expected[2]]


# what an item depends on


@pytest.mark.parametrize("view", VIEWS)
def test_seed_epoch_and_index_each_matter(view):
    found = set()
    for seed, epoch in itertools.product(range(3), range(3)):
        dataset = build(view, images=NORMALS[:1] * 3, seed=seed)
        dataset.set_epoch(epoch)
        assert all(label.any() for _, label in dataset)
        found.update(items(dataset))
    assert len(found) == 27


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_else_matters(view):
    expected = items(build(view))
    dataset = build(view)
    for index in (5, 1, 1, 6, 0, -1, -7, np.int64(3), torch.tensor(2)):
        random.seed(int(index))
        np.random.seed(int(index) + 7)
        torch.manual_seed(int(index))
        assert digest(dataset[index]) == expected[index]


@pytest.mark.parametrize("view", VIEWS)
def test_global_random_state_is_left_alone(view):
    def state():
        return pickle.dumps((random.getstate(), np.random.get_state(), torch.get_rng_state().numpy()))

    dataset = build(view)
    before = state()
    for _ in dataset:
        pass
    dataset.set_epoch(1)
    assert state() == before


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


def test_palettes_of_pillow_images_are_looked_up():
    pillows = [Image.fromarray(image).quantize(16) for image in NORMALS]
    assert pillows[0].mode == "P"
    images = [np.asarray(pillow.convert("RGB")) for pillow in pillows]
    assert_items_equal(build(images=pillows), build(images=images))


def test_indices_are_those_of_a_sequence():
    dataset = build()
    assert len(dataset) == len(list(dataset)) == 7
    assert_items_equal([dataset[-1], dataset[-7]], [dataset[6], dataset[0]])
    for index in (7, -8):
        with pytest.raises(IndexError, match=rf"\[-7, 7\), got {index}"):
            dataset[index]


# errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": 3}, "images must be a folder, a list, or a dataset.*got 3"),
        ({"images": iter(NORMALS)}, "images must be"),
        ({"images": []}, "images must be .* at least one"),
        ({"task": "nsa"}, "task must be an AnomalyTask.*'nsa'"),
        ({"task": NaturalSyntheticAnomaly}, "task must be"),
        ({"view_transform": "flip"}, "view_transform must be .*albumentations.*'flip'"),
        ({"image_transform": 1}, "image_transform must be .* got 1"),
        ({"p": 1.5}, r"p must be .*1\.5"),
        ({"p": "half"}, "p must be .*'half'"),
        ({"seed": -1}, "seed must be .*-1"),
        ({"seed": 0.5}, r"seed must be .*0\.5"),
        ({"seed": None}, "seed must be .*None"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        AnomalyDataset(**{"images": NORMALS, "task": TASK, **arguments})


@pytest.mark.parametrize("epoch", [-1, 1.0, "1", None, True])
def test_bad_epochs(epoch):
    dataset = build()
    with pytest.raises((TypeError, ValueError), match=f"epoch must be .*{epoch!r}"):
        dataset.set_epoch(epoch)
    assert dataset.epoch == 0


@pytest.mark.parametrize("item", [None, 3, {}, {"picture": NORMALS[0]}, (), (None, 0), torch.zeros(4, 4)])
def test_items_without_an_image(item):
    with pytest.raises((TypeError, ValueError), match=r"images\[index\] must be"):
        build(images=[item])[0]


@pytest.mark.parametrize("item", [np.zeros((4, 4), bool), np.full((4, 4, 3), 2.0), np.full((4, 4), np.nan, np.float32)])
def test_images_that_the_core_refuses(item):
    with pytest.raises((TypeError, ValueError), match="image must be"):
        build(images=[item])[0]


@pytest.mark.parametrize("view", [lambda image, rng: None, nn.Flatten(0), lambda image, rng: image.tolist()[0][0]])
def test_views_that_return_no_image(view):
    with pytest.raises((TypeError, ValueError), match="view_transform must be"):
        AnomalyDataset(NORMALS, TASK, view_transform=view)[0]


def test_views_with_images_of_another_shape_and_images_of_another_dtype():
    with pytest.raises(ValueError, match=r"source must be .* channels"):
        build(images=[NORMALS[0], NORMALS[1][..., 0]])[0]
    with pytest.raises(TypeError, match=r"source must be .* dtype"):
        build(images=[NORMALS[0], (NORMALS[1] / 255).astype(np.float32)])[0]
