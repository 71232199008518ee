"""Kinds of another package in the commands: announced by entry points, named in help texts, drawn like the others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import cv2
import numpy as np
import pytest

from nsa_augment.labelling import LABELS
from nsa_augment.samples import draw_sample
from nsa_augment.tasks import TASKS

TILE, GAP, MARGIN, CAPTION, BAR_SPACE = 256, 10, 16, 22, 78
TOP = MARGIN + 2 * CAPTION
KINDS = dedent(
    '''
    """What another package may add."""
    from dataclasses import dataclass
    from typing import ClassVar

    import numpy as np

    from nsa_augment import AnomalyTask, Blending, Label, Outline, Solver


    @dataclass(frozen=True, kw_only=True)
    class Stamp(AnomalyTask):
        blending: str = "invert"
        label: str = "depth"
        ink: float = 1.0
        name: ClassVar[str] = "stamp"
        title: ClassVar[str] = "Stamps"


    class Depth(Label):
        name, unit, maximum = "depth", "mm", 12.0

        def compute(self, area):
            return area.mask * np.float32(7.5)


    class Half(Label):
        name = "half"

        @classmethod
        def unsuited(cls, task):
            return None if hasattr(task, "ink") else "only stamps are halved"

        def compute(self, area):
            return area.mask * np.float32(0.5)


    class Invert(Blending):
        name = "invert"

        def blend(self, canvas, patch):
            np.copyto(canvas, 255 - canvas, where=patch.region.view(bool)[:, :, np.newaxis])


    @dataclass(frozen=True)
    class Cross(Outline):
        arm: int
        name = "cross"

        @classmethod
        def draw(cls, rng, box):
            return cls(max(min(box.size) // 4, 1))

        def mask(self, size):
            mask = np.zeros(size, np.uint8)
            mask[size[0] // 2 - self.arm : size[0] // 2 + self.arm] = 1
            mask[:, size[1] // 2 - self.arm : size[1] // 2 + self.arm] = 1
            return mask


    class Flat(Solver):
        name = "flat"

        @staticmethod
        def clone(canvas, source, mask, gradient, max_value):
            canvas[mask > 0] = 77
    '''
)
ENTRY_POINTS = dedent(
    """
    [nsa_augment.tasks]
    stamp = other_kinds:Stamp
    [nsa_augment.labels]
    depth = other_kinds:Depth
    half = other_kinds:Half
    broken = no_such_module:Broken
    [nsa_augment.blendings]
    invert = other_kinds:Invert
    [nsa_augment.outlines]
    cross = other_kinds:Cross
    [nsa_augment.solvers]
    flat = other_kinds:Flat
    """
)
PRESET = "max_patches: 2\nlabel: depth\nshape: cross\nsolver: flat\nblending: poisson\n"
PLAIN = ("--preset", "tile", "--set", "max_patches=2")
SAME = (*PLAIN, "--label", "depth", "--set", "shape=cross", "--set", "solver=flat", "--set", "blending=poisson")
TASK_NAMES = [*(name for name, task in TASKS.items() if not task.required), "stamp"]
LABEL_NAMES = [*LABELS, "depth", "half"]
COMMANDS = {
    "help": ("preview", "--help"),
    "demo": ("demo", "--size", 32, "--task", "stamp", "-o", "demo.png"),
    "file": ("preview", "images", "-n", 1, "--preset", "kinds.yaml", "-o", "file.png"),
    "options": ("preview", "images", "-n", 1, *SAME, "-o", "options.png"),
    "plain": ("preview", "images", "-n", 1, *PLAIN, "--label", "depth", "-o", "plain.png"),
    "blending": ("preview", "images", "-n", 1, *PLAIN, "--set", "blending=invert", "-o", "blending.png"),
    "compare": ("compare", "images", "--set", "ink=0.5", "-o", "compare.png"),
    "compare preset": ("compare", "images", "--preset", "factor.yaml", "-o", "compare_preset.png"),
    "generate": ("generate", "images", "out", "-n", 3, "--task", "stamp", "--label", "half", "-w", 0),
    "unknown": ("preview", "images", "--label", "deep"),
    "unsuited": ("preview", "images", "--label", "half"),
}
SCRIPT = """
import json, os, sys
os.environ["COLUMNS"] = "200"
from commands import run
outcomes = {name: vars(run(*arguments)) for name, arguments in json.load(sys.stdin).items()}
json.dump(outcomes, sys.stdout)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("other package")
    (folder / "images").mkdir()
    for index in range(3):
        cv2.imwrite(str(folder / "images" / f"{index}.png"), draw_sample("hide", index, size=64).image)
    (folder / "kinds.yaml").write_text(PRESET)
    (folder / "factor.yaml").write_text("label: factor\n")
    (folder / "other_kinds.py").write_text(KINDS)
    installed = folder / "other_kinds-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: other-kinds\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


@pytest.fixture(scope="module")
def process(folder):
    here = Path(__file__).parent
    search = [str(folder), str(here), str(here.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(COMMANDS),
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
        check=False,
    )


@pytest.fixture(scope="module")
def outcomes(process):
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def read(folder, name):
    return cv2.imread(str(folder / f"{name}.png"))


def tile(page, row, column):
    y, x = TOP + row * (TILE + CAPTION), MARGIN + column * (TILE + GAP)
    return page[y : y + TILE, x : x + TILE]


def is_blank(pixels):
    return (pixels[:40] == 238).all()


@pytest.mark.slow
def test_a_broken_entry_point_is_a_warning_and_nothing_else(process):
    assert process.returncode == 0
    assert process.stderr.count("Warning") == 1
    assert "RuntimeWarning: cannot use 'broken' (no_such_module:Broken) of other-kinds in nsa_augment.labels" in (
        process.stderr
    )


@pytest.mark.parametrize("name", [name for name in COMMANDS if not name.startswith("un")])
def test_commands_work(outcomes, name):
    assert outcomes[name]["returncode"] == 0, outcomes[name]["stderr"]


def test_help_lists_what_is_registered(outcomes):
    text = " ".join(outcomes["help"]["stdout"].replace("│", " ").split())
    assert "nsa, cutpaste, fpi, pii, mix, cutout, texture, bank, stamp." in text
    assert "binary, continuous, logistic, factor (of fpi, pii, texture), depth, half (of stamp)." in text
    shapes = "shape: ellipses, noise, fine_noise, polygon, stroke, cross"
    blendings = "blending: copy_paste, feather, linear, poisson, silhouette, invert"
    for kinds in (shapes, "solver: opencv, spectral, flat", blendings):
        assert kinds in text


def test_errors_list_what_is_registered(outcomes):
    assert outcomes["unknown"]["returncode"] == outcomes["unsuited"]["returncode"] == 1
    assert "label must be one of 'binary', " in outcomes["unknown"]["stderr"]
    assert "'depth', 'half', got 'deep'" in outcomes["unknown"]["stderr"]
    assert "got 'half': only stamps are halved" in outcomes["unsuited"]["stderr"]


def test_a_preset_file_sets_kinds(outcomes, folder):
    file, options, plain = (read(folder, name)[MARGIN + CAPTION :] for name in ("file", "options", "plain"))
    np.testing.assert_array_equal(file, options)
    assert (tile(read(folder, "file"), 0, 2) != tile(read(folder, "plain"), 0, 2)).any()
    assert file.shape == plain.shape


def test_a_blending_of_another_package_joins_the_patches(outcomes, folder):
    page = read(folder, "blending")
    normal, result = tile(page, 0, 0).astype(int), tile(page, 0, 2).astype(int)
    changed = (normal != result).any(axis=2)
    assert changed.any()
    np.testing.assert_array_equal(result[changed], 255 - normal[changed])


def test_compare_shows_every_task_under_every_label(outcomes, folder):
    page = read(folder, "compare")
    columns, rows = 3 + len(LABEL_NAMES), len(TASK_NAMES)
    width = 2 * MARGIN + columns * (TILE + GAP) - GAP + BAR_SPACE
    assert page.shape == (TOP + rows * (TILE + CAPTION) + MARGIN, width, 3)
    for row, task in enumerate(TASK_NAMES):
        blank = {label for label in LABEL_NAMES if is_blank(tile(page, row, 3 + LABEL_NAMES.index(label)))}
        suited = {"factor": task in ("fpi", "pii", "texture"), "half": task == "stamp"}
        assert blank == {label for label, suits in suited.items() if not suits}


def test_compare_has_a_colour_bar_for_labels_without_unit_and_for_each_unit(outcomes, folder):
    page = read(folder, "compare")
    inked = (page[:, MARGIN + (3 + len(LABEL_NAMES)) * (TILE + GAP)] != 255).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(int), [0]])))
    heights = (edges[1::2] - edges[::2]).tolist()
    assert heights.count(TILE) == 3
    assert max(heights) == TILE


def test_a_label_with_a_unit_is_coloured_up_to_its_largest_value(outcomes, folder):
    page = read(folder, "compare")
    for row in range(len(TASK_NAMES)):
        binary, depth = (tile(page, row, 3 + LABEL_NAMES.index(name)) for name in ("binary", "depth"))
        np.testing.assert_array_equal(binary, depth)
    assert (tile(page, row, 3 + LABEL_NAMES.index("half")) != tile(page, row, 3)).any()


def test_compare_takes_a_preset_file_whose_label_does_not_suit_every_task(outcomes, folder):
    assert read(folder, "compare_preset").shape == read(folder, "compare").shape


def test_generate_writes_labels_of_another_package(outcomes, folder):
    labels = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in sorted((folder / "out" / "labels").iterdir())]
    masks = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in sorted((folder / "out" / "masks").iterdir())]
    assert len(labels) == 3
    for label, mask in zip(labels, masks, strict=True):
        assert set(np.unique(label[mask > 0]).tolist()) <= {32767, 32768}
        assert not label[mask == 0].any()
