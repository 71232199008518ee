import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from nsa_augment.samples import draw_sample


@pytest.fixture(scope="session")
def images():
    """Normal images of leather, read-only."""
    drawn = [draw_sample("hide", index, size=96).image for index in range(6)]
    for image in drawn:
        image.setflags(write=False)
    return drawn


@pytest.fixture(scope="session")
def folder(images, tmp_path_factory):
    """The images as files."""
    folder = tmp_path_factory.mktemp("good")
    for index, image in enumerate(images):
        cv2.imwrite(str(folder / f"{index}.png"), image[:, :, ::-1])
    return folder


@pytest.fixture
def command(tmp_path):
    """Run `nsa-augment` in a process of its own, with an empty folder as its working folder."""

    def run(*arguments):
        start = [sys.executable, "-W", "error", "-c", "from nsa_augment.cli import main; main()"]
        done = subprocess.run([*start, *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done

    run.folder = Path(tmp_path)
    return run


def change(before, after):
    """Mean change of the channels, grey levels."""
    return np.abs(after.astype(float) - before).mean(axis=2)
