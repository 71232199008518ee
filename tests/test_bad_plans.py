"""Bad plans, read from a dictionary or made by hand, are errors that name the part and show what was received."""

import pytest
from rejections import IMAGE, INF, NAN, PATCH, PLAN, SOURCE, parts, rejects
from table5 import each_row

from nsa_augment import CutPasteAnomaly, Ellipses, Jitter, PatchPlacement, Strip, SynthesisPlan

PLANS = [
    ("version", {"version": 2}, "2"),
    ("version", {"version": "1"}, "'1'"),
    ("version", {"version": None}, "None"),
    ("version", {"version": True}, "True"),
    ("plan", {"size": 3}, "size"),
    ("patches", {"patches": None}, "None"),
    ("patches", {"patches": "none"}, "none"),
    ("patches", {"patches": {"0": PATCH}}, "source_box"),
    ("patch", {"patches": [[1, 2]]}, "[1, 2]"),
    ("image_shape", {"image_shape": [40]}, "[40]"),
    ("image_shape", {"image_shape": [0, 30]}, "0"),
    ("image_shape", {"image_shape": [40.0, 30]}, "40.0"),
    ("source_shape", {"source_shape": "40x30"}, "40x30"),
    ("source_shape", {"source_shape": [40, 30, 3]}, "[40, 30, 3]"),
    ("image_shape", {"image_shape": None}, "None"),
]

STRIP = {"width": 3, "length": 9, "angle": 0.1}
PATCHES = [
    ("patch", {"scale": 2}, "scale"),
    *[
        (name, {name: value}, received)
        for name in ("source_box", "destination_box")
        for value, received in [
            ([5, 6, 5, 26], "[5, 6, 5, 26]"),
            ([25, 6, 5, 26], "[25, 6, 5, 26]"),
            ([5, 26, 25, 6], "[5, 26, 25, 6]"),
            ([-1, 6, 25, 26], "-1"),
            ([5.0, 6, 25, 26], "5.0"),
            ([True, 6, 25, 26], "True"),
            ([5, 6, 25], "[5, 6, 25]"),
            ("5 6 25 26", "5 6 25 26"),
            (None, "None"),
            ([NAN, 6, 25, 26], "nan"),
        ]
    ],
    ("factor", {"factor": 1.5}, "1.5"),
    ("factor", {"factor": -0.1}, "-0.1"),
    ("factor", {"factor": "1"}, "'1'"),
    ("factor", {"factor": NAN}, "nan"),
    ("factor", {"factor": None}, "None"),
    ("gradient", {"gradient": "both"}, "both"),
    ("gradient", {"gradient": 1}, "1"),
    ("shape", {"shape": "ellipses"}, "ellipses"),
    ("shape", {"shape": {"kind": "ellipses"}}, "ellipses"),
    ("shape", {"shape": {"kind": "circle", "parameters": [[1, 1, 1, 1, 0]]}}, "circle"),
    ("parameters", {"shape": {"kind": "ellipses", "parameters": []}}, "[]"),
    ("parameters", {"shape": {"kind": "ellipses", "parameters": [[1, 1, 0, 1, 0]]}}, "[1, 1, 0, 1, 0]"),
    ("parameters", {"shape": {"kind": "ellipses", "parameters": [[1, 1, 1, 1]]}}, "[1, 1, 1, 1]"),
    ("parameters", {"shape": {"kind": "ellipses", "parameters": [[1, 1, 1, 1, NAN]]}}, "nan"),
    ("parameters", {"shape": {"kind": "ellipses", "parameters": 5}}, "5"),
    ("shape", {"shape": {"kind": "ellipses", "parameters": [[1, 1, 1, 1, 0]], "angle": 0}}, "angle"),
    ("shape", {"shape": {"kind": ["strip"], **STRIP}}, "['strip']"),
    ("shape", {"shape": STRIP}, "length"),
    ("shape", {"shape": {"kind": "strip", "width": 3, "length": 9}}, "length"),
    ("shape", {"shape": {"kind": "strip", **STRIP, "parameters": []}}, "parameters"),
    ("shape", {"shape": [3, 9, 0.1]}, "[3, 9, 0.1]"),
    *[
        (f"strip {name}", {"shape": {"kind": "strip", **STRIP, name: value}}, received)
        for name in STRIP
        for value, received in [("3", "'3'"), (None, "None"), (NAN, "nan"), (True, "True"), ([3], "[3]"), (INF, "inf")]
    ],
    *[
        (f"strip {name}", {"shape": {"kind": "strip", **STRIP, name: value}}, str(value))
        for name, value in [("width", 0), ("width", 0.25), ("length", -9), ("angle", 3.5), ("angle", -90)]
    ],
    ("jitter", {"jitter": 0.1}, "0.1"),
    ("jitter", {"jitter": [0.1, 0, 0, 0]}, "[0.1, 0, 0, 0]"),
    ("jitter", {"jitter": "strong"}, "strong"),
    ("jitter", {"jitter": {"gamma": 0.1}}, "gamma"),
    ("jitter", {"jitter": {"hue": 0.1, 3: 0.1}}, "3"),
    *[
        (f"jitter {name}", {"jitter": {name: value}}, received)
        for name in ("brightness", "contrast", "saturation", "hue")
        for value, received in [
            (0.6, "0.6"),
            (-0.51, "-0.51"),
            ("0.1", "'0.1'"),
            (None, "None"),
            (NAN, "nan"),
            (True, "True"),
        ]
    ],
]


@pytest.mark.parametrize(("name", "changes", "received"), PLANS, ids=lambda value: repr(value)[:40])
def test_plan_from_dict(name, changes, received):
    rejects(name, [received], SynthesisPlan.from_dict, {**PLAN, **changes})


@pytest.mark.parametrize(("name", "changes", "received"), PATCHES, ids=lambda value: repr(value)[:40])
def test_patch_from_dict(name, changes, received):
    rejects(name, [received], PatchPlacement.from_dict, {**PATCH, **changes})
    rejects(name, [received], SynthesisPlan.from_dict, {**PLAN, "patches": [PATCH, {**PATCH, **changes}]})


@pytest.mark.parametrize("key", sorted(PLAN))
def test_plan_without_a_key(key):
    rejects("plan", [key], SynthesisPlan.from_dict, {name: value for name, value in PLAN.items() if name != key})


@pytest.mark.parametrize("key", ["source_box", "destination_box"])
def test_patch_without_a_box(key):
    rejects("patch", [key], PatchPlacement.from_dict, {name: value for name, value in PATCH.items() if name != key})


@each_row()
@pytest.mark.parametrize("value", [None, [], "plan", 3], ids=repr)
def test_plan_of_another_type(row, value):
    rejects("plan", [repr(value)], SynthesisPlan.from_dict, value)
    rejects("plan", [repr(value)], row.task().apply, IMAGE, SOURCE, value)


@each_row()
def test_plan_as_dict_is_not_applied(row):
    rejects("plan", ["version"], row.task().apply, IMAGE, SOURCE, PLAN)


@pytest.mark.parametrize("name", ["source_box", "destination_box"])
@pytest.mark.parametrize(
    "box",
    [
        (5, 6, 41, 26),
        (5, 6, 25, 31),
        (-5, 6, 15, 26),
        (5, -6, 25, 14),
        (25, 6, 5, 26),
        (5, 6, 5, 26),
        (5.5, 6.5, 25.5, 26.5),
        (5, 6, 25),
        (500, 600, 520, 620),
    ],
    ids=repr,
)
def test_plan_made_by_hand_with_a_bad_box_is_not_applied(name, box):
    def apply(image, source):
        boxes = {"source_box": (2, 3, 22, 23), "destination_box": (5, 6, 25, 26), name: box}
        plan = SynthesisPlan((40, 30), (40, 30), (PatchPlacement(**boxes),))
        CutPasteAnomaly().apply(image, source, plan)

    rejects(name, parts(box), apply, IMAGE, SOURCE)


@pytest.mark.parametrize(("image_shape", "source_shape", "name"), [
    ((30, 40), (40, 30), "image"),
    ((40, 30), (41, 30), "source"),
    ((40, 31), (40, 30), "image"),
])  # fmt: skip
@each_row()
def test_plan_for_another_size(row, image_shape, source_shape, name):
    plan = SynthesisPlan(image_shape, source_shape, ())
    rejects(name, ["(40, 30)"], row.task().apply, IMAGE, SOURCE, plan)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gradient", "both"),
        ("gradient", 2),
        ("factor", 2.0),
        ("factor", -1.0),
        ("factor", NAN),
        ("factor", "1"),
        ("shape", "ellipses"),
        ("shape", {"kind": "strip", **STRIP}),
        ("jitter", 0.1),
        ("jitter", {"hue": 0.1}),
        ("jitter", (0.1, 0.1, 0.1, 0.1)),
    ],
    ids=repr,
)
def test_plan_made_by_hand_with_a_bad_part_is_not_applied(name, value):
    def apply(image, source):
        patch = PatchPlacement((2, 3, 22, 23), (5, 6, 25, 26), **{name: value})
        CutPasteAnomaly().apply(image, source, SynthesisPlan((40, 30), (40, 30), (patch,)))

    received = [*parts(value), *map(repr, value)] if isinstance(value, dict) else parts(value)
    rejects(name, received, apply, IMAGE, SOURCE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in STRIP for value in ("3", None, NAN, True, INF, -100)],
        *[(name, value) for name in ("width", "length") for value in (0, 0.4, -1.0)],
    ],
)
def test_strips_made_by_hand_with_bad_numbers(name, value):
    rejects(f"strip {name}", parts(value), Strip, **{**STRIP, name: value})


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
@pytest.mark.parametrize("value", [0.6, -0.6, "0.1", None, NAN, True, INF, (0.1,)])
def test_jitters_made_by_hand_with_bad_numbers(name, value):
    rejects(f"jitter {name}", parts(value), Jitter, **{name: value})


@pytest.mark.parametrize(
    "parameters",
    [
        (),
        ((5, 5, 0, 3, 0),),
        ((5, 5, 3, -1, 0),),
        ((5, 5, 3),),
        ((5, 5, 3, 3, NAN),),
        (("5", 5, 3, 3, 0),),
        5,
        "ellipse",
    ],
    ids=repr,
)
def test_ellipses_made_by_hand_with_bad_parameters_are_not_applied(parameters):
    def apply(image, source):
        patch = PatchPlacement((2, 3, 22, 23), (5, 6, 25, 26), shape=Ellipses(parameters))
        CutPasteAnomaly().apply(image, source, SynthesisPlan((40, 30), (40, 30), (patch,)))

    rejects("parameters", parts(parameters), apply, IMAGE, SOURCE)
