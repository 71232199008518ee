"""The three sample objects: a hexagon flange bolt, a scored tablet and a zipper."""

from __future__ import annotations

import math

import cv2
import numpy as np

from ._canvas import (
    KEY_LIGHT,
    Drawing,
    Field,
    Pose,
    backdrop,
    colour,
    coverage,
    fractal,
    grain,
    local_frame,
    normals,
    over,
    ring_light,
    shadow,
    sigmoid_step,
    soften,
    to_image,
)
from ._flaws import NO_FLAW, Flaw

__all__ = ["draw_bolt", "draw_tablet", "draw_zipper"]

BOLT_LENGTH, HEAD_HEIGHT, FLANGE_HEIGHT = 0.74, 0.115, 0.035
HEAD_APOTHEM, FLANGE_RADIUS, SHANK_RADIUS = 0.114, 0.155, 0.080
THREAD_START, THREAD_PITCH, THREAD_DEPTH = 0.30, 0.033, 0.012

TABLET_LENGTH, TABLET_WIDTH = 0.74, 0.42
LETTER_N = ((-0.5, 0.5), (-0.5, -0.5), (0.5, 0.5), (0.5, -0.5))
LETTER_A = ((-0.55, 0.5), (0.0, -0.5), (0.55, 0.5), (0.32, 0.12), (-0.32, 0.12))

TAPE_HALF_WIDTH, TOOTH_PITCH = 0.185, 0.060


def _bolt_radius(u: Field, turn: Field) -> Field:
    """Radius of the turned part (flange, shank, thread) at ``u`` from the head's top; ``turn`` in turns."""
    crest = np.abs(2.0 * (turn - np.floor(turn)) - 1.0)
    groove = THREAD_DEPTH * (1.0 - sigmoid_step(to_image(crest), 0.15, 0.75))
    threaded = sigmoid_step(u, THREAD_START, THREAD_START + THREAD_PITCH)
    shank = SHANK_RADIUS - groove * threaded + 0.002 * threaded
    shank = np.minimum(shank, SHANK_RADIUS - 0.020 + 0.8 * (BOLT_LENGTH - u))
    skirt = np.clip((u - HEAD_HEIGHT) / (0.65 * FLANGE_HEIGHT), 0.0, 1.0)
    flange = FLANGE_RADIUS - 0.03 * (1.0 - skirt) ** 2
    end = HEAD_HEIGHT + FLANGE_HEIGHT
    return to_image(shank + (flange - shank) * sigmoid_step(u, end + 0.006, end))


def _hexagon_head(u: Field, v: Field, roll: float) -> tuple[Field, Field]:
    """Height of the hexagon's visible faces and margin to its outline; one flat faces us at ``roll`` 0."""
    faces = [math.radians(60.0 * (k + roll)) for k in range(-2, 3)]
    height = np.full_like(v, HEAD_APOTHEM * 1.2)
    for face in faces:
        if math.cos(face) > 0.05:
            height = np.minimum(height, (HEAD_APOTHEM - math.sin(face) * v) / math.cos(face))
    corner = HEAD_APOTHEM / math.cos(math.pi / 6)
    reach = max(abs(corner * math.sin(face + math.pi / 6)) for face in faces)
    chamfer = HEAD_APOTHEM * 0.93 + 0.9 * np.sqrt(np.maximum(u, 0.0) * 0.06)
    domed = np.sqrt(np.maximum(chamfer * chamfer - v * v, 0.0))
    margin = np.minimum(reach, chamfer) - np.abs(v)
    return to_image(np.minimum(height, domed)), to_image(np.minimum(margin, u))


def draw_bolt(pose: Pose, n: int, flaw: Flaw = NO_FLAW) -> Drawing:
    """A black-oxide hexagon flange bolt lying on white film, seen from the side; (n, n) pixels."""
    rng = np.random.default_rng(pose.seed)
    axis, v = flaw.bend(*local_frame(pose, n))
    u = axis + np.float32(BOLT_LENGTH / 2)
    turn = u / THREAD_PITCH + np.arcsin(np.clip(v / SHANK_RADIUS, -1, 1)) / (2 * math.pi) + pose.roll
    radius = _bolt_radius(u, to_image(turn))
    head, head_margin = _hexagon_head(u, v, pose.roll)
    in_head = u < HEAD_HEIGHT
    height = np.where(in_head, head, np.sqrt(np.maximum(radius * radius - v * v, 0.0)))
    margin = np.where(in_head, head_margin, np.minimum(radius - np.abs(v), BOLT_LENGTH - u))
    cover = coverage(to_image(margin * pose.scale), n) * (1 - coverage(flaw.gone(axis, v), n))

    marks = grain(rng, u, v, 150.0, 14.0)
    scale = fractal(rng, u, v, 26.0)
    height = to_image(height * pose.scale)
    nx, ny, nz = normals(soften(to_image(height + 0.00012 * scale), 0.0016))
    cavity = np.clip((soften(height, 0.009) - height) * 30.0, -0.4, 1.0)
    shine = 0.75 * ring_light(nx, ny, 0.45, 0.14) + 0.16 * ring_light(nx, ny, 0.88, 0.08)
    shade = 0.07 + 0.26 * nz * (0.5 - 0.5 * nx - 0.6 * ny) + shine
    shade *= (1.0 - 0.6 * cavity) * (1.0 + 0.04 * marks + 0.05 * scale)
    shade = to_image(0.50 * np.tanh(np.maximum(shade, 0.03) / 0.50))
    steel = colour(shade, (1.0 + 0.03 * pose.tone, 1.0, 1.02 - 0.03 * pose.tone))
    steel = flaw.paint(steel, axis, v)
    ground = backdrop(pose, n, (0.842, 0.842, 0.832), 0.004) * shadow(cover, 0.035, 0.22)[..., None]
    return Drawing(over(steel, cover, to_image(ground)), cover)


def _engraving(pose: Pose, n: int) -> Field:
    """Depth 0..1 of the strokes "N" and "A" pressed into the tablet's halves, (n, n)."""
    strokes = np.zeros((n, n), dtype=np.uint8)
    c, s = math.cos(pose.angle) * pose.scale, math.sin(pose.angle) * pose.scale
    for letter, middle in ((LETTER_N, -0.165), (LETTER_A, 0.165)):
        local = np.array(letter) * (0.125, 0.17) + (middle, 0.0)
        points = local @ np.array([[c, s], [-s, c]]) + (pose.x + 0.5, pose.y + 0.5)
        line = np.rint(points * n * 16.0 - 8.0).astype(np.int32)
        cv2.polylines(strokes, [line], False, 255, max(1, round(0.024 * n)), cv2.LINE_AA, 4)
    return soften(to_image(strokes) / np.float32(255.0), 0.004)


def draw_tablet(pose: Pose, n: int, flaw: Flaw = NO_FLAW) -> Drawing:
    """A cream film-coated oval tablet with russet speckles, a score line and two letters; (n, n) pixels."""
    rng = np.random.default_rng(pose.seed)
    u, v = local_frame(pose, n)
    ru, rv = np.abs(u) * (2 / TABLET_LENGTH), np.abs(v) * (2 / TABLET_WIDTH)
    rho = to_image((ru**2.3 + rv**2.3) ** (1 / 2.3))
    slope = np.sqrt((ru * 2 / TABLET_LENGTH) ** 2 + (rv * 2 / TABLET_WIDTH) ** 2) / (rho + 1e-4)
    cover = coverage(to_image((1.0 - rho) / (slope + 1e-3) * pose.scale), n) * (1 - coverage(flaw.gone(u, v), n))

    inside = np.minimum(rho, 1.0)
    dome = 0.055 * (1.0 - inside**2) + 0.045 * np.sqrt(1.0 - inside**10)
    score = np.exp(-((u / 0.010) ** 2)) * (1.0 - 0.5 * inside**4)
    coat = fractal(rng, u, v, 45.0)
    height = dome - 0.010 * score - 0.007 * _engraving(pose, n) + 0.00012 * coat
    nx, ny, nz = normals(to_image(height))
    lit = np.clip(KEY_LIGHT[0] * nx + KEY_LIGHT[1] * ny + KEY_LIGHT[2] * nz, 0.0, 1.0)
    shade = 0.26 + 0.76 * lit + 0.012 * coat
    gloss = 0.20 * np.exp(-((nx + 0.26) ** 2 + (ny + 0.32) ** 2) / 0.02)

    blotch = sigmoid_step(fractal(rng, u, v, 26.0, 2), 2.0, 2.6)
    flecks = sigmoid_step(grain(rng, u, v, 80.0, 80.0), 2.2, 3.0)
    speckle = np.clip(0.75 * blotch + 0.6 * flecks, 0.0, 0.8)
    cream = colour(to_image(shade), (0.93 + 0.01 * pose.tone, 0.87, 0.74 - 0.03 * pose.tone))
    russet = colour(to_image(shade), (0.66, 0.27, 0.17))
    coated = flaw.paint(over(russet, to_image(speckle), cream) + to_image(gloss)[..., None], u, v)
    ground = backdrop(pose, n, (0.022, 0.022, 0.026), 0.05)
    return Drawing(over(coated, cover, ground), cover)


def _teeth(u: Field, v: Field, roll: float, flaw: Flaw) -> tuple[Field, Field, Field]:
    """Height, margin and dyed share of the two interlocking rows of teeth."""
    margin, dyed = np.full_like(u, -1.0), np.zeros_like(u)
    for side in (-1.0, 1.0):
        along = u / TOOTH_PITCH + roll + 0.25 * side
        number = np.rint(along)
        along = (along - number) * TOOTH_PITCH
        across = side * v - 0.018
        c, s = np.cos(flaw.turned(side, number, u)), np.sin(flaw.turned(side, number, u))
        along, across = c * along - s * across, c * across + s * along
        neck = 0.0105 + 0.004 * np.exp(-(((across + 0.026) / 0.011) ** 2))
        neck += 0.006 * sigmoid_step(to_image(across), 0.004, 0.018)
        box = np.minimum(neck - np.abs(along), 0.042 - np.abs(across))
        box = np.where(flaw.lost(side, number, u) > 0.5, -1.0, box)
        dyed = np.where(box > margin, flaw.dyed(side, number, u), dyed)
        margin = np.maximum(margin, box)
    bulge = np.clip(margin / 0.009, 0.0, 1.0)
    return to_image(0.016 * np.sqrt(1.0 - (1.0 - bulge) ** 2)), to_image(margin), to_image(dyed)


def _tape(rng: np.random.Generator, u: Field, v: Field) -> tuple[Field, Field]:
    """Height and shade factor of the woven tape: herringbone ribs, selvage and a sewn cord at the teeth."""
    aside = np.abs(v)
    wale = aside / 0.024
    zig = np.abs(wale - np.floor(wale) - 0.5) * 0.024
    ribs = np.cos((u + 1.1 * zig) * (2 * math.pi / 0.0155))
    selvage = np.exp(-(((aside - TAPE_HALF_WIDTH + 0.010) / 0.008) ** 2))
    cord = np.exp(-(((aside - 0.062) / 0.010) ** 2))
    stitch = np.cos((u * 2 * math.pi / 0.026) + 40.0 * aside)
    height = 0.0014 * ribs + 0.004 * selvage + cord * (0.008 + 0.0022 * stitch)
    yarn = grain(rng, u, v, 200.0, 60.0)
    gap = np.exp(-(((aside - 0.046) / 0.008) ** 2))
    shade = 1.0 + 0.16 * ribs + 0.10 * yarn + 0.15 * cord * stitch - 0.35 * gap
    return to_image(height), to_image(shade)


def draw_zipper(pose: Pose, n: int, flaw: Flaw = NO_FLAW) -> Drawing:
    """A closed zipper, top to bottom of the image: charcoal herringbone tape, antique brass teeth."""
    rng = np.random.default_rng(pose.seed)
    across, along = local_frame(pose, n)
    along, across = flaw.bend(along, across)
    sway = grain(rng, along, to_image(np.zeros_like(along)), 2.0, 1.0)
    u, v = along, to_image(across + 0.004 * sway)
    fray = grain(rng, u, v, 110.0, 3.0)
    margin = TAPE_HALF_WIDTH + 0.0012 * fray - np.abs(v)
    hole = coverage(flaw.gone(along, across), n)
    cover = coverage(to_image(margin * pose.scale), n) * (1 - hole)

    tape_height, tape_shade = _tape(rng, u, v)
    tooth_height, tooth_margin, dyed = _teeth(u, v, pose.roll, flaw)
    tooth = coverage(to_image(tooth_margin * pose.scale), n)
    nx, ny, nz = normals(tape_height)
    lit = np.clip(KEY_LIGHT[0] * nx + KEY_LIGHT[1] * ny + KEY_LIGHT[2] * nz, 0.0, 1.0)
    worn = 1.0 + 0.05 * fractal(rng, u, v, 9.0)
    cloth = colour(to_image((0.04 + 0.26 * lit) * tape_shade * worn), (0.86 + 0.02 * pose.tone, 0.92, 1.06))
    cloth *= shadow(tooth, 0.012, 0.6)[..., None]

    nx, ny, nz = normals(soften(tooth_height, 0.002))
    shine = 0.95 * ring_light(nx, ny, 0.5, 0.2)
    metal = 0.12 + 0.42 * nz * (0.6 - 0.5 * nx - 0.6 * ny) + shine
    metal *= 1.0 + 0.08 * fractal(rng, u, v, 60.0, 2)
    metal = to_image(np.clip(metal, 0.04, 0.9))
    brass = over(colour(metal, flaw.dye), dyed, colour(metal, (1.0, 0.82 + 0.01 * pose.tone, 0.56)))
    strip = flaw.paint(over(brass, tooth, to_image(cloth)), along, across)
    in_hole = 1.0 + hole * (shadow(cover, 0.007, 0.65) - 1.0)
    ground = backdrop(pose, n, (0.835, 0.835, 0.83), 0.004) * (shadow(cover, 0.02, 0.16) * in_hole)[..., None]
    return Drawing(over(strip, cover, to_image(ground)), cover)
