import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from nsa_augment.cli.app import app
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
def command(tmp_path, monkeypatch):
    """Run `nsa-augment` in an empty folder, and return what it writes to the terminal."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        done = CliRunner().invoke(app, list(map(str, arguments)))
        assert done.exit_code == 0, done.output
        return done.output

    return run


def change(before, after):
    """Mean change of the channels, grey levels."""
    return np.abs(after.astype(float) - before).mean(axis=2)
