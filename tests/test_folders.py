"""Folders of images as people have them: subfolders with the same names, and names that are not UTF-8."""

import io
import json
import os
import sys

import albumentations as A
import numpy as np
import pytest
from commands import run
from dataset_folders import manifest
from PIL import Image

from nsa_augment import NSA
from nsa_augment._shared.images import encode_png
from nsa_augment.cli import main


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (64, 56, 3), np.uint8)


def opened(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    """Other pixels under the same names in every folder."""
    root = tmp_path_factory.mktemp("nested") / "good"
    for number, place in enumerate(("", "line 1", "line 1/day 2", "line 2")):
        (root / place).mkdir(parents=True, exist_ok=True)
        for index in range(2):
            (root / place / f"{index}.png").write_bytes(encode_png(noise(10 * number + index)))
    return root


@pytest.mark.parametrize(
    ("options", "normals"),
    [
        (("--layout", "mvtec"), 8),
        (("--layout", "mvtec", "--tile", 40, 40, "--overlap", 8), 8 * 4),
        (("--crop", 48, 40, "--backgrounds", 8), 8),
    ],
)
def test_datasets_of_subfolders(nested, tmp_path, options, normals):
    """Normal images each have a file of their own, with their pixels."""
    out = tmp_path / "out"
    done = run("generate", nested, out, "-n", 3, "-w", 0, "--recursive", "--preset", "leather", *options)
    assert done.returncode == 0, done.stderr
    good = [record for record in manifest(out) if record["kind"] == "normal"]
    assert len({record["image_path"] for record in good}) == len(good) == normals
    assert len({record["image"] for record in good}) == 8
    for record in good:
        top, left, bottom, right = record.get("window", (0, 0, None, None))
        expected = opened(nested / record["image"])[top:bottom, left:right]
        np.testing.assert_array_equal(opened(out / record["image_path"]), expected)
    checked = run("verify", out, "-w", 0)
    assert checked.returncode == 0, checked.stderr


def folder_of_bytes(root):
    """A folder, names of images, and masks, none of them UTF-8."""
    images, masks = (os.fsdecode(os.fsencode(root) + name) for name in (b"/gut\xff", b"/masken\xe9"))
    try:
        for folder in (images, masks):
            os.mkdir(folder)
            for index in range(3):
                with open(os.path.join(os.fsencode(folder), b"%d\xfc.png" % index), "wb") as file:
                    file.write(encode_png(noise(index)))
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    return images, masks


def test_names_that_are_not_utf8(tmp_path, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), "utf-8", "strict", write_through=True)  # as in most locales
    monkeypatch.setattr(sys, "stdout", terminal)
    images, masks = folder_of_bytes(tmp_path)
    page, out = tmp_path / "page.png", tmp_path / os.fsdecode(b"aus\xff")
    given = ("--object-masks", masks, "--allowed-masks", masks, "-n", 3, "--preset", "leather")
    commands = [
        ("generate", images, out, *given, "-w", 0),
        ("generate", images, out, *given[:-3], 4, *given[-2:], "-w", 0),
        ("verify", out, "-w", 0),
        ("generate", images, tmp_path / "mvtec", "-n", 2, "--preset", "leather", "-w", 0, "--layout", "mvtec"),
        (
            "calibrate",
            images,
            "--object-masks",
            masks,
            "--out",
            tmp_path / os.fsdecode(b"\xff.yaml"),
            "--picture",
            page,
        ),
        ("preview", images, "-o", page, "--preset", tmp_path / os.fsdecode(b"\xff.yaml"), "--object-masks", masks),
        ("compare", images, "-o", page),
    ]
    codes = []
    for words in commands:
        monkeypatch.setattr(sys, "argv", ["nsa-augment", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            codes.append(end.code or 0)
    assert codes == [0] * len(commands)
    printed = terminal.buffer.getvalue().decode()
    assert "aus\\udcff" in printed
    assert "4 of 4 images: no problems" in printed
    assert opened(page).ndim == 3
    transform = A.from_dict(json.loads(json.dumps(A.to_dict(NSA("leather", images, object_masks=masks, p=1.0)))))
    assert transform(image=noise(0))["mask"].shape == (64, 56)
