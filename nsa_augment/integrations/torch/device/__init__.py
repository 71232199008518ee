"""The published tasks on whole batches, in plain PyTorch: planning, blending and labelling on the images' device."""

from nsa_augment.integrations.torch.device.module import AnomalyModule

__all__ = ["AnomalyModule"]
