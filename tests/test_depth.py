"""12-bit files are read as such where that is said, and it is said where it should have been."""

import json

import cv2
import numpy as np
import pytest
from commands import run
from image_files import anomaly_dataset
from pipelines import write_folder

from nsa_augment import NSA, NaturalSyntheticAnomaly, calibrate
from nsa_augment._shared.notices import Notice
from nsa_augment.datasets import generate, verify
from nsa_augment.samples import draw_sample

IMAGES = [draw_sample("tablet", index, size=96).image for index in range(5)]
TASK = NaturalSyntheticAnomaly.from_preset("pill", label="logistic", logistic_midpoint=12, logistic_steepness=0.2)

EXACT = {"blending": "copy_paste", "scale_range": None}
"""Arguments with which nothing but rounding depends on the depth."""


def deepened(image, maximum):
    return np.rint(image * (maximum / 255)).astype(np.uint16)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same images in 8 bits, and with several maxima in files of 16 bits."""
    place = tmp_path_factory.mktemp("depths")
    for maximum in (1023, 4095, 16383, 65535):
        write_folder(place / str(maximum) / "good", [deepened(image, maximum) for image in IMAGES])
    write_folder(place / "255" / "good", IMAGES)
    return {int(path.name): path for path in place.iterdir()}


@pytest.mark.parametrize("command", [("preview", "-n", 2), ("compare",)], ids=lambda words: words[0])
@pytest.mark.parametrize("maximum", [1023, 4095, 16383, 65535])
def test_pictures_are_those_of_8_bits(command, maximum, folders, tmp_path):
    pages = {}
    for depth, more in ((255, ()), (maximum, ("--max-value", maximum))):
        options = ("--preset", "pill", "-o", tmp_path / f"{depth}.png", *more)
        done = run(*command[:1], "good", *command[1:], *options, cwd=folders[depth])
        assert done.returncode == 0, done.stderr
        assert "note" not in done.stderr
        pages[depth] = (tmp_path / f"{depth}.png").read_bytes()
    assert pages[255] == pages[maximum]


def test_calibrated_files_are_those_of_8_bits_and_know_the_depth(folders, tmp_path):
    texts = {}
    for depth, more in ((255, ()), (4095, ("--max-value", 4095))):
        out, picture = tmp_path / f"{depth}.yaml", tmp_path / f"{depth}.png"
        done = run("calibrate", "good", "--out", out, "--picture", picture, *more, cwd=folders[depth])
        assert done.returncode == 0, done.stderr
        texts[depth] = out.read_text().splitlines()
    assert [line for line in texts[4095] if not line.startswith("max_value: 4095.0")] == texts[255]
    assert len(texts[4095]) == len(texts[255]) + 1
    pages = {}
    for depth in (255, 4095):  # the file is enough for the other commands
        out = tmp_path / f"preview {depth}.png"
        done = run("preview", "good", "--preset", tmp_path / f"{depth}.yaml", "-o", out, cwd=folders[depth])
        assert done.returncode == 0, done.stderr
        pages[depth] = cv2.imread(str(out))[60:]  # below the title, which names the file
    np.testing.assert_array_equal(pages[255], pages[4095])


@pytest.mark.parametrize("use", ["--max-value", "preset file"])
def test_generate_at_12_bits(use, folders, tmp_path):
    made = {}
    for depth in (255, 4095):
        preset = tmp_path / "own.yaml"
        text = "background: [20, 20]\nmax_patches: 2\nlabel: logistic\nblending: copy_paste\nscale_range: null\n"
        preset.write_text(text + "max_value: 4095\n" * (depth == 4095 and use == "preset file"))
        more = ("--max-value", 4095) if depth == 4095 and use == "--max-value" else ()
        out = tmp_path / str(depth)
        options = ("-n", 4, "-w", 0, "--preset", preset, *more)
        done = run("generate", folders[depth] / "good", out, *options)
        assert done.returncode == 0, done.stderr
        assert not verify(out, workers=0).problems
        made[depth] = {
            name: cv2.imread(str(out / name), -1).astype(int) for name in ("images/001.png", "masks/001.png")
        }
        made[depth]["contact"] = cv2.imread(str(out / "contact.png")).astype(int)
    eight, twelve = made[255], made[4095]
    np.testing.assert_allclose(twelve["images/001.png"] * (255 / 4095), eight["images/001.png"], atol=1)
    assert (eight["masks/001.png"] == twelve["masks/001.png"]).mean() > 0.98
    assert abs(eight["contact"] - twelve["contact"]).mean() < 1


def test_floats_keep_the_scale(folders, tmp_path):
    """Floats of another scale than 1 become 16 bits of the same scale."""
    folder = tmp_path / "floats"
    folder.mkdir()
    for index, image in enumerate(IMAGES):
        pixels = image[..., ::-1].astype(np.float32) * np.float32(10)
        assert cv2.imwrite(str(folder / f"{index}.tif"), pixels, (cv2.IMWRITE_TIFF_COMPRESSION, 1))  # lossless
    found = {}
    for name, images, maximum in (("8 bits", folders[255] / "good", None), ("16 bits", folder, 2550)):
        task = NaturalSyntheticAnomaly(background=(20, 20), max_value=maximum, **EXACT)
        generate(images, tmp_path / name, task, count=1, workers=0)
        found[name] = cv2.imread(str(tmp_path / name / "images/000.png"), -1)
    assert np.array_equal(calibrate(folder, max_value=2550).images, calibrate(folders[255] / "good").images)
    assert found["16 bits"].dtype == np.uint16
    np.testing.assert_allclose(found["16 bits"] / 10, found["8 bits"], atol=1)
    with pytest.raises(
        ValueError, match=r"image file .*\d\.tif: its values are from \d+ to \d+, not in \[0, 1\]; max_value"
    ):
        generate(folder, tmp_path / "wrong", NaturalSyntheticAnomaly(), count=1, workers=0)


def test_files_for_arrays_of_the_same_scale(folders):
    """A source from a 12-bit file fits a 12-bit image, in 16 bits or floats of the same scale."""
    for dtype, maximum in ((np.uint16, 4095), (np.float32, 4095)):
        seen = []
        image = deepened(IMAGES[0], maximum).astype(dtype)
        file = folders[4095] / "good" / "1.png"
        sources = {"sources": [file], "source_transform": lambda source: seen.append(source) or source}  # noqa: B023
        NSA(max_value=4095, p=1.0, **sources)(image=image)
        np.testing.assert_array_equal(seen[0], deepened(IMAGES[1], 4095))


# notes


COMMANDS = {
    "preview": ("--preset", "pill", "-n", 1, "-o", "page.png"),
    "compare": ("--preset", "pill", "-o", "page.png"),
    "calibrate": (),
    "generate": ("out", "-n", 1, "-w", 0),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("maximum", [255, 4095, 16383, 65535])
def test_commands_say_that_files_use_a_sliver(command, maximum, folders, tmp_path):
    done = run(command, folders[maximum] / "good", *COMMANDS[command], cwd=tmp_path)
    notes = [line for line in (done.stdout + done.stderr).splitlines() if "16-bit images use" in line]
    largest = max(int(deepened(image, maximum).max()) for image in IMAGES)
    bits = {4095: 12, 16383: 14}.get(maximum)
    if bits is None:
        assert notes == []
    else:
        start = f"note: 16-bit images use only values up to {largest} of 65535, like {bits}-bit data: "
        assert start + f"max_value={maximum} or --max-value {maximum} helps" in notes


def test_functions_say_so(folders, tmp_path):
    with pytest.warns(Notice, match="like 14-bit data: max_value=16383"):
        generate(folders[16383] / "good", tmp_path / "out", TASK, count=1, workers=0)
    arrays = [deepened(image, 16383) for image in IMAGES]
    for images in (folders[16383] / "good", arrays):
        assert "like 14-bit data: max_value=16383" in " ".join(calibrate(images).notes)
        assert not any("16-bit" in note for note in calibrate(images, max_value=16383).notes)


def test_dark_files_that_show_nothing_say_so():
    dark = [(image // 4).astype(np.uint16) for image in IMAGES]
    with pytest.raises(ValueError, match=r"images with contrast, got 5 of one grey level, 0; 16-bit.*1023"):
        calibrate(dark)


# changes below a grey level


@pytest.mark.filterwarnings("ignore:16-bit images use")
def test_a_change_that_does_not_show_is_called_that(folders, tmp_path):
    task = NaturalSyntheticAnomaly(max_patches=1)
    dark = write_folder(tmp_path / "dark", [image.astype(np.uint16) for image in IMAGES])
    with pytest.raises(ValueError, match=r"patches found a place, but changed nothing .* grey level.*4 images.* 1023"):
        generate(dark, tmp_path / "out", task, count=4, workers=0)
    flat = write_folder(tmp_path / "flat", [np.full((64, 64), 100, np.uint8)] * 2)
    with pytest.raises(ValueError, match=r"patches found a place, but .*: their contrast is low"):
        generate(flat, tmp_path / "out2", task, count=4, workers=0)
    done = run("preview", flat, "-n", 3, "-o", tmp_path / "page.png")
    assert "1 of 3 images had no place for a patch. Likeliest reason" in done.stderr
    assert "\n2 of 3 images changed by no more than a grey level" in done.stderr


def test_no_place_is_still_called_that(folders, tmp_path):
    task = NaturalSyntheticAnomaly(background=(20, 250))
    with pytest.raises(ValueError, match="no patch found a place in any of 4 images"):
        generate(folders[255] / "good", tmp_path / "out", task, count=4, workers=0)


# mistakes


@pytest.mark.parametrize("command", COMMANDS)
def test_8_bits_cannot_have_larger_values(command, folders, tmp_path):
    done = run(command, folders[255] / "good", *COMMANDS[command], "--max-value", 4095, cwd=tmp_path)
    assert done.returncode == 1
    assert "good" in done.stderr
    assert "with max_value=4095: it has 8 bits" in done.stderr
    assert done.stderr.count("\n") <= 2  # a line of progress


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("value", [0, -4095, 100])
def test_wrong_max_values(command, value, folders, tmp_path):
    done = run(command, folders[4095] / "good", *COMMANDS[command], "--max-value", value, cwd=tmp_path)
    assert done.returncode == 1
    assert {0: "max_value must be None or a number > 0", 100: "not in [0, 100]"}.get(value, "must be a number") in (
        done.stderr
    )
    if command != "calibrate":
        done = run(command, folders[4095] / "good", *COMMANDS[command], "--max-value", 9, "--set", "max_value=9")
        assert "--max-value must be left out beside --set max_value" in done.stderr


def test_max_value_by_option_or_by_set_is_the_same_dataset(folders, tmp_path):
    arguments = ("generate", folders[4095] / "good", tmp_path / "out", "-n", 2, "-w", 0, "--preset", "pill")
    assert run(*arguments, "--set", "max_value=4095").returncode == 0
    done = run(*arguments, "--max-value", 4095)
    assert "(2 of 2 images already existed)" in done.stdout
    assert json.loads((tmp_path / "out" / "recipe.json").read_text())["arguments"]["max_value"] == 4095


def test_datasets_keep_16_bits(folders):
    deep = anomaly_dataset(folders[4095] / "good", NaturalSyntheticAnomaly(max_value=4095, **EXACT))
    assert any(label.any() for _, label in deep)
    for (image, _), (eight, _) in zip(deep, anomaly_dataset(IMAGES, NaturalSyntheticAnomaly(**EXACT)), strict=True):
        assert image.numpy().dtype == np.uint16
        np.testing.assert_allclose(image.numpy() * (255 / 4095), eight.numpy(), atol=1)
