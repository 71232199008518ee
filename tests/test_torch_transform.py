"""NSATransform: exactly the core task on tensors and batches, whatever their dtype; sources, masks, seeds, errors."""

import copy
import pickle
import sys
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
import torchvision_stubs
from pipelines import LARGE, TEXTURE, VISIBLE, normals, write_folder
from table5 import each_row

from nsa_augment import NaturalSyntheticAnomaly

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from nsa_augment.integrations.torch import NSATransform  # noqa: E402

fork = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12

SIZE = 32
NORMALS = normals(count=6, size=SIZE)
BATCH = torch.from_numpy(np.stack(NORMALS).transpose(0, 3, 1, 2).copy())
DTYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def build(name="nsa", sources=None, p=1.0, **arguments):
    return NSATransform(TEXTURE, sources, task=name, p=p, **{**(VISIBLE if name == "nsa" else LARGE), **arguments})


def as_dtype(images, dtype):
    return images if dtype == torch.uint8 else (images.double() / 255).to(dtype)


def as_array(image):
    """(H, W, C), in a dtype of the core."""
    if image.dtype in (torch.float16, torch.bfloat16):
        image = image.float()
    return np.ascontiguousarray(image.numpy().transpose(1, 2, 0))


def flat(*levels, channels=3):
    return torch.stack([torch.full((channels, SIZE, SIZE), level, dtype=torch.uint8) for level in levels])


def seeded(seed, transform, *inputs):
    torch.manual_seed(seed)
    return transform(*inputs)


def by_hand(seed, task, images, p=1.0, sources=None):
    """What is expected of the transform, from arrays and from nothing but the core task."""
    torch.manual_seed(seed)
    changed, labels = [], []
    for index, image in enumerate(images):
        rng = np.random.default_rng(torch.randint(2**63 - 1, ()).item())
        label = np.zeros(image.shape[:2], np.float32)
        if rng.random() < p:
            source = None
            if sources is not None:
                source = sources[rng.integers(len(sources))]
            elif task.needs_source:
                source = images[(index + 1 + rng.integers(len(images) - 1)) % len(images)]
            result = task(image, source, rng)
            image, label = result.image, result.label
        changed.append(image)
        labels.append(label)
    return np.stack(changed), np.stack(labels)


def assert_as(result, expected, dtype):
    images, labels = result
    expected_images = torch.from_numpy(expected[0].transpose(0, 3, 1, 2).copy()).to(dtype)
    assert images.dtype == dtype
    assert labels.dtype == torch.float32
    assert torch.equal(images, expected_images)
    np.testing.assert_array_equal(labels, expected[1])


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


# arguments


@each_row()
def test_tasks_by_name_and_whole(row):
    assert NSATransform(task=row.name).task == row.task()
    for preset in ("leather", "screw"):
        for ablation in (None, "A", "B", "C", "D"):
            expected = row.task.from_preset(preset, ablation=ablation, label="binary")
            assert NSATransform(preset, task=row.name, ablation=ablation, label="binary").task == expected
    whole = row.task.from_preset("leather", max_patches=2)
    assert NSATransform(task=whole).task is whole
    assert NSATransform(task=row.name, max_patches=2).task == row.task(max_patches=2)


def test_defaults():
    transform = NSATransform("hazelnut")
    assert transform.p == 0.5
    assert transform.task == NaturalSyntheticAnomaly.from_preset("hazelnut")
    assert not list(transform.parameters())
    assert not transform.state_dict()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preset": "teapot"}, "preset must be .*'teapot'"),
        ({"preset": [NORMALS[0]]}, "preset must be"),
        ({"task": "NSA"}, "task must be one of 'nsa', 'cutpaste', 'fpi', 'pii', .*got 'NSA'"),
        ({"task": 3}, "task must be one of .* got 3"),
        ({"task": None}, "task must be one of .* got None"),
        ({"task": NaturalSyntheticAnomaly}, "task must be one of"),
        ({"task": NaturalSyntheticAnomaly(), "preset": "tile"}, "preset must be left out"),
        ({"task": NaturalSyntheticAnomaly(), "ablation": "A"}, "ablation must be left out"),
        ({"task": NaturalSyntheticAnomaly(), "max_patches": 2}, "max_patches must be left out"),
        ({"task": NaturalSyntheticAnomaly(), "scale_range": None}, "scale_range must be left out"),
        ({"ablation": "A"}, "ablation must be None without a preset"),
        ({"preset": "tile", "ablation": "E"}, "ablation must be .*'E'"),
        ({"p": 2}, "p must be .* got 2"),
        ({"p": float("nan")}, "p must be .* got nan"),
        ({"sources": []}, "sources must be"),
        ({"sources": 3}, "sources must be .* got 3"),
        ({"sources": [torch.zeros(4, 4)]}, r"every entry of sources must be .*\(4, 4\)"),
        ({"sources": [torch.zeros(3, 4, 4) + 2]}, "every entry of sources must be .* from 2 to 2"),
        ({"sources": [None]}, "every entry of sources must be"),
        ({"sources": "no/such/folder"}, "no such folder: no/such/folder"),
        ({"sources": NORMALS, "cache_mib": -1}, "cache_mib must be .* got -1"),
        ({"max_patches": 0}, "max_patches must be .* got 0"),
        ({"patches": 1}, "patches"),
        ({"preset": "tile", "patches": 1}, "patches"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        NSATransform(**arguments)


@pytest.mark.parametrize(
    ("image", "received"),
    [
        (NORMALS[0], "array of shape"),
        (None, "None"),
        ((BATCH[0], None), "tensor"),
        (BATCH[0, 0], r"\(32, 32\)"),
        (BATCH[None], r"\(1, 6, 3, 32, 32\)"),
        (BATCH.int(), "int32"),
        (BATCH > 4, "bool"),
        (torch.complex(BATCH.float(), BATCH.float()), "complex64"),
        (BATCH[:0], r"\(0, 3, 32, 32\)"),
        (BATCH[:, :, :0], r"\(6, 3, 0, 32\)"),
    ],
)
def test_bad_images(image, received):
    with pytest.raises((TypeError, ValueError), match=rf"image must be a \(C, H, W\).*got .*{received}"):
        build()(image)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_values_out_of_range(dtype):
    unit = as_dtype(BATCH, dtype)
    for batch in ((unit - 0.45) / 0.22, unit * 255, unit - 0.5):
        with pytest.raises(ValueError, match=r"image must be .*in \[0, maximum\].* values from"):
            build()(batch)
        with pytest.raises(ValueError, match=r"image must be .* values from"):
            build(p=0.0)(batch)
    unit[0, 1, 4, 4] = torch.nan
    with pytest.raises(ValueError, match=r"image must be .* from nan to nan"):
        build()(unit)


@pytest.mark.parametrize(
    "mask",
    [np.zeros((6, SIZE, SIZE)), torch.zeros(6, 1, SIZE, SIZE), torch.zeros(SIZE, SIZE), torch.zeros(5, SIZE, SIZE)],
)
def test_bad_masks(mask):
    with pytest.raises(ValueError, match=r"mask must be None or a tensor of shape \(6, 32, 32\)"):
        build()(BATCH, mask)


# as a module


@pytest.mark.parametrize("kind", ["batch", "tensors", "folder"])
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda transform: pickle.loads(pickle.dumps(transform))])
def test_copies_and_pickles(kind, duplicate, tmp_path):
    sources = {"batch": None, "tensors": list(BATCH[1:]), "folder": write_folder(tmp_path, NORMALS[1:])}[kind]
    transform = build(sources=sources)
    expected = seeded(1, transform, BATCH)
    other = duplicate(transform)
    assert other.task == transform.task
    for one, two in zip(seeded(1, other, BATCH), expected, strict=True):
        assert torch.equal(one, two)


def test_printing():
    assert repr(NSATransform("tile", p=0.3)).startswith("NSATransform(task=NaturalSyntheticAnomaly(")
    assert "sources=batch, p=0.3" in repr(NSATransform("tile", p=0.3))
    assert "sources=5" in repr(build(sources=list(BATCH[1:])))
    assert "sources=callable" in repr(build(sources=lambda rng: NORMALS[0]))


def test_training_and_evaluation_modes_do_not_matter():
    transform = build()
    assert torch.equal(seeded(0, transform.eval(), BATCH)[0], seeded(0, transform.train(), BATCH)[0])
    with torch.inference_mode():
        assert torch.equal(seeded(0, transform, BATCH)[0], seeded(0, transform, BATCH)[0])


class Compose(torch.nn.Module):
    """What torchvision's v2.Compose does with its inputs."""

    def __init__(self, *transforms):
        super().__init__()
        self.transforms = transforms

    def forward(self, *inputs):
        needs_unpacking = len(inputs) > 1
        for transform in self.transforms:
            outputs = transform(*inputs)
            inputs = outputs if needs_unpacking else (outputs,)
        return outputs


class Flip(torch.nn.Module):
    """Moves every tensor among its inputs, as the geometric transforms do."""

    def forward(self, *inputs):
        inputs = inputs if len(inputs) > 1 else inputs[0]
        if isinstance(inputs, torch.Tensor):
            return inputs.flip(-1)
        return tuple(tensor.flip(-1) for tensor in inputs)


def test_among_other_transforms():
    transform = build(sources=list(BATCH[1:]))
    image, mask = BATCH[0], torch.zeros(SIZE, SIZE)
    mask[:, :5] = 1
    expected = seeded(4, transform, image.flip(-1))
    alone = seeded(4, Compose(Flip(), transform, Flip()), image)
    assert torch.equal(alone[0], expected[0].flip(-1))
    assert torch.equal(alone[1], expected[1].flip(-1))
    both = seeded(4, Compose(Flip(), transform, Flip()), image, mask)
    assert torch.equal(both[0], alone[0])
    assert torch.equal(both[1], torch.maximum(alone[1], mask))


@pytest.fixture
def tv_tensors(monkeypatch):
    """A stand-in for the tensor classes of torchvision."""
    module = ModuleType("torchvision.tv_tensors")
    for name in ("Image", "Mask"):
        setattr(module, name, type(name, (torch.Tensor,), {"__new__": subclassed}))
    monkeypatch.setitem(sys.modules, "torchvision.tv_tensors", module)
    return module


def subclassed(kind, tensor):
    return tensor.as_subclass(kind)


def test_classes_of_torchvision(tv_tensors):
    plain, mask = seeded(0, build(), BATCH)
    assert type(plain) is torch.Tensor
    assert type(mask) is tv_tensors.Mask
    changed, merged = seeded(0, build(), tv_tensors.Image(BATCH), tv_tensors.Mask(torch.zeros(6, SIZE, SIZE)))
    assert type(changed) is tv_tensors.Image
    assert type(merged) is tv_tensors.Mask
    assert torch.equal(changed.as_subclass(torch.Tensor), plain)
    assert torch.equal(merged.as_subclass(torch.Tensor), mask.as_subclass(torch.Tensor))


def test_without_torchvision_everything_is_a_plain_tensor(monkeypatch):
    monkeypatch.delitem(sys.modules, "torchvision.tv_tensors", raising=False)
    for result in (build()(BATCH), build()(BATCH, torch.zeros(6, SIZE, SIZE))):
        assert [type(tensor) for tensor in result] == [torch.Tensor] * 2


def test_in_pipelines_of_torchvision():
    torchvision_stubs.load()
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    transform = build(sources=list(BATCH[1:]))
    turn = v2.RandomHorizontalFlip(p=1.0)
    mean = [0.5, 0.5, 0.5]
    steps = [turn, transform, turn, v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True)]
    pipeline = v2.Compose([*steps, v2.Normalize(mean, mean)])
    image = tv_tensors.Image(BATCH[0])
    torch.manual_seed(0)
    torch.rand(1)  # whether to turn
    expected, expected_mask = transform(BATCH[0].flip(-1))
    for inputs in ((image,), (image, tv_tensors.Mask(torch.zeros(SIZE, SIZE)))):
        changed, mask = seeded(0, pipeline, *inputs)
        assert type(changed) is tv_tensors.Image
        assert type(mask) is tv_tensors.Mask
        assert mask.dtype == torch.float32
        torch.testing.assert_close(changed.as_subclass(torch.Tensor), expected.flip(-1) / 255 * 2 - 1)
        assert torch.equal(mask.as_subclass(torch.Tensor), expected_mask.as_subclass(torch.Tensor).flip(-1))
        assert mask.any()


@dataclass
class Batch:
    """Like the batches of anomalib."""

    image: torch.Tensor
    gt_mask: torch.Tensor | None = None


def test_on_the_batches_of_a_training_loop():
    transform = build("cutpaste", p=0.5)
    torch.manual_seed(0)
    for mask in (None, torch.zeros(6, SIZE, SIZE, dtype=torch.bool)):
        batch = Batch(as_dtype(BATCH, torch.float32), mask)
        before = batch.image
        batch.image, batch.gt_mask = transform(batch.image, batch.gt_mask)
        assert batch.image.shape == before.shape
        changed = batch.gt_mask.flatten(1).any(1)
        assert torch.equal((batch.image != before).flatten(1).any(1), changed)
        assert 0 < changed.sum() < 6
