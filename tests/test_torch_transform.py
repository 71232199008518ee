"""NSATransform: exactly the core task on tensors and batches, whatever their dtype; sources, masks, seeds, errors."""

import pickle

import numpy as np
import pytest
from pipelines import LARGE, TEXTURE, VISIBLE
from table5 import each_row

from nsa_augment import NaturalSyntheticAnomaly

torch = pytest.importorskip("torch")
from torch.utils.data import DataLoader  # noqa: E402
from torch_batches import (  # noqa: E402
    BATCH,
    SIZE,
    as_array,
    as_dtype,
    assert_as,
    build,
    by_hand,
    each_dtype,
    flat,
    seeded,
)

from nsa_augment.integrations.torch import NSATransform  # noqa: E402

fork = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12


# values


@each_dtype
@each_row()
def test_batches_are_those_of_the_core(row, dtype):
    transform = build(row.name, p=0.7, label="logistic")
    task = row.task.from_preset(TEXTURE, label="logistic", **(VISIBLE if row.name == "nsa" else LARGE))
    batch = as_dtype(BATCH, dtype)
    before = batch.clone()
    result = seeded(3, transform, batch)
    assert_as(result, by_hand(3, task, [as_array(image) for image in before], 0.7), dtype)
    assert torch.equal(batch, before)
    assert result[1].any()
    assert not torch.equal(result[0], batch)


@each_dtype
@each_row()
def test_single_images_are_those_of_the_core(row, dtype):
    sources = as_dtype(BATCH[1:], dtype)
    transform = build(row.name, list(sources))
    task = row.task.from_preset(TEXTURE, **(VISIBLE if row.name == "nsa" else LARGE))
    changes = 0
    for seed in range(4):
        image = as_dtype(BATCH[0], dtype)
        images, labels = seeded(seed, transform, image)
        assert images.shape == image.shape
        assert labels.shape == (SIZE, SIZE)
        expected = by_hand(seed, task, [as_array(image)], sources=[as_array(source) for source in sources])
        assert_as((images[None], labels[None]), expected, dtype)
        changes += bool(labels.any())
    assert changes


def test_the_default_task_is_that_of_the_class():
    transform = NSATransform(p=1.0)
    assert transform.task == NaturalSyntheticAnomaly()
    expected = by_hand(1, NaturalSyntheticAnomaly(), [as_array(image) for image in BATCH])
    assert_as(seeded(1, transform, BATCH), expected, torch.uint8)


@each_dtype
@pytest.mark.parametrize("name", ["cutpaste", "fpi", "nsa"])
def test_masks_are_where_pixels_changed(name, dtype):
    batch = as_dtype(flat(10, 60, 110, 160), dtype)
    sources = list(flat(200, 250)) if name == "cutpaste" else None
    images, masks = seeded(0, build(name, sources, label="binary", max_patches=1), batch)
    changed = (images != batch).any(1)
    if name == "nsa":  # flat sources have no gradients
        assert not changed.any()
        assert not masks.any()
        return
    assert changed.flatten(1).any(1).all()
    assert not masks[~changed].any()
    assert (masks[changed] == 1).float().mean() > 0.95  # the mask's corners are rounded


@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
def test_p_is_drawn_for_each_image(p):
    batch = BATCH[:1].expand(200, -1, -1, -1)
    images, masks = seeded(0, build("cutpaste", p=p), batch)
    changed = masks.flatten(1).any(1)
    assert torch.equal((images != batch).flatten(1).any(1), changed)
    low, high = {0.0: (0, 0), 0.4: (58, 102), 1.0: (200, 200)}[p]
    assert low <= int(changed.sum()) <= high
    assert torch.unique(images, dim=0).shape[0] == int(changed.sum()) + (p < 1)


def test_grey_and_many_channels():
    for channels in (1, 2, 5):
        batch = torch.cat([BATCH, BATCH], 1)[:, :channels]
        images, masks = seeded(0, build(), batch)
        assert images.shape == batch.shape
        assert masks.shape == (6, SIZE, SIZE)
        expected = by_hand(0, build().task, [as_array(image) for image in batch])
        assert_as((images, masks), expected, torch.uint8)


def test_batches_of_rectangles():
    images, masks = seeded(0, build(), BATCH[:, :, :20])
    assert images.shape == (6, 3, 20, SIZE)
    assert masks.shape == (6, 20, SIZE)
    assert masks.any()


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize(
    "arrange",
    [
        lambda batch: batch.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
        lambda batch: batch.to(memory_format=torch.channels_last),
        lambda batch: batch.repeat_interleave(2, 3)[..., ::2],
        lambda batch: batch.clone().requires_grad_(),
        lambda batch: (batch.clone().requires_grad_() + 1) - 1,
        lambda batch: batch[:, :1],
    ],
)
def test_inputs_of_any_layout_are_left_alone(arrange, p):
    batch = arrange(as_dtype(BATCH, torch.float64))
    before = batch.detach().clone(memory_format=torch.contiguous_format)
    images, masks = seeded(2, build(p=p), batch)
    expected_images, expected_masks = seeded(2, build(p=p), before)
    assert torch.equal(images, expected_images)
    assert torch.equal(masks, expected_masks)
    assert not images.requires_grad
    assert not masks.requires_grad
    images.zero_()
    masks.fill_(3)
    assert torch.equal(batch.detach(), before)


# random state


def test_torch_seeds_make_it_repeatable():
    transform = build()
    numpy_state = pickle.dumps(np.random.get_state())
    first, again, other = (seeded(seed, transform, BATCH)[0] for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(transform(BATCH)[0], other)
    assert pickle.dumps(np.random.get_state()) == numpy_state


def test_images_of_a_batch_draw_apart():
    images, _ = seeded(0, build("cutpaste"), BATCH[:1].expand(20, -1, -1, -1))
    assert torch.unique(images, dim=0).shape[0] == 20


class Repeated(torch.utils.data.Dataset):
    """The same image again and again."""

    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return 12

    def __getitem__(self, index):
        image, mask = self.transform(BATCH[0])
        return image, mask, torch.utils.data.get_worker_info().id


def load(seed, **options):
    torch.manual_seed(seed)
    loader = DataLoader(
        Repeated(build(sources=list(BATCH[1:]))),
        batch_size=3,
        num_workers=2,
        timeout=60,
        persistent_workers=True,
        **options,
    )
    batches = [batch for _ in range(2) for batch in loader]
    return [torch.cat(parts) for parts in zip(*batches, strict=True)]


@fork
@pytest.mark.parametrize("context", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_draw_apart_and_repeatably(context):
    images, masks, workers = load(1, multiprocessing_context=context)
    assert workers.unique().tolist() == [0, 1]
    assert torch.unique(images, dim=0).shape[0] == 24
    again = load(1, multiprocessing_context="fork")
    assert torch.equal(images, again[0])
    assert torch.equal(masks, again[1])
    other = load(2, multiprocessing_context="fork")[0]
    assert torch.unique(torch.cat([images, other]), dim=0).shape[0] == 48
