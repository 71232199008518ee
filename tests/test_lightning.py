"""EpochCallback: every AnomalyDataset in a trainer's loaders has the trainer's epoch before anything is loaded."""

import hashlib
import importlib
import warnings

import pytest
from frameworks import LARGE, error_without, normals, run_section

from nsa_augment import CutPasteAnomaly

torch = pytest.importorskip("torch")

from torch.utils.data import ConcatDataset, DataLoader, Dataset, StackDataset, Subset  # noqa: E402

from nsa_augment.integrations.torch import AnomalyDataset  # noqa: E402
from nsa_augment.integrations.torch.search import find_datasets  # noqa: E402

NAMES = ("lightning.pytorch", "pytorch_lightning")
each_name = pytest.mark.parametrize("name", NAMES)
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning",
    "ignore::DeprecationWarning:lightning",
    "ignore::DeprecationWarning:pytorch_lightning",
    "ignore::FutureWarning",
    "ignore:.*(does not have many workers|is smaller than the logging interval|ckpt_path|LeafSpec|val_dataloader|exists"
    "|resuming from a checkpoint)",
)
TASK = CutPasteAnomaly(**LARGE)


def package(name):
    """A package of Lightning, or a skip."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason="the callback is one of Lightning")


def callback():
    from nsa_augment.integrations.lightning import EpochCallback

    return EpochCallback()


def dataset(seed=0):
    return AnomalyDataset(normals(count=4), TASK, seed=seed)


def load(data, workers=0, **options):
    return DataLoader(data, batch_size=2, num_workers=workers, **options)


def digests(batch):
    """What the images of a batch of any structure are."""
    if isinstance(batch, dict):
        return [digest for value in batch.values() for digest in digests(value)]
    if isinstance(batch, list | tuple):
        return [digest for value in batch for digest in digests(value)]
    return [hashlib.sha256(batch.numpy().tobytes()).hexdigest()[:8]] if torch.is_tensor(batch) else []


def expected(data, epochs):
    """Digests of each epoch, for a loader of one dataset that is told the epoch by hand."""
    seen = {}
    for epoch in epochs:
        data.set_epoch(epoch)
        seen[epoch] = [digests(batch) for batch in load(data)]
    return seen


def train(name, loader, epochs, folder, *, val_loader=None, ckpt_path=None, save=None, callbacks=(), **options):
    """Train with the callback and return what was loaded in each epoch."""
    pl = package(name)
    seen, validated = {}, []

    class Model(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch, index):
            seen.setdefault(self.current_epoch, []).append(digests(batch))
            return self.layer(torch.ones(1)).sum()

        def validation_step(self, batch, index):
            validated.append(digests(batch))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=any(type(one).__name__ == "ModelCheckpoint" for one in callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=[callback(), *callbacks],
        **options,
    )
    resumed = {} if ckpt_path is None else {"ckpt_path": ckpt_path, "weights_only": False}
    trainer.fit(Model(), loader, val_loader, **resumed)
    if save is not None:
        trainer.save_checkpoint(save)
    return (seen, validated) if val_loader is not None else seen


@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (2, False), (2, True)])
@each_name
def test_every_epoch_is_that_of_the_trainer(name, workers, persistent, tmp_path):
    alone = expected(dataset(), range(3))
    assert len({str(batches) for batches in alone.values()}) == 3
    loader = load(dataset(), workers, persistent_workers=persistent)
    assert train(name, loader, 3, tmp_path) == alone


class Wrapper(Dataset):
    """A dataset of a user, which holds another under a name of its own."""

    def __init__(self, base):
        self.paths = ["a.png"] * 4
        self.base = base

    def __len__(self):
        return len(self.base)

    def __getitem__(self, index):
        return self.base[index]


STRUCTURES = {
    "subset": lambda data: load(Subset(data, [0, 1, 2])),
    "concatenated": lambda data: load(ConcatDataset([Subset(data, [0, 1]), data])),
    "stacked": lambda data: load(StackDataset(first=data, second=data)),
    "wrapped": lambda data: load(Wrapper(Subset(data, [0, 1]))),
    "list": lambda data: [load(torch.zeros(4, 1)), load(data)],
    "dictionary": lambda data: {"one": load(torch.zeros(4, 1)), "two": {"three": load(data)}},
}


@pytest.mark.parametrize("structure", [*STRUCTURES, "combined"])
@each_name
def test_datasets_are_found_wherever_they_are(name, structure, tmp_path):
    data = dataset()
    if structure == "combined":
        utilities = importlib.import_module(f"{package(name).__name__}.utilities")
        loader = utilities.CombinedLoader({"one": load(data), "two": load(torch.zeros(2, 1))}, "min_size")
    else:
        package(name)
        loader = STRUCTURES[structure](data)
    epochs = []
    original = data.set_epoch
    data.set_epoch = lambda epoch: (epochs.append(epoch), original(epoch))
    seen = train(name, loader, 3, tmp_path)
    assert sorted({*epochs}) == [0, 1, 2]
    assert data.epoch == 2
    assert len({str(batches) for batches in seen.values()}) == 3


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("saved", ["after the run", "after an epoch", "amid an epoch"])
def test_a_run_is_resumed_with_the_anomalies_it_would_have_had(saved, workers, tmp_path):
    name = NAMES[0]
    pl = package(name)
    alone = expected(dataset(), range(4))
    path = tmp_path / "run.ckpt"
    if saved == "after the run":
        train(name, load(dataset()), 2, tmp_path, save=path)
        left = {epoch: alone[epoch] for epoch in (2, 3)}
    else:
        amid = {"every_n_train_steps": 3, "filename": "run"} if saved == "amid an epoch" else {"filename": "run"}
        saver = pl.callbacks.ModelCheckpoint(tmp_path, save_top_k=-1, **amid)
        train(name, load(dataset()), 2 if amid.get("every_n_train_steps") else 1, tmp_path, callbacks=[saver])
        # one step of the second epoch was done; Lightning starts the loader anew
        left = {epoch: alone[epoch] for epoch in (1, 2, 3)}
        if saved == "amid an epoch":
            left[1] = alone[1][:1]
    assert train(name, load(dataset(), workers), 4, tmp_path, ckpt_path=path) == left


@each_name
def test_validation_data_stay_the_same_without_a_warning(name, tmp_path):
    held_out = dataset(seed=5)
    _, validated = train(
        name, load(dataset()), 3, tmp_path, val_loader=load(held_out), num_sanity_val_steps=0, limit_val_batches=1.0
    )
    assert validated == [digests(batch) for batch in load(held_out)] * 3


def test_reloaded_loaders(tmp_path):
    made = []

    class Module(package(NAMES[0]).LightningDataModule):
        def train_dataloader(self):
            made.append(dataset())
            return load(made[-1])

    seen = train(NAMES[0], Module(), 3, tmp_path, reload_dataloaders_every_n_epochs=1)
    assert len(made) == 3
    assert seen == expected(dataset(), range(3))


def test_a_callback_that_finds_nothing_says_so(tmp_path):
    package(NAMES[0])
    with pytest.warns(UserWarning, match="found no AnomalyDataset") as caught:
        train(NAMES[0], load(torch.zeros(4, 1)), 2, tmp_path)
    assert sum("found no AnomalyDataset" in str(warning.message) for warning in caught) == 1


@pytest.mark.slow
def test_without_lightning_the_error_names_the_extra():
    error = error_without({"lightning", "pytorch_lightning"}, "nsa_augment.integrations.lightning")
    assert error.startswith("ModuleNotFoundError: nsa_augment.integrations.lightning needs lightning.pytorch or ")
    assert "pip install 'nsa-augment[lightning]'" in error


def test_large_lists_in_datasets_are_not_walked():
    class Watched(list):
        def __iter__(self):
            raise AssertionError("walked")

    data = Wrapper(dataset())
    data.samples = [Watched() for _ in range(3)]
    assert find_datasets(load(data)) == [data.base]
    assert find_datasets(None) == []
    assert find_datasets([load(data), load(data)]) == [data.base]


def test_the_page_runs(tmp_path):
    package(NAMES[0])
    run_section("Lightning", tmp_path)
