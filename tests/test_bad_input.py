"""Bad input is an error that names the argument and shows what was received; nothing is changed by the attempt."""

import copy

import numpy as np
import pytest
from rejections import FLOATS, IMAGE, INF, NAN, PLAN, SOURCE, parts, rejects

from nsa_augment import NaturalSyntheticAnomaly, PatchPlacement, SynthesisPlan


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
    ("of floats", np.ones((40, 30)), "float64"),
    ("of float32", np.ones((40, 30), np.float32), "float32"),
    ("as list", [[True]], "[[True]]"),
    ("empty", np.ones((0, 0), bool), "(0, 0)"),
    ("as text", "mask", "mask"),
]

SOURCES = [
    ("missing", None, "None"),
    ("grey", SOURCE[:, :, 0], "(40, 30)"),
    ("4 channels", np.zeros((40, 30, 4), np.uint8), "(40, 30, 4)"),
    ("float32", FLOATS, "float32"),
]

SEEDS = [-1, 1.0, "1", True, NAN, [1], np.random.RandomState(0), (1, 2), np.int64(-5), np.float64(3)]


@pytest.mark.parametrize(("name", "value"), ARGUMENTS, ids=lambda value: repr(value)[:30])
def test_argument(name, value):
    rejects(name, parts(value), NaturalSyntheticAnomaly, **{name: value})
    rejects(name, parts(value), NaturalSyntheticAnomaly.from_preset, "screw", **{name: value})


@pytest.mark.parametrize("name", ["brightness", "sources", "p", "factor_range"])
def test_unknown_argument(name):
    with pytest.raises(TypeError, match=name):
        NaturalSyntheticAnomaly(**{name: 1})
    with pytest.raises(TypeError, match=name):
        NaturalSyntheticAnomaly.from_preset("tile", **{name: 1})
    with pytest.raises(TypeError, match=name):
        NaturalSyntheticAnomaly()(IMAGE, SOURCE, 0, **{name: 1})


def test_arguments_have_to_be_named():
    with pytest.raises(TypeError):
        NaturalSyntheticAnomaly(3)
    with pytest.raises(TypeError):
        NaturalSyntheticAnomaly()(IMAGE, SOURCE, 0, np.ones((40, 30), bool))


@pytest.mark.parametrize("name", ["Screw", "screws", "", None, 3, ["screw"]])
def test_unknown_preset(name):
    rejects("preset", [repr(name)], NaturalSyntheticAnomaly.from_preset, name)


@pytest.mark.parametrize(("value", "received"), [case[1:] for case in IMAGES], ids=[case[0] for case in IMAGES])
def test_image(value, received):
    task = NaturalSyntheticAnomaly()
    plan = SynthesisPlan.from_dict(PLAN)
    other = SOURCE if getattr(value, "dtype", None) != np.float32 else FLOATS
    for call in (task, task.plan):
        rejects("image", [received], call, value, other, 0)
        rejects("source", [received], call, other, value, 0)
    rejects("image", [received], task.apply, value, other, plan)
    rejects("source", [received], task.apply, other, value, plan)
    rejects("source", [received], task.prepare_source, value, (40, 30))


@pytest.mark.parametrize(("value", "received"), [case[1:] for case in SOURCES], ids=[case[0] for case in SOURCES])
def test_source(value, received):
    task = NaturalSyntheticAnomaly()
    rejects("source", [received], task, IMAGE, value, 0)
    rejects("source", [received], task.plan, IMAGE, value, 0)
    rejects("source", [received], task.apply, IMAGE, value, SynthesisPlan.from_dict(PLAN))


def test_source_prepared_for_another_size():
    task = NaturalSyntheticAnomaly()
    prepared = task.prepare_source(SOURCE, (44, 33))
    rejects("source", ["44"], task, IMAGE, prepared, 0)


@pytest.mark.parametrize("name", ["mask", "source_mask"])
@pytest.mark.parametrize(("value", "received"), [case[1:] for case in MASKS], ids=[case[0] for case in MASKS])
def test_mask(name, value, received):
    for task in (NaturalSyntheticAnomaly(), NaturalSyntheticAnomaly(background=(200, 60))):
        for call in (task, task.plan):
            rejects(name, [received], call, IMAGE, SOURCE, 0, **{name: value})
        rejects(name, [received], task.apply, IMAGE, SOURCE, SynthesisPlan.from_dict(PLAN), **{name: value})


@pytest.mark.parametrize(("value", "received"), [case[1:] for case in MASKS], ids=[case[0] for case in MASKS])
def test_result_of_a_callable_background(value, received):
    task = NaturalSyntheticAnomaly(background=lambda image: value)
    rejects("background", [received], task, IMAGE, SOURCE, 0)
    rejects("background", [received], task.apply, IMAGE, SOURCE, SynthesisPlan.from_dict(PLAN))


@pytest.mark.parametrize("rng", SEEDS, ids=lambda rng: repr(rng)[:20])
def test_rng(rng):
    task = NaturalSyntheticAnomaly()
    rejects("rng", [repr(rng), str(rng)], task, IMAGE, SOURCE, rng)
    rejects("rng", [repr(rng), str(rng)], task.plan, IMAGE, SOURCE, rng)


def read_only(array):
    array.flags.writeable = False
    return array


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
def test_out(out, received):
    kept = copy.deepcopy(out)
    task, plan = NaturalSyntheticAnomaly(), SynthesisPlan.from_dict(PLAN)
    rejects("out", [received], task.apply, IMAGE, SOURCE, plan, out=out)
    np.testing.assert_array_equal(out, kept)


def test_a_failed_call_leaves_out_and_image_alone():
    image = IMAGE.copy()
    bad = SynthesisPlan((40, 30), (40, 30), (PatchPlacement((2, 3, 22, 23), (5, 6, 55, 26)),))
    with pytest.raises(ValueError, match="destination_box"):
        NaturalSyntheticAnomaly().apply(image, SOURCE, bad, out=image)
    np.testing.assert_array_equal(image, IMAGE)


def test_arguments_cannot_be_changed_afterwards():
    task = NaturalSyntheticAnomaly()
    with pytest.raises(AttributeError):
        task.label = "nonsense"
