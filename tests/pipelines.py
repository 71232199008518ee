"""What the tests of sources, of the albumentations transform and of DataLoader workers share."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import pytest
from table5 import ROWS

from nsa_augment import FPI, NSA, PII, CutPaste, SynthesisPlan
from nsa_augment.samples import draw_sample

TEXTURE = "leather"  # a preset without constraints, so a patch may go anywhere
LARGE = {"height_range": (0.5, 0.8), "width_range": (0.5, 0.8)}
VISIBLE = {**LARGE, "scale_range": None, "gradient": "source"}  # with it every call changes even small images
TRANSFORMS = {"nsa": NSA, "cutpaste": CutPaste, "fpi": FPI, "pii": PII}
USES = {**TRANSFORMS, "cutpaste alone": CutPaste}
"""Every transform, and CutPaste without sources."""
X = hasattr(A.BasicTransform, "sample_parameters")
only_in_2 = pytest.mark.skipif(X, reason="about albumentations 2.0.8 itself")
only_in_x = pytest.mark.skipif(not X, reason="about AlbumentationsX itself")


def each_transform(uses=TRANSFORMS):
    """Parametrise a test by the names of the transforms, or of the uses."""
    return pytest.mark.parametrize("use", list(uses))


def visible(use):
    """What makes the changes of a transform large."""
    return VISIBLE if use == "nsa" else LARGE


def transform_of(use, preset=TEXTURE, sources=None, *, p=1.0, arguments=None, **more):
    """A transform with large changes; sources (by default `normals()[1:]`) go to those uses that take them."""
    sources = normals()[1:] if sources is None else sources
    arguments = visible(use) if arguments is None else arguments
    return USES[use](preset, None if use == "cutpaste alone" else sources, p=p, **arguments, **more)


@cache
def normals(product="hide", count=6, size=64):
    """Normal images of a product, read-only: nothing may write to its inputs."""
    images = [draw_sample(product, index, size=size).image for index in range(count)]
    for image in images:
        image.setflags(write=False)
    return images


def write_image(path, image):
    """Write an RGB or grey image without asking the package, whatever characters the path holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(path.suffix, stored)
    assert done
    path.write_bytes(data.tobytes())
    return path


def write_folder(folder, images):
    """Write images as 0.png, 1.png, ..."""
    for index, image in enumerate(images):
        write_image(folder / f"{index}.png", image)
    return folder


def read(path, grey=False):
    """Decode without asking the package."""
    data = np.frombuffer(Path(path).read_bytes(), np.uint8)
    if grey:
        return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def recorder(transforms, seed=0, **options):
    """An `A.ReplayCompose` with a seed, which its constructor does not take."""
    pipeline = A.ReplayCompose(transforms, **options)
    pipeline.set_random_seed(seed)
    return pipeline


def params_of(out, position=0):
    """Recorded parameters of the transform at a position; None where it was skipped."""
    params = out["replay"]["transforms"][position]["params"]
    if params is None:
        return None
    params = params.get("params", params)  # AlbumentationsX nests them
    return None if params.get("plan", params) is None else params


def by_hand(image, params, preset=TEXTURE, use="nsa", **overrides):
    """Result of the core task for what was recorded."""
    source = params["source"]
    if isinstance(source, str):
        source = read(source, grey=image.ndim == 2 or image.shape[2] == 1)
        if image.dtype == np.float32:
            source = source.astype(np.float32) / np.float32(255)
    task = ROWS[use.split()[0]].task.from_preset(preset, **overrides)
    return task.apply(image, source, SynthesisPlan.from_dict(params["plan"]))


def assert_same(one, other, keys=("image", "mask")):
    """Two outputs are equal, bit for bit."""
    for key in keys:
        assert one[key].dtype == other[key].dtype
        np.testing.assert_array_equal(one[key], other[key])


def is_zero_mask(mask, shape):
    return mask.shape == shape and mask.dtype == np.float32 and not mask.any()


def index_of(image, images):
    """Which of the images it is."""
    (found,) = [index for index, other in enumerate(images) if np.array_equal(image, other)]
    return found


def run_python(code, *arguments):
    """Run code in a fresh interpreter and return what it prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout
