"""Images and transforms for the tests of samples."""

import numpy as np
import pytest
from pipelines import LARGE, TEXTURE, normals

torch = pytest.importorskip("torch", reason="the transform is made of torch")
from nsa_augment.integrations.torch import AnomalyTransform  # noqa: E402

SIZE = 32


NORMALS = normals(count=4, size=SIZE)


IMAGE = torch.from_numpy(np.array(NORMALS[0]).transpose(2, 0, 1).copy())


SOURCES = NORMALS[1:]


EDGE = torch.nn.functional.pad(torch.ones(SIZE, 5), (0, SIZE - 5))


def build(p=1.0, **arguments):
    return AnomalyTransform(TEXTURE, arguments.pop("sources", SOURCES), task="fpi", p=p, **LARGE, **arguments)


def seeded(transform, *inputs, seed=3, **named):
    torch.manual_seed(seed)
    return transform(*inputs, **named)


def values(tensor):
    return np.asarray(tensor)


CHANGED, LABEL = seeded(build(), IMAGE)


def as_array(tensor):
    return values(tensor).transpose(1, 2, 0)
