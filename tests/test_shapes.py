"""Ellipses and strips: drawn as the method says, rasterised as geometry says, written down and read."""

import json

import numpy as np
import oracle
import pytest
from drawing import blank, draw_plans, uniform_between
from hypothesis import given
from hypothesis import strategies as st
from strategies import ellipse_shapes, strips

from nsa_augment import Ellipses, NaturalSyntheticAnomaly, PatchPlacement, Strip


def test_ellipses_are_drawn_as_the_ablation_says():
    task = NaturalSyntheticAnomaly(
        height_range=(0.1, 0.6), width_range=(0.1, 0.6), size_gamma=None, scale_range=None, max_patches=1,
        shape="ellipses",
    )  # fmt: skip
    rng = np.random.default_rng(1)
    centres, semi_axes, angles = ([], []), ([], []), []
    for plan in draw_plans(task, blank(200), 1500):
        (patch,) = plan.patches
        assert len(patch.shape.parameters) == 5
        for parameters in patch.shape.parameters:
            angles.append(parameters[4] / np.pi)
            for axis in (0, 1):
                start, stop = patch.source_box[axis], patch.source_box[axis + 2]
                assert float(parameters[axis]).is_integer()
                assert float(parameters[axis + 2]).is_integer()
                centres[axis].append((parameters[axis] + rng.random()) / (stop - start))
                if start > 0 and stop < 200:  # not cut: the half-size is known
                    half = (stop - start) // 2
                    spread = max(11, half // 2) - 10
                    semi_axes[axis].append((parameters[axis + 2] - 10 + rng.random()) / spread)
    for sample in [angles, *centres, *semi_axes]:
        assert len(sample) > 1500
        assert uniform_between(sample)


@pytest.mark.parametrize("angle", np.linspace(0, np.pi, 9))
@pytest.mark.parametrize("semi_axes", [(30, 10), (12, 25), (20, 20)])
def test_ellipse_is_a_true_rotated_ellipse(angle, semi_axes):
    mask = Ellipses(((60, 50, *semi_axes, angle),)).mask((121, 101))
    assert mask.dtype == np.uint8
    assert mask.sum() == pytest.approx(np.pi * semi_axes[0] * semi_axes[1], rel=0.02)
    y, x = np.nonzero(mask) - np.array([[60], [50]])
    along = np.cos(angle) * y + np.sin(angle) * x
    across = np.cos(angle) * x - np.sin(angle) * y
    assert 2 * along.std() == pytest.approx(semi_axes[0], rel=0.03)
    assert 2 * across.std() == pytest.approx(semi_axes[1], rel=0.03)
    assert [y.mean(), x.mean()] == pytest.approx([0, 0], abs=0.1)


@given(st.data(), st.integers(1, 50), st.integers(1, 50))
def test_strip_is_the_polygon_of_its_corners(data, height, width):
    shape = data.draw(strips((height, width)))
    mask = shape.mask((height, width))
    assert (mask.dtype, mask.shape) == (np.uint8, (height, width))
    surely, perhaps = (oracle.strip(shape, (height, width), slack) for slack in (-1e-6, 1e-6))
    assert (surely <= mask).all()
    assert (mask <= perhaps).all()


@pytest.mark.parametrize("angle", np.linspace(-np.pi / 4, np.pi / 4, 7))
@pytest.mark.parametrize("size", [(20.8, 60.8), (31, 33), (9.2, 51)])
def test_strip_has_the_area_and_direction_of_its_rectangle(angle, size):
    mask = Strip(*size, angle).mask((101, 101))
    assert int(mask.sum()) == pytest.approx(size[0] * size[1], rel=0.05)
    y, x = np.nonzero(mask) - np.array([[50], [50]])
    along = np.cos(angle) * y + np.sin(angle) * x
    across = np.cos(angle) * x - np.sin(angle) * y
    assert along.std() * np.sqrt(12) == pytest.approx(size[1], rel=0.05)
    assert across.std() * np.sqrt(12) == pytest.approx(size[0], rel=0.1)
    np.testing.assert_array_equal(mask, mask[::-1, ::-1])


@given(st.floats(0.5, 60), st.floats(0.5, 60), st.floats(-3.1, 3.1))
def test_box_of_a_strip_is_the_smallest_around_it(width, length, angle):
    corners = np.array([(a * length / 2, b * width / 2) for a in (-1, 1) for b in (-1, 1)])
    turned = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    size = Strip(width, length, angle).box_size
    for side, extent in zip(size, np.ptp(turned, axis=0), strict=True):
        assert extent - 1e-6 <= side < extent + 1 + 1e-6


@given(st.data(), st.integers(1, 300), st.integers(1, 300))
def test_shapes_survive_json(data, height, width):
    shape = data.draw(st.one_of(strips((height, width)), ellipse_shapes((height, width))))
    patch = PatchPlacement((0, 0, height, width), (1, 1, 9, 9), shape=shape)
    read = PatchPlacement.from_dict(json.loads(json.dumps(patch.to_dict(), allow_nan=False)))
    assert read == patch
    np.testing.assert_array_equal(read.shape.mask((height, width)), shape.mask((height, width)))
