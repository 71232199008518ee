"""Sources of `AnomalyTransform` on tensors, and masks that are given."""

import numpy as np
import pytest
from pipelines import write_folder
from table5 import each_row

torch = pytest.importorskip("torch")
from torch_batches import (  # noqa: E402
    BATCH,
    NORMALS,
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

# sources


@pytest.mark.parametrize("kind", ["folder", "text", "paths", "texts", "arrays", "tensors", "mixed", "callable"])
def test_every_kind_of_sources(kind, tmp_path):
    folder = write_folder(tmp_path, NORMALS[1:])
    paths = sorted(folder.iterdir())
    arrays = [np.array(image) for image in NORMALS[1:]]
    sources = {
        "folder": folder,
        "text": str(folder),
        "paths": paths,
        "texts": [str(path) for path in paths],
        "arrays": arrays,
        "tensors": list(BATCH[1:]),
        "mixed": (paths[0], arrays[1], BATCH[3], str(paths[3]), arrays[4]),
        "callable": lambda rng: arrays[rng.integers(5)],
    }[kind]
    transform = build(sources=sources)
    for batch in (BATCH, BATCH[:1]):
        expected = by_hand(7, transform.task, [as_array(image) for image in batch], sources=arrays)
        assert_as(seeded(7, transform, batch), expected, torch.uint8)


@each_dtype
def test_sources_of_another_dtype_and_size(dtype):
    bright = torch.full((3, 30, 36), 1.0)
    for source in (bright, bright.half(), (bright * 255).byte(), bright.double()):
        image, _ = seeded(0, build("cutpaste", [source]), torch.zeros((3, SIZE, SIZE), dtype=dtype))
        assert image.unique().tolist() == [0, 255 if dtype == torch.uint8 else 1]


def test_each_image_of_a_batch_takes_from_another():
    levels = (10, 60, 110, 160)
    batch = flat(*levels)
    transform = build("fpi", max_patches=1)
    torch.manual_seed(0)
    found = {level: set() for level in levels}
    for _ in range(25):
        for level, image, mask in zip(levels, *transform(batch), strict=True):
            (new,) = set(image.unique().tolist()) - {level}
            source = level + (new - level) / mask.max().item()
            found[level].add(min(levels, key=lambda other: abs(other - source)))
    assert found == {level: set(levels) - {level} for level in levels}


def test_two_images_exchange_patches_of_what_they_were():
    images, masks = seeded(0, build("fpi", max_patches=1), as_dtype(flat(0, 255), torch.float64))
    first, second = (mask.max().item() for mask in masks)
    assert images[0].unique().tolist() == pytest.approx([0, first])
    assert images[1].unique().tolist() == pytest.approx([1 - second, 1])


@each_row()
def test_single_images_without_sources(row):
    transform = build(row.name)
    for image in (BATCH[0], BATCH[:1]):
        if row.needs_source:
            with pytest.raises(ValueError, match="sources must be given"):
                transform(image)
        else:
            changed, mask = transform(image)
            assert changed.shape == image.shape
            assert mask.any()
            colours = {tuple(colour) for colour in as_array(BATCH[0]).reshape(-1, 3).tolist()}
            now = as_array(changed.reshape(3, SIZE, SIZE)).reshape(-1, 3).tolist()
            assert {tuple(colour) for colour in now} <= colours


# masks


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16, torch.float32, torch.float64])
def test_masks_are_merged(dtype):
    given = torch.zeros((6, SIZE, SIZE), dtype=dtype)
    given[:, :10] = 1
    before = given.clone()
    images, alone = seeded(0, build("fpi"), BATCH)
    again, merged = seeded(0, build("fpi"), BATCH, given)
    assert torch.equal(images, again)
    assert merged.dtype == torch.float32
    assert (merged[:, :10] == 1).all()
    assert torch.equal(merged[:, 10:], alone[:, 10:])
    assert 0 < alone[:, 10:].max() < 1
    assert torch.equal(given, before)
    single = seeded(0, build("fpi", list(BATCH)), BATCH[0], given[0])[1]
    assert single.shape == (SIZE, SIZE)
    assert (single[:10] == 1).all()


def test_grey_levels_of_masks():
    given = torch.zeros((6, SIZE, SIZE), dtype=torch.uint8)
    given[:, 0] = 255
    assert build(p=0.0)(BATCH, given)[1].unique().tolist() == [0, 1]
    soft = torch.rand((6, SIZE, SIZE), generator=torch.Generator().manual_seed(0))
    assert torch.equal(build(p=0.0)(BATCH, soft)[1], soft)
    _, alone = seeded(0, build("fpi"), BATCH)
    assert torch.equal(seeded(0, build("fpi"), BATCH, soft)[1], torch.maximum(soft, alone))


def test_continuous_labels_take_no_mask():
    transform = build("cutpaste", label="continuous")
    _, labels = seeded(0, transform, BATCH)
    assert labels.max() > 1
    with pytest.raises(ValueError, match=r"mask must be None with label='continuous'"):
        transform(BATCH, torch.zeros((6, SIZE, SIZE)))
