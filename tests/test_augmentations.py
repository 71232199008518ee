"""Changes of textures against PIL, SciPy, the colour model of the standard library, and formulas."""

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps
from rejections import NAN, rejects
from scipy import ndimage
from strategies import draw_pixels, seeds

from nsa_augment import Augmentation, Filling
from nsa_augment.planning.augmentations import AUGMENTATIONS
from nsa_augment.planning.patterns import Constant

PICTURES = [draw_pixels(seed, (41, 36, 3)) for seed in (0, 1, 2, 5)]
LUMA = np.array([0.299, 0.587, 0.114])
each_picture = pytest.mark.parametrize("pixels", PICTURES)


def changed(kind, pixels, *values):
    return Augmentation(kind, values).apply(pixels.astype(np.float32))


def as_pil(pixels):
    return Image.fromarray(pixels)


@given(
    st.sampled_from(sorted(AUGMENTATIONS)), seeds, st.sampled_from([1, 2, 3, 4, 7]), st.sampled_from([(1, 1), (9, 14)])
)
def test_any_change_of_any_texture(kind, seed, channels, size):
    levels = draw_pixels(seed, (*size, channels)).astype(np.float32)
    levels.flags.writeable = False
    change = Augmentation.draw(np.random.default_rng(seed), kind)
    result = change.apply(levels)
    assert (result.shape, result.dtype) == (levels.shape, np.float32)
    assert 0 <= result.min() <= result.max() <= 255
    np.testing.assert_array_equal(change.apply(levels), result)
    assert Augmentation.from_dict(change.to_dict()) == change
    for value, (low, high) in zip(change.values, AUGMENTATIONS[kind].ranges, strict=True):
        assert low <= value <= high


@each_picture
@pytest.mark.parametrize("gammas", [(0.5, 1.0, 2.0), (1.5, 0.7, 1.1)])
def test_gamma_of_each_channel(pixels, gammas):
    expected = 255 * (pixels / 255.0) ** np.array(gammas)
    np.testing.assert_allclose(changed("gamma", pixels, *gammas), expected, atol=1e-3)


@each_picture
def test_brightness_is_a_factor_and_an_offset(pixels):
    np.testing.assert_allclose(changed("brightness", pixels, 1.2, -30), np.clip(1.2 * pixels - 30, 0, 255), atol=1e-3)


@each_picture
@pytest.mark.parametrize("factor", [0, 0.6, 1, 2])
def test_sharpness_is_pils(pixels, factor):
    expected = np.asarray(ImageEnhance.Sharpness(as_pil(pixels)).enhance(factor))
    np.testing.assert_allclose(changed("sharpness", pixels, factor), expected, atol=1.5)


@each_picture
@pytest.mark.parametrize("threshold", [32, 100, 128])
def test_solarise_is_pils(pixels, threshold):
    expected = np.asarray(ImageOps.solarize(as_pil(pixels), threshold))
    np.testing.assert_array_equal(changed("solarise", pixels, threshold, 0.2), expected)
    np.testing.assert_array_equal(changed("solarise", pixels, threshold, 0.7), pixels)


@each_picture
@pytest.mark.parametrize("bits", [1, 3, 8])
def test_posterise_is_pils(pixels, bits):
    expected = np.asarray(ImageOps.posterize(as_pil(pixels), bits))
    np.testing.assert_array_equal(changed("posterise", pixels, bits), expected)


@each_picture
def test_invert_is_pils(pixels):
    np.testing.assert_array_equal(changed("invert", pixels), np.asarray(ImageOps.invert(as_pil(pixels))))


@each_picture
def test_autocontrast_without_cutoff_is_pils(pixels):
    expected = np.asarray(ImageOps.autocontrast(as_pil(pixels)))
    for result in (changed("autocontrast", pixels, 0), changed("stretch", pixels)):
        np.testing.assert_allclose(result, expected, atol=1)


@each_picture
@pytest.mark.parametrize("cutoff", [5, 20])
def test_autocontrast_saturates_a_percentage_at_either_end(pixels, cutoff):
    result = changed("autocontrast", pixels, cutoff)
    for channel in range(3):
        plane, ordered = result[:, :, channel].ravel(), pixels[:, :, channel].ravel().argsort(kind="stable")
        part = int(plane.size * cutoff / 100)
        assert (plane[ordered[:part]] <= 0.5).all()
        assert (plane[ordered[-part:]] >= 254.5).all()
        assert (np.diff(plane[ordered]) >= 0).all()


@each_picture
def test_equalise_spreads_the_levels_evenly(pixels):
    result = changed("equalise", pixels)
    for channel in range(3):
        before, after = pixels[:, :, channel].ravel(), result[:, :, channel].ravel()
        least = np.count_nonzero(before == before.min())
        for level in np.unique(before):
            share = (np.count_nonzero(before <= level) - least) / (before.size - least)
            np.testing.assert_allclose(after[before == level], 255 * share, atol=0.01)


def test_equalise_and_autocontrast_leave_flat_textures():
    flat = np.full((9, 9, 3), (10, 100, 255), np.uint8)
    for kind, values in (("equalise", ()), ("stretch", ()), ("autocontrast", (10,))):
        np.testing.assert_array_equal(changed(kind, flat, *values), flat)


@each_picture
@pytest.mark.parametrize("angle", [-45, 10, 30])
def test_rotation_is_scipys_with_black_corners(pixels, angle):
    smooth = ndimage.gaussian_filter(pixels.astype(np.float32), (2, 2, 0))
    expected, inside = (ndimage.rotate(part, angle, reshape=False, order=1) for part in (smooth, np.ones((41, 36))))
    result = changed("rotation", smooth, angle)
    covered = ndimage.binary_erosion(inside > 0.99, iterations=2)
    assert covered.sum() > 400
    np.testing.assert_allclose(result[covered], expected[covered], atol=0.5)
    assert not result[ndimage.binary_erosion(inside == 0, iterations=2, border_value=1)].any()


@each_picture
@pytest.mark.parametrize(("turn", "offset"), [(0.08, -40), (-0.09, 30)])
def test_hue_and_saturation_are_those_of_the_colour_model(pixels, turn, offset):
    result = changed("hue_saturation", pixels, turn, offset)
    for y, x in np.ndindex(6, 6):
        hue, saturation, value = colorsys.rgb_to_hsv(*(pixels[y, x] / 255.0))
        shifted = min(max(saturation + offset / 255, 0), 1)
        expected = 255 * np.array(colorsys.hsv_to_rgb((hue + turn) % 1, shifted, value))
        np.testing.assert_allclose(result[y, x], expected, atol=0.1)


@each_picture
def test_the_changes_of_glass(pixels):
    levels = pixels.astype(np.float64)
    mean = (levels @ LUMA).mean()
    np.testing.assert_allclose(
        changed("contrast", pixels, 0.2), np.clip(mean + 1.2 * (levels - mean), 0, 255), atol=0.1
    )
    np.testing.assert_allclose(changed("exposure", pixels, -0.2), 0.8 * levels, atol=0.1)
    np.testing.assert_array_equal(changed("flip_horizontal", pixels), pixels[:, ::-1])
    np.testing.assert_array_equal(changed("flip_vertical", pixels), pixels[::-1])
    np.testing.assert_allclose(changed("grey", pixels), np.repeat((levels @ LUMA)[..., None], 3, axis=2), atol=0.1)
    coloured = changed("colour", pixels, -0.2, 0.0)
    grey = (levels @ LUMA)[..., None]
    np.testing.assert_allclose(coloured, np.clip(grey + 0.8 * (levels - grey), 0, 255), atol=0.5)


@pytest.mark.parametrize(
    ("name", "data", "received"),
    [
        ("augmentation", 3, "3"), ("augmentation", {"kind": "invert"}, "invert"), ("augmentation", [], "[]"),
        ("kind of augmentation", {"kind": "blur", "values": []}, "blur"),
        ("kind of augmentation", {"kind": 5, "values": []}, "5"),
        ("values", {"kind": "invert", "values": [1]}, "[1]"), ("values", {"kind": "invert", "values": None}, "None"),
        ("values", {"kind": "rotation", "values": [46]}, "46"),
        ("values", {"kind": "rotation", "values": [NAN]}, "nan"),
        ("values", {"kind": "rotation", "values": ["45"]}, "'45'"), ("values", {"kind": "gamma", "values": [1]}, "[1]"),
    ],
)  # fmt: skip
def test_bad_changes_are_refused(name, data, received):
    rejects(name, [received], Augmentation.from_dict, data)
    rejects(name, [received], Filling.from_dict, {"pattern": Constant((1,)).to_dict(), "augmentations": [data]})
