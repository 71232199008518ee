"""Mixtures of tasks: which part makes a call, through every entry point."""

import copy
import json
import pickle
from collections import Counter

import albumentations as A
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pipelines import params_of

from nsa_augment import (
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    Mix,
    MixedAnomaly,
    NaturalSyntheticAnomaly,
    SynthesisPlan,
)
from nsa_augment._shared.images import read_image
from nsa_augment.cli.tiles import make_example, make_labels
from nsa_augment.datasets import generate, verify
from nsa_augment.integrations.albumentations import AnomalyTransform
from nsa_augment.samples import write_samples
from nsa_augment.tasks import TASKS, bind_task

PARTS = [(NaturalSyntheticAnomaly(label="binary", resize_limits="full"), 3), (CutPasteAnomaly(variant="scar"), 1)]


def images(seed, size=(96, 96, 3)):
    return np.random.default_rng(seed).integers(0, 256, (2, *size), dtype=np.uint8)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**16), colour=st.booleans())
def test_a_call_is_what_the_part_that_the_plan_names_makes_of_the_plan(seed, colour):
    mixture = MixedAnomaly(PARTS)
    image, source = images(seed, (96, 80, 3) if colour else (96, 80))
    result = mixture(image, source, seed)
    plan = SynthesisPlan.from_dict(json.loads(json.dumps(result.plan.to_dict())))
    assert plan == result.plan == mixture.plan(image, source, seed)
    by_part = mixture.tasks[plan.task].apply(image, source if plan.task == "nsa" else None, plan)
    for again in (mixture.apply(image, source, plan), by_part):
        assert np.array_equal(again.image, result.image)
        assert np.array_equal(again.label, result.label)
    prepared = mixture.prepare_source(source, image.shape[:2])
    assert np.array_equal(mixture(image, prepared, seed).image, result.image)


def test_parts_are_drawn_by_their_weights():
    mixture = MixedAnomaly([("nsa", 6), ("cutpaste", 3), ("cutpaste", 1)], label="binary", resize_limits="full")
    assert mixture.names == ("nsa", "cutpaste", "cutpaste_2")
    image, source = images(0)
    drawn = Counter(mixture.plan(image, source, seed).task for seed in range(1000))
    for name, share in zip(mixture.names, (0.6, 0.3, 0.1), strict=True):
        assert abs(drawn[name] - 1000 * share) < 4 * (1000 * share * (1 - share)) ** 0.5


def test_parts_by_name_take_the_preset_and_the_shared_arguments(tmp_path):
    mixture = MixedAnomaly.from_preset("screw", parts=[("nsa", 2), {"task": "fpi", "max_patches": 1}], label="binary")
    nsa, fpi = mixture.tasks.values()
    assert nsa == NaturalSyntheticAnomaly.from_preset("screw", label="binary")
    assert fpi == ForeignPatchInterpolation.from_preset("screw", label="binary", max_patches=1)
    assert mixture.background == nsa.background
    assert mixture.max_patches == 4
    file = tmp_path / "mix.yaml"
    file.write_text(yaml.safe_dump({"parts": [{"task": "nsa", "preset": "screw"}, {"task": "pii"}], "min_object": 0.1}))
    nsa, pii = bind_task("mix", file, arguments={"label": "logistic"}).tasks.values()
    assert nsa == NaturalSyntheticAnomaly.from_preset("screw")
    assert (pii.min_object, pii.label) == (0.1, "logistic")


def test_it_survives_pickling_copying_and_writing_down():
    mixture = MixedAnomaly.from_preset("screw", label="binary", parts=[("nsa", 2), ("fpi", 1)])
    plain = json.loads(json.dumps(mixture.given_arguments(["parts"])))
    copies = pickle.loads(pickle.dumps(mixture)), copy.deepcopy(mixture), MixedAnomaly(**plain)
    image, source = images(3, (128, 128))
    for other in copies:
        assert other == mixture
        assert hash(other) == hash(mixture)
        assert other.plan(image, source, 5) == mixture.plan(image, source, 5)
    assert [task.label for task in mixture.replaced(label="logistic").tasks.values()] == ["logistic"] * 2


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "parts must be a sequence"),
        ("nsa", "parts must be a sequence"),
        (["nsa"], "parts must be a sequence"),
        ([("nsa", 0)], "weight of parts"),
        ([("nsa", -1)], "weight of parts"),
        ([("nsb", 1)], "task of parts must be one of"),
        ([("mix", 1)], "a task other than a mixture"),
        ([{"task": "nsa", "weigth": 2}], "has no argument 'weigth'"),
        ([(NaturalSyntheticAnomaly(), 1), (CutPasteAnomaly(), 1)], "label must be the same for all parts"),
        ([{"task": "nsa", "max_value": 4095}, ("cutpaste", 1)], "max_value must be the same for all parts"),
    ],
)
def test_what_is_no_mixture_is_refused(parts, message):
    with pytest.raises((TypeError, ValueError), match=message):
        MixedAnomaly(parts)


def test_a_plan_of_another_mixture_is_refused():
    image, source = images(0)
    plan = NaturalSyntheticAnomaly().plan(image, source, 0)
    with pytest.raises(ValueError, match=r"task of plan must be one of the parts 'nsa', 'cutpaste', got None"):
        MixedAnomaly(PARTS).apply(image, source, plan)
    with pytest.raises(TypeError, match="task of plan"):
        SynthesisPlan((9, 9), (9, 9), task=3)


def test_albumentations_replays_and_serializes_it():
    pool = list(images(0)) + list(images(1))
    transform = Mix("tile", pool, parts=[("nsa", 1), ("cutpaste", 1)], label="binary", p=1.0)
    drawn = set()
    for seed in range(12):
        pipeline = A.ReplayCompose([transform])
        pipeline.set_random_seed(seed)
        out = pipeline(image=pool[0])
        again = A.ReplayCompose.replay(out["replay"], image=pool[0])
        assert np.array_equal(out["image"], again["image"])
        assert np.array_equal(out["mask"], again["mask"])
        drawn.add(params_of(out)["plan"]["task"])
    assert drawn == {"nsa", "cutpaste"}
    given = AnomalyTransform(MixedAnomaly(PARTS), sources=pool, p=1.0)
    assert any(given(image=pool[0])["mask"].any() for _ in range(20))


def test_albumentations_writes_it_down(tmp_path):
    write_samples(tmp_path / "samples", "bolt", size=128, train=3, good=0, defective=0)
    folder = tmp_path / "samples" / "bolt" / "train" / "good"
    transform = Mix("screw", folder, parts=[("nsa", 2), {"task": "fpi", "weight": 1}], label="binary", p=1.0)
    image = read_image(sorted(folder.iterdir())[0])
    written = json.loads(json.dumps(A.to_dict(A.Compose([transform], seed=3))))
    again = A.from_dict(written)
    again.set_random_seed(3)
    assert np.array_equal(A.Compose([transform], seed=3)(image=image)["image"], again(image=image)["image"])


def test_datasets_name_the_part_of_every_item(tmp_path):
    write_samples(tmp_path / "samples", "tablet", size=128, train=4, good=0, defective=0)
    normal = tmp_path / "samples" / "tablet" / "train" / "good"
    task = MixedAnomaly.from_preset("pill", parts=[("nsa", 1), ("cutpaste", 1)], label="binary", resize_limits="full")
    generate(normal, tmp_path / "made", task, count=12, seed=1, workers=0)
    records = [json.loads(line) for line in (tmp_path / "made" / "manifest.jsonl").read_text().splitlines()]
    assert {record["plan"]["task"] for record in records} == {"nsa", "cutpaste"}
    assert not verify(tmp_path / "made", workers=0).problems


def test_pictures_show_what_the_part_cut_from(tmp_path):
    write_samples(tmp_path / "samples", "bolt", size=96, train=2, good=0, defective=0)
    image, source = (read_image(file) for file in sorted((tmp_path / "samples/bolt/train/good").iterdir()))
    mixture = MixedAnomaly.from_preset("screw", parts=[("nsa", 1), ("cutpaste", 1)])
    shown = {}
    for seed in range(8):
        example = make_example(mixture, "", image, source, [seed])
        shown[example.result.plan.task] = example.source
        labels = make_labels(mixture, example)
        assert np.array_equal(labels["logistic"], example.result.label)
    assert np.array_equal(shown["nsa"], source)
    assert np.array_equal(shown["cutpaste"], image)


def test_it_is_a_task_by_name():
    assert TASKS["mix"] is MixedAnomaly
    assert bind_task("mix", "screw").tasks["nsa"] == NaturalSyntheticAnomaly.from_preset("screw")
