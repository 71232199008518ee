"""The image targets of a call, single or in stacks, and where their labels go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nsa_augment._shared.checks import channels, check_object_mask, fail
from nsa_augment._shared.scale import Scale
from nsa_augment._shared.types import BinaryMap, Image, Size

STACK_AXES = {"image": 0, "images": 1, "volume": 1, "volumes": 2}
"""Number of axes before (H, W) by kind of target; plans are drawn for the first target of a call."""
STACK_LAYOUTS = {
    "images": "an array (N, H, W) or (N, H, W, C)",
    "volume": "an array (D, H, W) or (D, H, W, C)",
    "volumes": "an array (N, D, H, W) or (N, D, H, W, C)",
}
LABEL_KEYS = {"image": "{}", "images": "{}s", "volume": "{}3d", "volumes": "{}s3d"}
"""Key of a target's label, from the key of the label of `image`."""
MASK_KEYS = {"object_mask": "mask", "allowed_mask": "allowed"}
"""Keys of masks in a call, and the task arguments that they become."""
RESERVED_KEYS = frozenset(
    {
        *STACK_AXES,
        *MASK_KEYS,
        "applied_transforms",
        "bboxes",
        "force_apply",
        "frame_annotations",
        "instances",
        "keypoints",
        "mask3d",
        "masks",
        "masks3d",
        "params",
        "replay",
        "user_data",
    }
)
"""Keys with another meaning to a pipeline."""


@dataclass(frozen=True)
class ImageTarget:
    """An image, or a stack of images, under its key in a call.

    Parameters
    ----------
    key : str
        Its key in the call.
    kind : str
        One of `STACK_AXES`.
    value : (..., H, W) or (..., H, W, C) array

    Examples
    --------
    >>> target = ImageTarget("images", "images", np.zeros((5, 8, 6, 3), np.uint8))
    >>> target.size, len(list(target.frames())), target.label_key("mask")
    ((8, 6), 5, 'masks')
    """

    key: str
    kind: str
    value: Image

    @property
    def stack_shape(self) -> tuple[int, ...]:
        """Lengths of the axes before (H, W)."""
        return self.value.shape[: STACK_AXES[self.kind]]

    @property
    def size(self) -> Size:
        """(height, width) of its images."""
        height, width = self.value.shape[STACK_AXES[self.kind] :][:2]
        return height, width

    def frames(self) -> Iterator[Image]:
        """The images, one after the other."""
        for index in np.ndindex(self.stack_shape):
            yield self.value[index]

    def stacked(self, parts: list[Any]) -> Any:
        """Results for the images, stacked along the axes of the target."""
        if not self.stack_shape:
            return parts[0]
        return np.stack(parts).reshape(*self.stack_shape, *parts[0].shape)

    def label_key(self, key: str) -> str | None:
        """Key of the label; None for additional targets, whose images share the label of another."""
        return LABEL_KEYS[self.kind].format(key) if self.key == self.kind else None

    def check(self, scale: Scale) -> None:
        """Raise unless it holds images that the package can process."""
        axes = STACK_AXES[self.kind]
        if not axes or not isinstance(self.value, np.ndarray):
            scale.check_image(self.key, self.value)
        elif self.value.ndim not in (axes + 2, axes + 3):
            raise fail(ValueError, self.key, STACK_LAYOUTS[self.kind], self.value)
        else:
            for frame in self.frames():
                scale.check_image(self.key, frame)


def image_targets(data: Mapping[str, Any], additional: Mapping[str, str]) -> list[ImageTarget]:
    """The image targets of a call that are not None, the one to plan for first.

    Raises
    ------
    TypeError
        If there is none.
    """
    found = [
        ImageTarget(key, kind, value)
        for key, value in data.items()
        if (kind := additional.get(key, key)) in STACK_AXES and value is not None
    ]
    if not found:
        names = ", ".join(STACK_AXES)
        raise TypeError(f"image must be a NumPy array (or one of {names} be given), got {data.get('image')!r}")
    order = list(STACK_AXES)
    return sorted(found, key=lambda target: (target.key != target.kind, order.index(target.kind)))


def given_masks(data: Mapping[str, Any], size: Size) -> dict[str, BinaryMap]:
    """Object mask and allowed region given with a call, as arguments of a task.

    Examples
    --------
    >>> masks = given_masks({"image": None, "object_mask": np.ones((4, 6, 1), bool)}, (4, 6))
    >>> masks["mask"].shape, list(masks)
    ((4, 6), ['mask'])
    """
    masks = {}
    for key, argument in MASK_KEYS.items():
        mask = data.get(key)
        if mask is not None:
            flat = mask[:, :, 0] if getattr(mask, "shape", ())[2:] == (1,) else mask
            masks[argument] = check_object_mask(key, flat, size)
    return masks


def reference_frame(targets: list[ImageTarget]) -> Image | None:
    """The image that the plan is drawn for; None if every target is an empty stack."""
    return next((frame for target in targets for frame in target.frames()), None)


def check_alike(key: str, frame: Image, reference: Image, metadata_key: str) -> None:
    """Raise if an image has other channels than the one that the source was drawn for."""
    if channels(frame) != channels(reference):
        accepted = (
            f"an image with as many channels as the first target ({channels(reference)}), or have its own source: "
            f"paired_sources={{{key!r}: ...}}, or an entry {key!r} in {metadata_key}"
        )
        raise fail(ValueError, key, accepted, frame)
