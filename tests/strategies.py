"""Hypothesis strategies: images, plans, and tasks with any arguments."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from hypothesis import strategies as st
from table5 import KINDS, ROWS

from nsa_augment import (
    ABLATIONS,
    PRESETS,
    CutOutAnomaly,
    DefectBankAnomaly,
    Ellipses,
    Jitter,
    PatchPlacement,
    Strip,
    SynthesisPlan,
    TextureAnomaly,
)
from nsa_augment.samples import write_samples

seeds = st.integers(0, 2**32 - 1)
sides = st.one_of(st.integers(25, 64), st.integers(1, 24), st.integers(17, 64))
dtypes = st.sampled_from([np.uint8, np.float32])
channel_shapes = st.sampled_from([(), (1,), (2,), (3,), (4,)])
backgrounds = st.sampled_from([None, (200, 60), (20, 20), [(200, 60), (90, 10)], ((0, 20),)])


def draw_pixels(seed, shape, dtype=np.uint8):
    """Noise, a smooth field, or a dark object on light ground, by seed."""
    rng = np.random.default_rng(seed)
    height, width = shape[:2]
    kind = rng.integers(3)
    if kind == 0:
        levels = rng.uniform(0, 255, shape)
    elif kind == 1:
        coarse = rng.uniform(0, 255, (5, 5, *shape[2:]))
        levels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(shape)
    else:
        y, x = np.mgrid[:height, :width]
        apart = np.hypot((y - height * rng.uniform(0.2, 0.8)) / height, (x - width * rng.uniform(0.2, 0.8)) / width)
        flat = np.where(apart < rng.uniform(0.2, 0.6), 90, 205)
        levels = flat.reshape(height, width, *(1,) * (len(shape) - 2)) + rng.normal(0, 8, shape)
    levels = np.clip(levels, 0, 255)
    if dtype == np.uint8 or rng.random() < 0.5:
        levels = np.rint(levels)
    return levels.astype(np.uint8) if dtype == np.uint8 else levels.astype(np.float32) / np.float32(255)


def draw_object(seed, shape):
    """Object mask: a rectangle, all but a rectangle, everything or nothing, by seed."""
    rng = np.random.default_rng(seed)
    mask = np.full(shape, rng.random() < 0.7)
    y0, y1 = sorted(rng.integers(0, shape[0] + 1, 2))
    x0, x1 = sorted(rng.integers(0, shape[1] + 1, 2))
    mask[y0:y1, x0:x1] ^= rng.random() < 0.9
    return mask


def lengths(side):
    return st.one_of(st.integers(1 + side // 3, side), st.integers(1 + side // 3, side), st.integers(1, side))


@st.composite
def boxes(draw, shape, size=None):
    """A box inside an image, of the given size or of any."""
    height, width = size or (draw(lengths(shape[0])), draw(lengths(shape[1])))
    y, x = draw(st.integers(0, shape[0] - height)), draw(st.integers(0, shape[1] - width))
    return y, x, y + height, x + width


@st.composite
def ellipse_shapes(draw, size):
    def ellipse():
        centre = draw(st.integers(0, size[0] - 1)), draw(st.integers(0, size[1] - 1))
        semi_axes = draw(lengths(max(1, size[0] // 2))), draw(lengths(max(1, size[1] // 2)))
        return *centre, *semi_axes, draw(st.floats(0, 3.141592))

    return Ellipses(tuple(ellipse() for _ in range(draw(st.integers(1, 5)))))


@st.composite
def strips(draw, size):
    width, length = draw(st.floats(0.5, max(1, min(size)))), draw(st.floats(0.5, max(1, max(size))))
    return Strip(width, length, draw(st.one_of(st.sampled_from([0, 0.785, -0.785]), st.floats(-3.14, 3.14))))


def jitters(strength=0.5):
    return st.builds(Jitter, *[st.floats(-strength, strength)] * 4)


factors = st.one_of(st.floats(0.05, 0.95), st.sampled_from([0.0, 1.0, 1 / 255, 0.5]))


@st.composite
def plans(draw, shape, max_patches=3, resizing=None, factor=None, gradients=("source", "mixed"), jitter=None):
    """Any plan with one factor for the whole image, as `factor` (by default 1) and `jitter` (none) draw them."""

    def patch():
        source = draw(boxes(shape))
        size = source[2] - source[0], source[3] - source[1]
        destination = draw(boxes(shape, None if draw(st.booleans() if resizing is None else resizing) else size))
        outline = draw(st.one_of(st.none(), ellipse_shapes(size), strips(size)))
        gradient = draw(st.sampled_from(gradients))
        changes = None if jitter is None else draw(jitter)
        return PatchPlacement(source, destination, common, gradient, outline, changes)

    common = 1.0 if factor is None else draw(factor)
    count = draw(st.sampled_from([*range(1, max_patches + 1), 0]))
    return SynthesisPlan(shape, shape, tuple(patch() for _ in range(count)))


def plans_for(row, shape, **options):
    """Plans of the kind that a task draws, though its boxes may go anywhere."""
    return plans(shape, **{"factor": factors if row.factor else None, "gradients": row.gradients, **options})


def ranges(low, high):
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(lambda pair: tuple(sorted(pair)))


geometry = {
    "max_patches": st.integers(1, 6),
    "height_range": st.one_of(ranges(0.1, 0.9), ranges(0, 1)),
    "width_range": st.one_of(ranges(0.1, 0.9), ranges(0, 1)),
    "background": backgrounds,
    "min_object": st.one_of(st.floats(0, 0.3), st.floats(0, 1)),
    "min_overlap": st.one_of(st.floats(0, 0.3), st.floats(0, 1)),
    "logistic_midpoint": st.floats(0, 255),
    "logistic_steepness": st.one_of(st.floats(0, 10), st.floats(0, 1e300)),
    "size_gamma": st.one_of(
        st.none(), st.tuples(st.floats(0.1, 10), st.floats(1e-3, 1e3), st.floats(0, 1)), st.just((2, 0.05, 0.03))
    ),
    "resize_limits": st.sampled_from(["half", "full"]),
}


def arguments_for(row):
    """Keyword arguments of a task: any selection, with any shape that it allows."""
    own = {"label": st.sampled_from(row.labels)}
    if row.shift:
        own["scale_range"] = st.one_of(st.none(), ranges(0.5, 4), ranges(0, 1e300))
        own["candidates"] = st.sampled_from([1, 1, 2, 5])
    if row.poisson:
        own["solver"] = st.sampled_from(["spectral", "opencv"])
    if row.name == "nsa":
        own["gradient"] = st.sampled_from(row.gradients)
    if row.name == "cutpaste":
        own["jitter"] = st.one_of(st.none(), st.floats(0, 0.5))
    selected = st.sampled_from([("natural", None)] * 3 + KINDS).map(
        lambda kind: {"selection": kind[0], "shape": kind[1]}
    )
    return st.builds(dict.__or__, st.fixed_dictionaries({}, optional={**geometry, **own}), selected)


def tasks_of(*names):
    """Tasks with any arguments, as presets and their ablations, and variants."""
    of_rows = st.sampled_from([ROWS[name] for name in names or ROWS])
    free = of_rows.flatmap(lambda row: arguments_for(row).map(lambda arguments: row.task(**arguments)))
    presets = st.builds(
        lambda row, preset, ablation: row.task.from_preset(preset, ablation=ablation),
        of_rows, st.sampled_from(sorted(PRESETS)), st.sampled_from([None, *sorted(ABLATIONS)]),
    )  # fmt: skip
    if names and "cutpaste" not in names:
        return st.one_of(free, presets)
    variants = st.builds(ROWS["cutpaste"].task, variant=st.sampled_from(["normal", "scar", "union"]))
    return st.one_of(free, free, presets, variants)


any_task = tasks_of()


def cutouts():
    """Cut-outs with any arguments."""
    fills = st.one_of(st.sampled_from(["mean", "noise"]), st.floats(0, 255), st.tuples(st.floats(0, 255)))
    shared = {name: geometry[name] for name in geometry if name not in ("min_overlap", "resize_limits")}
    own = {"fill": fills, "shape": st.sampled_from([None, "ellipses", "stroke"]), "label": st.just("continuous")}
    return st.builds(CutOutAnomaly, **{**shared, **own})


def textures():
    """Foreign textures, by preset or not."""
    own = {
        "shape": st.sampled_from([None, "noise", "fine_noise", "polygon", "ellipses"]),
        "noise_scales": st.sampled_from([(0, 5), (1, 3)]),
        "noise_threshold": st.floats(-0.2, 0.6),
        "opacity_range": ranges(0, 1),
        "structure": st.sampled_from([0, 0.5, 1]),
        "augmented": st.integers(0, 3),
        "background": backgrounds,
        "label": st.sampled_from(["binary", "continuous", "logistic", "factor"]),
    }
    presets = st.builds(TextureAnomaly.from_preset, st.sampled_from(["draem", "memseg", "glass", "screw"]))
    return st.one_of(st.fixed_dictionaries({}, optional=own).map(lambda given: TextureAnomaly(**given)), presets)


@cache
def bank_folder():
    """A folder of defects in MVTec AD's layout."""
    place = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return write_samples(place, "hide", size=72, train=1, good=0, defective=1)[0]


def banks():
    """Defects of a bank with any arguments."""
    own = {
        "max_patches": st.integers(1, 4),
        "scale_range": st.one_of(st.none(), ranges(0.3, 3)),
        "blending": st.sampled_from(["feather", "copy_paste", "linear", "poisson"]),
        "background": backgrounds,
        "min_overlap": st.floats(0, 1),
        "label": st.sampled_from(["binary", "continuous", "logistic"]),
    }
    return st.fixed_dictionaries({}, optional=own).map(lambda given: DefectBankAnomaly(bank=bank_folder(), **given))


all_tasks = st.builds(
    lambda task, severity: task.replaced(severity=severity),
    st.one_of(any_task, any_task, any_task, cutouts(), textures(), banks()),
    st.sampled_from([1, 1, 1, 0.3, (0, 0.8)]),
)
"""Those of the paper, and the others of the package, of any severity."""
