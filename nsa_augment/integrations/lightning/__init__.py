"""A callback that passes the trainer's epoch to the datasets of synthetic anomalies."""

from nsa_augment.integrations.lightning.callback import EpochCallback

__all__ = ["EpochCallback"]
