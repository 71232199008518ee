"""The tasks in anomalib (2.7 and newer): in place of its Perlin noise, on batches, on images, in synthetic splits."""

try:
    import anomalib as _anomalib  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "anomalib":
        raise
    message = "nsa_augment.integrations.anomalib needs anomalib: install it with pip install 'nsa-augment[anomalib]'"
    raise ModuleNotFoundError(message, name=error.name) from error

from nsa_augment.integrations.anomalib.augmentation import NSAAugmentation
from nsa_augment.integrations.anomalib.callback import NSACallback
from nsa_augment.integrations.anomalib.generator import NSAGenerator
from nsa_augment.integrations.anomalib.splits import SyntheticDataset, synthetic_splits

__all__ = ["NSAAugmentation", "NSACallback", "NSAGenerator", "SyntheticDataset", "synthetic_splits"]
