"""All that concerns torchvision: its base class and tensor classes, if installed, and containers that skip."""

from __future__ import annotations

import sys
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

try:
    from torchvision.transforms import v2  # type: ignore[import-not-found, import-untyped, unused-ignore]
except (ImportError, RuntimeError, OSError, AttributeError):  # not installed, or not for this PyTorch
    v2 = None

if TYPE_CHECKING:
    Transform = nn.Module
else:
    Transform = nn.Module if v2 is None else v2.Transform


def is_classed(leaf: Any) -> bool:
    """Whether a tensor has a class that says what it is (boxes, key points...)."""
    return _is(leaf, "TVTensor")


def is_image_class(leaf: Any) -> bool:
    """Whether a tensor is an image or a video by its class."""
    return _is(leaf, "Image") or _is(leaf, "Video")


def is_mask_class(leaf: Any) -> bool:
    """Whether a tensor is a mask by its class."""
    return _is(leaf, "Mask")


def as_given(changed: Tensor, image: Tensor) -> Tensor:
    """A changed image in the class of the original one."""
    for name in ("Image", "Video"):
        if _is(image, name):
            return getattr(_tv_tensors(), name)(changed)  # type: ignore[no-any-return, unused-ignore]
    return changed


def as_mask(labels: Tensor) -> Tensor:
    """Labels in torchvision's class of masks, if loaded."""
    tv_tensors = _tv_tensors()
    return labels if tv_tensors is None else tv_tensors.Mask(labels)  # type: ignore[no-any-return, unused-ignore]


def skipping_container(kind: type) -> str | None:
    """Name of the calling container that may skip a transform of class `kind`; None if there is none.

    `RandomApply` may return its inputs, and `RandomChoice` the result of another transform, so that only some samples
    would have what `kind` adds. Only the call stack shows containers.
    """
    if v2 is None:
        return None
    forwards = {v2.RandomApply.forward.__code__, v2.RandomChoice.forward.__code__}
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code in forwards and _may_skip(frame.f_locals["self"], kind):
            return type(frame.f_locals["self"]).__name__
        frame = frame.f_back
    return None


def _may_skip(container: Any, kind: type) -> bool:
    if isinstance(container, v2.RandomApply):
        return bool(container.p < 1)
    return not all(_holds(choice, kind) for choice in container.transforms)


def _holds(transform: Any, kind: type) -> bool:
    return isinstance(transform, kind) or any(_holds(one, kind) for one in getattr(transform, "transforms", ()))


def _is(leaf: Any, name: str) -> bool:
    return isinstance(leaf, getattr(_tv_tensors(), name, ()))


def _tv_tensors() -> ModuleType | None:
    return sys.modules.get("torchvision.tv_tensors")
