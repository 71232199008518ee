"""What a transform writes in addition to the image: the label, a class in a mask, boxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import fail
from nsa_augment._shared.types import BinaryMap
from nsa_augment.integrations._masks import merge_labels


def write_label(
    name: str, label: NDArray[np.float32], mask: BinaryMap, given: Any, anomaly_class: int | None
) -> NDArray[Any]:
    """The label of a call, merged with an existing mask.

    Parameters
    ----------
    name : str
        Key of the label.
    label : (..., H, W) float32 array
    mask : (..., H, W) uint8 array of 0 and 1
        Where the image changed visibly.
    given : array or None
    anomaly_class : int, optional
        The class of anomalies in a mask of classes; None: the label is merged.

    Raises
    ------
    TypeError, ValueError
        If the two cannot be merged.
    """
    if isinstance(given, np.ndarray) and given.ndim == label.ndim + 1 and given.shape[-1] != 1:
        accepted = f"of shape {label.shape} or {(*label.shape, 1)} (label_key= writes the label to another key)"
        raise fail(ValueError, name, accepted, given)
    if anomaly_class is None:
        return merge_labels(name, label, given)
    return mark_class(name, mask, given, anomaly_class)


def mark_class(name: str, mask: BinaryMap, given: Any, anomaly_class: int) -> NDArray[Any]:
    """A copy of a mask of classes in which anomalies are a separate class.

    Examples
    --------
    >>> classes = np.array([[3, 2, 0]], np.int16)
    >>> mark_class("mask", np.array([[0, 1, 1]], np.uint8), classes, 7)
    array([[3, 7, 7]], dtype=int16)
    """
    if given is None:
        given = np.zeros(mask.shape, np.uint8 if anomaly_class <= 255 else np.int32)
    accepted = (
        f"an integer array of shape {mask.shape} or {(*mask.shape, 1)} that can hold anomaly_class={anomaly_class}"
    )
    if not isinstance(given, np.ndarray) or given.dtype.kind not in "ui":
        raise fail(TypeError, name, accepted, given)
    if given.shape not in (mask.shape, (*mask.shape, 1)) or anomaly_class > np.iinfo(given.dtype).max:
        raise fail(ValueError, name, accepted, given)
    return np.where(mask.reshape(given.shape) > 0, given.dtype.type(anomaly_class), given)


def anomaly_boxes(mask: NDArray[Any]) -> NDArray[np.float32]:
    """Boxes around the connected parts of a label.

    Parameters
    ----------
    mask : (H, W) or (H, W, 1) array
        Anomalous above 0.

    Returns
    -------
    (N, 4) float32 array
        x_min, y_min, x_max, y_max in pixels ("pascal_voc").

    Examples
    --------
    >>> mask = np.zeros((8, 8))
    >>> mask[2:4, 1:6] = 0.7
    >>> anomaly_boxes(mask).tolist()
    [[1.0, 2.0, 6.0, 4.0]]
    """
    flat = (mask.reshape(mask.shape[:2]) > 0).astype(np.uint8)
    statistics = cv2.connectedComponentsWithStats(flat, connectivity=8)[2][1:, :4].astype(np.float32)
    return np.hstack([statistics[:, :2], statistics[:, :2] + statistics[:, 2:]])


def add_boxes(processor: Any, given: Any, mask: BinaryMap, box_label: Any) -> NDArray[np.float32]:
    """The boxes of a call in the form they have inside a pipeline, followed by those of the anomalies.

    Parameters
    ----------
    processor : processor of boxes, or None
        The processor of the `Compose`.
    given : array or None
        Rows of x_min, y_min, x_max, y_max as fractions of the image, then one column for each label field.
    mask : (H, W) uint8 array
    box_label : label of anomalies, or mapping of label field to label

    Raises
    ------
    ValueError
        If there are no boxes to add to.
    """
    if processor is None or given is None:
        raise ValueError(
            f"box_label={box_label!r} needs A.Compose(..., bbox_params=...) and bboxes= in the call, even if empty"
        )
    if getattr(processor.params, "bbox_type", "hbb") != "hbb":
        raise ValueError(f"box_label={box_label!r} needs upright boxes (bbox_type='hbb'), got oriented ones")
    height, width = mask.shape
    boxes = anomaly_boxes(mask) / np.array([width, height, width, height], np.float32)
    fields = processor.params.label_fields or ()
    columns = [np.full((len(boxes), 1), _encoded(processor, field, box_label), np.float32) for field in fields]
    given = np.asarray(given, np.float32)
    if not fields and given.size:
        columns = [np.full((len(boxes), given.shape[1] - 4), box_label, np.float32)]
    rows = np.hstack([boxes, *columns])
    return np.vstack([given, rows]) if given.size else rows


def _encoded(processor: Any, field: str, box_label: Any) -> float:
    if isinstance(box_label, Mapping) and field not in box_label:
        raise ValueError(f"box_label must have an entry for every label field, got none for {field!r}: {box_label!r}")
    label = box_label[field] if isinstance(box_label, Mapping) else box_label
    manager = processor.label_manager
    metadata = manager.metadata["bboxes"].get(field)
    if metadata is None:
        return float(manager.process_field("bboxes", field, [label])[0, 0])
    if metadata.encoder is None:
        if isinstance(label, str):
            raise ValueError(f"box_label must be a number, as the other labels in {field!r} are, got {label!r}")
        return float(label)
    metadata.encoder.update([label])
    return float(metadata.encoder.transform([label])[0])
