"""AnomalyTransform on samples of any structure: what comes out where, and what is refused."""

from collections import OrderedDict, UserDict, namedtuple

import numpy as np
import PIL.Image
import pytest
from pipelines import LARGE, TEXTURE, run_python

torch = pytest.importorskip("torch", reason="the transform is made of torch")
from torch_samples import CHANGED, EDGE, IMAGE, LABEL, NORMALS, SIZE, SOURCES, build, seeded  # noqa: E402

from nsa_augment.integrations.torch import AnomalyTransform, NSATransform  # noqa: E402

ZEROS = torch.zeros(SIZE, SIZE)


Pair = namedtuple("Pair", "image mask label")


Bare = namedtuple("Bare", "image label")


def skeleton(sample):
    """A sample with every tensor and image replaced by its kind."""
    if isinstance(sample, (torch.Tensor, PIL.Image.Image)):
        return "tensor" if isinstance(sample, torch.Tensor) else sample.mode
    if isinstance(sample, dict | UserDict):
        return type(sample), {key: skeleton(value) for key, value in sample.items()}
    if isinstance(sample, tuple | list):
        return type(sample), [skeleton(value) for value in sample]
    return sample


def at(sample, path):
    for step in path:
        sample = sample[step]
    return sample


STRUCTURES = {
    "image and int": ((IMAGE, 3), (0,), (2,)),
    "image and text": ((IMAGE, "good"), (0,), (2,)),
    "image and class": ((IMAGE, torch.tensor(3)), (0,), (2,)),
    "image and class scores": ((IMAGE, torch.rand(4)), (0,), (2,)),
    "image and target": ((IMAGE, {"label": 3}), (0,), (1, "mask")),
    "image, id and target": ((IMAGE, 7, {"label": 3}), (0,), (2, "mask")),
    "image and empty target": ((IMAGE, {}), (0,), (1, "mask")),
    "mapping": ({"label": 3, "image": IMAGE}, ("image",), ("mask",)),
    "mapping of another key": ({"x": IMAGE, "y": 3}, ("x",), ("mask",)),
    "image key before order": ({"depth": torch.rand(1, SIZE, SIZE), "image": IMAGE}, ("image",), ("mask",)),
    "class before image": ({"y": torch.tensor(1), "x": IMAGE}, ("x",), ("mask",)),
    "ordered": (OrderedDict(image=IMAGE, label=3), ("image",), ("mask",)),
    "user's mapping": (UserDict(image=IMAGE, label=3), ("image",), ("mask",)),
    "list": ([IMAGE, 3], (0,), (2,)),
    "list of one": ([IMAGE], (0,), (1,)),
    "tuple of one": ((IMAGE,), (0,), (1,)),
    "nested": ({"data": [{"image": IMAGE, "id": 1}], "meta": {"path": "a"}}, ("data", 0, "image"), ("data", 0, "mask")),
    "nested tuples": (((IMAGE, 3), 7), (0, 0), (0, 2)),
    "image last": ((3, IMAGE), (1,), (2,)),
}


@pytest.mark.parametrize("sample", STRUCTURES)
def test_masks_are_added_where_the_image_is(sample):
    sample, image, mask = STRUCTURES[sample]
    before, pixels = skeleton(sample), IMAGE.clone()
    result = seeded(build(), sample)
    assert torch.equal(at(result, image), CHANGED)
    assert torch.equal(at(result, mask), LABEL)
    assert LABEL.any()
    assert skeleton(sample) == before
    assert torch.equal(IMAGE, pixels)
    kept = skeleton(result)
    parent = at(result, mask[:-1])
    if isinstance(parent, tuple):
        rest = parent[:-1]
        assert type(parent) is tuple
        assert len(rest) == len(at(sample, mask[:-1]))
    else:
        del parent[mask[-1]]
        assert skeleton(result) == before
    assert type(result) is type(sample)
    assert kept != before


MERGED = {
    "pair": ((IMAGE, EDGE), (0,), (1,)),
    "pair and int": ((IMAGE, EDGE, 3), (0,), (1,)),
    "list": ([IMAGE, EDGE], (0,), (1,)),
    "mapping": ({"mask": EDGE, "image": IMAGE}, ("image",), ("mask",)),
    "target": ((IMAGE, {"mask": EDGE, "label": 3}), (0,), (1, "mask")),
    "nested": ({"a": (IMAGE, 3), "b": {"mask": EDGE}}, ("a", 0), ("b", "mask")),
    "named tuple": (Pair(IMAGE, EDGE, 3), (0,), (1,)),
    "that beside the image": (
        {"one": {"image": IMAGE, "mask": EDGE}, "two": {"mask": ZEROS}},
        ("one", "image"),
        ("one", "mask"),
    ),
}


@pytest.mark.parametrize("channels", [(), (1,)])
@pytest.mark.parametrize("sample", MERGED)
def test_masks_are_merged_and_keep_their_shape(sample, channels):
    sample, image, mask = MERGED[sample]
    given = at(sample, mask)
    if channels:
        sample = replaced(sample, mask, given[None])
    before = skeleton(sample)
    result = seeded(build(), sample)
    assert skeleton(result) == before == skeleton(sample)
    assert torch.equal(at(result, image), CHANGED)
    assert at(result, mask).shape == (*channels, SIZE, SIZE)
    assert at(result, mask).dtype == torch.float32
    assert torch.equal(at(result, mask).reshape(SIZE, SIZE), torch.maximum(EDGE, LABEL))
    assert torch.equal(given, EDGE)


def replaced(sample, path, value):
    if not path:
        return value
    step, rest = path[0], path[1:]
    inner = replaced(sample[step], rest, value)
    if isinstance(sample, dict):
        return {**sample, step: inner}
    items = [inner if index == step else one for index, one in enumerate(sample)]
    return type(sample)(*items) if hasattr(sample, "_fields") else type(sample)(items)


def test_arguments_are_the_sample():
    for target in (3, {"label": 3}, EDGE, EDGE[None]):
        apart, together = seeded(build(), IMAGE, target), seeded(build(), (IMAGE, target))
        assert skeleton(apart) == skeleton(together)
    for alone in (seeded(build(), IMAGE, None), seeded(build(), image=IMAGE), seeded(build(), IMAGE, mask=ZEROS)):
        assert torch.equal(alone[0], CHANGED)
        assert torch.equal(alone[1], LABEL)


def test_none_under_the_key_is_filled():
    for sample, path in (({"image": IMAGE, "mask": None}, ("mask",)), (Pair(IMAGE, None, 3), (1,))):
        result = seeded(build(), sample)
        assert torch.equal(at(result, path), LABEL)
        assert type(result) is type(sample)


def test_another_key():
    transform = build(mask_key="defect")
    result = seeded(transform, {"image": IMAGE, "mask": EDGE, "id": 1})
    assert torch.equal(result["defect"], LABEL)
    assert result["mask"] is EDGE
    merged = seeded(transform, (IMAGE, {"defect": EDGE}))
    assert torch.equal(merged[1]["defect"], torch.maximum(EDGE, LABEL))


def test_what_p_skips_has_the_same_structure():
    for sample, *_ in (*STRUCTURES.values(), *MERGED.values()):
        assert skeleton(seeded(build(p=0.0), sample)) == skeleton(seeded(build(), sample))


def test_batches_in_samples():
    batch = torch.from_numpy(np.stack(NORMALS).transpose(0, 3, 1, 2).copy())
    images, masks = seeded(build(sources=None), batch)
    result = seeded(build(sources=None), {"image": batch, "label": torch.zeros(4)})
    assert torch.equal(result["image"], images)
    assert torch.equal(result["mask"], masks)
    assert masks.shape == (4, SIZE, SIZE)


# refused


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("wrap", [lambda mask: (IMAGE, mask), lambda mask: {"image": IMAGE, "mask": mask}])
@pytest.mark.parametrize(
    ("mask", "received"),
    [
        (ZEROS - 0.1, "-0.1 to -0.1"),
        (ZEROS + 1.5, "1.5 to 1.5"),
        (ZEROS.double() + 255, "255 to 255"),
        ((ZEROS + 2).bfloat16(), "2 to 2"),
        (ZEROS + torch.nan, "nan"),
        (ZEROS + torch.inf, "inf"),
        (ZEROS.int() - 1, "-1"),
        ((ZEROS + 1.5)[None], "1.5 to 1.5"),
        ((ZEROS.long() - 1)[None], "-1"),
    ],
)
def test_values_of_masks(mask, received, wrap, p):
    with pytest.raises(ValueError, match=rf"mask must be .*got .*{received}"):
        build(p=p)(wrap(mask))


@pytest.mark.parametrize(
    "mask", [torch.zeros(2, SIZE, SIZE), torch.zeros(SIZE, SIZE, 1), torch.zeros(SIZE, 4), np.zeros((SIZE, SIZE)), 3]
)
def test_shapes_of_masks(mask):
    with pytest.raises(ValueError, match=r"mask must be None or a tensor of shape \(32, 32\) or \(1, 32, 32\), got"):
        build()({"image": IMAGE, "mask": mask})


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ({}, "image must be .*got {}"),
        ((), r"image must be .*got \(\)"),
        ({"label": 3}, "image must be .*got {'label': 3}"),
        ({"mask": IMAGE}, "image must be .*got {'mask'"),
        ({"image": NORMALS[0]}, "image must be .*got {'image': array"),
        ((IMAGE, None), "image must be .*no None in the place of the mask"),
        ((IMAGE, None, 3), "image must be .*no None in the place of the mask"),
        (Bare(IMAGE, 3), "mask_key must be a field of Bare.* got 'mask'"),
        ((IMAGE, {"mask": EDGE}, {"mask": EDGE}), "mask must be one mask in a sample, got '2 masks'"),
        ([PIL.Image.new("L", (8, 8))] * 3, "image must be one image in a sample.* got '2 images'"),
        ({"a": PIL.Image.new("L", (8, 8)), "b": PIL.Image.new("L", (8, 8))}, "one under \"image\".* got '2 images'"),
    ],
)
def test_samples_that_say_too_little(sample, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build()(sample)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask_key": 3}, "mask_key must be .* got 3"),
        ({"mask_key": ""}, "mask_key must be .* got ''"),
        ({"mask_key": "image"}, "mask_key must be .* got 'image'"),
        ({"clamp": 1}, "clamp must be True or False, got 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build(**arguments)


def test_the_old_name_is_the_same_transform():
    old = NSATransform(TEXTURE, SOURCES, task="fpi", p=1.0, **LARGE)
    assert isinstance(old, AnomalyTransform)
    result = seeded(old, {"image": IMAGE})
    assert torch.equal(result["image"], CHANGED)
    assert torch.equal(result["mask"], LABEL)


@pytest.mark.slow
@pytest.mark.parametrize("problem", ["ModuleNotFoundError", "RuntimeError", "OSError"])
def test_without_a_torchvision_that_can_be_imported_torch_is_enough(problem):
    code = f"""
import sys

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torchvision":
            raise {problem}("operator torchvision::nms does not exist")

sys.meta_path.insert(0, Broken())
import torch
from nsa_augment.integrations.torch import AnomalyTransform
sample = AnomalyTransform(task="cutpaste", p=1.0)((torch.rand(3, 64, 64), {{"label": 3}}))
print(AnomalyTransform.__mro__[1] is torch.nn.Module, type(sample[1]["mask"]) is torch.Tensor, sorted(sample[1]))
"""
    assert run_python(code).strip() == "True True ['label', 'mask']"
