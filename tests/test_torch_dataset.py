"""AnomalyDataset: an item is that of (seed, epoch, index), whatever loads it; and what it takes for images."""

import copy
import hashlib
import itertools
import pickle
import random

import numpy as np
import pytest
from pipelines import run_python

torch = pytest.importorskip("torch")
from anomaly_datasets import NORMALS, VIEWS, build  # noqa: E402
from torch.utils.data import ConcatDataset, DataLoader, Subset  # noqa: E402
from torch.utils.data.distributed import DistributedSampler  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12


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


@pytest.mark.slow
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
