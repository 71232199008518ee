"""Passing the epoch of a Lightning trainer to the datasets of synthetic anomalies in its loaders."""

from __future__ import annotations

from typing import Any

from nsa_augment._shared.notices import warn_caller
from nsa_augment.integrations.lightning._package import callback_class
from nsa_augment.integrations.torch.search import find_datasets


class EpochCallback(callback_class()):  # type: ignore[misc]
    """Call `set_epoch` on every `AnomalyDataset` in the training loaders, before each epoch.

    Without it every epoch has the same anomalies. Datasets are also found inside `Subset`, `ConcatDataset`,
    `CombinedLoader`, lists and dictionaries of loaders, and as attributes of custom datasets. Those of validation and
    test loaders keep their epoch, so that their anomalies stay the same.

    Warns
    -----
    UserWarning
        Once, if the training loaders hold no `AnomalyDataset`.

    Notes
    -----
    Works with trainers of `lightning` and of `pytorch_lightning`. A resumed training continues with the anomalies of
    its epoch.

    Examples
    --------
    >>> from lightning.pytorch import Trainer  # doctest: +SKIP
    >>> trainer = Trainer(max_epochs=80, callbacks=[EpochCallback()])  # doctest: +SKIP
    """

    def __init__(self) -> None:
        super().__init__()
        self._loaded_ahead = False
        self._warned = False

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Set the epoch of a resumed training."""
        self._loaded_ahead = True
        self._set_epoch(trainer)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Set the epoch that starts."""
        self._set_epoch(trainer)
        self._loaded_ahead = False

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Mark validation data as meant to stay the same."""
        _keep_epoch(trainer.val_dataloaders)

    def on_test_start(self, trainer: Any, pl_module: Any) -> None:
        """Mark test data as meant to stay the same."""
        _keep_epoch(trainer.test_dataloaders)

    def on_predict_start(self, trainer: Any, pl_module: Any) -> None:
        """Mark prediction data as meant to stay the same."""
        _keep_epoch(trainer.predict_dataloaders)

    def _set_epoch(self, trainer: Any) -> None:
        datasets = find_datasets(trainer.train_dataloader)
        if not datasets and not self._warned:
            self._warned = True
            warn_caller("EpochCallback found no AnomalyDataset in the training loaders: it sets no epoch")
        outdated = [dataset for dataset in datasets if dataset.epoch != trainer.current_epoch]
        for dataset in datasets:
            dataset.set_epoch(trainer.current_epoch)
        if outdated and self._loaded_ahead:
            iter(trainer.fit_loop._data_fetcher)


def _keep_epoch(loaders: Any) -> None:
    for dataset in find_datasets(loaders):
        dataset.set_epoch(dataset.epoch)
