"""Anomaly datasets for the tests of `AnomalyDataset`, and ways to compare what they give."""

import albumentations as A
import pytest
from pipelines import TEXTURE, VISIBLE, normals

from nsa_augment import NaturalSyntheticAnomaly

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from nsa_augment.integrations.torch import AnomalyDataset  # noqa: E402

SIZE, CROP = 32, 24


NORMALS = normals(count=7, size=SIZE)


TASK = NaturalSyntheticAnomaly.from_preset(TEXTURE, **VISIBLE)


class Crop(nn.Module):
    """Random place, and noise from another of torch's distributions that moves nothing."""

    def forward(self, image):
        top, left = (int(torch.rand(()) * (SIZE - CROP + 1)) for _ in range(2))
        assert torch.randn(()).isfinite()
        return image[:, top : top + CROP, left : left + CROP]


def crop(image, rng):
    top, left = rng.integers(SIZE - CROP + 1, size=2)
    return image[top : top + CROP, left : left + CROP]


VIEWS = {
    "none": None,
    "albumentations": A.Compose([A.RandomCrop(CROP, CROP)]),
    "module": Crop(),
    "callable": crop,
}


def build(view="none", images=NORMALS, task=TASK, **arguments):
    return AnomalyDataset(images, task, view_transform=VIEWS[view], **arguments)


def assert_items_equal(one, other):
    for (image, label), (image2, label2) in zip(one, other, strict=True):
        assert image.dtype == image2.dtype
        assert torch.equal(image, image2)
        assert torch.equal(label, label2)
