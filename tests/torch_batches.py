"""Batches and transforms for the tests of `AnomalyTransform` on tensors."""

import numpy as np
import pytest
from pipelines import LARGE, TEXTURE, VISIBLE, normals

torch = pytest.importorskip("torch")

from nsa_augment.integrations.torch import NSATransform  # noqa: E402

SIZE = 32


NORMALS = normals(count=6, size=SIZE)


BATCH = torch.from_numpy(np.stack(NORMALS).transpose(0, 3, 1, 2).copy())


DTYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)


each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def build(name="nsa", sources=None, p=1.0, **arguments):
    return NSATransform(TEXTURE, sources, task=name, p=p, **{**(VISIBLE if name == "nsa" else LARGE), **arguments})


def as_dtype(images, dtype):
    return images if dtype == torch.uint8 else (images.double() / 255).to(dtype)


def as_array(image):
    """(H, W, C), in a dtype of the core."""
    if image.dtype in (torch.float16, torch.bfloat16):
        image = image.float()
    return np.ascontiguousarray(image.numpy().transpose(1, 2, 0))


def flat(*levels, channels=3):
    return torch.stack([torch.full((channels, SIZE, SIZE), level, dtype=torch.uint8) for level in levels])


def seeded(seed, transform, *inputs):
    torch.manual_seed(seed)
    return transform(*inputs)


def by_hand(seed, task, images, p=1.0, sources=None):
    """What is expected of the transform, from arrays and from nothing but the core task."""
    torch.manual_seed(seed)
    changed, labels = [], []
    for index, image in enumerate(images):
        rng = np.random.default_rng(torch.randint(2**63 - 1, ()).item())
        label = np.zeros(image.shape[:2], np.float32)
        if rng.random() < p:
            source = None
            if sources is not None:
                source = sources[rng.integers(len(sources))]
            elif task.needs_source:
                source = images[(index + 1 + rng.integers(len(images) - 1)) % len(images)]
            result = task(image, source, rng)
            image, label = result.image, result.label
        changed.append(image)
        labels.append(label)
    return np.stack(changed), np.stack(labels)


def assert_as(result, expected, dtype):
    images, labels = result
    expected_images = torch.from_numpy(expected[0].transpose(0, 3, 1, 2).copy()).to(dtype)
    assert images.dtype == dtype
    assert labels.dtype == torch.float32
    assert torch.equal(images, expected_images)
    np.testing.assert_array_equal(labels, expected[1])
