"""What `AnomalyDataset` refuses, and how its indices count."""

import numpy as np
import pytest
from PIL import Image

from nsa_augment import NaturalSyntheticAnomaly

torch = pytest.importorskip("torch")
from anomaly_datasets import NORMALS, TASK, assert_items_equal, build  # noqa: E402
from torch import nn  # noqa: E402

from nsa_augment.integrations.torch import AnomalyDataset  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12


def test_palettes_of_pillow_images_are_looked_up():
    pillows = [Image.fromarray(image).quantize(16) for image in NORMALS]
    assert pillows[0].mode == "P"
    images = [np.asarray(pillow.convert("RGB")) for pillow in pillows]
    assert_items_equal(build(images=pillows), build(images=images))


def test_indices_are_those_of_a_sequence():
    dataset = build()
    assert len(dataset) == len(list(dataset)) == 7
    assert_items_equal([dataset[-1], dataset[-7]], [dataset[6], dataset[0]])
    for index in (7, -8):
        with pytest.raises(IndexError, match=rf"\[-7, 7\), got {index}"):
            dataset[index]


# errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": 3}, "images must be a folder, a list, or a dataset.*got 3"),
        ({"images": iter(NORMALS)}, "images must be"),
        ({"images": []}, "images must be .* at least one"),
        ({"task": "nsa"}, "task must be an AnomalyTask.*'nsa'"),
        ({"task": NaturalSyntheticAnomaly}, "task must be"),
        ({"view_transform": "flip"}, "view_transform must be .*albumentations.*'flip'"),
        ({"image_transform": 1}, "image_transform must be .* got 1"),
        ({"p": 1.5}, r"p must be .*1\.5"),
        ({"p": "half"}, "p must be .*'half'"),
        ({"seed": -1}, "seed must be .*-1"),
        ({"seed": 0.5}, r"seed must be .*0\.5"),
        ({"seed": None}, "seed must be .*None"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        AnomalyDataset(**{"images": NORMALS, "task": TASK, **arguments})


@pytest.mark.parametrize("epoch", [-1, 1.0, "1", None, True])
def test_bad_epochs(epoch):
    dataset = build()
    with pytest.raises((TypeError, ValueError), match=f"epoch must be .*{epoch!r}"):
        dataset.set_epoch(epoch)
    assert dataset.epoch == 0


@pytest.mark.parametrize("item", [None, 3, {}, {"picture": NORMALS[0]}, (), (None, 0), torch.zeros(4, 4)])
def test_items_without_an_image(item):
    with pytest.raises((TypeError, ValueError), match=r"images\[index\] must be"):
        build(images=[item])[0]


@pytest.mark.parametrize("item", [np.zeros((4, 4), bool), np.full((4, 4, 3), 2.0), np.full((4, 4), np.nan, np.float32)])
def test_images_that_the_core_refuses(item):
    with pytest.raises((TypeError, ValueError), match="image must be"):
        build(images=[item])[0]


@pytest.mark.parametrize("view", [lambda image, rng: None, nn.Flatten(0), lambda image, rng: image.tolist()[0][0]])
def test_views_that_return_no_image(view):
    with pytest.raises((TypeError, ValueError), match="view_transform must be"):
        AnomalyDataset(NORMALS, TASK, view_transform=view)[0]


def test_views_with_images_of_another_shape_and_images_of_another_dtype():
    with pytest.raises(ValueError, match=r"source must be .* channels"):
        build(images=[NORMALS[0], NORMALS[1][..., 0]])[0]
    with pytest.raises(TypeError, match=r"source must be .* dtype"):
        build(images=[NORMALS[0], (NORMALS[1] / 255).astype(np.float32)])[0]
