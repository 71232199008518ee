"""The commands that make pictures: `preview`, `compare`, `demo`."""

import cv2

from nsa_augment.labelling import LABELS
from nsa_augment.tasks import TASKS

TILE = 256


def size(path):
    height, width = cv2.imread(str(path)).shape[:2]
    return height, width


def test_preview(command, folder, tmp_path):
    settings = ("--set", "darkness=0.5", "--set", "shape=triangle", "--set", "max_patches=2")
    command("preview", folder, "-n", 2, "--task", "dark_spots", "--label", "percent", *settings, "-o", "spots.png")
    command("preview", folder, "-n", 2, "--set", "solver=conjugate_gradients", "-o", "solver.png")
    assert size(tmp_path / "spots.png") == size(tmp_path / "solver.png")


def test_preview_of_a_preset_file(command, folder, tmp_path):
    (tmp_path / "spots.yaml").write_text("darkness: 0.5\nlabel: percent\nmax_patches: 2\n")
    arguments = ("--task", "dark_spots", "-n", 1, "--seed", 3)
    command("preview", folder, *arguments, "--preset", "spots.yaml", "-o", "file.png")
    same = ("--set", "darkness=0.5", "--label", "percent", "--set", "max_patches=2")
    (tmp_path / "empty.yaml").write_text("{}\n")
    command("preview", folder, *arguments, "--preset", "empty.yaml", *same, "-o", "options.png")
    pages = [cv2.imread(str(tmp_path / name)) for name in ("file.png", "options.png")]
    assert pages[0].shape == pages[1].shape
    below_title = [page[40:] for page in pages]
    assert (below_title[0] == below_title[1]).all()


def test_compare_shows_every_task_and_every_label(command, folder, tmp_path):
    command("compare", folder, "--preset", "leather", "--set", "darkness=0.5")
    height, width = size(tmp_path / "nsa-compare.png")
    assert height > TILE * sum(not task.required for task in TASKS.values())
    assert width > TILE * (3 + len(LABELS))


def test_demo(command, tmp_path):
    command("demo", "--task", "dark_spots", "--label", "percent", "--size", 64, "-o", "demo.png")
    assert size(tmp_path / "demo.png")[0] > TILE


def test_help_names_the_new_kinds(command):
    text = command("generate", "--help")
    assert all(name in text for name in ("dark_spots", "percent", "csv_index"))
