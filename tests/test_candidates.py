"""`candidates=`: of several accepted places the one along whose border source and image differ most evenly."""

import cv2
import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from strategies import draw_object, draw_pixels, seeds
from table5 import ROWS, each_row

from nsa_augment import NaturalSyntheticAnomaly

SIDE = 60
MIN_OBJECT, MIN_OVERLAP = 0.2, 0.3


def cost(image, source, patch, y, x):
    """Standard deviation of source - image over the patch's border, mean over channels, at another place."""
    bitmap = oracle.resize(oracle.outline(patch), patch.size) > 0
    ring = bitmap & ~ndimage.binary_erosion(bitmap, np.ones((3, 3)))
    crop = oracle.view(source, patch.source_box).astype(np.float32)
    below = image[y : y + patch.size[0], x : x + patch.size[1]].astype(np.float64)
    difference = (cv2.resize(crop, patch.size[::-1]) - below)[ring].reshape(int(ring.sum()), -1)
    return difference.std(axis=0).mean()


def accepted(patch, objects, y, x):
    if objects is None:
        return True
    found = oracle.resize(oracle.view(objects[1].astype(np.uint8), patch.source_box), patch.size)
    below = objects[0][y : y + patch.size[0], x : x + patch.size[1]]
    inside = oracle.resize(oracle.outline(patch), patch.size)
    return (found & below & inside).sum() / found.sum() > MIN_OVERLAP


@given(
    seeds, st.integers(2, 6), st.booleans(), st.sampled_from([None, "ellipses"]), st.sampled_from([(), (3,)]),
    st.sampled_from([np.uint8, np.float32]),
)  # fmt: skip
def test_the_place_is_the_best_of_those_that_brute_force_accepts(seed, count, constrained, shape, channels, dtype):
    """On an object that fills the image the first draw is accepted, and leaves the generator before the second one."""
    image, source = (draw_pixels(seed + i, (SIDE, SIDE, *channels), dtype) for i in (0, 1))
    objects = [draw_object(seed + i, (SIDE, SIDE)) for i in (0, 1)] if constrained else None
    masks = {} if objects is None else {"mask": objects[0], "source_mask": objects[1]}
    common = {"max_patches": 1, "shape": shape, "min_object": MIN_OBJECT, "min_overlap": MIN_OVERLAP}
    common |= {"height_range": (0.2, 0.6), "width_range": (0.2, 0.6)}
    rng = np.random.default_rng(seed)
    everywhere = {name: np.ones_like(mask) if name == "mask" else mask for name, mask in masks.items()}
    first = NaturalSyntheticAnomaly(**common).plan(image, source, rng, **everywhere).patches
    chosen = NaturalSyntheticAnomaly(**common, candidates=count).plan(image, source, seed, **masks).patches
    places = []
    for one in first:
        draws = [tuple(one.destination_box[:2])]
        draws += [tuple(int(rng.integers(1, SIDE - length)) for length in one.size) for _ in range(199)]
        places = [place for place in draws if accepted(one, objects, *place)][:count]
    assert len(chosen) == bool(places)
    for one, best in zip(first, chosen, strict=False):
        assert (best.source_box, best.shape, best.size) == (one.source_box, one.shape, one.size)
        costs = {place: cost(image, source, one, *place) for place in places}
        assert costs[tuple(best.destination_box[:2])] <= min(costs.values()) + 1e-5 * (255 if dtype == np.uint8 else 1)


def test_more_candidates_cost_less():
    image, source = (draw_pixels(seed, (200, 200, 3)) for seed in (1, 4))
    costs = []
    for count in (1, 4, 16):
        task = NaturalSyntheticAnomaly(max_patches=1, candidates=count)
        patches = [patch for seed in range(60) for patch in task.plan(image, source, seed).patches]
        costs.append(np.mean([cost(image, source, patch, *patch.destination_box[:2]) for patch in patches]))
    assert costs[0] > 1.1 * costs[1] > 1.1**2 * costs[2]


@each_row(lambda row: row.shift)
@pytest.mark.parametrize("number", [0, 101, 2.0, True, None])
def test_wrong_numbers_are_refused(row, number):
    with pytest.raises((ValueError, TypeError), match=r"candidates must be an integer in \[1, 100\], got"):
        row.task(candidates=number)


@each_row(lambda row: not row.shift)
def test_tasks_that_do_not_move_patches_have_no_candidates(row, tmp_path):
    with pytest.raises(TypeError, match=f"candidates must be 1 for {row.task.__name__}, got 4: its patches stay"):
        row.task(candidates=4)
    preset = tmp_path / "own.yaml"
    preset.write_text("candidates: 4\nmax_patches: 2\n")
    assert row.task.from_preset(preset).candidates == 1
    assert ROWS["nsa"].task.from_preset(preset).candidates == 4
