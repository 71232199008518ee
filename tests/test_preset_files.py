"""YAML files wherever a preset's name is accepted, and the command that writes them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from nsa_augment import NSA, CutPaste, NaturalSyntheticAnomaly, calibrate
from nsa_augment.cli import app
from nsa_augment.samples import draw_sample
from nsa_augment.tasks.presets import PRESETS, preset_arguments


@pytest.fixture(scope="module")
def images():
    return [draw_sample("tablet", index, size=96).image for index in range(4)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, images):
    folder = tmp_path_factory.mktemp("tablets")
    for index, image in enumerate(images):
        cv2.imwrite(str(folder / f"{index}.png"), image[:, :, ::-1])
    return folder


@pytest.fixture
def config(tmp_path, images):
    path = tmp_path / "config.yaml"
    path.write_text(calibrate(images).to_yaml())
    return path


def test_a_written_calibration_is_read_back(images, config):
    found = calibrate(images)
    assert preset_arguments(str(config)) == dict(found.arguments)
    assert NaturalSyntheticAnomaly.from_preset(config) == found.task()


def test_a_written_calibration_explains_itself(images):
    lines = calibrate(images).to_yaml().splitlines()
    assert any(line.startswith("# Made by nsa-augment ") for line in lines)
    assert any(line.startswith("# Estimated from 4 of 4 images") for line in lines)
    values = [line for line in lines if not line.startswith("#")]
    assert all("  # " in line for line in values)


def test_max_value_is_written_down(tmp_path, images):
    path = tmp_path / "deep.yml"
    path.write_text(calibrate([image.astype(np.uint16) * 16 for image in images], max_value=4095).to_yaml())
    assert NaturalSyntheticAnomaly.from_preset(path).max_value == 4095


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_written_as_yaml_is_the_preset(tmp_path, name):
    path = tmp_path / "preset.yaml"
    path.write_text(json.dumps({key: value for key, value in PRESETS[name].items()}))
    assert NaturalSyntheticAnomaly.from_preset(path) == NaturalSyntheticAnomaly.from_preset(name)


def test_several_background_pairs(tmp_path):
    path = tmp_path / "pairs.yaml"
    path.write_text("background:\n- [200, 60]\n- [20, 20]\n")
    assert NaturalSyntheticAnomaly.from_preset(path).background == ((200.0, 60.0), (20.0, 20.0))


def test_overrides_ablations_and_other_tasks_work_with_files(config):
    assert NaturalSyntheticAnomaly.from_preset(config, max_patches=1).max_patches == 1
    assert NaturalSyntheticAnomaly.from_preset(config, ablation="A").background is None
    assert CutPaste(preset=str(config)).task.scale_range is None


def test_albumentations_round_trip(images, config, folder):
    transform = NSA(preset=str(config), sources=str(folder), p=1.0)
    stored = json.loads(json.dumps(A.to_dict(transform)))
    restored = A.from_dict(stored)
    assert restored.task == transform.task
    assert restored.preset == str(config)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_patch: 3", "every key of preset file .*broken.yaml must be one of .*max_patches.*, got 'max_patch'"),
        ("3: 4", "every key of preset file .*broken.yaml must be one of .*, got 3"),
        ("- 1\n- 2", "preset file .*broken.yaml must be a YAML mapping of arguments to values, got \\[1, 2\\]"),
        ("", "preset file .*broken.yaml must be a YAML mapping of arguments to values, got None"),
        ("a: [1", "preset file .*broken.yaml must be YAML"),
        ("!!python/object/apply:os.system ['true']", "preset file .*broken.yaml must be YAML"),
        ("max_patches: 0", "max_patches must be an integer in \\[1, 1000\\], got 0"),
    ],
)
def test_broken_files_are_refused(tmp_path, text, message):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        NaturalSyntheticAnomaly.from_preset(path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ValueError, match="must be YAML"):
        preset_arguments(path)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("missing.yaml", ValueError, "preset must be one of 'bottle', .*cannot read missing.yaml: No such file"),
        ("screws", ValueError, "preset must be one of 'bottle', .*or a YAML file of arguments .*, got 'screws'"),
        (3, TypeError, "preset must be one of 'bottle', .*got 3"),
    ],
)
def test_unknown_presets_list_what_there_is(name, error, message):
    with pytest.raises(error, match=message):
        preset_arguments(name)


def test_command_prints_and_writes(folder, tmp_path):
    out, picture = tmp_path / "config.yaml", tmp_path / "calibration.png"
    result = CliRunner().invoke(app, ["calibrate", str(folder), "--out", str(out), "--picture", str(picture)])
    assert result.exit_code == 0, result.output
    assert "logistic_midpoint" in result.output
    assert "calls placed a patch" in result.output
    assert NaturalSyntheticAnomaly.from_preset(out) == calibrate(folder).task()
    page = cv2.imread(str(picture))
    assert page.shape[0] > 800
    assert page.shape[1] > 1000
    again = CliRunner().invoke(app, ["calibrate", str(folder), "--picture", str(picture)])
    assert again.exit_code == 0
    assert (cv2.imread(str(picture)) == page).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calibration.png", "config.yaml"]


def test_command_draws_grey_textures_and_single_images(tmp_path):
    grey = cv2.cvtColor(draw_sample("hide", 0, size=64).image, cv2.COLOR_RGB2GRAY)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    result = CliRunner().invoke(app, ["calibrate", str(tmp_path), "--picture", str(tmp_path / "page.png")])
    assert result.exit_code == 0, result.output
    assert "note: only one image" in result.output
    assert (tmp_path / "page.png").exists()


def test_preview_takes_the_file(folder, config, tmp_path):
    output = tmp_path / "page.png"
    result = CliRunner().invoke(app, ["preview", str(folder), "--preset", str(config), "-o", str(output), "-n", "1"])
    assert result.exit_code == 0, result.output
    assert output.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "config.txt"], "--out must end in .yaml or .yml, got config.txt"),
        (["--picture", "page.jpg"], "--picture must end in .png, got page.jpg"),
        (["--out", "no/such/config.yaml"], "--out must lie in an existing folder"),
    ],
)
def test_command_refuses_before_it_works(folder, arguments, message):
    result = CliRunner().invoke(app, ["calibrate", str(folder), *arguments])
    assert isinstance(result.exception, ValueError)
    assert message in str(result.exception)


def test_every_argument_of_the_task_may_stand_in_a_file(tmp_path):
    task = NaturalSyntheticAnomaly()
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(asdict(task)))))
    assert NaturalSyntheticAnomaly.from_preset(path) == task


def test_albumentations_writes_path_objects_down(images, config):
    transform = NSA(Path(config), images)
    assert transform.get_transform_init_args()["preset"] == str(config)
