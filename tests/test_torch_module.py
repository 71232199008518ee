"""AnomalyModule: what it makes of a plan is what the task makes of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import draw_object, draw_pixels, jitters, plans_for, seeds
from table5 import ROWS

torch = pytest.importorskip("torch")
from module_batches import assert_as_task, one_thread  # noqa: E402, F401

from nsa_augment.integrations.torch import AnomalyModule  # noqa: E402

BLENDINGS = ("poisson", "feather", "copy_paste", "linear")


@st.composite
def cases(draw):
    """A task, its arguments, and a batch with plans."""
    row = ROWS[draw(st.sampled_from(sorted(ROWS)))]
    arguments = {
        "label": draw(st.sampled_from(row.labels)),
        "background": draw(st.sampled_from([None, None, (200, 60), [(200, 60), (90, 10)]])),
        "logistic_midpoint": draw(st.floats(0, 30)),
        "logistic_steepness": draw(st.floats(0, 3)),
    }
    if draw(st.booleans()):
        arguments["blending"] = draw(st.sampled_from(BLENDINGS))
    task = row.task(**arguments)
    shape = draw(st.integers(8, 44)), draw(st.integers(8, 44))
    channels = draw(st.sampled_from([1, 2, 3, 3, 5]))
    options = {"jitter": st.one_of(st.none(), jitters(0.3))} if row.name == "cutpaste" else {}
    count = draw(st.integers(1, 3))
    plans = [draw(plans_for(row, shape, **options)) for _ in range(count)]
    if draw(st.integers(0, 4)) == 0:
        plans = [plan.of_severity(draw(st.floats(0.1, 1))) for plan in plans]
    return task, shape, channels, plans, draw(seeds)


def batch_of(seed, count, shape, channels, dtype):
    return [draw_pixels(seed + index, (*shape, channels), dtype) for index in range(count)]


@settings(max_examples=25, deadline=None)
@given(case=cases(), masked=st.booleans())
def test_plans_give_the_pictures_of_the_task(case, masked):
    task, shape, channels, plans, seed = case
    images, sources = (batch_of(seed + first, len(plans), shape, channels, np.uint8) for first in (0, 10))
    masks = [None, None]
    if masked:
        masks = [np.stack([draw_object(seed + first + i, shape) for i in range(len(plans))]) for first in (20, 30)]
    assert_as_task(AnomalyModule(task=task, blended_on="device"), images, sources, plans, *masks)


@settings(max_examples=15, deadline=None)
@given(case=cases())
def test_floats_give_the_pictures_of_the_task(case):
    task, shape, channels, plans, seed = case
    images, sources = (batch_of(seed + first, len(plans), shape, channels, np.float32) for first in (0, 10))
    assert_as_task(AnomalyModule(task=task, blended_on="device"), images, sources, plans)
