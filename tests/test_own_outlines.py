"""Outlines that are not the package's own and place themselves."""

from dataclasses import dataclass

import numpy as np
import pytest
from drawing import blank

from nsa_augment import NaturalSyntheticAnomaly, Outline, SynthesisPlan

PLACED = {}


@pytest.fixture
def corner(registries):
    """An outline that is placed as the tests say, in the upper left quarter of its box."""

    @dataclass(frozen=True)
    class Corner(Outline):
        name = "corner"

        @classmethod
        def place(cls, *_):
            return PLACED["box"], PLACED.get("outline", cls())

        def mask(self, size):
            inside = np.zeros(size, np.uint8)
            inside[: size[0] // 2, : size[1] // 2] = 1
            return inside

    yield Corner
    PLACED.clear()


@pytest.mark.parametrize("kind", [tuple, list])
@pytest.mark.parametrize("number", [int, np.int64])
def test_boxes_become_whole_numbers_in_plans(corner, kind, number):
    PLACED["box"] = kind(map(number, (10, 20, 40, 60)))
    plan = NaturalSyntheticAnomaly(shape="corner", max_patches=1).plan(blank(100), blank(100), 0)
    assert plan.to_dict()["patches"][0]["source_box"] == [10, 20, 40, 60]
    assert {type(side) for side in plan.patches[0].source_box} == {int}
    assert SynthesisPlan.from_dict(plan.to_dict()) == plan


@pytest.mark.parametrize(
    ("placed", "error", "named"),
    [
        ({"box": (10, 20, 10, 60)}, ValueError, "box of an outline that was placed must be a half-open box"),
        ({"box": (10, 20, 40.5, 60)}, TypeError, "box of an outline that was placed must be"),
        ({"box": (10, 20, 40, 60), "outline": "round"}, TypeError, "outline that was placed must be an Outline"),
    ],
)
def test_what_is_placed_is_checked(corner, placed, error, named):
    PLACED.update(placed)
    with pytest.raises(error, match=named):
        NaturalSyntheticAnomaly(shape="corner").plan(blank(100), blank(100), 0)
