"""Text that somebody else wrote: presets, plans, recipes and manifests end in a named error, never in a traceback."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest
from dataset_folders import command, make, write_samples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nsa_augment import NaturalSyntheticAnomaly, SynthesisPlan
from nsa_augment._shared.plain import parse_yaml
from nsa_augment.datasets import verify

HUGE = "9" * 400
DEEP = 5000
ENDLESS_INTEGER = "9" * 5000

TEXTS = {
    "a list that contains itself": "height_range: &a [*a]",
    "a mapping that contains itself": "&a {background: *a}",
    "a merge of itself": "&a {<<: *a}",
    "aliases that multiply": "a0: &a0 [1, 1]\n"
    + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)),
    "deep lists": "background: " + "[" * DEEP + "]" * DEEP,
    "rather deep lists": "background: " + "[" * 100 + "]" * 100,
    "deep mappings": "{a: " * DEEP + "1" + "}" * DEEP,
    "an integer too large for a float": f"logistic_midpoint: {HUGE}",
    "one too large for text": f"logistic_midpoint: {ENDLESS_INTEGER}",
    "a pair of them": f"height_range: [0.1, {HUGE}]",
    "a count too large": f"max_patches: {ENDLESS_INTEGER}",
    "not a number": "logistic_midpoint: .nan",
    "infinity": "logistic_midpoint: .inf",
    "a repeated key": "max_patches: 1\nmax_patches: 2",
    "a Python object": "max_patches: !!python/object/apply:os.getcwd []",
    "a date that does not exist": "max_patches: 2020-13-45",
    "two documents": "max_patches: 1\n---\nmax_patches: 2",
    "a key that is a list": "? [1, 2]\n: 3",
    "an integer of no digits": 'max_patches: !!int ""',
    "a truth value that is none": "label: !!bool maybe",
    "a time that is none": "label: !!timestamp x",
    "a float of base 60, too large": "logistic_midpoint: 1" + ":59" * 3000 + ".5",
    "merges that multiply": "a0: &a0 {k: 1}\n"
    + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 30)),
    "wide merges": "a: &a {"
    + ", ".join(f"k{i}: 1" for i in range(2000))
    + "}\n"
    + "".join(f"b{i}: {{<<: *a}}\n" for i in range(2000)),
    "a NUL byte": "max_patches: 1\0",
    "nothing": "",
    "JSON that is cut off": '{"max_patches": ',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_preset_files(tmp_path, text):
    file = tmp_path / "preset.yaml"
    file.write_text(text)
    with pytest.raises((ValueError, TypeError)) as caught:
        NaturalSyntheticAnomaly.from_preset(file)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", "max_patches: 1".encode("utf-16")])
def test_preset_files_that_are_not_utf8(tmp_path, content):
    file = tmp_path / "preset.yaml"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="preset"):
        NaturalSyntheticAnomaly.from_preset(file)


def test_preset_files_with_what_is_allowed(tmp_path):
    file = tmp_path / "preset.yaml"
    file.write_text("\ufeffheight_range: &size [0.1, 0.3]\nwidth_range: *size\n", encoding="utf-8")
    task = NaturalSyntheticAnomaly.from_preset(file)
    assert task.height_range == task.width_range == (0.1, 0.3)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("max_patches", "max_patches"),
        ("yes", "true"),
        ("0x1", "1"),
        ("1", "1.0"),
        ("off", "0"),
        ("~", "null"),
        ("a", '"a"'),
    ],
)
def test_a_repeated_key_is_named(tmp_path, first, second):
    file = tmp_path / "preset.yaml"
    file.write_text(f"background: null\nlabel: {{{first}: 1, {second}: 1}}\n")
    with pytest.raises(ValueError, match="key '{}' is repeated".format(second.strip('"'))):
        NaturalSyntheticAnomaly.from_preset(file)


@pytest.mark.parametrize("other", ['"yes"', "on", "1.5"])
def test_keys_of_other_meaning_are_not_repeated(other):
    assert len(parse_yaml(f"{{no: 1, {other}: 2}}")) == 2


PATCH = {"source_box": [5, 6, 25, 26], "destination_box": [5, 6, 25, 26], "factor": 1.0, "gradient": "source"}
PLAN = {"version": 1, "image_shape": [40, 30], "source_shape": [40, 30], "patches": [PATCH]}


def deep(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def containing_itself():
    value = []
    value.append(value)
    return value


numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -(10**400), 2**63, 2**31, 1e300]))
anything = st.one_of(numbers, st.text(), st.none(), st.booleans(), st.lists(numbers, max_size=6))
plain = st.recursive(
    anything, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)), max_leaves=5
)


def places(value, path=()):
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


SHAPES = [
    None,
    {"kind": "ellipses", "parameters": [[10, 10, 5, 4, 0.5]]},
    {"kind": "strip", "width": 3, "length": 9, "angle": 0.1},
]
WHOLE = [{**PLAN, "patches": [{**PATCH, "shape": shape, "jitter": {"hue": 0.1}}]} for shape in SHAPES]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_plans(data):
    """Any part of a plan replaced by anything: an error, or a plan that can be applied."""
    whole = data.draw(st.sampled_from(WHOLE))
    path = data.draw(st.sampled_from(list(places(whole))))
    image = np.full((40, 30, 3), 128, np.uint8)
    changed = replaced(whole, path, data.draw(plain))
    try:
        plan = SynthesisPlan.from_dict(changed)
        result = NaturalSyntheticAnomaly().apply(image, image, plan)
    except (ValueError, TypeError):
        return
    assert result.image.shape == image.shape


@pytest.mark.parametrize("value", [10**5000, deep(DEEP), containing_itself()], ids=["huge", "deep", "in itself"])
def test_plans_with_what_cannot_be_shown(value):
    for whole in WHOLE:
        for path in places(whole):
            with pytest.raises((ValueError, TypeError)):
                SynthesisPlan.from_dict(replaced(whole, path, value)).check((40, 30), (40, 30))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples") / "good")


@pytest.fixture(scope="module")
def pristine(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("datasets") / "pristine"
    make(folder, out, count=2, layout="coco", object_masks=folder)  # all of each image is object
    return out


@pytest.fixture
def dataset(pristine, tmp_path):
    return shutil.copytree(pristine, tmp_path / "dataset")


def one_line_of_error(*arguments):
    end = command(*arguments)
    assert end.returncode == 1
    assert "Traceback" not in end.stderr
    return end.stderr


def edit(path, change):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(change(line)) + "\n" for line in lines))


RECIPES = {
    "deep": "[" * DEEP + "]" * DEEP,
    "an integer too large": f'{{"count": {ENDLESS_INTEGER}}}',
    "not a number": '{"count": NaN}',
    "a repeated key": '{"count": 1, "count": 2}',
    "nothing": "",
    "a list": "[]",
    "a NUL byte": "\0",
}


@pytest.mark.parametrize("text", RECIPES.values(), ids=RECIPES)
def test_recipes(dataset, folder, text):
    (dataset / "recipe.json").write_text(text)
    assert "recipe.json" in one_line_of_error("verify", dataset, "-w", 0)
    assert "recipe.json" in one_line_of_error("generate", folder, dataset, "-n", 2, "-w", 0)


numbers_of_json = st.integers() | st.floats() | st.sampled_from([10**400, 2**63, -1])
json_values = st.recursive(
    numbers_of_json | st.text() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", ["recipe.json", "manifest.jsonl"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_part_of_a_file_replaced_by_anything(name, data, dataset, pristine):
    first, *others = (
        (pristine / name).read_text().splitlines() if name.endswith("l") else [(pristine / name).read_text()]
    )
    whole = json.loads(first)
    path = data.draw(st.sampled_from(list(places(whole))))
    changed = json.dumps(replaced(whole, path, data.draw(json_values)))
    (dataset / name).write_text("\n".join([changed, *others, ""]))
    try:
        end = command("verify", dataset, "-w", 0)
    finally:
        shutil.copy(pristine / name, dataset / name)
    assert end.returncode in (0, 1)
    assert "Traceback" not in end.stderr


@pytest.mark.parametrize(
    "line", ["\ufeff{}", "[" * DEEP + "]" * DEEP, '{"index": 1e999}', '{"index": NaN}', "\0", f"{ENDLESS_INTEGER}"]
)
def test_a_manifest_line_that_is_no_record(dataset, line):
    path = dataset / "manifest.jsonl"
    first, second = path.read_text().splitlines()
    path.write_text(f"{line.replace('{}', first)}\n{second}\n", encoding="utf-8")
    assert [problem.name for problem in verify(dataset, workers=0).problems] == ["item 0"]


@pytest.mark.parametrize(
    "place", ["../outside.png", "images/../../outside.png", "{outside}", "images/link.png", "images/\0"]
)
def test_paths_that_leave_the_dataset(dataset, tmp_path, place):
    outside = tmp_path / "outside.png"
    shutil.copy(dataset / "images/000.png", outside)
    os.symlink(outside, dataset / "images/link.png")
    place = place.format(outside=outside)

    def lead_outside(record):
        if record["index"] == 0:
            record["files"]["image"]["path"] = place
        return record

    edit(dataset / "manifest.jsonl", lead_outside)
    found = {problem.name: problem.what for problem in verify(dataset, workers=0).problems}
    assert "cannot be read" in found[place]
    if "\0" not in place:
        assert "outside the dataset" in found[place]


@pytest.mark.parametrize("name", ["../000.png", "/000.png", ""])
def test_images_outside_their_folder(dataset, name):
    recipe = json.loads((dataset / "recipe.json").read_text())
    recipe["images"] = {name: "0" * 64, **recipe["images"]}
    (dataset / "recipe.json").write_text(json.dumps(recipe))
    assert "images" in one_line_of_error("verify", dataset, "-w", 0)


@pytest.mark.parametrize("value", [256, 1, None, "65535"])
def test_a_label_scale_that_is_not_that_of_the_labels(dataset, folder, value):
    recipe = json.loads((dataset / "recipe.json").read_text())
    (dataset / "recipe.json").write_text(json.dumps({**recipe, "label_scale": value}))
    for command_line in (("verify", dataset), ("generate", folder, dataset, "-n", 2, "--preset", "screw")):
        assert "label_scale must be 65535" in one_line_of_error(*command_line, "-w", 0)


@pytest.mark.parametrize("value", ["(" * DEEP, "[" * 150 + "]" * 150, HUGE, ENDLESS_INTEGER, "1e999"])
def test_values_on_the_command_line(folder, value, tmp_path):
    one_line_of_error("preview", folder, "--set", f"logistic_midpoint={value}", "-o", tmp_path / "out.png")


def test_hints_can_be_pasted(folder, tmp_path):
    place = shutil.copytree(folder, tmp_path / "my [b] images")
    end = command("calibrate", place, "--out", tmp_path / "my preset.yaml")
    assert end.returncode == 0
    assert f"nsa-augment preview '{place}' --preset '{tmp_path / 'my preset.yaml'}'" in end.stdout
    tiny = tmp_path / "my tiny images"
    tiny.mkdir()
    for number in range(2):
        cv2.imwrite(str(tiny / f"{number}.png"), np.full((9, 9), 100 * number, np.uint8))
    assert f"nsa-augment preview '{tiny}'" in one_line_of_error("generate", tiny, tmp_path / "out", "-n", 2, "-w", 0)
