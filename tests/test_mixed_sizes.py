"""Sources of other sizes than the image, at their own scale; and regions that patches must stay in."""

from __future__ import annotations

import json
import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rejections import rejects

from nsa_augment import (
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    NaturalSyntheticAnomaly,
    PoissonImageInterpolation,
    SynthesisPlan,
)
from nsa_augment.planning.given_up import Reason

SIZES = [(64, 64), (48, 90), (90, 48), (200, 60), (60, 200), (128, 128), (33, 47), (250, 250), (71, 64), (64, 72)]
MOVING = [NaturalSyntheticAnomaly, CutPasteAnomaly]
IN_PLACE = [ForeignPatchInterpolation, PoissonImageInterpolation]
ALL = [*MOVING, *IN_PLACE]


def numbered(size: tuple[int, int]) -> np.ndarray:
    """Every pixel has a value of its own, so that where it comes from can be read off."""
    return np.arange(1, size[0] * size[1] + 1, dtype=np.uint16).reshape(size)


@pytest.mark.parametrize("selection", ["natural", "cutpaste", "cutpaste_scar", "fpi"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", MOVING)
def test_a_native_patch_is_an_exact_piece_of_the_source(kind, size, selection):
    image, source = np.zeros((64, 64), np.uint16), numbered(size)
    task = kind(source_fit="native", selection=selection, blending="copy_paste", scale_range=None, max_patches=1)
    found = 0
    for seed in range(20):
        result = task(image, source, seed)
        rows, columns = np.nonzero(result.image)
        origin_rows, origin_columns = np.divmod(result.image[rows, columns].astype(int) - 1, size[1])
        assert len(np.unique(origin_rows - rows)) <= 1
        assert len(np.unique(origin_columns - columns)) <= 1
        found += len(rows) > 0
    assert found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", MOVING)
def test_native_plans_keep_what_it_takes_to_apply_them_again(kind, size):
    rng = np.random.default_rng(0)
    image, source = (rng.integers(0, 256, (*one, 3), np.uint8) for one in ((64, 64), size))
    task = kind(source_fit="native", height_range=(0.2, 0.6), width_range=(0.2, 0.6))
    result = task(image, source, 3)
    plan = SynthesisPlan.from_dict(json.loads(json.dumps(result.plan.to_dict())))
    assert plan == result.plan
    again = kind(height_range=(0.2, 0.6), width_range=(0.2, 0.6)).apply(image, source, plan)
    assert np.array_equal(again.image, result.image)
    prepared = task.prepare_source(source, (64, 64))
    assert np.array_equal(task(image, prepared, 3).image, result.image)


def test_sources_of_the_image_size_are_used_alike_either_way():
    image, source = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), np.uint8)
    for seed in range(10):
        native, resized = (NaturalSyntheticAnomaly(source_fit=fit)(image, source, seed) for fit in ("native", "resize"))
        assert np.array_equal(native.image, resized.image)
        assert native.plan.patches == resized.plan.patches


def test_plans_without_source_fit_mean_resized_sources():
    plan = NaturalSyntheticAnomaly().plan(np.zeros((64, 64), np.uint8), np.ones((64, 64), np.uint8), 0)
    assert "source_fit" not in plan.to_dict()
    assert SynthesisPlan.from_dict(plan.to_dict()).source_fit == "resize"
    with pytest.raises(ValueError, match="source_fit"):
        SynthesisPlan.from_dict({**plan.to_dict(), "source_fit": "stretch"})


def test_boxes_of_native_plans_lie_in_the_source():
    data = {"version": 1, "image_shape": [64, 64], "source_shape": [20, 90], "source_fit": "native"}
    patch = {"source_box": [10, 60, 30, 80], "destination_box": [10, 10, 30, 30]}
    plan = SynthesisPlan.from_dict({**data, "patches": [patch]})
    with pytest.raises(ValueError, match="source_box must be inside the 20 x 90"):
        CutPasteAnomaly().apply(np.zeros((64, 64), np.uint8), np.zeros((20, 90), np.uint8), plan)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", MOVING)
def test_candidates_take_native_sources(kind, size):
    rng = np.random.default_rng(0)
    image, source = (rng.integers(0, 256, (*one, 3), np.uint8) for one in ((64, 64), size))
    task = kind(source_fit="native", candidates=5, height_range=(0.2, 0.6), width_range=(0.2, 0.6))
    assert any(task.plan(image, source, seed).patches for seed in range(10))


@pytest.mark.parametrize("kind", IN_PLACE)
def test_tasks_in_place_need_aligned_sources(kind):
    with pytest.raises(ValueError, match=r"source_fit must be 'resize'.*aligned"):
        kind(source_fit="native")


@pytest.mark.parametrize("kind", ALL)
def test_source_fit_is_checked(kind):
    rejects("source_fit", ["stretch"], kind, source_fit="stretch")


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(ALL),
    blending=st.sampled_from(["poisson", "copy_paste", "linear", "silhouette"]),
    candidates=st.sampled_from([1, 5]),
    selection=st.sampled_from(["natural", "cutpaste", "cutpaste_scar", "fpi"]),
    ellipses=st.booleans(),
    masked=st.booleans(),
)
def test_every_changed_pixel_lies_in_the_allowed_region(seed, kind, blending, candidates, selection, ellipses, masked):
    rng = np.random.default_rng(seed)
    image, source = rng.integers(0, 256, (2, 72, 80, 3), np.uint8)
    rows, columns = np.mgrid[:72, :80]
    y, x, radius = rng.integers(10, 60), rng.integers(10, 70), rng.integers(0, 60)
    allowed = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    shape = "ellipses" if ellipses and selection != "cutpaste_scar" else None
    options = {} if kind is PoissonImageInterpolation else {"blending": blending}
    masked = masked or blending == "silhouette"
    task = kind(selection=selection, shape=shape, candidates=candidates if kind in MOVING else 1, **options)
    masks = {"mask": columns < 60, "source_mask": columns < 60} if masked else {}
    result = task(image, source, int(seed), allowed=allowed, **masks)
    assert not (result.image != image).any(axis=2)[~allowed].any()
    reached = cv2.dilate(allowed.astype(np.uint8), np.ones((5, 5), np.uint8))  # by the median of the mask
    assert not result.mask[reached == 0].any()
    again = task.apply(image, source, result.plan, **masks)
    assert np.array_equal(again.image, result.image)


@pytest.mark.parametrize("kind", ALL)
def test_a_generous_region_is_used(kind):
    image, source = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), np.uint8)
    allowed = np.zeros((96, 96), np.uint8)
    allowed[:, 40:] = 1
    task = kind(height_range=(0.1, 0.3), width_range=(0.1, 0.3))
    assert sum(bool(task.plan(image, source, seed, allowed=allowed).patches) for seed in range(20)) >= 18


@pytest.mark.parametrize("kind", ALL)
def test_an_empty_region_places_nothing_and_says_why(kind):
    image, source = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
    plan = kind().plan(image, source, 0, allowed=np.zeros((64, 64), bool))
    assert not plan.patches
    assert Reason.NOT_ALLOWED in {patch.reason for patch in plan.given_up}


@pytest.mark.parametrize("kind", ALL)
def test_the_region_is_checked(kind):
    image = np.zeros((64, 64), np.uint8)
    rejects("allowed", ["(64, 63)"], kind(), image, image, 0, allowed=np.zeros((64, 63), bool))
    rejects("allowed", ["everywhere"], kind(), image, image, 0, allowed="everywhere")


def coordinates(size: tuple[int, int]) -> np.ndarray:
    """Every pixel holds its own place, so that a moved one says from where."""
    rows, columns = np.indices(size)
    return np.dstack([rows, columns, np.zeros(size)]).astype(np.uint8)


def check_moved_whole(image: np.ndarray) -> bool:
    """Whether pixels have moved; all by the same way, as those of one patch that keeps its scale and aspect."""
    rows, columns = np.indices(image.shape[:2])
    moves = np.dstack([image[:, :, 0] - rows, image[:, :, 1] - columns])
    moved = np.unique(moves[moves.any(axis=2)], axis=0)
    assert len(moved) <= 1
    return len(moved) == 1


NATIVE = {"source_fit": "native", "blending": "copy_paste", "scale_range": None, "max_patches": 1}


def test_ten_sizes_pass_unstretched_through_albumentations():
    albumentations = pytest.importorskip("nsa_augment.integrations.albumentations")
    images = [coordinates(size) for size in SIZES]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transform = albumentations.NSA(sources=images, p=1.0, **NATIVE)
        transform.set_random_seed(0)
        moved = [check_moved_whole(transform(image=image)["image"]) for image in images for _ in range(3)]
    assert sum(moved) > len(moved) / 2


def test_ten_sizes_pass_unstretched_through_datasets():
    torch_dataset = pytest.importorskip("nsa_augment.integrations.torch")
    images = [coordinates(size) for size in SIZES]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = torch_dataset.AnomalyDataset(images, NaturalSyntheticAnomaly(**NATIVE))
        moved = []
        for epoch in range(3):
            dataset.set_epoch(epoch)
            moved += [check_moved_whole(image.numpy().transpose(1, 2, 0)) for image, _ in dataset]
    assert sum(moved) > len(moved) / 2
