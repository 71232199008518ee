"""Where the image of a sample is, and where its mask is or goes, in nested tuples, lists and mappings."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from PIL.Image import Image as PillowImage
from torch import Tensor

from nsa_augment._shared.checks import fail
from nsa_augment.integrations.torch._torchvision import is_classed, is_image_class, is_mask_class

Path: TypeAlias = tuple[Any, ...]
"""Keys, names of fields and indices that lead to a part of a sample."""

IMAGE_KEY = "image"
ACCEPTED_IMAGE = "a (C, H, W) or (N, C, H, W) tensor, uint8 or float in [0, 1], a PIL image, or a sample that holds one"


@dataclass(frozen=True)
class Places:
    """Where the image and the mask of a sample are.

    Parameters
    ----------
    image : tuple
        Path of the image.
    mask : tuple
        Path of the mask, which may be new; () for a lone image.
    added : bool
        Whether the mask is new to the sample.
    """

    image: Path
    mask: Path
    added: bool


def find_places(sample: Any, mask_key: str) -> Places:
    """Find the image of a sample and the place of its mask.

    Parameters
    ----------
    sample
        An image, or tuples, lists and mappings around it.
    mask_key : str
        Key of masks in mappings (and field of named tuples).

    Raises
    ------
    TypeError, ValueError
        If there is no image, or more than one image or mask could be meant.

    Examples
    --------
    >>> import torch
    >>> image = torch.zeros(3, 4, 4)
    >>> find_places((image, {"label": 3}), "mask")
    Places(image=(0,), mask=(1, 'mask'), added=True)
    >>> find_places({"image": image, "mask": torch.zeros(4, 4)}, "mask")
    Places(image=('image',), mask=('mask',), added=False)
    """
    leaves = dict(_walk(sample, mask_key))
    image = _find_image(sample, leaves, mask_key)
    keyed = [path for path in leaves if path[-1:] == (mask_key,)]
    beside = [path for path in keyed if path[:-1] == image[:-1]]
    if len(beside or keyed) > 1:
        raise fail(ValueError, mask_key, "one mask in a sample", f"{len(keyed)} masks")
    if keyed:
        return Places(image, (beside or keyed)[0], added=False)
    if not image:
        return Places(image, (), added=True)
    parent = part(sample, image[:-1])
    if isinstance(parent, Mapping):
        return Places(image, (*image[:-1], mask_key), added=True)
    return _places_in_sequence(parent, image, mask_key)


def part(sample: Any, path: Path) -> Any:
    """The part of a sample at a path."""
    for step in path:
        sample = getattr(sample, step) if _is_named_tuple(sample) else sample[step]
    return sample


def with_part(sample: Any, path: Path, value: Any) -> Any:
    """A sample with another part at a path (past the end of a tuple or list: appended); copies containers.

    Examples
    --------
    >>> with_part((1, {"a": 2}), (1, "b"), 3)
    (1, {'a': 2, 'b': 3})
    >>> with_part([1], (1,), 2)
    [1, 2]
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    inner = with_part(part(sample, (step,)), rest, value) if rest else value
    if _is_named_tuple(sample):
        return sample._replace(**{step: inner})
    if isinstance(sample, tuple):
        return (*sample[:step], inner, *sample[step + 1 :])
    changed = copy.copy(sample)
    if isinstance(sample, list):
        changed[step : step + 1] = [inner]
    else:
        changed[step] = inner
    return changed


def _walk(sample: Any, mask_key: str, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if path[-1:] == (mask_key,) or not _is_container(sample):
        yield path, sample
        return
    named = sample._asdict() if _is_named_tuple(sample) else sample
    for step, inner in named.items() if isinstance(named, Mapping) else enumerate(named):
        yield from _walk(inner, mask_key, (*path, step))


def _find_image(sample: Any, leaves: Mapping[Path, Any], mask_key: str) -> Path:
    """Find the image: by its class, as in torchvision, before plain tensors; the one under "image" before others."""
    others = {path: leaf for path, leaf in leaves.items() if path[-1:] != (mask_key,)}
    explicit = [path for path, leaf in others.items() if is_image_class(leaf) or isinstance(leaf, PillowImage)]
    named = [path for path in explicit if path[-1:] == (IMAGE_KEY,)]
    if found := (named or explicit):
        rest = [path for path in found[1:] if not (_follows(path, found[0]) and isinstance(others[path], PillowImage))]
        if rest:
            accepted = f'one image in a sample, or one under "{IMAGE_KEY}" (batches are (N, C, H, W) tensors)'
            raise fail(ValueError, "image", accepted, f"{1 + len(rest)} images")
        return found[0]
    tensors = [path for path, leaf in others.items() if isinstance(leaf, Tensor) and not is_classed(leaf)]
    named = [path for path in tensors if path[-1:] == (IMAGE_KEY,)]
    large = [path for path in tensors if others[path].ndim in (3, 4)]
    if not (found := (named or large or tensors)):
        raise fail(TypeError, "image", ACCEPTED_IMAGE, sample)
    return found[0]


def _places_in_sequence(parent: Any, image: Path, mask_key: str) -> Places:
    for step, leaf in enumerate(parent if not _is_named_tuple(parent) else ()):
        if is_mask_class(leaf) or (_follows((step,), image[-1:]) and _is_unclassed_mask(leaf)):
            return Places(image, (*image[:-1], step), added=False)
        if leaf is None and _follows((step,), image[-1:]):
            raise fail(TypeError, "image", f"{ACCEPTED_IMAGE}, with no None in the place of the mask", parent)
    if _is_named_tuple(parent):
        accepted = f"a field of {type(parent).__name__}, which has no other place for the mask"
        raise fail(TypeError, "mask_key", accepted, mask_key)
    mappings = [step for step, leaf in enumerate(parent) if isinstance(leaf, Mapping)]
    place = (mappings[0], mask_key) if mappings else (len(parent),)
    return Places(image, (*image[:-1], *place), added=True)


def _is_unclassed_mask(leaf: Any) -> bool:
    return isinstance(leaf, PillowImage) or (not is_classed(leaf) and getattr(leaf, "ndim", 0) >= 2)


def _follows(path: Path, other: Path) -> bool:
    """Whether a part directly follows another one in the same tuple or list."""
    return (
        bool(path)
        and path[:-1] == other[:-1]
        and isinstance(path[-1], int)
        and isinstance(other[-1], int)
        and path[-1] == other[-1] + 1
    )


def _is_container(sample: Any) -> bool:
    return isinstance(sample, (tuple, list, Mapping))


def _is_named_tuple(sample: Any) -> bool:
    return isinstance(sample, tuple) and hasattr(sample, "_fields")
