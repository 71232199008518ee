"""Damaged files are found before the first item, listed together, skipped on demand, and named wherever they are."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import run
from dataset_folders import content, write_samples
from image_files import DAMAGED, KINDS, anomaly_dataset, write

from nsa_augment import NSA, CutPasteAnomaly, NaturalSyntheticAnomaly, calibrate, check_sources
from nsa_augment._shared import decoding
from nsa_augment._shared.images import read_alpha, read_image
from nsa_augment.datasets import Recipe, generate, verify
from nsa_augment.datasets._folder import digest

TASK = NaturalSyntheticAnomaly.from_preset("screw", label="logistic")
IMAGE = np.zeros((64, 48, 3), np.uint8)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("sound") / "good", count=4)


@pytest.fixture
def sound(samples, tmp_path):
    return Path(shutil.copytree(samples, tmp_path / "good"))


@pytest.fixture
def folder(sound):
    """Sound images, and files that are damaged in every way among them."""
    folder = sound
    for name, data in DAMAGED.items():
        (folder / name).write_bytes(data)
    return folder


def options(folder, out):
    return ("generate", folder, out, "-n", 3, "-w", 0, "--preset", "screw")


def assert_lists_all(message):
    assert message.startswith(f"{len(DAMAGED)} of {len(DAMAGED) + 4} image files cannot be used: remove them, or skip")
    assert all(name in message for name in DAMAGED)
    assert "it claims to have 30000 x 30000 pixels, in" in message
    assert "it claims to have 50000 x 50000 pixels, in" in message


def test_generate_lists_all_before_anything_is_written(folder, tmp_path):
    with pytest.raises(ValueError, match="cannot be used") as caught:
        generate(folder, tmp_path / "out", TASK, count=3, workers=0)
    assert_lists_all(str(caught.value))
    done = run(*options(folder, tmp_path / "out"))
    assert done.returncode == 1
    sizes, line = done.stderr.splitlines()
    assert sizes.startswith("14 images of 2 sizes")
    assert_lists_all(line.removeprefix("nsa-augment: "))
    assert not (tmp_path / "out").exists()


def test_the_same_command_goes_on_after_they_are_deleted(folder, tmp_path):
    assert run(*options(folder, tmp_path / "out")).returncode == 1
    for name in DAMAGED:
        (folder / name).unlink()
    done = run(*options(folder, tmp_path / "out"))
    assert done.returncode == 0, done.stderr


def test_skipping_resuming_and_deleting(folder, tmp_path):
    out = tmp_path / "out"
    done = run(*options(folder, out), "--skip-damaged")
    assert done.returncode == 0, done.stderr
    recipe = json.loads((out / "recipe.json").read_text())
    assert (sorted(recipe["damaged"]), sorted(recipe["images"])) == (sorted(DAMAGED), [f"00{i}.png" for i in range(4)])
    assert verify(out, workers=0).problems == ()
    files = content(out)
    assert "3 of 3 images already existed" in run(*options(folder, out), "--skip-damaged").stdout
    assert_lists_all(run(*options(folder, out)).stderr.splitlines()[-1].removeprefix("nsa-augment: "))
    for name in DAMAGED:
        (folder / name).unlink()
    assert "3 of 3 images already existed" in run(*options(folder, out)).stdout
    assert content(out) == files
    generate(folder, tmp_path / "clean", TASK, count=3, workers=0, origin=recipe["origin"])
    clean = content(tmp_path / "clean")
    assert {name for name in clean if clean[name] != files.get(name)} == {"recipe.json"}
    assert len(clean) == len(files)


def test_a_file_that_is_repaired_later_is_a_difference(folder, tmp_path):
    run(*options(folder, tmp_path / "out"), "--skip-damaged")
    shutil.copy(folder / "000.png", folder / "cut.png")
    done = run(*options(folder, tmp_path / "out"), "--skip-damaged")
    assert "image file cut.png is new" in done.stderr


def test_nothing_but_damaged_files(folder, tmp_path):
    for file in folder.glob("00*.png"):
        file.unlink()
    for skip in (False, True):
        with pytest.raises(ValueError, match=rf"^{len(DAMAGED)} of {len(DAMAGED)} image files cannot be used: cannot "):
            generate(folder, tmp_path / "out", TASK, count=3, workers=0, skip_damaged=skip)


def test_too_few_sound_files_for_the_layout(folder, tmp_path):
    for file in sorted(folder.glob("00*.png"))[:2]:
        file.unlink()
    with pytest.raises(ValueError, match="must hold at least 3 images with layout='mvtec', got 2"):
        generate(folder, tmp_path / "out", TASK, count=3, workers=0, layout="mvtec", skip_damaged=True)


def test_a_file_that_is_damaged_later(sound, tmp_path):
    folder, out = sound, tmp_path / "out"
    generate(folder, out, TASK, count=3, workers=0)
    (folder / "001.png").write_bytes(DAMAGED["cut.png"])
    with pytest.raises(ValueError, match=r"1 of 4 image files cannot be used.*001\.png"):
        generate(folder, out, TASK, count=3, workers=0)
    assert {problem.what.split(":")[0] for problem in verify(out, workers=0).problems} == {"cannot be made again"}
    (folder / "001.png").unlink()
    with pytest.raises(ValueError, match=r"was begun with other arguments: image file 001\.png is missing now"):
        generate(folder, out, TASK, count=3, workers=0)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_dataset_that_was_begun_with_a_damaged_file(workers, tmp_path):
    """As before damaged files were looked for: a worker meets it."""
    folder, out = tmp_path / "good", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for name in ("bomb.png", "huge.tif") if workers == 0 else ("huge.tif",):
        (folder / name).write_bytes(DAMAGED[name])
    known = [digest(file.read_bytes()) for file in folder.iterdir()]
    recipe = json.loads(Recipe.create(folder, TASK, 3, 0, "masks", known=known).to_json())
    del recipe["damaged"]
    (out / "recipe.json").write_text(json.dumps(recipe))
    done = run("generate", folder, out, "-n", 3, "-w", workers, "--preset", "screw")
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith("nsa-augment: cannot decode image file")
    assert "pixels, in" in line


def test_recipes_without_the_list_load(sound, tmp_path):
    generate(sound, tmp_path / "out", TASK, count=2, workers=0)
    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text())
    assert recipe.pop("damaged") == []
    (tmp_path / "out" / "recipe.json").write_text(json.dumps(recipe, indent=1) + "\n")
    assert verify(tmp_path / "out", workers=0).problems == ()
    assert generate(sound, tmp_path / "out", TASK, count=2, workers=0).kept == 2


# every entry point


@pytest.mark.parametrize("name", DAMAGED)
def test_every_entry_point_names_the_file(name, tmp_path):
    file = tmp_path / "in" / name
    file.parent.mkdir()
    file.write_bytes(DAMAGED[name])
    calls = {
        "sources": lambda: NSA("leather", [file], p=1.0)(image=IMAGE),
        "folder": lambda: NSA("leather", file.parent, p=1.0)(image=IMAGE.astype(np.float32)),
        "dataset": lambda: anomaly_dataset(file.parent, CutPasteAnomaly())[0],
        "calibrate": lambda: calibrate(file.parent),
        "check_sources": lambda: check_sources([file]),
    }
    for call in calls.values():
        with pytest.raises(ValueError, match=rf"^(1 of 1 .*: )?cannot decode image file .*{name}: "):
            call()
    for command in (("preview", "-o", tmp_path / "page.png"), ("compare", "-o", tmp_path / "page.png"), ("calibrate",)):
        done = run(command[0], file.parent, *command[1:])
        (line,) = done.stderr.splitlines()
        assert done.returncode == 1
        assert line.startswith("nsa-augment: cannot decode image file")
        assert name in line


@pytest.mark.parametrize("error", [cv2.error("Assertion failed"), MemoryError(), RuntimeError("odd")])
@pytest.mark.parametrize("kind", ["RGB", "TIFF", "GIF"])
def test_whatever_a_decoder_raises(kind, error, tmp_path, monkeypatch):
    (file,) = write(KINDS[kind], tmp_path, 1)

    def fails(*arguments, **more):
        raise error

    monkeypatch.setattr(decoding.cv2, "imdecode", fails)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fails)
    monkeypatch.setattr("PIL.GifImagePlugin.GifImageFile.load", fails, raising=False)
    with pytest.raises(ValueError, match=f"cannot decode image file .*{file.name}: not an image, or damaged"):
        anomaly_dataset([file], CutPasteAnomaly())[0]


@pytest.mark.slow
def test_large_but_honest_images_are_read(tmp_path):
    """More than the size from which bombs are looked for, from a file with enough bytes."""
    size = 9000, 9000
    noise = np.random.default_rng(0).integers(0, 2, size, np.uint8) * 255
    (tmp_path / "0.png").write_bytes(cv2.imencode(".png", noise, (cv2.IMWRITE_PNG_BILEVEL, 1))[1].tobytes())
    file = tmp_path / "0.png"
    assert (read_image(file, grey=True).shape, read_alpha(file)) == (size, None)


# checking sources


def test_check_sources(folder):
    with pytest.raises(ValueError, match="cannot be used") as caught:
        check_sources(folder)
    assert_lists_all(str(caught.value))
    sound = sorted(folder.glob("00*.png"))
    assert check_sources(str(folder), skip_damaged=True) == sound
    assert check_sources([*map(str, sound), folder / "cut.png"], skip_damaged=True) == sound
    assert check_sources(folder.parent, recursive=True, skip_damaged=True) == sound
    image = cv2.imread(str(sound[0]))
    assert NSA("leather", check_sources(folder, skip_damaged=True), p=1.0)(image=image)["mask"].shape == (96, 96)


@pytest.mark.parametrize("wrong", [[], None, 3, [IMAGE], [1]])
def test_only_files_can_be_checked(wrong):
    with pytest.raises(TypeError, match="sources must be a folder or a non-empty list of image files"):
        check_sources(wrong)


def test_many_damaged_files_are_counted(tmp_path):
    for index in range(30):
        (tmp_path / f"{index:02}.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"^30 of 30 .*19\.png: not an image, or damaged; and 10 more$"):
        check_sources(tmp_path)


def test_commands_skip_them(folder, tmp_path):
    done = run("calibrate", folder, "--skip-damaged")
    assert done.returncode == 0, done.stderr
    assert "4 of 4 images" in done.stdout
    page = tmp_path / "page.png"
    for command in (("preview", "-n", 6), ("compare",)):
        done = run(*command, folder, "-o", page, "--skip-damaged", "--preset", "screw")
        assert done.returncode == 0, done.stderr
        page.unlink()
    for path in folder.glob("00*.png"):
        path.unlink()
    for command in ("preview", "compare", "calibrate"):
        done = run(command, folder, "--skip-damaged")
        assert done.returncode == 1
        assert "image files cannot be used" in done.stderr
