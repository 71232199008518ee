"""Folders of normal images, datasets made of them, and what is in these."""

import json
import subprocess
import sys

import cv2
import numpy as np

from nsa_augment import NaturalSyntheticAnomaly
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
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False)


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
