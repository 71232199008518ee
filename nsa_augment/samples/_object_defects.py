"""Recipes of the defects of bolt, tablet and zipper: ``recipe(rng, pose)`` draws one `Flaw`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ._canvas import RGB, Field, Pose, fractal, grain, sigmoid_step, to_image
from ._flaws import Flaw, Recipe
from ._marks import (
    Spot,
    Stroke,
    chain,
    coat,
    crater,
    draw_seed,
    draw_side,
    fracture,
    mix,
    pick,
    scratch,
    spread,
    strands,
    tint,
)
from ._objects import BOLT_LENGTH, HEAD_HEIGHT, SHANK_RADIUS, TABLET_LENGTH, TABLET_WIDTH, TAPE_HALF_WIDTH, TOOTH_PITCH

__all__ = ["BOLT", "TABLET", "ZIPPER"]

BOLT_END, BOLT_TOP = BOLT_LENGTH / 2, -BOLT_LENGTH / 2
NECK = BOLT_TOP + HEAD_HEIGHT
RAW_STEEL: RGB = (0.60, 0.60, 0.58)
BROKEN_STEEL: RGB = (0.40, 0.40, 0.41)
PLATINGS: tuple[RGB, ...] = ((2.3, 1.75, 0.75), (2.2, 2.25, 2.3), (0.95, 1.3, 1.9), (1.8, 1.1, 0.75))
RUSTS: tuple[RGB, ...] = ((0.37, 0.18, 0.08), (0.30, 0.16, 0.10), (0.42, 0.23, 0.11))
CHALK: RGB = (0.90, 0.88, 0.83)
CORE: RGB = (0.80, 0.77, 0.70)
TABLET_TINTS: tuple[RGB, ...] = ((1.0, 0.80, 0.74), (1.0, 0.93, 0.62), (0.78, 0.83, 0.80), (0.80, 0.92, 0.76))
TABLET_STAINS: tuple[RGB, ...] = ((0.50, 0.36, 0.22), (0.42, 0.42, 0.42), (0.45, 0.52, 0.66), (0.75, 0.55, 0.25))
TAPE_STAINS: tuple[RGB, ...] = ((0.62, 0.60, 0.52), (0.40, 0.26, 0.15), (0.02, 0.02, 0.02), (0.48, 0.44, 0.20))
TAPE_DYES: tuple[RGB, ...] = ((1.9, 1.2, 0.85), (0.8, 1.4, 0.95), (1.9, 1.8, 1.55), (0.85, 1.1, 1.7))
TOOTH_FINISHES: tuple[RGB, ...] = ((0.95, 0.97, 1.0), (0.22, 0.21, 0.22), (0.95, 0.50, 0.33))


def _bolt_spot(rng: np.random.Generator, sizes: tuple[float, float], rough: float) -> Spot:
    """A spot on the side that faces us, on head, shank or thread."""
    u = float(rng.uniform(BOLT_TOP + 0.03, BOLT_END - 0.06))
    v = float(rng.uniform(-0.5, 0.5)) * (SHANK_RADIUS if u > NECK else 1.3 * SHANK_RADIUS)
    length, aspect = float(rng.uniform(*sizes)), float(rng.uniform(0.5, 1.0))
    return Spot(u, v, float(rng.uniform(0, math.pi)), length, length * aspect, rough, draw_seed(rng))


def _bolt_scratch(rng: np.random.Generator, pose: Pose) -> Flaw:
    place = _bolt_spot(rng, (0.045, 0.12), 0.0)
    strokes = []
    for line in range(int(rng.integers(1, 4))):
        beside = 0.014 * line * draw_side(rng)
        spot = Spot(
            place.u + beside, place.v + 0.5 * beside, place.angle + float(rng.normal(0, 0.08)),
            place.length * float(rng.uniform(0.6, 1.0)), float(rng.uniform(0.0036, 0.0058)), 0.0012, draw_seed(rng),
        )  # fmt: skip
        stroke = Stroke(spot, float(rng.normal(0, 0.006)))
        strokes.append(scratch(stroke, 0.7, RAW_STEEL, float(rng.uniform(0.6, 0.95))))
    return Flaw(paint=chain(*strokes))


def _bolt_stain(rng: np.random.Generator, pose: Pose) -> Flaw:
    share = spread(_bolt_spot(rng, (0.025, 0.11), 0.36), 0.35)
    rust, strength, seed = pick(rng, RUSTS), float(rng.uniform(0.6, 1.0)), draw_seed(rng)

    def paint(light: Field, u: Field, v: Field) -> Field:
        crust = np.clip(0.85 + 0.22 * fractal(np.random.default_rng(seed), u, v, 60.0, 3), 0.35, 1.4)
        return coat(light, to_image(strength * share(u, v) * np.minimum(crust, 1.0)), rust, 0.15, 0.45)

    return Flaw(paint=paint)


def _bolt_bend(rng: np.random.Generator, pose: Pose) -> Flaw:
    start = float(rng.uniform(-0.18, 0.16))
    reach = BOLT_END - start
    aside = draw_side(rng) * float(rng.uniform(0.05, 0.24)) * reach
    power = float(rng.uniform(1.25, 2.0))

    def bend(u: Field, v: Field) -> tuple[Field, Field]:
        part = np.maximum(u - start, 0.0) / reach
        off = aside * part**power
        slope = aside * power / reach * part ** (power - 1.0)
        return to_image(u + slope * (v - off)), to_image(v - off)

    return Flaw(bend=bend)


def _bolt_missing(rng: np.random.Generator, pose: Pose) -> Flaw:
    seed, where = draw_seed(rng), int(rng.integers(3))
    if where == 0:
        cut, tilt = BOLT_END - float(rng.uniform(0.04, 0.2)), float(rng.uniform(-0.5, 0.5))

        def gone(u: Field, v: Field) -> Field:
            return to_image(u - cut + tilt * v + 0.005 * fractal(np.random.default_rng(seed), u, v, 16.0, 3))
    else:
        u = NECK + 0.02 if where == 1 else BOLT_TOP
        v = draw_side(rng) * (0.155 if where == 1 else 0.115)
        size = float(rng.uniform(0.03, 0.055) if where == 1 else rng.uniform(0.04, 0.09))
        gone = Spot(u, v, float(rng.uniform(-0.4, 0.4)), size, size * float(rng.uniform(0.7, 1.0)), 0.12, seed).margin
    return Flaw(gone=gone, paint=fracture(gone, float(rng.uniform(0.008, 0.018)), BROKEN_STEEL, seed))


def _bolt_colour(rng: np.random.Generator, pose: Pose) -> Flaw:
    plating, strength, seed = pick(rng, PLATINGS), float(rng.uniform(0.45, 1.0)), draw_seed(rng)
    low, high = [(-1.0, NECK + 0.036), (NECK + 0.036, 0.0), (0.0, 1.0)][int(rng.integers(3))]
    edge = float(rng.uniform(0.003, 0.02))

    def paint(light: Field, u: Field, v: Field) -> Field:
        uneven = u + np.float32(0.4 * edge) * fractal(np.random.default_rng(seed), u, v, 20.0, 3)
        share = sigmoid_step(uneven, low - edge, low + edge) * sigmoid_step(uneven, high + edge, high - edge)
        return tint(light, to_image(strength * share), plating)

    return Flaw(paint=paint)


def _tablet_spot(rng: np.random.Generator, sizes: tuple[float, float], rough: float, within: float = 0.75) -> Spot:
    turn, out = float(rng.uniform(0, 2 * math.pi)), within * float(rng.uniform()) ** 0.5
    u, v = out * math.cos(turn) * TABLET_LENGTH / 2, out * math.sin(turn) * TABLET_WIDTH / 2
    length, aspect = float(rng.uniform(*sizes)), float(rng.uniform(0.5, 1.0))
    return Spot(u, v, float(rng.uniform(0, math.pi)), length, length * aspect, rough, draw_seed(rng))


def _tablet_scratch(rng: np.random.Generator, pose: Pose) -> Flaw:
    place = _tablet_spot(rng, (0.05, 0.15), 0.0, 0.5)
    cracked = rng.uniform() < 0.5
    width = float(rng.uniform(0.003, 0.0045) if cracked else rng.uniform(0.0035, 0.006))
    rgb = (0.22, 0.18, 0.14) if cracked else CHALK
    spot = Spot(place.u, place.v, place.angle, place.length, width, 0.007 if cracked else 0.001, place.seed)
    stroke = Stroke(spot, float(rng.normal(0, 0.012)))
    return Flaw(paint=scratch(stroke, 1.0, rgb, float(rng.uniform(0.7, 0.95))))


def _tablet_hole(rng: np.random.Generator, pose: Pose) -> Flaw:
    spot = _tablet_spot(rng, (0.018, 0.05), 0.16)
    return Flaw(paint=crater(spot, float(rng.uniform(0.006, 0.016)), CHALK, float(rng.uniform(0.6, 1.0))))


def _tablet_missing(rng: np.random.Generator, pose: Pose) -> Flaw:
    turn, radius = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.06, 0.35))
    deep = float(rng.uniform(0.03, 0.1))
    rim_u, rim_v = math.cos(turn) * TABLET_LENGTH / 2, math.sin(turn) * TABLET_WIDTH / 2
    outwards = math.atan2(rim_v / TABLET_WIDTH**2, rim_u / TABLET_LENGTH**2)
    u, v = rim_u + (radius - deep) * math.cos(outwards), rim_v + (radius - deep) * math.sin(outwards)
    spot = Spot(u, v, outwards, radius, radius, 0.008 / radius, draw_seed(rng))
    return Flaw(gone=spot.margin, paint=fracture(spot.margin, float(rng.uniform(0.012, 0.03)), CORE, spot.seed))


def _tablet_stain(rng: np.random.Generator, pose: Pose) -> Flaw:
    share = spread(_tablet_spot(rng, (0.022, 0.08), 0.3), float(rng.uniform(0.12, 0.4)), float(rng.uniform(0.0, 0.6)))
    strength, rgb = float(rng.uniform(0.35, 0.95)), pick(rng, TABLET_STAINS)
    return Flaw(paint=lambda light, u, v: tint(light, to_image(strength * share(u, v)), rgb))


def _tablet_colour(rng: np.random.Generator, pose: Pose) -> Flaw:
    spot = _tablet_spot(rng, (0.10, 0.24), 0.12)
    strength, rgb = float(rng.uniform(0.5, 1.0)), pick(rng, TABLET_TINTS)
    edge = float(rng.uniform(0.12, 0.35))

    def paint(light: Field, u: Field, v: Field) -> Field:
        return tint(light, to_image(strength * sigmoid_step(spot.inside(u, v), -edge, edge)), rgb)

    return Flaw(paint=paint)


def _tooth(rng: np.random.Generator, pose: Pose) -> tuple[float, int, float]:
    """Side, number and place along the zipper of a tooth that is well inside the image."""
    side = draw_side(rng)
    number = round(float(rng.uniform(-0.38, 0.38)) / TOOTH_PITCH + pose.roll + 0.25 * side)
    return side, number, (number - pose.roll - 0.25 * side) * TOOTH_PITCH


def _tape_spot(rng: np.random.Generator, sizes: tuple[float, float], rough: float) -> Spot:
    v = draw_side(rng) * float(rng.uniform(0.085, TAPE_HALF_WIDTH - 0.03))
    length, aspect = float(rng.uniform(*sizes)), float(rng.uniform(0.5, 1.0))
    angle = float(rng.uniform(0, math.pi))
    return Spot(float(rng.uniform(-0.38, 0.38)), v, angle, length, length * aspect, rough, draw_seed(rng))


def _zipper_missing(rng: np.random.Generator, pose: Pose) -> Flaw:
    side, number, _ = _tooth(rng, pose)
    return Flaw(lost=strands(side, number, int(rng.integers(1, 4))))


def _zipper_bend(rng: np.random.Generator, pose: Pose) -> Flaw:
    side, number, u0 = _tooth(rng, pose)
    if rng.uniform() < 0.5:
        askew = strands(side, number, int(rng.integers(1, 4)))
        angle = np.float32(draw_side(rng) * float(rng.uniform(0.2, 0.42)))
        return Flaw(turned=lambda of, which, along: angle * askew(of, which, along))
    aside, reach = side * float(rng.uniform(0.014, 0.04)), float(rng.uniform(0.1, 0.22))

    def bend(u: Field, v: Field) -> tuple[Field, Field]:
        return u, to_image(v - aside * sigmoid_step(to_image(np.abs(u - u0)), reach, 0.0))

    return Flaw(bend=bend)


def _zipper_stain(rng: np.random.Generator, pose: Pose) -> Flaw:
    share = spread(_tape_spot(rng, (0.025, 0.09), 0.3), float(rng.uniform(0.15, 0.4)), float(rng.uniform(0, 0.4)))
    strength, rgb = float(rng.uniform(0.4, 0.85)), pick(rng, TAPE_STAINS)
    return Flaw(paint=lambda light, u, v: coat(light, to_image(strength * share(u, v)), rgb, 0.2, 0.65))


def _zipper_hole(rng: np.random.Generator, pose: Pose) -> Flaw:
    spot = _tape_spot(rng, (0.022, 0.055), 0.12)
    fray = float(rng.uniform(0.003, 0.007))

    def gone(u: Field, v: Field) -> Field:
        rng = np.random.default_rng(spot.seed)
        threads = grain(rng, u, v, 25.0, 220.0) + grain(rng, u, v, 220.0, 25.0)
        loose = sigmoid_step(grain(rng, u, v, 9.0, 170.0), 1.5, 2.1)
        loose += sigmoid_step(grain(rng, u, v, 170.0, 9.0), 1.7, 2.3)
        return to_image(spot.margin(u, v) - fray * np.maximum(threads, 0.0) - 0.02 * loose)

    def paint(light: Field, u: Field, v: Field) -> Field:
        near = sigmoid_step(spot.margin(u, v), -2.5 * fray, 0.0)
        fuzz = grain(np.random.default_rng(spot.seed + 1), u, v, 200.0, 200.0)
        return mix(light, to_image(light * (1.0 + 0.5 * fuzz)[..., None] + 0.05), near)

    return Flaw(gone=gone, paint=paint)


def _zipper_colour(rng: np.random.Generator, pose: Pose) -> Flaw:
    if rng.uniform() < 0.5:
        side, number, _ = _tooth(rng, pose)
        return Flaw(dyed=strands(side, number, int(rng.integers(1, 5))), dye=pick(rng, TOOTH_FINISHES))
    spot, side = _tape_spot(rng, (0.06, 0.16), 0.06), draw_side(rng)
    strength, rgb = float(rng.uniform(0.5, 0.95)), pick(rng, TAPE_DYES)
    edge = float(rng.uniform(0.005, 0.05))

    def paint(light: Field, u: Field, v: Field) -> Field:
        band = sigmoid_step(to_image(np.abs(u - spot.u)), spot.length + edge, spot.length - edge)
        return tint(light, to_image(strength * band * sigmoid_step(to_image(side * v), 0.055, 0.065)), rgb)

    return Flaw(paint=paint)


BOLT: Mapping[str, Recipe] = {
    "scratch": _bolt_scratch,
    "stain": _bolt_stain,
    "bend": _bolt_bend,
    "missing": _bolt_missing,
    "colour": _bolt_colour,
}
TABLET: Mapping[str, Recipe] = {
    "scratch": _tablet_scratch,
    "hole": _tablet_hole,
    "stain": _tablet_stain,
    "missing": _tablet_missing,
    "colour": _tablet_colour,
}
ZIPPER: Mapping[str, Recipe] = {
    "hole": _zipper_hole,
    "stain": _zipper_stain,
    "bend": _zipper_bend,
    "missing": _zipper_missing,
    "colour": _zipper_colour,
}
