"""Foreign textures: outlines, weights and textures of DRAEM, MemSeg and GLASS, against formulas and brute force."""

import json
import warnings

import cv2
import numpy as np
import oracle
import pytest
from drawing import agree, draw_plans
from hypothesis import given, settings
from hypothesis import strategies as st
from perlin import noise_at
from scipy import stats
from strategies import draw_object, draw_pixels, seeds

from nsa_augment import PRESETS, NaturalSyntheticAnomaly, SynthesisPlan, TextureAnomaly
from nsa_augment.planning.augmentations import AUGMENTATIONS, DRAEM, GLASS
from nsa_augment.tasks import TEXTURE_PRESETS, bind_task

SIZE = (24, 20)
IMAGE, OTHER = draw_pixels(1, (48, 40, 3)), draw_pixels(4, (48, 40, 3))
MARGIN = 1e-6
"""Distance to the threshold within which rounding decides."""


def plans_of(preset, count, image=IMAGE, seed=0, **arguments):
    return draw_plans(TextureAnomaly.from_preset(preset, **arguments), image, count, seed)


def patches_of(preset, count, **arguments):
    return [patch for plan in plans_of(preset, count, **arguments) for patch in plan.patches]


def outline_of(patch, size):
    """Brute force: where the noise of one layer, of either or of both exceeds 0.5; None where rounding decides."""
    join = any if patch.shape.combine == "union" else all
    surely, perhaps = (
        np.array([
            [join(noise_at(layer, size, y, x) > 0.5 + slack for layer in patch.shape.layers) for x in range(size[1])]
            for y in range(size[0])
        ])
        for slack in (MARGIN, -MARGIN)
    )  # fmt: skip
    return surely if (surely == perhaps).all() else None


def mixture(image, texture, outline, weight):
    """The paper's formula; 8 bits are cut to whole grey levels."""
    mixed = image + weight * (texture.astype(np.float64) - image)
    return np.where(outline[..., None], np.floor(mixed + 1e-9), image).astype(np.uint8)


@settings(max_examples=25)
@given(st.sampled_from(sorted(TEXTURE_PRESETS)), seeds, st.booleans())
def test_images_are_those_of_the_published_formula(preset, seed, constrained):
    image, texture = draw_pixels(seed, (*SIZE, 3)), draw_pixels(seed + 1, (*SIZE, 3))
    objects = draw_object(seed, SIZE) if constrained else np.ones(SIZE, bool)
    masks = {"mask": objects} if constrained else {}
    task = TextureAnomaly.from_preset(preset, augmented=0, structure=0, normal_share=0)
    result = task(image, texture, seed, **masks)
    for patch in result.plan.patches:
        assert tuple(patch.source_box) == tuple(patch.destination_box) == (0, 0, *SIZE)
        outline = outline_of(patch, SIZE)
        if outline is None:
            return
        expected = mixture(image, texture, outline & objects, patch.factor)
        np.testing.assert_allclose(result.image.astype(int), expected.astype(int), atol=1)
        np.testing.assert_array_equal(result.image[~(outline & objects)], image[~(outline & objects)])
        inside = outline & objects
        np.testing.assert_array_equal(result.mask > 0, oracle.change_mask(image, result.image, inside, inside))
        assert inside.any()
    if not result.plan.patches:
        np.testing.assert_array_equal(result.image, image)


@pytest.mark.parametrize("preset", TEXTURE_PRESETS)
def test_grids_have_1_to_32_cells_per_axis_and_turn_by_up_to_90_degrees(preset):
    layers = [layer for patch in patches_of(preset, 500, normal_share=0) for layer in patch.shape.layers]
    for axis in (0, 1):
        # Empty outlines are drawn again, which makes coarse grids a little rarer.
        shares = np.bincount(np.log2([layer[axis] for layer in layers]).astype(int), minlength=6) / len(layers)
        assert len(shares) == 6
        np.testing.assert_allclose(shares, 1 / 6, atol=0.06)
    turns = [layer[2] for layer in layers]
    assert stats.kstest(turns, stats.uniform(-np.pi / 2, np.pi).cdf).pvalue > 1e-3


def test_draem_leaves_half_of_the_images_normal():
    plans = plans_of("draem", 400)
    normal = [plan for plan in plans if not plan.patches]
    agree([len(normal), 400 - len(normal)], [0.5, 0.5])
    assert all(plan.left_normal for plan in normal)
    assert not any(plan.left_normal for plan in plans if plan.patches)
    assert not any(plan.left_normal for plan in plans_of("glass", 20))


def test_weights_are_uniform_in_draem_and_memseg():
    for preset, low in (("draem", 0.2), ("memseg", 0.15)):
        weights = [patch.factor for patch in patches_of(preset, 300, normal_share=0)]
        assert stats.kstest(weights, stats.uniform(low, 1 - low).cdf).pvalue > 1e-3


def test_weights_of_glass_are_normal_and_clipped():
    weights = np.array([1 - patch.factor for patch in patches_of("glass", 500)])
    assert stats.kstest(weights, stats.norm(0.5, 0.1).cdf).pvalue > 1e-3
    wide = [patch.factor for patch in patches_of("glass", 300, opacity_normal=(0.5, 0.5))]
    at_ends = [np.isclose(wide, end).sum() for end in (0.2, 0.8)]
    tail = stats.norm.cdf(0.2, 0.5, 0.5)
    agree([*at_ends, 300 - sum(at_ends)], [tail, tail, 1 - 2 * tail])


def test_glass_has_one_outline_or_the_union_or_the_intersection_of_two():
    shapes = [patch.shape for patch in patches_of("glass", 300)]
    ways = [(len(shape.layers), shape.combine) for shape in shapes]
    kinds = [(1, "union"), (2, "union"), (2, "intersection")]
    assert set(ways) == set(kinds)
    counts = [ways.count(kind) / len(ways) for kind in kinds]
    # Empty intersections are drawn again.
    assert counts[2] < 1 / 3 + 0.06
    np.testing.assert_allclose(counts[:2], 1 / 3, atol=0.12)


@pytest.mark.parametrize(("preset", "kinds"), [("draem", DRAEM), ("glass", GLASS)])
def test_three_changes_of_different_kinds(preset, kinds):
    drawn = [[one.kind for one in patch.filling.augmentations] for patch in patches_of(preset, 300, normal_share=0)]
    assert all(len(set(names)) == len(names) == 3 for names in drawn)
    counts = [sum(kind in names for names in drawn) for kind in kinds]
    assert sum(counts) == 3 * len(drawn)
    agree(counts, np.full(len(kinds), 1 / len(kinds)))
    firsts = [names[0] for names in drawn]
    agree([firsts.count(kind) for kind in kinds], np.full(len(kinds), 1 / len(kinds)))


def test_memseg_has_the_texture_as_it_is_or_the_image_in_64_pieces():
    fillings = [patch.filling for patch in patches_of("memseg", 300)]
    assert not any(filling.augmentations for filling in fillings)
    shuffled = [filling.pattern for filling in fillings if filling.pattern.name == "shuffled"]
    agree([len(shuffled), len(fillings) - len(shuffled)], [0.5, 0.5])
    assert {(pattern.rows, pattern.columns) for pattern in shuffled} == {(8, 8)}
    places = [pattern.order[0] for pattern in shuffled]
    agree(np.bincount(places, minlength=64), np.full(64, 1 / 64))


@pytest.mark.parametrize("preset", TEXTURE_PRESETS)
def test_outlines_meet_the_object_and_change_nothing_else(preset):
    corner = np.zeros((48, 40), bool)
    corner[:9, 30:] = True
    task = TextureAnomaly.from_preset(preset, normal_share=0, augmented=0, structure=0)
    for seed in range(12):
        result = task(IMAGE, 255 - IMAGE, seed, mask=corner)
        assert (result.plan.patches[0].shape.mask((48, 40)) & corner).any()
        np.testing.assert_array_equal(result.image[~corner], IMAGE[~corner])


def test_nothing_changes_outside_the_allowed_region_even_when_the_plan_is_repeated():
    rng = np.random.default_rng(0)
    for seed in range(12):
        allowed = cv2.GaussianBlur(rng.random((48, 40)), (0, 0), 3) > 0.5
        for shape in ("noise", "fine_noise", None, "ellipses"):
            task = TextureAnomaly(structure=0, shape=shape)
            result = task(IMAGE, OTHER, seed, allowed=allowed)
            np.testing.assert_array_equal(result.image[~allowed], IMAGE[~allowed])
            changed = (np.abs(result.image - IMAGE.astype(int)).mean(axis=2) > 1) & allowed
            assert result.mask[changed].all()  # islands at the edge of the region, too
            assert changed.any()
            plan = SynthesisPlan.from_dict(result.plan.to_dict())
            np.testing.assert_array_equal(task.apply(IMAGE, OTHER, plan).image, result.image)
    nowhere = TextureAnomaly().plan(IMAGE, rng=0, allowed=np.zeros((48, 40), bool))
    assert [patch.reason.name for patch in nowhere.given_up] == ["NOT_ALLOWED"]


# where textures come from


def test_a_source_is_the_texture_whatever_its_size_and_without_a_warning():
    wide = draw_pixels(3, (48, 160, 3))
    task = TextureAnomaly(shape=None, opacity_range=(1, 1), structure=0, augmented=0, background=(255, 0))
    result = task(IMAGE, wide, 0)
    expected = cv2.resize(wide, (40, 48), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(result.image[(IMAGE < 250).all(axis=2)], expected[(IMAGE < 250).all(axis=2)])
    prepared = task.prepare_source(wide, (48, 40))
    np.testing.assert_array_equal(task(IMAGE, prepared, 0).image, result.image)


@pytest.mark.parametrize("shape", [(48, 40), (48, 40, 1), (48, 40, 3), (48, 40, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_textures_from_a_folder(shape, dtype, tmp_path):
    (tmp_path / "banded").mkdir()
    for index in range(3):
        stored = draw_pixels(index, (30 + index, 25, 3))
        cv2.imwrite(str(tmp_path / "banded" / f"{index}.png"), stored[:, :, ::-1])
    task = TextureAnomaly(textures=tmp_path, shape=None, opacity_range=(1, 1), structure=0, augmented=0)
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    image = np.full(shape, full // 2, dtype)
    seen = set()
    for seed in range(12):
        result = task(image, rng=seed)
        path = result.plan.patches[0].filling.pattern.path
        seen.add(path)
        mode = cv2.IMREAD_GRAYSCALE if shape[2:] in ((), (1,)) else cv2.IMREAD_COLOR_RGB
        decoded = cv2.imread(path, mode)
        resized = cv2.resize(decoded, (40, 48), interpolation=cv2.INTER_LINEAR).reshape(48, 40, -1)
        levels = np.rint(oracle_levels(result.image, full)).reshape(48, 40, -1)
        for channel in range(levels.shape[2]):
            np.testing.assert_allclose(levels[:, :, channel], resized[:, :, channel % resized.shape[2]], atol=1)
    assert seen == {str(file) for file in tmp_path.rglob("*.png")}


def oracle_levels(image, full):
    return image.astype(np.float64) * 255 / full


def test_a_missing_folder_or_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"no such folder: {tmp_path / 'none'}"):
        TextureAnomaly(textures=tmp_path / "none")
    file = tmp_path / "0.png"
    cv2.imwrite(str(file), OTHER)
    task = TextureAnomaly(textures=str(tmp_path), structure=0)
    plan = task.plan(IMAGE, rng=0)
    file.unlink()
    for path in (file, "/dev/zero"):
        named = json.loads(json.dumps(plan.to_dict()).replace(str(file), str(path)))
        with pytest.raises(ValueError, match=f"cannot read image file {path}: no such file"):
            task.apply(IMAGE, None, SynthesisPlan.from_dict(named))


def test_without_data_every_family_of_textures_occurs():
    task = TextureAnomaly()
    kinds = [task.plan(IMAGE, rng=seed).patches[0].filling.pattern.name for seed in range(200)]
    assert set(kinds) == {"fractal", "waves", "weave", "cells", "shuffled"}
    agree([kinds.count("shuffled"), 200 - kinds.count("shuffled")], [0.25, 0.75])


# arguments


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_of_the_paper_give_background_and_label(preset):
    task, nsa = TextureAnomaly.from_preset(preset), NaturalSyntheticAnomaly.from_preset(preset)
    assert (task.background, task.logistic_midpoint) == (nsa.background, nsa.logistic_midpoint)
    assert (task.min_object, task.noise_cover) == (0, 0.02)
    for ablation in "BCD":
        TextureAnomaly.from_preset(preset, ablation=ablation)


def test_own_presets_are_taken_by_every_way_to_bind_a_task():
    task = bind_task("texture", "memseg", arguments={"background": (200, 60)})
    assert (task.structure, task.opacity_range, task.background) == (0.5, (0.15, 1.0), ((200.0, 60.0),))
    with pytest.raises(
        ValueError, match=r"preset must be one of 'bottle'.* 'draem', 'memseg', 'glass', or a YAML file"
    ):
        TextureAnomaly.from_preset("draen")
    with pytest.raises(ValueError, match="ablation must be one of None, got 'A'"):
        TextureAnomaly.from_preset("draem", ablation="A")
    with pytest.raises(ValueError, match="got 'draem'"):
        NaturalSyntheticAnomaly.from_preset("draem")


@pytest.mark.parametrize(
    "argument",
    [
        {"opacity_range": (0.5, 1.5)}, {"opacity_range": (0.6, 0.5)}, {"opacity_normal": (0.5, -1)},
        {"opacity_normal": 0.5}, {"structure": 2}, {"normal_share": -0.1}, {"noise_cover": None},
        {"noise_combinations": ()}, {"noise_combinations": "union"}, {"noise_combinations": ("union", "union")},
        {"noise_combinations": ("difference",)}, {"augmentations": ("blur",)}, {"augmented": 11}, {"augmented": 1.5},
        {"augmented": 2, "augmentations": ("invert",)}, {"shape": "strip"}, {"textures": 3},
    ],
    ids=str,
)  # fmt: skip
def test_bad_arguments_are_named(argument):
    with pytest.raises((TypeError, ValueError), match=f"{next(iter(argument))} must be"):
        TextureAnomaly(**argument)


@pytest.mark.parametrize(
    "argument",
    [
        {"max_patches": 1}, {"height_range": (0.1, 0.2)}, {"width_range": (0.1, 0.2)}, {"size_gamma": None},
        {"selection": "fpi"}, {"min_overlap": 0.5}, {"scale_range": (0.5, 2)}, {"resize_limits": "full"},
        {"candidates": 2}, {"source_fit": "native"},
    ],
    ids=str,
)  # fmt: skip
def test_arguments_without_a_meaning_are_refused(argument):
    (name,) = argument
    for make in (TextureAnomaly, lambda **given: bind_task("texture", "draem", arguments=given)):
        with pytest.raises(TypeError, match=f"TextureAnomaly has no argument {name!r}, accepted are augmentations, "):
            make(**argument)


def test_images_left_normal_are_no_failure():
    task = TextureAnomaly(normal_share=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = [task(IMAGE, OTHER, seed) for seed in range(45)]
    for result in results:
        np.testing.assert_array_equal(result.image, IMAGE)
        assert not result.label.any()
        assert result.plan == SynthesisPlan((48, 40), (48, 40))


def test_what_gives_no_outline_says_why():
    task = TextureAnomaly(noise_threshold=1, noise_cover=0)
    message = r"outlines without a pixel.*What helps: lower noise_threshold=1.0, or use larger images"
    with pytest.warns(UserWarning, match=message):
        plans = [task.plan(IMAGE[:8, :8], rng=seed) for seed in range(20)]
    assert not any(plan.patches for plan in plans)
    nothing = np.zeros((48, 40), bool)
    assert TextureAnomaly().plan(IMAGE, rng=0, mask=nothing).given_up[0].reason.name == "NO_IMAGE_OBJECT"


def test_every_kind_of_change_belongs_to_a_preset():
    assert set(DRAEM) | set(GLASS) == set(AUGMENTATIONS)
