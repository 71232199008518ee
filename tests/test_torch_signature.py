"""The arguments of tasks stand in the signature of AnomalyTransform, and every default leaves them to the preset."""

import inspect
from dataclasses import dataclass, fields
from typing import Literal, get_args

import pytest
from table5 import each_row

from nsa_augment import AnomalyTask, NaturalSyntheticAnomaly
from nsa_augment.tasks import bind_task
from nsa_augment.tasks.signature import FROM_PRESET, explicit_signature, given_parameters

pytest.importorskip("torch", reason="the transform is made of torch")

from nsa_augment.integrations.torch import AnomalyTransform, NSATransform

OWN = ["preset", "sources", "task", "ablation", "p", "cache_mib", "object_masks", "mask_key", "clamp"]
each_class = pytest.mark.parametrize("kind", [AnomalyTransform, NSATransform])


@each_class
@each_row()
def test_every_argument_of_every_task_is_a_keyword(row, kind):
    parameters = inspect.signature(kind).parameters
    assert list(parameters)[: len(OWN)] == OWN
    for field in fields(row.task):
        parameter = parameters[field.name]
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default == FROM_PRESET
        assert parameter.annotation is not parameter.empty
        assert not isinstance(parameter.annotation, str)
    assert not {one.kind for one in parameters.values()} & {inspect.Parameter.VAR_KEYWORD}


@each_class
@each_row()
@pytest.mark.parametrize("preset", [None, "screw", "tile"])
def test_passing_every_default_changes_nothing(preset, row, kind):
    parameters = inspect.signature(kind).parameters
    defaults = {name: one.default for name, one in parameters.items()} | {"preset": preset, "task": row.name}
    assert kind(**defaults).task == kind(preset, task=row.name).task == bind_task(row.name, preset)
    assert kind(**{**defaults, "max_patches": 2}).task == bind_task(row.name, preset, arguments={"max_patches": 2})


def test_defaults_beside_a_whole_task():
    task = NaturalSyntheticAnomaly(max_patches=2)
    assert AnomalyTransform(task=task, **{field.name: FROM_PRESET for field in fields(task)}).task is task


def test_arguments_of_another_task_are_refused():
    with pytest.raises(
        TypeError, match=r"AnomalyTransform has no argument 'jitter', accepted are ablation,.*"
    ) as caught:
        AnomalyTransform(jitter=0.1)
    accepted = str(caught.value).partition("accepted are ")[2].split(", ")
    assert accepted == sorted([*OWN, *NaturalSyntheticAnomaly.argument_names()])


def test_arguments_of_tasks_that_the_signature_does_not_know(registries):
    @dataclass(frozen=True, kw_only=True)
    class Dotted(AnomalyTask):
        name = "dotted_for_signatures"
        dots: int = 3

    assert AnomalyTransform(task="dotted_for_signatures", dots=5).task == Dotted(dots=5)

    def build(task: str, **parameters: object) -> None: ...

    parameter = explicit_signature(build, [Dotted]).parameters["dots"]
    assert get_args(parameter.annotation) == (int, Literal["preset"])


def test_only_the_word_itself_is_left_out():
    kept = {"background": None, "label": "presets", "max_patches": 0, "size_gamma": (2, 0.05, 0.03)}
    assert given_parameters({**kept, "shape": FROM_PRESET}) == kept


def parser():
    jsonargparse = pytest.importorskip("jsonargparse", reason="LightningCLI's parser")
    made = jsonargparse.ArgumentParser(exit_on_error=False)
    made.add_class_arguments(AnomalyTransform, "transform")
    return made


def test_jsonargparse_knows_the_arguments():
    made = parser()
    given = ["--transform.preset=screw", "--transform.max_patches=2", "--transform.scale_range=[0.8, 1.2]"]
    config = made.parse_args(given)
    expected = NaturalSyntheticAnomaly.from_preset("screw", max_patches=2, scale_range=(0.8, 1.2))
    assert made.instantiate_classes(config).transform.task == expected
    again = made.parse_string(made.dump(config))
    assert made.instantiate_classes(again).transform.task == expected


@pytest.mark.parametrize("argument", ["max_patchs=2", "max_patches=many", "gradient=none"])
def test_jsonargparse_refuses_what_is_none(argument):
    error = pytest.importorskip("jsonargparse", reason="LightningCLI's parser").ArgumentError
    with pytest.raises(error, match=argument.partition("=")[0]):
        parser().parse_args([f"--transform.{argument}"])
