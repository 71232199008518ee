"""Check that bad input is an error which names the argument, shows what was received, and changes nothing."""

import copy

import numpy as np
import pytest

NAN, INF = float("nan"), float("inf")
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
SOURCE = np.random.default_rng(1).integers(0, 256, (40, 30, 3), np.uint8)
FLOATS = IMAGE.astype(np.float32) / np.float32(255)
PATCH = {
    "source_box": [2, 3, 22, 23],
    "destination_box": [5, 6, 25, 26],
    "factor": 1.0,
    "gradient": "source",
    "shape": None,
}
PLAN = {"version": 1, "image_shape": [40, 30], "source_shape": [40, 30], "patches": [PATCH]}


def rejects(name, received, call, *arguments, **keywords):
    before = copy.deepcopy((arguments, keywords))
    with pytest.raises((TypeError, ValueError)) as caught:
        call(*arguments, **keywords)
    message = str(caught.value)
    assert name in message
    assert any(text in message for text in received), message
    for kept, now in zip(before[0], arguments, strict=True):
        if isinstance(now, np.ndarray):
            np.testing.assert_array_equal(kept, now)


def parts(value):
    """The value itself, or any number in it, as a message may show them."""
    shown = [repr(value)]
    if isinstance(value, (tuple, list)):
        shown += [text for part in value for text in parts(part)]
    return [*shown, "nan" if value != value else shown[0]]
