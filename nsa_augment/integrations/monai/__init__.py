"""The tasks as a MONAI dictionary transform."""

from nsa_augment.integrations._extras import require

require("monai", "monai")

from nsa_augment.integrations.monai.transform import NSAd  # noqa: E402

__all__ = ["NSAd"]
