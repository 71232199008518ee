"""A callback that gives the datasets of synthetic anomalies the epoch of the trainer."""

from nsa_augment.integrations.lightning.callback import EpochCallback

__all__ = ["EpochCallback"]
