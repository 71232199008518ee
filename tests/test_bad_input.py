"""Bad input is an error that names the argument and shows what was received; nothing is changed by the attempt."""

import copy
from dataclasses import fields

import numpy as np
import pytest
from rejections import FLOATS, IMAGE, INF, NAN, PLAN, SOURCE, parts, rejects
from table5 import ROWS, each_row

from nsa_augment import CutPasteAnomaly, PatchPlacement, SynthesisPlan


def with_value(value, position=(0, 0, 0)):
    image = FLOATS.copy()
    image[position] = value
    return image


ARGUMENTS = [
    *[("max_patches", value) for value in (0, -3, 2.0, True, "3", None, NAN, [2])],
    *[
        (name, value)
        for name in ("height_range", "width_range", "scale_range")
        for value in [(0.8, 0.06), (-0.1, 0.5), (0.1,), (0.1, 0.2, 0.3), "ab", 0.5, (NAN, 0.5), (0.1, INF), (0, True)]
    ],
    ("height_range", (0.1, 1.5)),
    ("width_range", (0.1, 80)),
    ("height_range", None),
    ("width_range", ("0.1", "0.2")),
    ("scale_range", (-INF, INF)),
    ("scale_range", {"min": 1}),
    *[
        ("background", value)
        for value in [200, "200,60", (200,), (200, 60, 1), (300, 60), (200, -1), (NAN, 60), [(200, 60), (20,)], []]
    ],
    ("background", [(200, 60), (20, INF)]),
    ("background", ("200", "60")),
    ("background", (True, 20)),
    *[(name, value) for name in ("min_object", "min_overlap") for value in (-0.1, 1.1, "0.5", None, NAN, True, (0.5,))],
    *[("gradient", value) for value in ("Source", "normal", "", None, 1, ["source"])],
    *[("label", value) for value in ("factor", "difference", None, 0, True)],
    *[("logistic_midpoint", value) for value in (-1, 256, "7", None, NAN, INF, True)],
    *[("logistic_steepness", value) for value in (-0.5, "1", None, NAN, INF, False)],
    *[("selection", value) for value in ("Natural", "ours", None, 3)],
    *[("shape", value) for value in ("ellipse", "rectangle", False, 5)],
    *[
        ("size_gamma", value)
        for value in [(2, 0.05), (0, 0.05, 0.03), (2, 0, 0.03), (2, 0.05, -1), "gam", 2, (2, NAN, 0)]
    ],
    ("size_gamma", (True, 0.05, 0.03)),
    *[("resize_limits", value) for value in ("Half", None, 2)],
    *[("solver", value) for value in ("cv2", None, 0)],
]

IMAGES = [
    ("list", [[1, 2], [3, 4]], "[[1, 2], [3, 4]]"),
    ("none", None, "None"),
    ("text", "image.png", "image.png"),
    ("int64", IMAGE.astype(np.int64), "int64"),
    ("bool", IMAGE > 9, "bool"),
    ("float16", FLOATS.astype(np.float16), "float16"),
    ("big endian", FLOATS.astype(">f4"), "float32"),
    ("complex", FLOATS.astype(np.complex64), "complex64"),
    ("objects", IMAGE.astype(object), "object"),
    ("1-D", IMAGE[0, :, 0], "(30,)"),
    ("4-D", IMAGE[None], "(1, 40, 30, 3)"),
    ("0-D", np.array(5, np.uint8), "()"),
    ("no rows", IMAGE[:0], "(0, 30, 3)"),
    ("no columns", IMAGE[:, :0], "(40, 0, 3)"),
    ("no channels", IMAGE[:, :, :0], "(40, 30, 0)"),
    ("65 channels", np.zeros((40, 30, 65), np.uint8), "(40, 30, 65)"),
    ("NaN", with_value(NAN), "nan"),
    ("infinite", with_value(INF), "inf"),
    ("minus infinite", with_value(-INF), "inf"),
    ("too large", with_value(1.5), "1.5"),
    ("negative", with_value(-0.25), "-0.25"),
    ("0..255 floats", IMAGE.astype(np.float32), "255"),
]

MASKS = [
    ("of another size", np.ones((30, 40), bool), "(30, 40)"),
    ("with channels", np.ones((40, 30, 1), bool), "(40, 30, 1)"),
    ("of floats", np.ones((40, 30), np.float16), "float16"),
    ("of float32", np.ones((40, 30), np.float32), "float32"),
    ("as list", [[True]], "[[True]]"),
    ("empty", np.ones((0, 0), bool), "(0, 0)"),
    ("as text", "mask", "mask"),
]

SOURCES = [
    ("grey", SOURCE[:, :, 0], "(40, 30)"),
    ("4 channels", np.zeros((40, 30, 4), np.uint8), "(40, 30, 4)"),
    ("float32", FLOATS, "float32"),
]

SEEDS = [-1, 1.0, "1", True, NAN, [1], np.random.RandomState(0), (1, 2), np.int64(-5), np.float64(3)]


@pytest.mark.parametrize(("name", "value"), ARGUMENTS, ids=lambda value: repr(value)[:30])
def test_argument(name, value):
    for row in ROWS.values():
        own = {field.name for field in fields(row.task)}
        if name in own and not (name == "label" and value in row.labels):
            rejects(name, parts(value), row.task, **{name: value})
            rejects(name, parts(value), row.task.from_preset, "screw", **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("jitter", value) for value in (-0.1, 0.6, "0.1", True, NAN, INF, (0.1, 0.2), {"hue": 0.1})],
        *[("variant", value) for value in ("Scar", "3way", "", 3, True, ["normal"])],
    ],
    ids=repr,
)
def test_argument_of_cutpaste(name, value):
    rejects(name, parts(value), CutPasteAnomaly, **{name: value})
    rejects(name, parts(value), CutPasteAnomaly.from_preset, "screw", **{name: value})


@each_row()
@pytest.mark.parametrize("ablation", ["a", "E", "AB", "", 1, True, ["A"]], ids=repr)
def test_unknown_ablation(row, ablation):
    rejects("ablation", [repr(ablation)], row.task.from_preset, "screw", ablation=ablation)


@each_row()
@pytest.mark.parametrize("name", ["brightness", "sources", "p", "factor_range", "ablation"])
def test_unknown_argument(row, name):
    with pytest.raises(TypeError, match=name):
        row.task(**{name: 1})
    with pytest.raises(TypeError, match=name):
        row.task.from_preset("tile", **{name: 1})
    with pytest.raises(TypeError, match=name):
        row.task()(IMAGE, SOURCE, 0, **{name: 1})


@each_row()
def test_arguments_have_to_be_named(row):
    with pytest.raises(TypeError):
        row.task(3)
    with pytest.raises(TypeError):
        row.task()(IMAGE, SOURCE, 0, np.ones((40, 30), bool))
    with pytest.raises(TypeError):
        row.task.from_preset("tile", "A")


@each_row()
@pytest.mark.parametrize("name", ["Screw", "screws", "", None, 3, ["screw"]])
def test_unknown_preset(row, name):
    rejects("preset", [repr(name)], row.task.from_preset, name)


@each_row()
@pytest.mark.parametrize(("value", "received"), [case[1:] for case in IMAGES], ids=[case[0] for case in IMAGES])
def test_image(row, value, received):
    task = row.task()
    plan = SynthesisPlan.from_dict(PLAN)
    other = SOURCE if getattr(value, "dtype", None) != np.float32 else FLOATS
    for call in (task, task.plan):
        rejects("image", [received], call, value, other, 0)
        if row.needs_source or value is not None:
            rejects("source", [received], call, other, value, 0)
    rejects("image", [received], task.apply, value, other, plan)
    if row.needs_source or value is not None:
        rejects("source", [received], task.apply, other, value, plan)
    rejects("source", [received], task.prepare_source, value, (40, 30))


@each_row()
@pytest.mark.parametrize(("value", "received"), [case[1:] for case in SOURCES], ids=[case[0] for case in SOURCES])
def test_source(row, value, received):
    task = row.task()
    rejects("source", [received], task, IMAGE, value, 0)
    rejects("source", [received], task.plan, IMAGE, value, 0)
    rejects("source", [received], task.apply, IMAGE, value, SynthesisPlan.from_dict(PLAN))


@each_row()
def test_source_prepared_for_another_size(row):
    task = row.task()
    prepared = task.prepare_source(SOURCE, (44, 33))
    rejects("source", ["44"], task, IMAGE, prepared, 0)


@each_row()
@pytest.mark.parametrize("name", ["mask", "source_mask"])
@pytest.mark.parametrize(("value", "received"), [case[1:] for case in MASKS], ids=[case[0] for case in MASKS])
def test_mask(row, name, value, received):
    for task in (row.task(), row.task(background=(200, 60))):
        for call in (task, task.plan):
            rejects(name, [received], call, IMAGE, SOURCE, 0, **{name: value})
        rejects(name, [received], task.apply, IMAGE, SOURCE, SynthesisPlan.from_dict(PLAN), **{name: value})


@each_row()
@pytest.mark.parametrize(("value", "received"), [case[1:] for case in MASKS], ids=[case[0] for case in MASKS])
def test_result_of_a_callable_background(row, value, received):
    task = row.task(background=lambda image: value)
    rejects("background", [received], task, IMAGE, SOURCE, 0)
    rejects("background", [received], task.apply, IMAGE, SOURCE, SynthesisPlan.from_dict(PLAN))


@each_row()
@pytest.mark.parametrize("rng", SEEDS, ids=lambda rng: repr(rng)[:20])
def test_rng(row, rng):
    task = row.task()
    rejects("rng", [repr(rng), str(rng)], task, IMAGE, SOURCE, rng)
    rejects("rng", [repr(rng), str(rng)], task.plan, IMAGE, SOURCE, rng)


def read_only(array):
    array.flags.writeable = False
    return array


@each_row()
@pytest.mark.parametrize(
    ("out", "received"),
    [
        (np.zeros((30, 40, 3), np.uint8), "(30, 40, 3)"),
        (np.zeros((40, 30), np.uint8), "(40, 30)"),
        (np.zeros((40, 30, 1), np.uint8), "(40, 30, 1)"),
        (np.zeros((40, 30, 3), np.float32), "float32"),
        (np.zeros((40, 30, 3), np.int16), "int16"),
        (read_only(np.zeros((40, 30, 3), np.uint8)), "(40, 30, 3)"),
        ([1, 2], "[1, 2]"),
        (True, "True"),
    ],
)
def test_out(row, out, received):
    kept = copy.deepcopy(out)
    task, plan = row.task(), SynthesisPlan.from_dict(PLAN)
    rejects("out", [received], task.apply, IMAGE, SOURCE, plan, out=out)
    np.testing.assert_array_equal(out, kept)


@each_row()
def test_a_failed_call_leaves_out_and_image_alone(row):
    image = IMAGE.copy()
    bad = SynthesisPlan((40, 30), (40, 30), (PatchPlacement((2, 3, 22, 23), (5, 6, 55, 26)),))
    with pytest.raises(ValueError, match="destination_box"):
        row.task().apply(image, SOURCE, bad, out=image)
    np.testing.assert_array_equal(image, IMAGE)


@each_row()
def test_arguments_cannot_be_changed_afterwards(row):
    task = row.task()
    with pytest.raises(AttributeError):
        task.label = "nonsense"
