"""Arguments of `AnomalyTransform` on tensors, and what it refuses."""

import numpy as np
import pytest
from table5 import each_row

from nsa_augment import NaturalSyntheticAnomaly

torch = pytest.importorskip("torch")
from torch_batches import BATCH, NORMALS, SIZE, as_dtype, build  # noqa: E402

from nsa_augment.integrations.torch import NSATransform  # noqa: E402

# arguments


@each_row()
def test_tasks_by_name_and_whole(row):
    assert NSATransform(task=row.name).task == row.task()
    for preset in ("leather", "screw"):
        for ablation in (None, "A", "B", "C", "D"):
            expected = row.task.from_preset(preset, ablation=ablation, label="binary")
            assert NSATransform(preset, task=row.name, ablation=ablation, label="binary").task == expected
    whole = row.task.from_preset("leather", max_patches=2)
    assert NSATransform(task=whole).task is whole
    assert NSATransform(task=row.name, max_patches=2).task == row.task(max_patches=2)


def test_defaults():
    transform = NSATransform("hazelnut")
    assert transform.p == 0.5
    assert transform.task == NaturalSyntheticAnomaly.from_preset("hazelnut")
    assert not list(transform.parameters())
    assert not transform.state_dict()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preset": "teapot"}, "preset must be .*'teapot'"),
        ({"preset": [NORMALS[0]]}, "preset must be"),
        ({"task": "NSA"}, "task must be one of 'nsa', 'cutpaste', 'fpi', 'pii', .*got 'NSA'"),
        ({"task": 3}, "task must be one of .* got 3"),
        ({"task": None}, "task must be one of .* got None"),
        ({"task": NaturalSyntheticAnomaly}, "task must be one of"),
        ({"task": NaturalSyntheticAnomaly(), "preset": "tile"}, "preset must be left out"),
        ({"task": NaturalSyntheticAnomaly(), "ablation": "A"}, "ablation must be left out"),
        ({"task": NaturalSyntheticAnomaly(), "max_patches": 2}, "max_patches must be left out"),
        ({"task": NaturalSyntheticAnomaly(), "scale_range": None}, "scale_range must be left out"),
        ({"ablation": "A"}, "ablation must be None without a preset"),
        ({"preset": "tile", "ablation": "E"}, "ablation must be .*'E'"),
        ({"p": 2}, "p must be .* got 2"),
        ({"p": float("nan")}, "p must be .* got nan"),
        ({"sources": []}, "sources must be"),
        ({"sources": 3}, "sources must be .* got 3"),
        ({"sources": [torch.zeros(4, 4)]}, r"every entry of sources must be .*\(4, 4\)"),
        ({"sources": [torch.zeros(3, 4, 4) + 2]}, "every entry of sources must be .* from 2 to 2"),
        ({"sources": [None]}, "every entry of sources must be"),
        ({"sources": "no/such/folder"}, "no such folder: no/such/folder"),
        ({"sources": NORMALS, "cache_mib": -1}, "cache_mib must be .* got -1"),
        ({"max_patches": 0}, "max_patches must be .* got 0"),
        ({"patches": 1}, "patches"),
        ({"preset": "tile", "patches": 1}, "patches"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        NSATransform(**arguments)


@pytest.mark.parametrize(
    ("image", "received"),
    [
        (NORMALS[0], "array of shape"),
        (None, "None"),
        ((BATCH[0], None), "tensor"),
        (BATCH[0, 0], r"\(32, 32\)"),
        (BATCH[None], r"\(1, 6, 3, 32, 32\)"),
        (BATCH.int(), "int32"),
        (BATCH > 4, "bool"),
        (torch.complex(BATCH.float(), BATCH.float()), "complex64"),
        (BATCH[:0], r"\(0, 3, 32, 32\)"),
        (BATCH[:, :, :0], r"\(6, 3, 0, 32\)"),
    ],
)
def test_bad_images(image, received):
    with pytest.raises((TypeError, ValueError), match=rf"image must be a \(C, H, W\).*got .*{received}"):
        build()(image)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_values_out_of_range(dtype):
    unit = as_dtype(BATCH, dtype)
    for batch in ((unit - 0.45) / 0.22, unit * 255, unit - 0.5):
        with pytest.raises(ValueError, match=r"image must be .*in \[0, maximum\].* values from"):
            build()(batch)
        with pytest.raises(ValueError, match=r"image must be .* values from"):
            build(p=0.0)(batch)
    unit[0, 1, 4, 4] = torch.nan
    with pytest.raises(ValueError, match=r"image must be .* from nan to nan"):
        build()(unit)


@pytest.mark.parametrize(
    "mask",
    [np.zeros((6, SIZE, SIZE)), torch.zeros(6, 1, SIZE, SIZE), torch.zeros(SIZE, SIZE), torch.zeros(5, SIZE, SIZE)],
)
def test_bad_masks(mask):
    with pytest.raises(ValueError, match=r"mask must be None or a tensor of shape \(6, 32, 32\)"):
        build()(BATCH, mask)
