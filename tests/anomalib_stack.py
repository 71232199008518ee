"""What the tests of the anomalib integration share."""

import warnings
from functools import cache
from importlib import import_module

import pytest
import torchvision_stubs

from nsa_augment.samples import write_samples

LARGE = {"height_range": (0.3, 0.6), "width_range": (0.3, 0.6), "scale_range": None, "gradient": "source"}
"""Arguments of NSA with which every call changes even small images."""


def load():
    """The integration; skips the caller, with the reason, where anomalib cannot be loaded."""
    torchvision_stubs.load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what anomalib imports
        pytest.importorskip("anomalib", reason="needs anomalib: pip install 'nsa-augment[anomalib]'")
        for part in ("data", "engine", "models"):
            import_module(f"anomalib.{part}")
    return import_module("nsa_augment.integrations.anomalib")


def write_product(folder, size=64, train=8):
    """A product in the folders of MVTec AD; returns its folder and that of its normal images."""
    (product,) = write_samples(folder, "hide", size=size, train=train, good=3, defective=1)
    return product, product / "train" / "good"


def datamodule(product, **arguments):
    """anomalib's datamodule of a product that `write_product` wrote."""
    from anomalib.data import MVTecAD

    defaults = {"train_batch_size": 4, "num_workers": 0, "val_split_mode": "same_as_test"}
    return MVTecAD(root=product.parent, category=product.name, **{**defaults, **arguments})


@cache
def resize_to(size):
    """A pre-processor that resizes, as every model has one."""
    from anomalib.pre_processing import PreProcessor
    from torchvision.transforms.v2 import Resize

    return PreProcessor(Resize((size, size), antialias=True))


def rejected(error, name, call):
    """The call must be an error of a type whose message starts with the name of an argument."""
    with pytest.raises(error, match=rf"^{name} must be "):
        call()
