"""What the tests of integrations share that run without albumentations."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from nsa_augment.samples import draw_sample

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "how_to" / "frameworks.md"
TEXTURE = "leather"  # a preset without constraints, so a patch may go anywhere
LARGE = {"height_range": (0.5, 0.8), "width_range": (0.5, 0.8)}
STUBS = "import torchvision_stubs\n\ntorchvision_stubs.declare_operators()"
VISIBLE = {**LARGE, "scale_range": None, "gradient": "source"}  # with it every call changes even small images
ON_OBJECTS = {**VISIBLE, "height_range": (0.4, 0.5), "width_range": (0.4, 0.5), "min_object": 0.9}


@cache
def normals(count=6, size=32):
    """Normal images of a texture, read-only: nothing may write to its inputs."""
    images = [draw_sample("hide", index, size=size).image for index in range(count)]
    for image in images:
        image.setflags(write=False)
    return images


def write_folder(folder, images, masks=None):
    """Write images as 0.png, 1.png, ...; masks are their alpha channels."""
    for index, image in enumerate(images):
        pixels = image if masks is None else np.dstack([image, masks[index] * np.uint8(255)])
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def error_without(packages, module):
    """The last line that importing a module prints where packages are missing."""
    code = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
import {module}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


def run_section(title, folder):
    """Run the Python in a section of docs/how_to/frameworks.md, after that of the introduction."""
    introduction, *sections = PAGE.read_text().split("\n## ")
    (section,) = [section for section in sections if section.startswith(f"{title}\n")]
    blocks = re.findall(r"^```python\n(.*?)^```$", introduction + section, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    (folder / "section.py").write_text("\n\n".join([STUBS, *blocks]))
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    command = [sys.executable, "section.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=os.environ | paths, timeout=240)
    assert done.returncode == 0, done.stderr
