import subprocess
import sysconfig
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import run

from nsa_augment.samples import PRODUCTS, draw_sample


def read(path):
    return cv2.imread(str(path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good images")
    for index in range(3):
        cv2.imwrite(str(folder / f"{index}.png"), draw_sample("bolt", index, size=128).image[:, :, ::-1])
    return folder


def test_the_installed_program_works(tmp_path):
    program = Path(sysconfig.get_path("scripts")) / "nsa-augment"
    picture = draw_sample("hide", 0, size=32).image
    cv2.imwrite(str(tmp_path / "0.png"), picture)
    command = [str(program), "preview", "0.png", "-n", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("wrote nsa-preview.png")
    assert read(tmp_path / "nsa-preview.png") is not None


def test_demo_writes_one_row_a_product(tmp_path):
    done = run("demo", "--size", 32, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = read(tmp_path / "nsa-demo.png")
    assert page.shape[0] > 256 * len(PRODUCTS)
    assert page.shape[1] > 256 * 4
    assert [path.name for path in tmp_path.iterdir()] == ["nsa-demo.png"]


@pytest.mark.slow
def test_demo_depends_on_the_seed_alone(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("demo", "--size", 32, "--seed", seed, "-o", f"{name}.png", cwd=tmp_path).returncode == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "c.png").read_bytes()


@pytest.mark.parametrize("label", ["binary", "continuous", "logistic"])
def test_preview_shows_the_image_and_its_change(folder, tmp_path, label):
    output = tmp_path / "grid.png"
    arguments = ("--preset", "screw", "-n", 2, "--label", label, "--set", "max_patches=2", "-o", output)
    done = run("preview", folder, *arguments)
    assert done.returncode == 0, done.stderr
    page = read(output)
    tile = 256
    normal = page[60 : 60 + tile, 16 : 16 + tile]
    originals = [cv2.resize(read(path), (tile, tile), interpolation=cv2.INTER_NEAREST) for path in folder.iterdir()]
    agreement = max((normal == original).all(axis=2).mean() for original in originals)
    assert agreement > 0.95  # all but the outline of the object
    result = page[60 : 60 + tile, 16 + 2 * (tile + 10) : 16 + 2 * (tile + 10) + tile]
    changed = min((result != original).any(axis=2).mean() for original in originals)
    assert 0 < changed < 0.2


def test_preview_enlarges_the_largest_patch(folder, tmp_path):
    for name, preset in (("patch", "screw"), ("none", "wood")):
        more = ("--set", "background=(10, 250)") if name == "none" else ()
        done = run("preview", folder, "--preset", preset, *more, "-n", 1, "-o", tmp_path / f"{name}.png")
        assert done.returncode == 0, done.stderr
    page, empty = (read(tmp_path / f"{name}.png") for name in ("patch", "none"))
    tile = 256
    normal, _, result, _, before, after = (page[60 : 60 + tile, 16 + at * (tile + 10) :][:, :tile] for at in range(6))
    assert (before != after).any(axis=2).mean() > 1.5 * (normal != result).any(axis=2).mean()
    nothing = empty[60 : 60 + tile, 16 + 4 * (tile + 10) :][:, :tile]
    assert (nothing == nothing[0, 0]).mean() > 0.95


def test_preview_of_single_files_and_of_grey_files(folder, tmp_path):
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.tile(np.arange(96, dtype=np.uint8), (64, 1)))
    done = run("preview", grey, "--set", "background=None", "-n", 1, "-o", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr


def test_presets_lists_every_preset():
    done = run("presets")
    assert done.returncode == 0
    for name in ("bottle", "screw", "rcxr_female"):
        assert name in done.stdout


def test_version():
    assert run("--version").stdout.startswith("nsa-augment 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["preview", "nowhere"], "nowhere"),
        (["preview", "FOLDER", "--preset", "srew"], "'srew'"),
        (["preview", "FOLDER", "--set", "background=300,2"], "300"),
        (["preview", "FOLDER", "--set", "colour=1"], "colour"),
        (["preview", "FOLDER", "--set", "background"], "NAME=VALUE"),
        (["preview", "FOLDER", "--label", "soft"], "'soft'"),
        (["preview", "FOLDER", "-o", "picture.jpg"], ".png"),
        (["preview", "FOLDER", "-o", "missing/picture.png"], "missing"),
        (["preview", "EMPTY"], "no images"),
        (["preview", "BROKEN"], "broken.png"),
    ],
)
def test_mistakes_end_in_one_line_and_exit_code_1(folder, tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "broken.png").write_bytes(b"not an image")
    places = {"FOLDER": folder, "EMPTY": tmp_path / "empty", "BROKEN": tmp_path / "broken"}
    done = run(*(places.get(argument, argument) for argument in arguments), cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.startswith("nsa-augment: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.png"))


def test_unknown_commands_and_options_end_with_exit_code_2():
    assert run("augment").returncode == 2
    assert run("demo", "--seed", "-1").returncode == 2


@pytest.mark.parametrize("task", ["cutpaste", "fpi", "pii"])
def test_preview_and_demo_of_other_tasks(folder, tmp_path, task):
    for command in (("preview", folder, "--preset", "screw", "-n", 1), ("demo", "--size", 48)):
        done = run(*command, "--task", task, "-o", tmp_path / "page.png")
        assert done.returncode == 0, done.stderr
        assert read(tmp_path / "page.png") is not None


@pytest.mark.parametrize("what", ["folder", "file"])
def test_compare_shows_all_tasks_and_labels(folder, tmp_path, what):
    path = folder if what == "folder" else folder / "1.png"
    arguments = ("--preset", "screw", "--ablation", "B", "--seed", 1, "-o", tmp_path / "page.png")
    done = run("compare", path, *arguments)
    assert done.returncode == 0, done.stderr
    page = read(tmp_path / "page.png")
    assert page.shape[0] > 4 * 256
    assert page.shape[1] > 6 * 256


def test_ablation_and_task_are_checked(folder):
    done = run("preview", folder, "--ablation", "E")
    assert done.returncode == 1
    assert "'E'" in done.stderr
    done = run("preview", folder, "--task", "nasa")
    assert done.returncode == 1
    assert "'nasa'" in done.stderr


def test_compare_gives_each_task_the_arguments_it_knows(folder, tmp_path):
    output = tmp_path / "page.png"
    chosen = ("--set", "gradient=mixed", "--set", "scale_range=0.5,1", "--set", "jitter=0.1")
    done = run("compare", folder, "--preset", "screw", *chosen, "-o", output)
    assert done.returncode == 0, done.stderr
    for wrong in ("label=binary", "colour=1", "max_value=4095"):  # files of 8 bits
        done = run("compare", folder, "--set", wrong, "-o", output)
        assert done.returncode == 1
        assert wrong.partition("=")[0] in done.stderr
