"""AnomalyDataset warns, once, when a DataLoader repeats an epoch because `set_epoch` was never called."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from frameworks import normals

from nsa_augment import CutPasteAnomaly

torch = pytest.importorskip("torch", reason="the dataset is one of PyTorch")

from torch.utils.data import ConcatDataset, DataLoader, Subset  # noqa: E402

from nsa_augment.integrations.torch import AnomalyDataset  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12

NORMALS = normals(count=4, size=32)
WRAPPERS = {
    "itself": lambda dataset: dataset,
    "subset": lambda dataset: Subset(dataset, range(4)),
    "concatenated": lambda dataset: ConcatDataset([dataset]),
}
each_wrapper = pytest.mark.parametrize("wrapper", WRAPPERS)


def build(**arguments):
    return AnomalyDataset(NORMALS, CutPasteAnomaly(), **arguments)


def load(dataset, workers=0, **options):
    return DataLoader(dataset, batch_size=2, num_workers=workers, **options)


def warnings_of(loader, epochs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(epochs):
            list(loader)
    return [str(warning.message) for warning in caught if "set_epoch" in str(warning.message)]


@each_wrapper
def test_a_repeated_epoch_is_warned_of_once(wrapper):
    loader = load(WRAPPERS[wrapper](build()))
    assert warnings_of(loader, 1) == []
    (message,) = warnings_of(loader, 3)
    assert "EpochCallback" in message
    assert warnings_of(loader, 2) == []


@pytest.mark.slow
@pytest.mark.parametrize(("wrapper", "persistent"), [*((name, True) for name in WRAPPERS), ("itself", False)])
def test_workers_warn_too(wrapper, persistent):
    loader = load(WRAPPERS[wrapper](build()), workers=2, persistent_workers=persistent)
    list(loader)
    with pytest.raises(UserWarning, match="set_epoch was never called"):  # warnings are errors in workers, too
        list(loader)
    list(loader)


@pytest.mark.parametrize("workers", [0, 2])
def test_nobody_is_warned_who_sets_epochs(workers):
    dataset = build()
    loader = load(dataset, workers)
    for epoch in (0, 1, 1):
        dataset.set_epoch(epoch)
        assert sum(1 for _ in loader) == 2
    list(loader)


def test_setting_an_epoch_once_says_that_repetition_is_meant():
    dataset = build()
    dataset.set_epoch(0)
    assert warnings_of(load(dataset), 3) == []


def test_items_that_are_always_the_same_need_no_epoch():
    assert warnings_of(load(build(p=0.0)), 3) == []
    view = build(p=0.0, view_transform=lambda image, rng: np.roll(image, rng.integers(9), 0))
    assert len(warnings_of(load(view), 3)) == 1


def test_looking_at_items_is_no_epoch():
    dataset = build()
    for _ in range(3):
        assert len(list(dataset)) == 4
    assert warnings_of(load(dataset), 1) == []


def test_copies_count_for_themselves():
    dataset = build()
    list(load(dataset))
    for copied in (copy.deepcopy(dataset), pickle.loads(pickle.dumps(dataset))):
        assert len(warnings_of(load(copied), 1)) == 1
    assert len(warnings_of(load(dataset), 1)) == 1
