"""The tasks for PyTorch: a map-style dataset, and a transform of tensors."""

from nsa_augment.integrations.torch.dataset import AnomalyDataset
from nsa_augment.integrations.torch.transform import AnomalyTransform, NSATransform

__all__ = ["AnomalyDataset", "AnomalyTransform", "NSATransform"]
