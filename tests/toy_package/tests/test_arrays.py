"""Each kind in NumPy: calls, plans, plans as JSON, arguments, errors. Nothing here imports the toy package."""

import json

import numpy as np
import pytest

from conftest import change
from nsa_augment import CutPasteAnomaly, NaturalSyntheticAnomaly, SynthesisPlan, tasks
from nsa_augment.blending import BLENDINGS, SOLVERS
from nsa_augment.datasets import LAYOUTS
from nsa_augment.labelling import LABELS
from nsa_augment.planning import OUTLINES
from nsa_augment.tasks import TASKS, bind_task

LARGE = {"height_range": (0.4, 0.6), "width_range": (0.4, 0.6), "size_gamma": None}


@pytest.fixture
def spots():
    return bind_task("dark_spots", arguments=LARGE)


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        (TASKS, "dark_spots"),
        (BLENDINGS, "darken"),
        (SOLVERS, "conjugate_gradients"),
        (OUTLINES, "triangle"),
        (LABELS, "percent"),
        (LAYOUTS, "csv_index"),
    ],
)
def test_is_listed_behind_those_of_the_package(registry, name):
    names = list(registry)
    assert names[-1] == name
    assert registry[name].__module__ == f"nsa_toy.{name}"
    assert {registry[other].__module__.partition(".")[0] for other in names[:-1]} == {"nsa_augment"}


def test_a_call_is_drawing_and_applying(spots, images):
    result = spots(images[0], rng=1)
    assert result.mask.any()
    assert result.plan == spots.plan(images[0], rng=1)
    again = spots.apply(images[0], None, result.plan)
    np.testing.assert_array_equal(again.image, result.image)
    np.testing.assert_array_equal(again.label, result.label)


def test_plan_through_json(spots, images):
    plan = spots.plan(images[0], rng=1)
    read = SynthesisPlan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert read == plan
    (shape,) = {patch["shape"]["kind"] for patch in plan.to_dict()["patches"]}
    assert shape == "triangle"


def test_pixels_by_hand(images):
    """The darkened source inside a triangle, wherever it is darker."""
    task = bind_task("dark_spots", arguments={**LARGE, "max_patches": 1, "label": "percent"})
    image, source = images[0], images[1]
    result = task(image, source, rng=5)
    (patch,) = result.plan.patches
    (top, left, bottom, right), (y0, x0, y1, x1) = patch.source_box, patch.destination_box
    assert (bottom - top, right - left) == (y1 - y0, x1 - x0)
    expected = image.astype(float)
    for y in range(y1 - y0):
        for x in range(x1 - x0):
            down, across = (y + 0.5) / (y1 - y0), (x + 0.5) / (x1 - x0)
            if patch.shape.tip * (1 - down) <= across <= patch.shape.tip + (1 - patch.shape.tip) * down:
                dark = np.rint((1 - patch.factor) * source[top + y, left + x])
                expected[y0 + y, x0 + x] = np.minimum(image[y0 + y, x0 + x], dark)
    np.testing.assert_array_equal(result.image, expected)
    np.testing.assert_allclose(result.label, result.mask * change(image, expected) / 2.55, rtol=1e-6)
    assert 0.4 <= patch.factor <= 0.8


@pytest.mark.parametrize("gradient", ["source", "mixed"])
def test_solver_agrees_with_the_spectral_one(gradient, images):
    results = []
    for solver in ("spectral", "conjugate_gradients"):
        task = NaturalSyntheticAnomaly.from_preset("leather", solver=solver, gradient=gradient, max_patches=1)
        results.append([task(images[0], images[1], rng=seed) for seed in range(8)])
    assert sum(result.mask.any() for result in results[0]) >= 4
    for spectral, own in zip(*results, strict=True):
        assert own.plan == spectral.plan
        assert np.abs(own.image.astype(int) - spectral.image).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_every_depth(dtype, images):
    full = 65535 if dtype == np.uint16 else 1
    deep = [np.asarray(image * (full / 255), dtype) for image in images[:2]]
    task = bind_task("nsa", "leather", arguments={"solver": "conjugate_gradients", "shape": "triangle", **LARGE})
    assert task(*deep, rng=0).image.dtype == dtype
    assert bind_task("dark_spots", arguments={**LARGE, "label": "percent"})(*deep, rng=0).label.max() > 1


def test_kinds_combine_with_those_of_the_package(images):
    task = CutPasteAnomaly(**LARGE, shape="triangle", blending="darken", label="percent", max_patches=1)
    result = task(images[0], images[1], rng=0)
    assert (result.image <= images[0]).all()  # whole darkening: a factor of 1 makes black
    assert result.image[result.mask > 0].min() == 0


def test_presets_files_and_ablations(tmp_path, images):
    assert bind_task("dark_spots", "screw").background == ((200.0, 60.0),)
    assert bind_task("dark_spots", "screw", "B").max_patches == 1
    assert bind_task("dark_spots", "screw", "D").shape == "ellipses"
    file = tmp_path / "spots.yaml"
    file.write_text("darkness: 0.25\nlabel: percent\nmax_patches: 2\n")
    task = bind_task("dark_spots", file)
    assert (task.darkness, task.label, task.max_patches) == (0.25, "percent", 2)
    assert bind_task("nsa", file).max_patches == 2  # tasks take from a file what they have


def test_the_whole_task_may_be_given(spots):
    assert bind_task(spots) is spots
    assert tasks.AnomalyTask in type(spots).__mro__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"darkness": 2}, r"darkness must be a number in \(0, 1\], got 2"),
        ({"label": "factor"}, "one of 'binary', 'continuous', 'logistic', 'percent' for DarkSpots, got 'factor'"),
        ({"selection": "cutpaste_scar"}, "shape must be None with selection='cutpaste_scar'"),
        (
            {"shape": "circle"},
            "shape must be one of None, 'ellipses', 'noise', .*'polygon', 'stroke', 'triangle', got 'circle'",
        ),
        ({"blending": "lighten"}, "blending must be one of .*'darken', got 'lighten'"),
    ],
)
def test_messages_list_the_new_kinds(arguments, message):
    with pytest.raises(ValueError, match=message):
        bind_task("dark_spots", arguments=arguments)


def test_unknown_task():
    with pytest.raises(ValueError, match=r"task must be one of 'nsa', .*'dark_spots', got 'spots'"):
        bind_task("spots")


@pytest.mark.parametrize(
    "shape", [{"kind": "triangle"}, {"kind": "triangle", "tip": 2}, {"kind": "triangle", "tip": 0.5, "base": 1}]
)
def test_bad_outline_in_a_plan(shape, spots, images):
    plan = spots.plan(images[0], rng=1).to_dict()
    plan["patches"][0]["shape"] = shape
    with pytest.raises(ValueError, match=r"tip|kind .*'triangle' \(with tip\)"):
        SynthesisPlan.from_dict(plan)
