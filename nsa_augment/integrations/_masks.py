"""Merging labels with masks that images already have."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import fail
from nsa_augment.labelling import LABELS
from nsa_augment.tasks import AnomalyTask


def check_mergeable(name: str, given: Any, task: AnomalyTask) -> None:
    """Raise if a mask is given with a label whose values are not in [0, 1].

    Examples
    --------
    >>> from nsa_augment import NaturalSyntheticAnomaly
    >>> check_mergeable("mask", np.zeros((4, 4)), NaturalSyntheticAnomaly(label="logistic"))
    """
    kind = LABELS[task.label]
    if given is None or (kind.unit is None and kind.maximum == 1):
        return
    values = kind.unit or f"values up to {kind.maximum:g}"
    accepted = f"None with label={task.label!r}, whose {values} cannot be merged with the shares of a mask"
    raise fail(ValueError, name, accepted, given)


def merge_labels(name: str, label: NDArray[np.float32], given: Any) -> NDArray[np.float32]:
    """Maximum of a label and an existing mask (None: the label).

    Parameters
    ----------
    name : str
        Name of the mask in errors.
    label : (..., H, W) float32 array
    given : array or None
        Of the shape of the label, or with a last axis of length 1. Bool and integers: above 0 counts as 1; float:
        values in [0, 1].

    Returns
    -------
    float32 array of the shape of the mask

    Examples
    --------
    >>> merge_labels("mask", np.float32([[0.2, 0.7]]), np.array([[255, 0]], np.uint8)).tolist()
    [[1.0, 0.699999988079071]]
    """
    if given is None:
        return label
    accepted = f"a bool, integer or float [0, 1] array of shape {label.shape} or {(*label.shape, 1)}"
    if not isinstance(given, np.ndarray) or given.dtype.kind not in "buif":
        raise fail(TypeError, name, accepted, given)
    if given.shape not in (label.shape, (*label.shape, 1)):
        raise fail(ValueError, name, accepted, given)
    if given.dtype.kind == "f":
        if not (given.min() >= 0 and given.max() <= 1):  # also true for NaN
            raise ValueError(f"{name} must be {accepted}, got values from {given.min():g} to {given.max():g}")
    else:
        given = given > 0
    merged: NDArray[np.float32] = np.maximum(label.reshape(given.shape), given.astype(np.float32))
    return merged
