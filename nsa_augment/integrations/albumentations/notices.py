"""Advice to users: about a wrong position in the pipeline, and about lost labels."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import albumentations as A
import numpy as np

from nsa_augment._shared.foreign import is_tensor
from nsa_augment._shared.notices import warn_caller
from nsa_augment._shared.scale import Scale
from nsa_augment.integrations.albumentations.targets import ImageTarget


def check_input(owner: str, targets: Sequence[ImageTarget], scale: Scale) -> None:
    """Raise unless all targets hold images; say where to put the transform if an earlier step changed them.

    Raises
    ------
    TypeError, ValueError
        The message names the target.
    """
    for target in targets:
        try:
            target.check(scale)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{error}{_advice(owner, target)}") from None


def _advice(owner: str, target: ImageTarget) -> str:
    if is_tensor(target.value):
        return f"; put {owner} before ToTensorV2, or pass image.numpy() with the channels last"
    if isinstance(target.value, np.ndarray) and target.value.dtype.kind == "f" and target.value.size:
        return f"; put {owner} before Normalize and other transforms that leave [0, 1]"
    return ""


def say_lost_label(owner: str) -> None:
    """Warn if the call comes from a container that returns only the image."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if isinstance(frame.f_locals.get("self"), A.SelectiveChannelTransform):
            warn_caller(
                f"{owner} inside SelectiveChannelTransform changes channels of the image, but its label cannot be "
                f"returned: put {owner} beside it"
            )
            return
