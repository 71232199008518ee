"""Folders of normal images, datasets made of them, and what is in these."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.cli import main
from nsa_augment.datasets import generate
from nsa_augment.samples import draw_sample

COMMAND = [sys.executable, "-c", "from nsa_augment.cli import main; main()"]


def write_samples(folder, count=6, product="bolt", size=96):
    folder.mkdir(parents=True)
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:03}.png"), draw_sample(product, index, size=size).image[:, :, ::-1])
    return folder


def screws(**arguments):
    return NaturalSyntheticAnomaly.from_preset("screw", **arguments)


def make(folder, out, task=None, **arguments):
    return generate(folder, out, task or screws(), **{"count": 6, "workers": 0, **arguments})


def command(*arguments):
    """What the program does with arguments, in this process: exit code and what it writes."""
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    words = mock.patch.object(sys, "argv", ["nsa-augment", *map(str, arguments)])
    with words, redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return SimpleNamespace(returncode=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())


def content(out):
    """Bytes of all files by path; fails if anything temporary is left."""
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert not [name for name in files if name.startswith(".") or ".tmp" in name]
    return files


def manifest(out):
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def overlap(first, second):
    union = np.logical_or(first, second).sum()
    return np.logical_and(first, second).sum() / union if union else 1.0
