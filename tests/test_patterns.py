"""Patterns against brute force: colours, random pixels, shuffled images, textures drawn by code; and as JSON."""

import json
import math

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from perlin import hashed, noise_at
from rejections import NAN, PATCH, rejects
from scipy import stats
from strategies import draw_pixels, seeds

from nsa_augment import Bitmap, Filling, FineBitmap, PatchPlacement
from nsa_augment.planning.patterns import (
    PATTERNS,
    PROCEDURAL,
    Constant,
    DefectFile,
    Material,
    Mean,
    Picture,
    Shuffled,
    Static,
    TextureFile,
    pattern_from_dict,
)

small = st.tuples(st.integers(1, 40), st.integers(1, 40))
seeded = st.builds(lambda kind, seed: kind(seed), st.sampled_from([Static, *PROCEDURAL]), seeds)
constants = st.builds(Constant, st.lists(st.floats(0, 255), min_size=1, max_size=4).map(tuple))
orders = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda grid: st.permutations(range(grid[0] * grid[1])).map(lambda order: Shuffled(*grid, tuple(order)))
)
patterns = st.one_of(
    seeded,
    constants,
    orders,
    st.builds(Mean),
    st.builds(Picture),
    st.builds(TextureFile, st.just("a/b")),
    st.builds(DefectFile, st.just("a"), st.just((1, 2, 30, 40))),
)


def material(image, size=None, source=None):
    cube = image.reshape(*image.shape[:2], -1)
    return Material(cube, cube if source is None else source, size or image.shape[:2])


@given(patterns)
def test_patterns_survive_json(pattern):
    read = pattern_from_dict(json.loads(json.dumps(pattern.to_dict(), allow_nan=False)))
    assert read == pattern
    patch = PatchPlacement.from_dict({**PATCH, "filling": Filling(pattern).to_dict()})
    assert patch.filling == Filling(pattern)
    assert PatchPlacement.from_dict(patch.to_dict()) == patch


@given(st.one_of(seeded, orders, st.builds(Mean), st.builds(Constant, st.just((77.0,)))), small, small, seeds)
def test_a_pattern_is_the_same_in_every_depth(pattern, shape, size, seed):
    image = draw_pixels(seed, (*shape, 3))
    image.flags.writeable = False
    expected = pattern.pixels(material(image, size))
    assert (expected.shape, expected.dtype) == ((*size, 3), np.uint8)
    deep = pattern.pixels(material(image.astype(np.uint16) * 257, size))
    floats = pattern.pixels(material(image / np.float32(255), size))
    assert (deep.dtype, floats.dtype) == (np.uint16, np.float32)
    np.testing.assert_allclose(deep / 257, expected, atol=1.01)
    np.testing.assert_allclose(255 * floats, expected, atol=1.01)


def test_colours():
    image = draw_pixels(1, (9, 7, 3))
    assert (Constant((3, 4, 5)).pixels(material(image, (2, 2))) == (3, 4, 5)).all()
    assert (Constant((9.6,)).pixels(material(image, (2, 2))) == 10).all()
    np.testing.assert_array_equal(Mean().pixels(material(image, (2, 3)))[1, 2], np.rint(image.mean(axis=(0, 1))))
    with pytest.raises(ValueError, match=r"levels must be one grey level, or one for each channel of the image \(3\)"):
        Constant((1, 2)).pixels(material(image))


def test_static_is_hashed_pixel_by_pixel_and_uniform():
    image = np.zeros((64, 64, 3), np.float32)
    pixels = Static(5).pixels(material(image))
    assert pixels.ravel()[:9] == pytest.approx([hashed(5, number) for number in range(9)])
    assert stats.kstest(pixels.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(pixels[:, :, 0].ravel(), pixels[:, :, 1].ravel())[0, 1]) < 0.06


@given(st.integers(1, 6), st.integers(1, 6), st.data(), seeds)
def test_shuffled_cells_are_cells_of_the_image(rows, columns, data, seed):
    image = draw_pixels(seed, (6 * rows, 5 * columns, 3))
    order = data.draw(st.permutations(range(rows * columns)))
    shuffled = Shuffled(rows, columns, tuple(order)).pixels(material(image))
    for cell, origin in enumerate(order):
        places = [(6 * (at // columns), 5 * (at % columns)) for at in (cell, origin)]
        there, here = (
            oracle.view(part, (y, x, y + 6, x + 5)) for part, (y, x) in zip((shuffled, image), places, strict=True)
        )
        np.testing.assert_array_equal(there, here)


@given(small, seeds)
def test_a_shuffled_image_of_any_size_invents_no_pixel(size, seed):
    numbered = np.arange(size[0] * size[1], dtype=np.uint16).reshape(size)
    pattern = Shuffled.draw(np.random.default_rng(seed), size)
    assert (pattern.rows, pattern.columns) == (min(size[0], 8), min(size[1], 8))
    shuffled = pattern.pixels(material(numbered))
    # Cells are a pixel longer or shorter than others: few pixels are left out, none is made up.
    assert np.isin(shuffled, numbered).all()
    assert len(np.unique(shuffled)) >= 0.4 * numbered.size


def colours_of(seed, channels):
    """The two levels of each channel: hashed numbers after the first 16."""
    ends = []
    for channel in range(channels):
        first, apart = (hashed(seed, 16 + 2 * channel + part) for part in (0, 1))
        ends.append((first, (first + 0.25 + 0.5 * apart) % 1))
    return ends


@pytest.mark.parametrize("kind", PROCEDURAL)
@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_procedural_textures_go_from_one_colour_to_another(kind, seed):
    pixels = kind(seed).pixels(material(np.zeros((96, 96, 3), np.float32)))
    shares = []
    for channel, (first, second) in enumerate(colours_of(seed, 3)):
        assert 0.25 <= abs(second - first) <= 0.75
        shares.append((pixels[:, :, channel] - first) / (second - first))
    np.testing.assert_allclose(shares[0], shares[1], atol=1e-5)
    np.testing.assert_allclose(shares[0], shares[2], atol=1e-5)
    assert -1e-5 <= shares[0].min() < 0.4
    assert 0.6 < shares[0].max() <= 1 + 1e-5


@pytest.mark.parametrize("kind", PROCEDURAL)
def test_a_texture_is_the_same_at_any_size(kind):
    for seed in range(4):
        large, small = (kind(seed).pixels(material(np.zeros((side, side), np.float32))) for side in (256, 128))
        halved = large.reshape(128, 2, 128, 2).mean(axis=(1, 3))
        assert np.corrcoef(halved.ravel(), small.ravel())[0, 1] > 0.8


def test_cells_are_distances_to_the_nearest_point():
    (kind,) = [kind for kind in PROCEDURAL if kind.name == "cells"]
    for seed in (1, 2):
        size, count = (20, 30), int(4 * 8 ** hashed(seed, 0))
        first, second = colours_of(seed, 1)[0]
        pixels = kind(seed).pixels(material(np.zeros(size, np.float32)))[:, :, 0]
        grid = np.array(
            [[[hashed(seed + 1, 2 * (j * count + i) + k) for k in (0, 1)] for i in range(count)] for j in range(count)]
        )
        points = [
            (j + grid[j % count, i % count, 0], i + grid[j % count, i % count, 1])
            for j in range(-1, count + 1) for i in range(-1, count + 1)
        ]  # fmt: skip
        for y, x in np.ndindex(*size):
            place = (y + 0.5) * count / size[0], (x + 0.5) * count / size[1]
            nearest = min(1, min(math.dist(place, point) for point in points))
            assert (pixels[y, x] - first) / (second - first) == pytest.approx(nearest, abs=1e-4)


def test_fractals_are_five_octaves_of_noise():
    (kind,) = [kind for kind in PROCEDURAL if kind.name == "fractal"]
    seed, size = 11, (12, 14)
    cells = [1 + int(12 * hashed(seed, axis) ** 2) for axis in (0, 1)]
    first, second = colours_of(seed, 1)[0]
    pixels = kind(seed).pixels(material(np.zeros(size, np.float32)))[:, :, 0]
    for y, x in np.ndindex(*size):
        octaves = [noise_at((cells[0] * 2**n, cells[1] * 2**n, 0, seed + n), size, y, x) / 2**n for n in range(5)]
        value = min(max(0.5 + 0.8 * sum(octaves), 0), 1)
        assert (pixels[y, x] - first) / (second - first) == pytest.approx(value, abs=1e-4)


@given(small, seeds)
def test_bitmaps_hold_any_map(size, seed):
    mask = (np.random.default_rng(seed).random(size) < 0.5).astype(np.uint8)
    outline = Bitmap.of(mask)
    np.testing.assert_array_equal(outline.mask(size), mask)
    for kind in (Bitmap, FineBitmap):
        shape = kind.of(mask)
        read = PatchPlacement.from_dict(json.loads(json.dumps({**PATCH, "shape": shape.to_dict()}))).shape
        assert (type(read), read) == (kind, shape)
    double = outline.mask((3 * size[0], 3 * size[1]))
    np.testing.assert_array_equal(double[1::3, 1::3], mask)


def test_shrunk_bitmaps_hold_what_is_covered_by_half_and_fine_ones_what_is_touched():
    mask = (np.random.default_rng(1).random((40, 60)) < 0.2).astype(np.uint8)
    mask[8:20, 12:40], mask[30] = 1, 1
    shares = mask.reshape(10, 4, 15, 4).mean(axis=(1, 3))
    np.testing.assert_array_equal(Bitmap.of(mask).mask((10, 15)), shares >= 0.5)
    np.testing.assert_array_equal(FineBitmap.of(mask).mask((10, 15)), shares >= 0.1)
    assert FineBitmap.of(mask).mask((10, 15))[7].all()


BAD = [
    ("filling", {"filling": 3}, "3"),
    ("filling", {"filling": {}}, "{}"),
    ("filling", {"filling": {"pattern": {"kind": "mean"}, "more": 1}}, "more"),
    ("augmentations", {"filling": {"pattern": {"kind": "mean"}, "augmentations": 3}}, "3"),
    *[
        (name, {"filling": {"pattern": pattern}}, received)
        for name, pattern, received in [
            ("pattern", "mean", "'mean'"), ("pattern", {"kind": "median"}, "median"),
            ("pattern", {"kind": "mean", "level": 3}, "level"), ("pattern", {"kind": "fractal"}, "fractal"),
            ("seed", {"kind": "fractal", "seed": -1}, "-1"), ("seed", {"kind": "static", "seed": 2**32}, "4294967296"),
            ("seed", {"kind": "cells", "seed": 1.0}, "1.0"), ("levels", {"kind": "constant", "levels": []}, "[]"),
            ("levels", {"kind": "constant", "levels": [256]}, "256"),
            ("levels", {"kind": "constant", "levels": 5}, "5"),
            ("levels", {"kind": "constant", "levels": [NAN]}, "nan"), ("path", {"kind": "file", "path": ""}, "''"),
            ("path", {"kind": "file", "path": 3}, "3"),
            ("box", {"kind": "defect", "path": "a", "box": [3, 3, 3, 9]}, "[3, 3, 3, 9]"),
            ("box", {"kind": "defect", "path": "a", "box": [0.5, 3, 3, 9]}, "0.5"),
            ("rows", {"kind": "shuffled", "rows": 0, "columns": 1, "order": []}, "0"),
            ("order", {"kind": "shuffled", "rows": 1, "columns": 2, "order": [0, 0]}, "[0, 0]"),
            ("order", {"kind": "shuffled", "rows": 1, "columns": 2, "order": [0]}, "[0]"),
            ("order", {"kind": "shuffled", "rows": 1, "columns": 2, "order": "01"}, "'01'"),
        ]
    ],
    *[
        (name, {"shape": {"kind": "bitmap", "height": 2, "width": 3, "runs": [6], **change}}, received)
        for name, change, received in [
            ("runs", {"runs": [5]}, "[5]"), ("runs", {"runs": [7, -1]}, "-1"), ("runs", {"runs": None}, "None"),
            ("runs", {"runs": [1.5, 4.5]}, "1.5"), ("height", {"height": 0}, "0"),
            ("width", {"width": 2**29}, "536870912"),
            ("runs", {"width": 2**28, "runs": [2**29]}, "[536870912]"),
        ]
    ],
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "received"), BAD, ids=lambda value: repr(value)[:60])
def test_bad_fillings_and_bitmaps_are_refused(name, changes, received):
    rejects(name, [received], PatchPlacement.from_dict, {**PATCH, **changes})


@pytest.mark.parametrize(
    ("name", "arguments"), [("pattern", ("mean",)), ("augmentations", (Mean(), 3)), ("augmentations", (Mean(), [3]))]
)
def test_fillings_made_by_hand_are_checked(name, arguments):
    rejects(name, [repr(arguments[-1]), "3"], Filling, *arguments)


def test_a_filling_by_hand_is_an_object():
    rejects("filling", ["'mean'"], PatchPlacement, (0, 0, 5, 5), (0, 0, 5, 5), filling="mean")


def test_the_patterns_of_the_package():
    names = "constant mean static picture shuffled file defect fractal waves weave cells"
    assert set(PATTERNS) == set(names.split())
