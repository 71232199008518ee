"""Tasks that are not the package's own, in every framework: by name, given whole, and as a transform of two lines."""

import copy
import json
import pickle
from dataclasses import dataclass
from functools import partial

import albumentations as A
import numpy as np
import pytest
from pipelines import LARGE, TEXTURE, TRANSFORMS, VISIBLE, assert_same, normals, params_of, recorder, write_folder

from nsa_augment import CutPasteAnomaly, NaturalSyntheticAnomaly, SynthesisPlan
from nsa_augment.blending import BLENDINGS
from nsa_augment.integrations.albumentations import NSA, AnomalyTransform, SynthesisTransform
from nsa_augment.labelling import Label
from nsa_augment.tasks import TASKS, AnomalyTask

IMAGE = normals()[0]
OTHERS = normals()[1:]


@dataclass(frozen=True, kw_only=True)
class ToyAnomaly(AnomalyTask):
    """Patches that are moved and interpolated."""

    strength: float = 1.0
    blending: str = "linear"


class Toy(SynthesisTransform):
    task_class = ToyAnomaly


@pytest.fixture
def toy(registries, monkeypatch):
    """The task under its name; outside this fixture other tests do not see it."""
    monkeypatch.setattr(ToyAnomaly, "name", "toy", raising=False)
    monkeypatch.setattr(ToyAnomaly, "factor_range", (0.5, 0.5))
    TASKS.register(ToyAnomaly)
    return ToyAnomaly


def by_hand(task, params, image=IMAGE):
    return task.apply(image, params["source"], SynthesisPlan.from_dict(params["plan"]))


def build(way, **arguments):
    """The transform of the toy task in one of three ways."""
    if way == "whole":
        return AnomalyTransform(ToyAnomaly.from_preset(TEXTURE, **LARGE, **arguments), sources=list(OTHERS), p=1.0)
    if way == "name":
        return AnomalyTransform("toy", TEXTURE, list(OTHERS), p=1.0, **LARGE, **arguments)
    return Toy(TEXTURE, list(OTHERS), p=1.0, **LARGE, **arguments)


each_way = pytest.mark.parametrize("way", ["whole", "name", "class"])


@each_way
def test_results_are_those_of_the_task(way, toy):
    pipeline = recorder([build(way, strength=0.5), A.HorizontalFlip(p=1.0)])
    task = ToyAnomaly.from_preset(TEXTURE, **LARGE, strength=0.5)
    for _ in range(5):
        out = pipeline(image=IMAGE)
        expected = by_hand(task, params_of(out))
        np.testing.assert_array_equal(out["image"], expected.image[:, ::-1])
        np.testing.assert_array_equal(out["mask"], expected.label[:, ::-1])
        assert out["mask"].any()
        assert {patch["factor"] for patch in params_of(out)["plan"]["patches"]} == {0.5}
        assert_same(A.ReplayCompose.replay(copy.deepcopy(out["replay"]), image=IMAGE), out)


@each_way
def test_the_seed_decides(way, toy):
    first, same, other = ([A.Compose([build(way)], seed=seed)(image=IMAGE) for _ in range(2)] for seed in (1, 1, 2))
    assert_same(first[0], same[0])
    assert not np.array_equal(first[0]["image"], other[0]["image"])


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_published_tasks_by_name(name):
    arguments = {"label": "binary", "max_patches": 2}
    transform = AnomalyTransform(name, "screw", list(OTHERS), ablation="D", **arguments)
    assert transform.task == TRANSFORMS[name]("screw", list(OTHERS), ablation="D", **arguments).task


def test_tasks_with_the_same_arguments_draw_apart():
    boxes = []
    for task in ("fpi", "pii", NaturalSyntheticAnomaly(scale_range=None), CutPasteAnomaly()):
        out = recorder([AnomalyTransform(task, sources=list(OTHERS), p=1.0)], seed=8)(image=IMAGE)
        boxes.append(tuple(params_of(out)["plan"]["patches"][0]["source_box"]))
    assert len(set(boxes)) == 4


@pytest.mark.parametrize("way", ["name", "class"])
def test_names_are_written_down(way, toy, tmp_path):
    folder = write_folder(tmp_path, OTHERS)
    arguments = {"sources": folder, "p": 1.0, "strength": 0.25, "label": "binary"}
    transform = Toy(TEXTURE, **arguments) if way == "class" else AnomalyTransform("toy", TEXTURE, **arguments)
    written = json.loads(json.dumps(A.to_dict(A.Compose([transform]))))
    restored = A.from_dict(written)
    assert type(restored[0]) is type(transform)
    assert restored[0].task == transform.task == ToyAnomaly.from_preset(TEXTURE, strength=0.25, label="binary")
    assert A.to_dict(restored) == A.to_dict(A.Compose([transform]))
    A.save(A.Compose([transform]), tmp_path / "pipeline.json")
    for pipeline in (loaded := A.load(tmp_path / "pipeline.json"), original := A.Compose([transform])):
        pipeline.set_random_seed(3)
    assert_same(loaded(image=IMAGE), original(image=IMAGE))


def test_a_whole_task_is_not_written_down_but_printed_and_copied(toy):
    transform = AnomalyTransform(ToyAnomaly(), sources="previous", p=1.0)
    for pipeline in (transform, A.Compose([transform])):
        with pytest.raises(ValueError, match=r"task must consist of names, .* to be serialized, got ToyAnomaly"):
            A.to_dict(pipeline)
        assert "AnomalyTransform(" in repr(pipeline)
        assert "ToyAnomaly(" in repr(pipeline)
    for other in (pickle.loads(pickle.dumps(transform)), copy.deepcopy(transform)):
        assert other.task == transform.task


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "paint"}, "task must be one of 'nsa', .*, got 'paint'"),
        ({"task": None}, "task must be one of .* got None"),
        ({"task": NaturalSyntheticAnomaly}, "task must be one of"),
        ({"task": NaturalSyntheticAnomaly(), "preset": "tile"}, "preset must be left out"),
        ({"task": NaturalSyntheticAnomaly(), "ablation": "A"}, "ablation must be left out"),
        ({"task": NaturalSyntheticAnomaly(), "max_patches": 2}, "max_patches must be left out"),
        ({"task": "fpi", "gradient": "mixed"}, "AnomalyTransform has no argument 'gradient', accepted are ablation, "),
    ],
)
def test_wrong_tasks_are_named(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        AnomalyTransform(**arguments)


@pytest.mark.parametrize("kind", ["none", "not a task", "no name of its own"])
def test_a_class_without_a_task_of_a_name_is_an_error(kind):
    class Nameless(NaturalSyntheticAnomaly):
        pass

    class Odd(SynthesisTransform):
        if kind != "none":
            task_class = {"not a task": dict, "no name of its own": Nameless}[kind]

    with pytest.raises(TypeError, match="task_class of Odd must be a class of tasks with its own `name`"):
        Odd()


# the same in PyTorch


def test_tensors(toy):
    torch = pytest.importorskip("torch")
    from nsa_augment.integrations.torch import AnomalyDataset, AnomalyTransform, NSATransform

    batch = torch.from_numpy(np.stack(normals()).transpose(0, 3, 1, 2).copy())
    whole = ToyAnomaly.from_preset(TEXTURE, **LARGE)
    transforms = [AnomalyTransform(task=whole, p=1.0), AnomalyTransform(TEXTURE, task="toy", p=1.0, **LARGE)]
    results = []
    for transform in transforms:
        assert transform.task == whole
        torch.manual_seed(1)
        results.append(transform(batch))
    assert torch.equal(results[0][0], results[1][0])
    assert results[0][1].flatten(1).any(1).all()
    image, label = AnomalyDataset(normals(), whole)[0]
    assert image.shape == (3, 64, 64)
    assert label.any()
    assert isinstance(NSATransform(task="toy"), AnomalyTransform)


def test_the_name_of_version_0_1():
    pytest.importorskip("torch")
    from nsa_augment.integrations.torch import AnomalyTransform, NSATransform

    old = NSATransform("screw", p=0.25)
    copied = pickle.loads(pickle.dumps(old))
    assert type(copied) is NSATransform
    assert isinstance(copied, AnomalyTransform)
    assert repr(copied) == repr(old) == repr(AnomalyTransform("screw", p=0.25)).replace("Anomaly", "NSA", 1)


# messages


def test_unknown_arguments_are_told_in_the_same_words():
    torch_transform = pytest.importorskip("nsa_augment.integrations.torch").AnomalyTransform
    of_task = sorted(NaturalSyntheticAnomaly.argument_names())
    of_call = {"preset", "sources", "ablation", "p", "cache_mib", "object_masks"}
    of_pipeline = of_call | {"source_transform", "metadata_key", "label_key", "paired_sources", "channel_order"}
    of_pipeline |= {"anomaly_class", "box_label"}
    for make, owner, more in (
        (NSA, "NSA", of_pipeline),
        (partial(AnomalyTransform, "nsa"), "AnomalyTransform", of_pipeline | {"task", "arguments"}),
        (torch_transform, "AnomalyTransform", of_call | {"task", "mask_key", "clamp"}),
        (NaturalSyntheticAnomaly.from_preset, "NaturalSyntheticAnomaly", set()),
    ):
        for preset in ("tile",) if not more else ("tile", None):
            with pytest.raises(TypeError) as caught:
                make(preset, patches=3)
            accepted = ", ".join(sorted({*of_task, *more}))
            assert str(caught.value) == f"{owner} has no argument 'patches', accepted are {accepted}"


# labels of other packages


@pytest.mark.parametrize(("unit", "maximum"), [("mm", 12.0), ("mm", 1.0), (None, 7.0), (None, 1.0)])
def test_only_labels_that_are_shares_are_merged(unit, maximum, registries):
    class Depth(Label):
        name = "depth"

        def compute(self, area):
            return area.mask.astype(np.float32) * np.float32(maximum / 2)

    Depth.unit, Depth.maximum = unit, maximum
    torch = pytest.importorskip("torch")
    from nsa_augment.integrations.torch import AnomalyTransform as TensorTransform

    transform = NSA(TEXTURE, list(OTHERS), label="depth", p=1.0, **VISIBLE)
    on_tensors = TensorTransform(TEXTURE, list(OTHERS), label="depth", p=1.0, **VISIBLE)
    assert transform(image=IMAGE)["mask"].max() == maximum / 2
    given, tensor = np.eye(64, dtype=np.uint8), torch.from_numpy(IMAGE.transpose(2, 0, 1).copy())
    if (unit, maximum) == (None, 1.0):
        assert set(np.unique(transform(image=IMAGE, mask=given)["mask"])) == {0, 0.5, 1}
        assert set(on_tensors(tensor, torch.from_numpy(given))[1].unique().tolist()) == {0, 0.5, 1}
        return
    values = unit or "values up to 7"
    message = rf"mask must be None with label='depth', whose {values} cannot be merged with the shares of a mask, got"
    with pytest.raises(ValueError, match=message):
        transform(image=IMAGE, mask=given)
    with pytest.raises(ValueError, match=message):
        on_tensors(tensor, torch.from_numpy(given))


def test_factors_and_gradients_that_plans_cannot_hold_are_refused(toy, monkeypatch):
    monkeypatch.setattr(toy, "factor_range", (1.5, 2.0))
    with pytest.raises(ValueError, match=r"factor must be a number in \[0, 1\]"):
        toy().plan(IMAGE, OTHERS[0], 0)
    monkeypatch.setattr(toy, "factor_range", None)
    monkeypatch.setattr(BLENDINGS["linear"], "gradient", "steepest")
    with pytest.raises(ValueError, match="gradient must be one of 'source', 'mixed', None"):
        toy().plan(IMAGE, OTHERS[0], 0)
