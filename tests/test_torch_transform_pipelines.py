"""`AnomalyTransform` beside other transforms and libraries."""

import copy
import pickle
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest
import torchvision_stubs
from pipelines import write_folder

torch = pytest.importorskip("torch")
from torch_batches import BATCH, NORMALS, SIZE, as_dtype, build, seeded  # noqa: E402

from nsa_augment.integrations.torch import NSATransform  # noqa: E402

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
