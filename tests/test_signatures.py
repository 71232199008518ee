"""For anomalib, kornia and MONAI all arguments of tasks stand in the signature; defaults leave them to the preset."""

import inspect
from dataclasses import fields
from importlib import import_module

import pytest
import torchvision_stubs
from frameworks import TEXTURE, normals
from table5 import each_row

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.tasks.signature import FROM_PRESET

TAKES_LABEL = {
    "anomalib.NSAGenerator": True,
    "anomalib.NSACallback": False,
    "anomalib.NSAAugmentation": False,
    "anomalib.SyntheticDataset": False,
    "anomalib.synthetic_splits": False,
    "kornia.RandomNSA": True,
    "monai.NSAd": True,
}
"""By name: whether the label is an argument."""
FIRST = {"monai.NSAd": {"keys": "image"}}
MADE = [name for name in TAKES_LABEL if "ynthetic" not in name]
"""Those that need no datamodule."""


def load(name):
    """An owner of the arguments; skips the test where its framework is missing."""
    framework, _, attribute = name.partition(".")
    torchvision_stubs.load()
    pytest.importorskip(framework, reason=f"needs {framework}: pip install 'nsa-augment[{framework}]'")
    return getattr(import_module(f"nsa_augment.integrations.{framework}"), attribute)


@each_row()
@pytest.mark.parametrize("name", TAKES_LABEL)
def test_every_argument_of_every_task_is_a_keyword(name, row):
    parameters = inspect.signature(load(name)).parameters
    assert ("label" in parameters) == TAKES_LABEL[name]
    assert not {one.kind for one in parameters.values()} & {inspect.Parameter.VAR_KEYWORD}
    for field in fields(row.task):
        if field.name != "label":
            assert parameters[field.name].default == FROM_PRESET
            assert not isinstance(parameters[field.name].annotation, str)


@each_row()
@pytest.mark.parametrize("preset", [None, "screw"])
@pytest.mark.parametrize("name", MADE)
def test_passing_every_default_changes_nothing(name, preset, row):
    owner = load(name)
    given = {**FIRST.get(name, {}), "preset": preset, "task": row.name, "sources": list(normals())}
    if name == "monai.NSAd":
        given["sources"] = [image.transpose(2, 1, 0) for image in normals()]
    defaults = {key: one.default for key, one in inspect.signature(owner).parameters.items()}
    assert owner(**{**defaults, **given}).task == owner(**given).task
    assert owner(**{**defaults, **given, "max_patches": 2}).task.max_patches == 2


@pytest.mark.parametrize("name", ["anomalib.NSACallback", "anomalib.NSAAugmentation"])
def test_a_label_that_masks_cannot_have_is_refused(name):
    owner = load(name)
    with pytest.raises(TypeError, match=f"{owner.__name__} has no argument 'label', accepted are") as caught:
        owner(TEXTURE, list(normals()), label="logistic")
    assert "label" not in str(caught.value).partition("accepted are ")[2].split(", ")


@pytest.mark.parametrize("name", MADE)
def test_jsonargparse_knows_the_arguments(name):
    owner = load(name)
    jsonargparse = pytest.importorskip("jsonargparse", reason="LightningCLI's parser")
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(owner, "made", skip={"sources"})
    given = ["--made.preset=screw", "--made.task=cutpaste", "--made.max_patches=2", "--made.scale_range=[0.8, 1.2]"]
    given += [f"--made.{key}={value}" for key, value in FIRST.get(name, {}).items()]
    task = parser.instantiate_classes(parser.parse_args(given)).made.task
    assert (task.max_patches, task.scale_range) == (2, (0.8, 1.2))
    expected = NaturalSyntheticAnomaly.from_preset("screw")
    assert (task.height_range, task.width_range) == (expected.height_range, expected.width_range)
    with pytest.raises(jsonargparse.ArgumentError, match="max_patches"):
        parser.parse_args([*given, "--made.max_patches=many"])
