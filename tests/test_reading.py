"""Files and PIL images of every kind have the pixels that Pillow reads, through every entry point."""

from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import pytest
from commands import run
from image_files import ALPHA, KINDS, ORIENTED, anomaly_dataset, by_pillow, colours, eight_bits, exif, picture, write
from PIL import Image, ImageOps

from nsa_augment import NSA, CutPasteAnomaly, NaturalSyntheticAnomaly, calibrate
from nsa_augment._shared import decoding
from nsa_augment._shared.images import SUFFIXES, read_alpha, read_image
from nsa_augment._shared.notices import Notice
from nsa_augment.cli import pictures
from nsa_augment.datasets import generate, verify

TASK = NaturalSyntheticAnomaly.from_preset("leather", label="binary", blending="copy_paste")
BOTH = pytest.mark.parametrize("name", KINDS)
QUICK = ("RGB", "L", "P", "12 of 16 bits")
"""Kinds of files with which seconds are spent in every run of the tests."""
IGNORE_SLIVER = pytest.mark.filterwarnings("ignore:16-bit images use")


def assert_near(found, expected, tolerance=0):
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.astype(float), expected.astype(float), atol=tolerance)


def seen_sources(image, sources):
    """What NSA reads from sources, in their order."""
    seen = []
    transform = NSA("leather", sources, p=1.0, source_transform=lambda source: seen.append(source) or source)
    transform.set_random_seed(0)
    transform(image=image)
    return seen


@BOTH
def test_sources(name, tmp_path):
    kind = KINDS[name]
    (file,) = write(kind, tmp_path, 1)
    pixels, _ = by_pillow(file)
    image = np.zeros((*pixels.shape[:2], 3), np.uint8)
    (found,) = seen_sources(image, [file])
    assert_near(found, colours(eight_bits(pixels)), kind.tolerance)
    (found,) = seen_sources(image.astype(np.float32), tmp_path)
    unit = {"uint8": 255, "uint16": 65535, "float32": 1}[str(pixels.dtype)]
    np.testing.assert_allclose(found, colours(pixels) / unit, atol=kind.tolerance / 255 + 1e-6)
    if pixels.ndim == 2:
        (found,) = seen_sources(image[..., 0].copy(), [file])
        assert_near(found, eight_bits(pixels), kind.tolerance)


@BOTH
def test_pictures_as_sources_and_in_datasets(name, tmp_path):
    (file,) = write(KINDS[name], tmp_path, 1)
    pixels, _ = by_pillow(file)
    with Image.open(file) as opened:
        opened.load()
        assert_near(anomaly_dataset([opened], CutPasteAnomaly(), p=0)[0][0].numpy(), _planes(pixels))
        image = np.zeros(pixels.shape, pixels.dtype)
        (found,) = seen_sources(image, [opened])
        assert_near(found, pixels)


@IGNORE_SLIVER
@BOTH
def test_datasets_of_files(name, tmp_path):
    kind = KINDS[name]
    files = write(kind, tmp_path)
    expected = [_planes(colours(by_pillow(file)[0])) for file in files]
    for images in (tmp_path, str(tmp_path), files, list(map(str, files)), [(str(file), 0) for file in files]):
        dataset = anomaly_dataset(images, CutPasteAnomaly(), p=0)
        assert len(dataset) == 3
        for (image, _), pixels in zip(dataset, expected, strict=True):
            assert_near(image.numpy(), pixels, kind.tolerance)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in KINDS]
)
def test_calibrate(name, tmp_path):
    kind = KINDS[name]
    files = write(kind, tmp_path)
    found = calibrate(tmp_path, max_value=kind.maximum).images
    for image, file in zip(found, files, strict=True):
        assert_near(image, colours(eight_bits(by_pillow(file)[0], kind.maximum)), kind.tolerance)


@BOTH
def test_preview(name, tmp_path):
    kind = KINDS[name]
    files = {file.name: file for file in write(kind, tmp_path / "in")}
    with mock.patch.object(pictures, "make_example", wraps=pictures.make_example) as made:
        done = run("preview", tmp_path / "in", "--preset", "leather", "-n", 2, "-o", tmp_path / "page.png")
    assert done.returncode == 0, done.stderr
    assert made.call_count == 2
    for _, caption, image, source, _ in (call.args for call in made.call_args_list):
        first, _, second = caption.partition(" with patches from ")
        for found, file in ((image, files[first]), (source, files[second])):
            assert_near(found, colours(eight_bits(by_pillow(file)[0])), kind.tolerance)


@IGNORE_SLIVER
@BOTH
def test_generate(name, tmp_path):
    """Normal images of the layout mvtec are written as they were read: with their depth, floats in 16 bits."""
    kind = KINDS[name]
    files = write(kind, tmp_path / "in")
    out = tmp_path / "out"
    generate(tmp_path / "in", out, TASK, count=1, layout="mvtec", workers=0)
    assert not verify(out, workers=0).problems
    written = [*sorted((out / "product/train/good").iterdir()), *sorted((out / "product/test/good").iterdir())]
    for file, png in zip([files[1], files[0], files[2]], written, strict=True):
        pixels, _ = by_pillow(file)
        found = cv2.imread(str(png), cv2.IMREAD_UNCHANGED)
        found = found if found.ndim == 2 else found[..., ::-1]
        if pixels.dtype == np.float32:
            pixels = np.rint(pixels * 65535).astype(np.uint16)
        assert_near(colours(found), colours(pixels), kind.tolerance)


def _planes(pixels):
    return np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels[np.newaxis]


# orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ORIENTED)
def test_every_orientation(suffix, orientation, tmp_path):
    file = tmp_path / f"0{suffix}"
    picture().save(file, exif=exif(orientation), **ORIENTED[suffix])
    with Image.open(file) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
        opened.load()
        for image in (file, opened, (opened, 3), SimpleNamespace(image=opened)):
            found = anomaly_dataset([image], CutPasteAnomaly(), p=0)[0][0].numpy()
            assert_near(np.moveaxis(found, 0, -1), expected, 2 * (suffix == ".jpg"))
        for sources in ([file], [opened], lambda rng: opened):
            (found,) = seen_sources(np.zeros_like(expected), sources)
            assert_near(found, expected, 2 * (suffix == ".jpg"))


# alpha


@BOTH
def test_alpha_beside_the_pixels(name, tmp_path):
    (file,) = write(KINDS[name], tmp_path, 1)
    expected, expected_alpha = by_pillow(file)
    pixels, alpha = read_image(file, grey=expected.ndim == 2, deep=True), read_alpha(file)
    assert_near(pixels, expected, KINDS[name].tolerance)
    assert (alpha is None) == (expected_alpha is None)
    if alpha is not None:
        assert_near(alpha, expected_alpha)


def test_alpha_is_turned_with_the_pixels(tmp_path):
    image = picture()
    image.putalpha(Image.fromarray(ALPHA))
    image.save(tmp_path / "0.png", exif=exif(6))
    pixels, alpha = read_image(tmp_path / "0.png"), read_alpha(tmp_path / "0.png")
    np.testing.assert_array_equal(alpha, np.rot90(ALPHA, -1))
    np.testing.assert_array_equal(pixels, np.rot90(np.asarray(picture()), -1))


@pytest.mark.parametrize("mode", ["PA", "La", "RGBa", "RGBX", "YCbCr", "HSV", "I;16B", "I"])
def test_pictures_of_rare_modes(mode):
    image = picture()
    if mode in ("I;16B", "I"):
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.int32) * 200).convert(mode)
        expected = np.asarray(image).astype(np.uint16)
    elif mode == "La":
        image = image.convert("LA").convert("La")
        expected = np.asarray(image.convert("LA"))[..., 0]
    else:
        start = {"PA": image.quantize(64), "RGBa": image.convert("RGBA")}.get(mode, image)
        image = start.convert(mode)
        expected = np.asarray(image.convert("RGBA" if mode in ("PA", "RGBa") else "RGB"))[..., :3]
    assert image.mode == mode
    found = anomaly_dataset([image], CutPasteAnomaly(), p=0)[0][0].numpy()
    np.testing.assert_array_equal(found, _planes(expected))


@pytest.mark.parametrize("value", [-1, 65536])
def test_a_picture_of_other_numbers_is_refused(value):
    with pytest.raises(ValueError, match=r"must be a PIL image of mode .*I with values in \[0, 65535\], got 'I'"):
        NSA("leather", [Image.new("I", (8, 8), value)])


# suffixes


def test_every_suffix_is_looked_for(tmp_path):
    for index, suffix in enumerate(SUFFIXES):
        picture().save(tmp_path / f"{index}{suffix}", "PNG")
        picture().save(tmp_path / f"{index}b{suffix.upper()}", "PNG")
    assert len(anomaly_dataset(tmp_path, TASK)) == 2 * len(SUFFIXES)


def test_avif_without_any_decoder(tmp_path, monkeypatch):
    (tmp_path / "0.avif").write_bytes(b"\0\0\0\x1cftypavif" + bytes(40))
    monkeypatch.setattr(decoding, "_knows_avif", lambda: False)
    with pytest.raises(ValueError, match=r"0\.avif: AVIF needs Pillow 11\.3 or newer, or an OpenCV"):
        seen_sources(np.zeros((8, 8, 3), np.uint8), tmp_path)


def test_avif_by_pillow_where_opencv_cannot(tmp_path, monkeypatch):
    if "AVIF" not in KINDS:
        pytest.skip("this Pillow has no AVIF")
    (file,) = write(KINDS["AVIF"], tmp_path, 1)
    monkeypatch.setattr(cv2, "imdecode", lambda data, flags: None)
    (found,) = seen_sources(np.zeros((64, 48, 3), np.uint8), [file])
    np.testing.assert_array_equal(found, by_pillow(file)[0])


# subfolders


@pytest.fixture
def nested(tmp_path):
    folder = tmp_path / "good"
    for place in ("", "line 1", "line 1/day 2", ".hidden", "line 2"):
        write(KINDS["RGB"], folder / place, 3)
    (folder / "empty").mkdir()
    return folder


SKIPPED = r"images in subfolders of .*good are skipped \(line 1, line 2\): recursive=True or --recursive reads them"


def test_functions_read_subfolders_if_asked(nested, tmp_path):
    def count(**arguments):
        generate(nested, tmp_path / f"out{arguments}", TASK, count=1, layout="mvtec", workers=0, **arguments)
        return len(list((tmp_path / f"out{arguments}").glob("product/*/good/*")))

    def sources(folder):
        transform = NSA("leather", folder, p=1.0)
        return len(transform._supply._pool)

    functions = {
        "dataset": lambda **more: len(anomaly_dataset(nested, TASK, **more)),
        "calibrate": lambda **more: calibrate(nested, **more).given_count,
        "generate": count,
        "sources": lambda recursive=False: sources(f"{nested}/**" if recursive else nested),
    }
    for function in functions.values():
        with pytest.warns(Notice, match=SKIPPED):
            assert function() == 3
        assert function(recursive=True) == 12
    assert not verify(tmp_path / "out{'recursive': True}", workers=0).problems


@pytest.mark.parametrize("command", ["preview", "compare", "calibrate", "generate"])
def test_commands_read_subfolders_if_asked(command, nested, tmp_path):
    more = {
        "preview": ("-o", tmp_path / "page.png", "-n", 1),
        "compare": ("-o", tmp_path / "page.png"),
        "calibrate": (),
        "generate": (tmp_path / "out", "-n", 1, "-w", 0, "--preset", "leather"),
    }[command]
    done = run(command, nested, *more)
    assert done.returncode == 0, done.stderr
    assert [line[:50] for line in done.stderr.splitlines() if "subfolders" in line] == [
        f"note: images in subfolders of {nested} are skipped"[:50]
    ]
    if command == "generate":
        more = (tmp_path / "out2", *more[1:])
    done = run(command, nested, *more, "--recursive")
    assert done.returncode == 0, done.stderr
    assert "subfolders" not in done.stderr


def test_a_folder_with_nothing_but_subfolders(nested):
    for file in nested.glob("*.png"):
        file.unlink()
    with pytest.raises(ValueError, match=r"no images in .*hold images \(line 1, line 2\), which recursive=True or"):
        anomaly_dataset(nested, TASK)


def test_recursive_means_a_folder(tmp_path):
    images = [np.zeros((8, 8, 3), np.uint8)]
    with pytest.raises(ValueError, match="recursive must be False unless images is a folder"):
        anomaly_dataset(images, TASK, recursive=True)
    with pytest.raises(ValueError, match="recursive must be False unless images is a folder"):
        calibrate(images, recursive=True)


def test_a_dataset_is_not_made_of_itself(nested):
    for arguments in ({"recursive": True}, {}):
        folder = nested if arguments else f"{nested}/**"
        with pytest.raises(ValueError, match="out must lie outside folder"):
            generate(folder, nested / "line 1" / "out", TASK, count=1, workers=0, **arguments)
