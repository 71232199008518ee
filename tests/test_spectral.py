"""The spectral solver against `cv2.seamlessClone`, SciPy's sparse solver, and itself in other dtypes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import scipy.fft
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import draw_pixels
from table5 import ROWS

from nsa_augment import NaturalSyntheticAnomaly, PatchPlacement, PoissonImageInterpolation, SynthesisPlan
from nsa_augment.blending.solvers._sines import sine_transform
from nsa_augment.blending.solvers.spectral import clone_spectral, solve_poisson
from nsa_augment.samples import draw_sample

FLAGS = {"source": cv2.NORMAL_CLONE, "mixed": cv2.MIXED_CLONE}


def smooth_noise(rng, shape, coarseness):
    small = rng.integers(0, 256, (-(-shape[0] // coarseness), -(-shape[1] // coarseness), 3), dtype=np.uint8)
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC).reshape(*shape, 3)


def draw_mask(rng, shape, kind, value):
    """A 0/value mask whose outermost ring is empty."""
    mask = np.zeros(shape, np.uint8)
    if kind == "rectangle":
        mask[1:-1, 1:-1] = value
    elif kind == "noise":
        mask[1:-1, 1:-1] = rng.choice([0, value], (shape[0] - 2, shape[1] - 2), p=[0.02, 0.98])
    else:
        centre = int(rng.integers(shape[1])), int(rng.integers(shape[0]))
        axes = int(rng.integers(2, shape[1] + 1)), int(rng.integers(2, shape[0] + 1))
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, int(value), -1)
        mask[[0, -1]] = 0
        mask[:, [0, -1]] = 0
    return mask


def cut_to(mask, *images):
    x, y, width, height = cv2.boundingRect(mask)
    box = slice(y - 1, y + height + 1), slice(x - 1, x + width + 1)
    return mask[box].copy(), *(image[box].copy() for image in images)


def clone_opencv(image, source, mask, gradient):
    height, width = mask.shape
    centre = 1 + (width - 2) // 2, 1 + (height - 2) // 2
    return cv2.seamlessClone(source, image, mask.copy(), centre, FLAGS[gradient])


@settings(max_examples=150)
@given(
    st.integers(5, 300),
    st.integers(5, 300),
    st.integers(1, 40),
    st.sampled_from(["rectangle", "ellipse", "noise"]),
    st.integers(1, 255),
    st.sampled_from(["source", "mixed"]),
    st.integers(0, 2**32 - 1),
)
def test_within_one_level_of_seamless_clone(height, width, coarseness, kind, value, gradient, seed):
    rng = np.random.default_rng(seed)
    image, source = (smooth_noise(rng, (height, width), coarseness) for _ in range(2))
    mask = draw_mask(rng, (height, width), kind, value)
    if min(cv2.boundingRect(mask)[2:]) < 3:
        return
    mask, image, source = cut_to(mask, image, source)
    expected = clone_opencv(image, source, mask, gradient)
    clone_spectral(image, source, mask, gradient, 255.0)
    assert np.abs(image.astype(int) - expected.astype(int)).max() <= 1


def laplacian(height, width):
    def second_difference(n):
        return scipy.sparse.dia_array((np.outer([1.0, -2.0, 1.0], np.ones(n)), [-1, 0, 1]), shape=(n, n))

    return scipy.sparse.kronsum(second_difference(width), second_difference(height))


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_solves_the_discrete_poisson_equation(height, width, seed):
    right = np.random.default_rng(seed).normal(0, 100, (height, width, 2)).astype(np.float32)
    solution = solve_poisson(right)
    matrix = laplacian(height, width).tocsc()
    for plane, load in zip(np.moveaxis(solution, 2, 0), np.moveaxis(right, 2, 0), strict=True):
        residual = matrix @ plane.ravel().astype(np.float64) - load.ravel()
        assert np.linalg.norm(residual) <= 1e-3 * np.linalg.norm(load)
        exact = scipy.sparse.linalg.spsolve(matrix, load.ravel().astype(np.float64))
        assert np.abs(plane.ravel() - exact).max() <= 1e-3 * max(np.abs(exact).max(), 1)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 17, 47, 64, 95, 126, 127, 200, 511])
@pytest.mark.parametrize("width", [1, 7, 40, 97, 300])
def test_the_sine_transform(n, width):
    columns = np.random.default_rng(n).normal(size=(n, width)).astype(np.float32)
    before = columns.copy()
    expected = scipy.fft.dst(columns.astype(np.float64), 1, axis=0) / 2
    np.testing.assert_allclose(sine_transform(columns), expected, atol=2e-6 * n)
    np.testing.assert_array_equal(columns, before)


@pytest.mark.parametrize(("height", "width"), [(145, 3), (196, 60), (5, 240), (255, 20), (333, 12), (60, 196)])
def test_rectangles_are_solved_whether_they_are_cut_or_not(height, width):
    right = np.random.default_rng(height).normal(0, 100, (height, width, 2)).astype(np.float32)
    matrix = laplacian(height, width).tocsc()
    for plane, load in zip(np.moveaxis(solve_poisson(right), 2, 0), np.moveaxis(right, 2, 0), strict=True):
        exact = scipy.sparse.linalg.spsolve(matrix, load.ravel().astype(np.float64))
        assert np.abs(plane.ravel() - exact).max() <= 2e-6 * np.abs(exact).max()


def test_channels_and_neighbours_in_vector_registers_do_not_matter():
    right = np.random.default_rng(1).normal(0, 100, (150, 61, 4)).astype(np.float32)
    whole = solve_poisson(right)
    for c in range(4):
        np.testing.assert_array_equal(solve_poisson(right[:, :, c : c + 1])[:, :, 0], whole[:, :, c])


@pytest.mark.slow
@pytest.mark.parametrize("n", [150, 260, 700])
def test_large_patches(n):
    rng = np.random.default_rng(n)
    image, source = (smooth_noise(rng, (n, n + 40), 20) for _ in range(2))
    mask = draw_mask(rng, (n, n + 40), "rectangle", 255)
    expected = clone_opencv(image, source, mask, "source")
    clone_spectral(image, source, mask, "source", 255.0)
    assert np.abs(image.astype(int) - expected.astype(int)).max() <= 1


def scene(dtype, channels=3, size=(60, 75), max_value=None):
    rng = np.random.default_rng(5)
    scale = max_value or {"uint8": 255, "uint16": 65535}.get(dtype, 1.0)
    images = rng.integers(0, 256, (2, *size, channels), dtype=np.uint8)
    images = np.stack([cv2.blur(image, (7, 7)).reshape(image.shape) for image in images])
    return (images * (scale / 255)).astype(dtype)


def plan(size=(60, 75), factor=1.0):
    boxes = ((3, 5, 33, 46), (20, 21, 50, 62)), ((10, 11, 40, 41), (22, 30, 51, 61))
    patches = tuple(PatchPlacement(*pair, factor, gradient) for pair, gradient in zip(boxes, FLAGS, strict=True))
    return SynthesisPlan(size, size, patches)


@pytest.mark.parametrize(
    ("dtype", "max_value"), [("uint16", None), ("uint16", 4095.0), ("float32", None), ("float64", None)]
)
def test_deeper_images_are_blended_as_8_bit_ones_but_finer(dtype, max_value):
    task = NaturalSyntheticAnomaly(solver="spectral", scale_range=None, max_value=max_value)
    once = SynthesisPlan((60, 75), (60, 75), plan().patches[:1])
    coarse = NaturalSyntheticAnomaly(solver="spectral", scale_range=None).apply(*scene("uint8"), once)
    image, source = scene(dtype, max_value=max_value)
    fine = task.apply(image, source, once)
    assert fine.image.dtype == image.dtype
    scale = max_value or {"uint16": 65535}.get(dtype, 1.0)
    assert fine.image.max() <= scale
    apart = np.abs(fine.image.astype(float) * 255 / scale - coarse.image)
    assert apart.max() < 1.1  # 8 bits are truncated
    assert np.abs(fine.label - coarse.label).mean() < 0.02
    levels = np.unique(fine.image[30:50, 40:60].astype(float) * 255 / scale % 1)
    assert len(levels) > 10


@pytest.mark.parametrize("product", ["hide", "bolt", "weave"])
@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64"])
def test_gradients_that_tie_in_8_bits_tie_in_every_dtype(product, dtype):
    scale = {"uint16": 65535}.get(dtype, 1.0)
    pixels = [draw_sample(product, index, size=96).image for index in range(2)]
    deep = [(part * (scale / 255)).astype(dtype) for part in pixels]
    task = NaturalSyntheticAnomaly(gradient="mixed", max_patches=1, scale_range=None)
    for seed in range(12):
        coarse, fine = task(*pixels, seed), task(*deep, seed)
        assert np.abs(fine.image.astype(float) * 255 / scale - coarse.image).max() < 1.1


@pytest.mark.parametrize("channels", [1, 2, 5, 16, 64])
def test_every_channel_is_blended_for_itself(channels):
    image, source = scene("float32", channels)
    whole = NaturalSyntheticAnomaly(solver="spectral").apply(image, source, plan())
    for channel in {0, channels - 1}:
        alone = NaturalSyntheticAnomaly(solver="spectral").apply(
            image[:, :, channel].copy(), source[:, :, channel].copy(), plan()
        )
        np.testing.assert_allclose(whole.image[:, :, channel], alone.image, atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_out_is_the_same_in_place(dtype):
    image, source = scene(dtype)
    task = NaturalSyntheticAnomaly(solver="spectral", label="continuous")
    expected = task.apply(image, source, plan())
    result = task.apply(image, source, plan(), out=image)
    assert result.image is image
    np.testing.assert_array_equal(image, expected.image)
    np.testing.assert_array_equal(result.label, expected.label)


def test_results_are_clipped():
    image, source = np.full((40, 40), 250, np.uint8), np.zeros((40, 40), np.uint8)
    source[15:25, 15:25] = 200
    patch = PatchPlacement((5, 5, 35, 35), (5, 5, 35, 35), gradient="source")
    for dtype in (np.uint8, np.float32):
        scale = 255 if dtype == np.uint8 else 1
        images = [(part / 255 * scale).astype(dtype) for part in (image, source)]
        result = NaturalSyntheticAnomaly(solver="spectral").apply(*images, SynthesisPlan((40, 40), (40, 40), (patch,)))
        assert result.image.max() <= scale
        assert result.image.max() >= 0.999 * scale


@pytest.mark.parametrize("task", [NaturalSyntheticAnomaly, PoissonImageInterpolation])
@pytest.mark.parametrize("dtype", ["uint16", "float64"])
def test_opencv_says_that_it_works_in_8_bits(task, dtype):
    image, source = scene(dtype)
    with pytest.raises(TypeError, match=r"image must be .*uint8, float32.* got .*" + dtype):
        task(solver="opencv")(image, source, 0)
    with pytest.raises(ValueError, match="max_value must be None with solver='opencv'"):
        task(solver="opencv", max_value=4095)


@pytest.mark.parametrize("max_value", [0, -1, np.nan, np.inf, "255", True])
def test_bad_max_value(max_value):
    with pytest.raises((TypeError, ValueError), match="max_value"):
        NaturalSyntheticAnomaly(solver="spectral", max_value=max_value)


def test_values_above_max_value_are_an_error():
    image, source = scene("uint16")
    with pytest.raises(ValueError, match=r"image must be .*4095"):
        NaturalSyntheticAnomaly(solver="spectral", max_value=4095)(image, source, 0)


@pytest.mark.parametrize("gradient", FLAGS)
def test_equal_images_stay_as_they_are(gradient):
    image = scene("uint8")[0]
    patch = PatchPlacement((5, 5, 45, 60), (5, 5, 45, 60), gradient=gradient)
    task = NaturalSyntheticAnomaly(solver="spectral")
    result = task.apply(image, image.copy(), SynthesisPlan((60, 75), (60, 75), (patch,)))
    np.testing.assert_array_equal(result.image, image)


@given(
    st.sampled_from([row.task for row in ROWS.values()]),
    st.sampled_from([("uint16", None), ("uint16", 4095.0), ("float32", 2.0), ("float64", None)]),
    st.integers(1, 70),
    st.integers(1, 70),
    st.sampled_from([(), (1,), (3,), (7,)]),
    st.sampled_from([None, (200, 60)]),
    st.integers(0, 2**32 - 1),
)
def test_any_task_takes_deeper_images(task_class, kind, height, width, channels, background, seed):
    dtype, max_value = kind
    scale = max_value or {"uint16": 65535}.get(dtype, 1.0)
    pixels = [draw_pixels(seed + part, (height, width, *channels)) for part in range(2)]
    image, source = ((part * (scale / 255)).astype(dtype) for part in pixels)
    before = image.copy(), source.copy()
    task = task_class(background=background, max_value=max_value)
    result = task(image, source, seed)
    assert result.image.dtype == image.dtype
    assert result.image.shape == image.shape
    assert result.image.min() >= 0
    assert result.image.max() <= max(scale, image.max())
    assert result.label.dtype == np.float32
    assert result.label.min() >= 0
    assert result.label.max() <= 1
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(source, before[1])
    if dtype != "uint16" or max_value is None:  # 12 bits round the grey levels
        coarse = replace(task, max_value=None).plan(*pixels, seed)
        assert result.plan.to_dict() == coarse.to_dict()
