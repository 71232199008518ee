"""Lightning under either of its names."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from nsa_augment.integrations._extras import require

NAMES = ("lightning.pytorch", "pytorch_lightning")


def callback_class() -> Any:
    """`Callback` of the package in use, or of an installed one; trainers of either accept both."""
    loaded = [name for name in NAMES if name in sys.modules]
    return import_module(require("lightning", *(loaded or NAMES))).Callback
