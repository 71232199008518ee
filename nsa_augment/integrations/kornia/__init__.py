"""The tasks as a kornia augmentation."""

from nsa_augment.integrations._extras import require

require("kornia", "kornia")

from nsa_augment.integrations.kornia.augmentation import RandomNSA  # noqa: E402

__all__ = ["RandomNSA"]
