"""`severity`: the share of every change that is kept, for any task."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipelines import normals
from strategies import all_tasks, channel_shapes, draw_pixels, dtypes, seeds

from nsa_augment import (
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    MixedAnomaly,
    NaturalSyntheticAnomaly,
    SynthesisPlan,
)


@settings(max_examples=60)
@given(all_tasks, seeds, st.floats(0, 1), dtypes, channel_shapes)
def test_the_change_is_multiplied(task, seed, severity, dtype, channels):
    image, source = (draw_pixels(seed + i, (48, 56, *channels), dtype) for i in (0, 1))
    full = task.replaced(severity=1.0)
    plan = full.plan(image, source, seed)
    whole = full.apply(image, source, plan)
    kept = task.apply(image, source, plan.of_severity(severity))
    expected = image + severity * (whole.image.astype(float) - image)
    np.testing.assert_allclose(kept.image, expected, rtol=0, atol=0.5 if dtype == np.uint8 else 1e-6)
    assert (kept.mask <= whole.mask).all()
    assert SynthesisPlan.from_dict(json.loads(json.dumps(kept.plan.to_dict()))) == kept.plan


@pytest.mark.parametrize("severity", [0.4, (0.2, 0.7), (0, 1)])
def test_plans_are_otherwise_those_of_full_severity(severity):
    image, source = normals()[:2]
    drawn = []
    for seed in range(60):
        plan = NaturalSyntheticAnomaly(severity=severity).plan(image, source, seed)
        assert plan.of_severity(1.0) == NaturalSyntheticAnomaly().plan(image, source, seed)
        drawn.append(plan.severity)
    low, high = severity if isinstance(severity, tuple) else (severity, severity)
    assert low <= min(drawn) <= max(drawn) <= high
    assert abs(np.mean(drawn) - (low + high) / 2) <= 4 * (high - low) / np.sqrt(12 * 60) + 1e-9
    assert np.ptp(drawn) >= 0.8 * (high - low)


def test_without_it_plans_are_written_as_before():
    image, source = normals()[:2]
    assert "severity" not in NaturalSyntheticAnomaly().plan(image, source, 0).to_dict()
    assert NaturalSyntheticAnomaly(severity=0.5).plan(image, source, 0).to_dict()["severity"] == 0.5


def test_the_factor_label_is_what_is_left_of_the_interpolation():
    image, source = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    result = ForeignPatchInterpolation(severity=0.5, selection="fpi")(image, source, 1)
    assert result.label.max() == np.float32(0.5 * result.plan.patches[0].factor)


def test_all_parts_of_a_mixture_have_it():
    image, source = normals()[:2]
    task = MixedAnomaly([("nsa", 1), ("cutpaste", 1)], severity=(0.1, 0.2))
    plans = [task.plan(image, source, seed) for seed in range(20)]
    assert {plan.task for plan in plans} == {"nsa", "cutpaste"}
    assert all(0.1 <= plan.severity <= 0.2 for plan in plans)


@pytest.mark.parametrize("wrong", [0, -0.1, 1.1, (0, 0), (0.5, 0.2), (0, 2), "much", None, True, (0.1, 0.2, 0.3)])
def test_refused(wrong):
    with pytest.raises((TypeError, ValueError), match="severity"):
        CutPasteAnomaly(severity=wrong)


@pytest.mark.parametrize("wrong", [-1, 2, "half"])
def test_refused_in_plans(wrong):
    plain = {**NaturalSyntheticAnomaly().plan(*normals()[:2], 0).to_dict(), "severity": wrong}
    with pytest.raises((TypeError, ValueError), match="severity"):
        SynthesisPlan.from_dict(plain)


def half(epoch):
    return 0.5 if epoch else 1.0


def test_a_schedule_over_epochs():
    pytest.importorskip("torch")
    from anomaly_datasets import NORMALS, TASK, build

    scheduled, plain = build(severity=half), build()
    for epoch, share in ((0, 1), (1, 0.5)):
        scheduled.set_epoch(epoch)
        plain.set_epoch(epoch)
        changes = 0
        for index, normal in enumerate(NORMALS):
            whole, kept = (dataset[index][0].permute(1, 2, 0).numpy().astype(float) for dataset in (plain, scheduled))
            np.testing.assert_allclose(kept, normal + share * (whole - normal), rtol=0, atol=0.5)
            changes += bool((whole != normal).any())
        assert changes > 2
    assert TASK.severity == 1


@pytest.mark.parametrize("wrong", [0.5, "linear"])
def test_a_schedule_is_a_function(wrong):
    pytest.importorskip("torch")
    from anomaly_datasets import build

    with pytest.raises(TypeError, match="severity must be a callable"):
        build(severity=wrong)
