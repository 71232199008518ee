"""Images and arguments that no calibration can be made from."""

import numpy as np
import pytest

from nsa_augment import calibrate
from nsa_augment.samples import draw_sample


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([], ValueError, "images must be a folder, or a list .* at least one image, got \\[\\]"),
        (None, TypeError, "images must be a folder, .*got None"),
        (b"folder", TypeError, "images must be a folder"),
        ("no/such/folder", ValueError, "no such folder: no/such/folder"),
        (["no/such.png"], ValueError, "cannot read image file no/such.png"),
        ([np.zeros((8, 8, 3), np.int32)], TypeError, "images\\[0\\] must be"),
        ([np.full((64, 64), 90, np.uint8)] * 3, ValueError, "images with contrast, got 3 of one grey level, 90"),
        ([np.eye(64, dtype=np.uint8), np.eye(64)], ValueError, "images\\[1\\] must be of dtype uint8 with 1 channel"),
    ],
)
def test_refusals(images, error, message):
    with pytest.raises(error, match=message):
        calibrate(images)


@pytest.mark.parametrize(
    ("argument", "error"),
    [({"max_images": 0}, ValueError), ({"seed": -1}, ValueError), ({"max_value": "a"}, TypeError)],
)
def test_bad_arguments(argument, error):
    with pytest.raises(error, match=next(iter(argument))):
        calibrate([draw_sample("hide", 0, size=32).image], **argument)
