"""The two sample textures: a twill fabric and grained leather."""

from __future__ import annotations

import math

import cv2
import numpy as np

from ._canvas import (
    KEY_LIGHT,
    Drawing,
    Field,
    Pose,
    colour,
    fractal,
    grain,
    grid,
    local_frame,
    normals,
    over,
    sigmoid_step,
    soften,
    to_image,
)
from ._flaws import NO_FLAW, Flaw

__all__ = ["draw_hide", "draw_weave"]

YARN_PITCH = 0.034
GRAIN_CELLS = 34


def _lit(height: Field, ambient: float, lamp: float) -> Field:
    """Matt shading of a height map under the key light."""
    nx, ny, nz = normals(height)
    direct = KEY_LIGHT[0] * nx + KEY_LIGHT[1] * ny + KEY_LIGHT[2] * nz
    return to_image(ambient + lamp * np.clip(direct, 0.0, 1.0))


def _vignette(pose: Pose, n: int) -> Field:
    """Illumination over the image: slight falloff to one side and to the corners."""
    x, y = grid(n)
    side = math.cos(pose.falloff) * x + math.sin(pose.falloff) * y
    return to_image(1.0 - 0.06 * side - 0.10 * (x * x + y * y))


def _yarns(rng: np.random.Generator, across: Field, along: Field, lift: Field, lost: Field) -> tuple[Field, Field]:
    """Height and shade of parallel yarns; all lengths in yarn pitches, ``lift`` -1..1 is under or over.

    ``lost`` is the missing share, 0..1, of a yarn.
    """
    which = np.rint(across)
    offset = across - which
    number = np.mod(which, 64).astype(np.intp)
    thick = (1.0 + 0.05 * rng.standard_normal(64))[number]
    dye = (0.05 * rng.standard_normal(64))[number]
    round_ = np.sqrt(np.maximum(1.0 - (offset / (0.56 * thick)) ** 2, 0.0))
    slant = to_image(along * 0.55 + 0.9 * offset)
    ply = np.cos(2 * math.pi * (slant + 0.37 * which))
    fibre = grain(rng, to_image(which * 3.3 + offset * 7.0), slant, 1.0, 2.2)
    height = 0.55 * round_ + 0.42 * lift * (round_ > 0) + 0.03 * ply * round_ - (round_ <= 0)
    return to_image(height - lost * (height + 1.0)), to_image(1.0 + dye + 0.05 * ply + 0.09 * fibre)


def draw_weave(pose: Pose, n: int, flaw: Flaw = NO_FLAW) -> Drawing:
    """A two-tone 2/2 twill of coarse yarn filling the image; (n, n) pixels."""
    rng = np.random.default_rng(pose.seed)
    u, v = flaw.bend(*local_frame(pose, n))
    warp_x = to_image(u / YARN_PITCH + 0.16 * fractal(rng, u, v, 5.0, 2) + 4.0 * pose.roll)
    weft_y = to_image(v / YARN_PITCH + 0.16 * fractal(rng, u, v, 5.0, 2))
    quarter = math.pi / 2
    over_warp = np.cos(quarter * (weft_y - np.rint(warp_x) + 0.5))
    over_weft = -np.cos(quarter * (np.rint(weft_y) - warp_x + 0.5))
    no_warp = flaw.lost(-1.0, np.rint(warp_x), weft_y)
    no_weft = flaw.lost(1.0, np.rint(weft_y), warp_x)
    warp, warp_shade = _yarns(rng, warp_x, weft_y, to_image(over_warp), no_warp)
    weft, weft_shade = _yarns(rng, weft_y, warp_x, to_image(over_weft), no_weft)
    top = sigmoid_step(warp - weft, -0.06, 0.06)
    height = np.maximum(np.maximum(warp, weft), -0.7)
    depth = 0.42 + 0.58 * sigmoid_step(to_image(height), -0.5, 0.75)
    relief = soften(to_image(height * 0.35 * YARN_PITCH), 0.0015)
    shade = _lit(relief, 0.25, 0.85) * depth * _vignette(pose, n)
    light_yarn = colour(to_image(shade * warp_shade), (0.70 + 0.01 * pose.tone, 0.68, 0.63))
    dark_yarn = colour(to_image(shade * weft_shade), (0.40, 0.43 + 0.01 * pose.tone, 0.47))
    light_yarn = over(colour(shade * warp_shade, flaw.dye), flaw.dyed(-1.0, np.rint(warp_x), weft_y), light_yarn)
    dark_yarn = over(colour(shade * weft_shade, flaw.dye), flaw.dyed(1.0, np.rint(weft_y), warp_x), dark_yarn)
    see_through = np.maximum(no_warp, no_weft) * sigmoid_step(to_image(height), -0.4, -0.65)
    light = over(light_yarn, top, dark_yarn) * (1 - 0.8 * to_image(see_through))[..., None]
    return Drawing(flaw.paint(light, u, v), np.ones((n, n), dtype=np.float32))


def _crease_distance(rng: np.random.Generator, cells: int, n: int) -> Field:
    """Distance to the nearest border between scattered cells, in cell widths; (n, n)."""
    lattice = np.stack(np.meshgrid(np.arange(-1, cells + 1), np.arange(-1, cells + 1)), axis=-1)
    points = (lattice + rng.uniform(0.0, 1.0, lattice.shape)).reshape(-1, 2) / cells
    at = np.floor(points * n).astype(np.intp)
    at = at[((at >= 0) & (at < n)).all(axis=1)]
    seeds = np.full((n, n), 255, dtype=np.uint8)
    seeds[at[:, 1], at[:, 0]] = 0
    _, label = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    label = np.asarray(label)
    same = np.full((n, n), 255, dtype=np.uint8)
    same[:, 1:][label[:, 1:] != label[:, :-1]] = 0
    same[1:][label[1:] != label[:-1]] = 0
    return to_image(to_image(cv2.distanceTransform(same, cv2.DIST_L2, 5)) * (cells / n))


def draw_hide(pose: Pose, n: int, flaw: Flaw = NO_FLAW) -> Drawing:
    """Pebbled chestnut leather filling the image; (n, n) pixels."""
    rng = np.random.default_rng(pose.seed)
    x, y = grid(n)
    u, v = local_frame(pose, n)
    coarse = _crease_distance(rng, GRAIN_CELLS, n)
    fine = _crease_distance(rng, round(2.1 * GRAIN_CELLS), n)
    bend_x, bend_y = (0.0065 * fractal(rng, u, v, 14.0, 3) for _ in range(2))
    at_x, at_y = to_image((x * 0.94 + bend_x + 0.5) * n), to_image((y * 0.94 + bend_y + 0.5) * n)
    coarse = to_image(cv2.remap(coarse, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
    fine = to_image(cv2.remap(fine, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
    strength = 0.75 + 0.25 * np.tanh(fractal(rng, u, v, 5.0, 2))
    pebble = 1.0 - np.exp(-coarse / 0.13)
    wrinkle = 1.0 - np.exp(-fine / 0.16)
    swell = fractal(rng, u, v, 3.0, 2)
    pores = sigmoid_step(grain(rng, u, v, 120.0, 120.0), 1.7, 2.6)
    relief = 0.0046 * pebble * strength + 0.0018 * wrinkle - 0.0012 * pores + 0.0025 * swell
    relief += 0.00016 * grain(rng, u, v, 230.0, 230.0)
    height = soften(to_image(relief), 0.0018)
    nx, ny, _ = normals(height)
    sheen = 0.16 * np.exp(-((nx + 0.22) ** 2 + (ny + 0.28) ** 2) / 0.03)
    matt = _lit(height, 0.30, 1.0) * (0.72 + 0.28 * pebble) * (0.9 + 0.1 * wrinkle)
    matt *= (1.0 + 0.02 * swell) * _vignette(pose, n)
    dye = (0.49 + 0.012 * pose.tone, 0.325, 0.22 - 0.008 * pose.tone)
    light = colour(to_image(matt), dye) + colour(to_image(sheen), (0.9, 0.85, 0.8))
    return Drawing(flaw.paint(light, u, v), np.ones((n, n), dtype=np.float32))
