"""Recipes of the defects of weave and hide: ``recipe(rng, pose)`` draws one `Flaw`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ._canvas import RGB, Field, Pose, colour, grain, sigmoid_step, soften, to_image
from ._flaws import Flaw, Paint, Recipe, Strands
from ._marks import Spot, Stroke, chain, coat, dent, draw_seed, draw_side, mix, pick, scratch, spread, strands, tint
from ._textures import YARN_PITCH

__all__ = ["HIDE", "WEAVE"]

YARN_DYES: tuple[RGB, ...] = ((0.62, 0.20, 0.17), (0.14, 0.15, 0.18), (0.72, 0.56, 0.22), (0.25, 0.42, 0.28))
CLOTH_STAINS: tuple[RGB, ...] = ((0.62, 0.47, 0.30), (0.40, 0.38, 0.36), (0.42, 0.50, 0.80), (0.78, 0.42, 0.38))
FIBRE: RGB = (0.80, 0.79, 0.75)
RAW_HIDE: RGB = (0.70, 0.52, 0.37)
HIDE_STAINS: tuple[RGB, ...] = ((0.48, 0.45, 0.44), (0.55, 0.42, 0.36), (0.46, 0.50, 0.68))
HIDE_DYES: tuple[RGB, ...] = ((1.22, 0.88, 0.84), (0.72, 0.95, 1.15), (1.3, 1.28, 1.2), (0.68, 0.66, 0.66))
GLUE: RGB = (0.80, 0.76, 0.66)


def _texture_spot(
    rng: np.random.Generator, pose: Pose, sizes: tuple[float, float], rough: float, aspects: tuple[float, float]
) -> Spot:
    """A spot well inside the image, in the frame of a texture at ``pose``."""
    x, y = (float(value) for value in rng.uniform(-0.36, 0.36, 2))
    c, s = math.cos(pose.angle) / pose.scale, math.sin(pose.angle) / pose.scale
    u, v = c * (x - pose.x) + s * (y - pose.y), c * (y - pose.y) - s * (x - pose.x)
    length, aspect = float(rng.uniform(*sizes)), float(rng.uniform(*aspects))
    return Spot(u, v, float(rng.uniform(0, math.pi)), length, length * aspect, rough, draw_seed(rng))


def _weave_strands(spot: Spot, pose: Pose, ragged: float) -> Strands:
    """The yarns inside a spot, each cut at its own place."""
    ends = np.random.default_rng(spot.seed).standard_normal((2, 64))

    def share(side: float, number: Field, along: Field) -> Field:
        warp, weft = (number, along) if side < 0 else (along, number)
        u, v = to_image((warp - 4.0 * pose.roll) * YARN_PITCH), to_image(weft * YARN_PITCH)
        ragged_end = ragged * ends[int(side > 0), np.mod(number, 64).astype(np.intp)]
        return sigmoid_step(to_image(spot.margin(u, v) + ragged_end), -0.003, 0.003)

    return share


def _yarn(rng: np.random.Generator, pose: Pose) -> tuple[float, int, Spot]:
    """Side, number and surroundings of a yarn that is well inside the image."""
    spot, side = _texture_spot(rng, pose, (0.12, 0.3), 0.0, (1.0, 1.0)), draw_side(rng)
    return side, round(spot.u / YARN_PITCH + 4.0 * pose.roll) if side < 0 else round(spot.v / YARN_PITCH), spot


def _piece(side: float, first: int, count: int, spot: Spot, pose: Pose) -> Strands:
    """A length of ``count`` neighbouring yarns, as long as the spot."""
    whole = strands(side, first, count)
    start = spot.v / YARN_PITCH if side < 0 else spot.u / YARN_PITCH + 4.0 * pose.roll

    def share(of: float, number: Field, along: Field) -> Field:
        margin = spot.length / YARN_PITCH - np.abs(along - start)
        return to_image(whole(of, number, along) * sigmoid_step(to_image(margin), -0.1, 0.1))

    return share


def _weave_scratch(rng: np.random.Generator, pose: Pose) -> Flaw:
    place = _texture_spot(rng, pose, (0.08, 0.26), 0.002, (0.02, 0.05))
    width = float(rng.uniform(0.006, 0.012))
    spot = Spot(place.u, place.v, place.angle, place.length, width, place.rough, place.seed)
    stroke, strength = Stroke(spot, float(rng.normal(0, 0.015))), float(rng.uniform(0.75, 1.0))

    def paint(light: Field, u: Field, v: Field) -> Field:
        off, pressure = stroke.offset(u, v)
        along, across = spot.frame(u, v)
        rng = np.random.default_rng(spot.seed + 1)
        fuzz = grain(rng, along, across, 70.0, 230.0) + 0.7 * grain(rng, u, v, 180.0, 180.0)
        share = strength * pressure * np.exp(-(off**2)) * np.clip(0.75 + 0.35 * fuzz, 0.0, 1.0)
        return mix(light, colour(to_image(0.9 + 0.12 * fuzz), FIBRE), to_image(share))

    return Flaw(paint=paint)


def _weave_hole(rng: np.random.Generator, pose: Pose) -> Flaw:
    cut = rng.uniform() < 0.4
    spot = _texture_spot(rng, pose, (0.07, 0.13) if cut else (0.03, 0.07), 0.1, (0.15, 0.25) if cut else (0.7, 1.0))
    return Flaw(lost=_weave_strands(spot, pose, 0.006 if cut else 0.012))


def _weave_missing(rng: np.random.Generator, pose: Pose) -> Flaw:
    side, number, spot = _yarn(rng, pose)
    return Flaw(lost=_piece(side, number, int(rng.integers(1, 4)), spot, pose))


def _weave_stain(rng: np.random.Generator, pose: Pose) -> Flaw:
    spot = _texture_spot(rng, pose, (0.05, 0.15), 0.3, (0.5, 1.0))
    share = spread(spot, float(rng.uniform(0.1, 0.35)), float(rng.uniform(0.0, 0.6)))
    strength, rgb = float(rng.uniform(0.6, 1.0)), pick(rng, CLOTH_STAINS)
    return Flaw(paint=lambda light, u, v: tint(light, to_image(strength * share(u, v)), rgb))


def _weave_bend(rng: np.random.Generator, pose: Pose) -> Flaw:
    spot = _texture_spot(rng, pose, (0.1, 0.2), 0.0, (0.6, 1.0))
    turn = float(rng.uniform(0, 2 * math.pi))
    pull = float(rng.uniform(0.22, 0.45)) * spot.width
    pull_u, pull_v = pull * math.cos(turn), pull * math.sin(turn)

    def bend(u: Field, v: Field) -> tuple[Field, Field]:
        share = sigmoid_step(spot.inside(u, v), 0.0, 1.0)
        return to_image(u - pull_u * share), to_image(v - pull_v * share)

    return Flaw(bend=bend)


def _weave_colour(rng: np.random.Generator, pose: Pose) -> Flaw:
    side, number, spot = _yarn(rng, pose)
    return Flaw(dyed=_piece(side, number, int(rng.integers(1, 4)), spot, pose), dye=pick(rng, YARN_DYES))


def _hide_scratch(rng: np.random.Generator, pose: Pose) -> Flaw:
    place = _texture_spot(rng, pose, (0.08, 0.28), 0.002, (0.02, 0.05))
    strokes: list[Paint] = []
    for line in range(int(rng.integers(1, 4))):
        aside, along = 0.018 * line, place.length * float(rng.normal(0, 0.2))
        c, s = math.cos(place.angle), math.sin(place.angle)
        u, v = place.u + along * c - aside * s, place.v + along * s + aside * c
        length, width = place.length * float(rng.uniform(0.5, 1.0)), float(rng.uniform(0.004, 0.0065))
        spot = Spot(u, v, place.angle + float(rng.normal(0, 0.05)), length, width, 0.002, draw_seed(rng))
        bare = float(rng.uniform(0.6, 0.95))
        strokes.append(scratch(Stroke(spot, float(rng.normal(0, 0.015))), 1.2, RAW_HIDE, bare))
    return Flaw(paint=chain(*strokes))


def _hide_hole(rng: np.random.Generator, pose: Pose) -> Flaw:
    cut = rng.uniform() < 0.4
    spot = _texture_spot(rng, pose, (0.05, 0.12) if cut else (0.014, 0.035), 0.10, (0.10, 0.16) if cut else (0.75, 1.0))
    rim = min(float(rng.uniform(0.004, 0.009)), 0.25 * spot.width)

    def paint(light: Field, u: Field, v: Field) -> Field:
        margin = spot.margin(u, v)
        lip = np.exp(-(((margin + 0.8 * rim) / rim) ** 2))
        lit = dent(light, soften(to_image(0.6 * rim * lip), 0.001))
        flesh = mix(lit, colour(np.ones_like(u), RAW_HIDE), to_image(0.6 * sigmoid_step(margin, -0.003, 0.0)))
        return mix(flesh, colour(np.ones_like(u), (0.035, 0.025, 0.02)), sigmoid_step(margin, -0.0005, 0.002))

    return Flaw(paint=paint)


def _hide_stain(rng: np.random.Generator, pose: Pose) -> Flaw:
    spot = _texture_spot(rng, pose, (0.035, 0.12), 0.28, (0.5, 1.0))
    if rng.uniform() < 0.35:
        return Flaw(paint=_glue(spot, float(rng.uniform(0.55, 0.9))))
    share = spread(spot, float(rng.uniform(0.1, 0.3)), float(rng.uniform(0.0, 0.6)))
    strength, rgb = float(rng.uniform(0.65, 1.0)), pick(rng, HIDE_STAINS)
    return Flaw(paint=lambda light, u, v: tint(light, to_image(strength * share(u, v)), rgb))


def _glue(spot: Spot, strength: float) -> Paint:
    """A dried drop that fills the grain of the leather."""

    def paint(light: Field, u: Field, v: Field) -> Field:
        inside = spot.inside(u, v)
        share = to_image(strength * sigmoid_step(inside, 0.0, 0.12))
        bulge = to_image(0.012 * sigmoid_step(inside, 0.0, 0.45))
        return dent(coat(light, share, GLUE, 0.3, 0.35), soften(bulge, 0.003))

    return paint


def _hide_bend(rng: np.random.Generator, pose: Pose) -> Flaw:
    place = _texture_spot(rng, pose, (0.16, 0.36), 0.006, (0.02, 0.05))
    width = float(rng.uniform(0.007, 0.014))
    spot = Spot(place.u, place.v, place.angle, place.length, width, place.rough, place.seed)
    stroke, depth = Stroke(spot, float(rng.normal(0, 0.03))), float(rng.uniform(0.5, 1.1))

    def paint(light: Field, u: Field, v: Field) -> Field:
        off, pressure = stroke.offset(u, v)
        valley = np.exp(-((2.2 * off) ** 2))
        profile = np.exp(-(((np.abs(off) - 1.1) / 0.8) ** 2)) - 1.2 * valley
        lit = dent(light, to_image(depth * width * pressure * profile))
        return tint(lit, to_image(0.75 * depth * pressure * np.exp(-((4.0 * off) ** 2))), (0.35, 0.32, 0.30))

    return Flaw(paint=paint)


def _hide_colour(rng: np.random.Generator, pose: Pose) -> Flaw:
    spot = _texture_spot(rng, pose, (0.07, 0.2), 0.15, (0.5, 1.0))
    edge, strength, rgb = float(rng.uniform(0.08, 0.3)), float(rng.uniform(0.6, 1.0)), pick(rng, HIDE_DYES)

    def paint(light: Field, u: Field, v: Field) -> Field:
        return tint(light, to_image(strength * sigmoid_step(spot.inside(u, v), -edge, edge)), rgb)

    return Flaw(paint=paint)


WEAVE: Mapping[str, Recipe] = {
    "scratch": _weave_scratch,
    "hole": _weave_hole,
    "stain": _weave_stain,
    "bend": _weave_bend,
    "missing": _weave_missing,
    "colour": _weave_colour,
}
HIDE: Mapping[str, Recipe] = {
    "scratch": _hide_scratch,
    "hole": _hide_hole,
    "stain": _hide_stain,
    "bend": _hide_bend,
    "colour": _hide_colour,
}
