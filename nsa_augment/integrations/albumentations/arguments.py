"""Arguments of the transforms and of their calls: sources given per call, and what can be serialized."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nsa_augment._shared.checks import check_integer, fail
from nsa_augment._shared.foreign import as_pixels, is_tensor
from nsa_augment._shared.pictures import is_picture
from nsa_augment._shared.types import Image
from nsa_augment.integrations.albumentations.targets import RESERVED_KEYS


def pick_source(name: str, given: Any, generator: np.random.Generator) -> Mapping[str, Image]:
    """The source given with a call, a random one of several, by the key of the target that it is for.

    Parameters
    ----------
    name : str
        Name in errors.
    given : image, mapping, sequence of either, or array (N, H, W, C)
        A mapping holds the source of the first target under "image", and of additional targets under their keys.
    generator : numpy.random.Generator

    Examples
    --------
    >>> list(pick_source("nsa_metadata", {"image": np.zeros((4, 4)), "depth": np.ones((4, 4))}, None))
    ['image', 'depth']
    """
    accepted = 'an image, a dict {"image": image}, a non-empty list of either, or an array (N, H, W, C)'
    stacked = not isinstance(given, Mapping) and getattr(given, "ndim", 0) == 4
    if stacked or (isinstance(given, Sequence) and not isinstance(given, str)):
        if not len(given):
            raise fail(ValueError, name, accepted, given)
        given = given[int(generator.integers(len(given)))]
    sources = given if isinstance(given, Mapping) else {"image": given}
    if "image" not in sources:
        raise fail(TypeError, name, accepted, given)
    images = {key: value for key, value in sources.items() if key == "image" or _is_image(value)}
    if not _is_image(images["image"]):
        raise fail(TypeError, name, accepted, images["image"])
    return {key: as_pixels(name, value) for key, value in images.items()}


def _is_image(value: Any) -> bool:
    return isinstance(value, np.ndarray) or is_tensor(value) or is_picture(value)


def check_keys(metadata_key: Any, label_key: Any) -> None:
    """Raise unless the keys differ from each other and from those of other targets."""
    for name, key in (("metadata_key", metadata_key), ("label_key", label_key)):
        if not isinstance(key, str):
            raise fail(TypeError, name, "a string", key)
        taken = RESERVED_KEYS | ({"mask", label_key} if name == "metadata_key" else set())
        if key in taken or not key:
            raise fail(ValueError, name, f"an unused key, none of {', '.join(sorted(taken))}", key)


def check_anomaly_class(value: Any) -> int | None:
    """Check and return the class of anomalies, or None."""
    return None if value is None else check_integer("anomaly_class", value, 1, 2**31 - 1)


def is_being_printed() -> bool:
    """Whether a container asks for the state to print itself (albumentations uses the same method to serialize)."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_name == "indented_repr":
            return True
    return False


def plain_sources(sources: Any) -> Any:
    """`sources` with paths as strings."""
    if isinstance(sources, os.PathLike):
        return os.fspath(sources)
    if isinstance(sources, Sequence) and not isinstance(sources, str):
        return [plain_sources(source) for source in sources]
    return sources


def is_plain(value: Any) -> bool:
    """Whether a value consists of types that JSON and YAML can hold."""
    if isinstance(value, Mapping):
        return all(is_plain(entry) for entry in value.values())
    if isinstance(value, (list, tuple)):
        return all(is_plain(entry) for entry in value)
    return value is None or isinstance(value, (str, int, float))
