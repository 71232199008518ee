"""The tasks for PyTorch: a map-style dataset, a transform of tensors, and a module for whole batches."""

from nsa_augment.integrations.torch.dataset import AnomalyDataset
from nsa_augment.integrations.torch.device import AnomalyModule
from nsa_augment.integrations.torch.transform import AnomalyTransform, NSATransform

__all__ = ["AnomalyDataset", "AnomalyModule", "AnomalyTransform", "NSATransform"]
