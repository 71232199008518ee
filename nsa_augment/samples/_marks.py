"""Shapes and surfaces of defects: irregular spots, strokes, relief, coats and broken faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._canvas import KEY_LIGHT, RGB, Field, colour, fractal, normals, over, sigmoid_step, soften, to_image
from ._flaws import Margin, Paint, Strands

__all__ = ["Spot", "Stroke", "chain", "coat", "crater", "dent", "draw_seed", "draw_side", "fracture", "mix", "pick",
           "scratch", "spread", "strands", "tint"]  # fmt: skip


@dataclass(frozen=True)
class Spot:
    """An irregular spot on a product.

    Parameters
    ----------
    u, v : float
        Centre in the product's frame.
    angle : float
        Direction of its length in that frame, radians.
    length, width : float
        Half axes in image sides.
    rough : float
        Deviation of its outline, relative to the half axes.
    seed : int
        Seed of the outline.
    """

    u: float
    v: float
    angle: float
    length: float
    width: float
    rough: float
    seed: int

    def frame(self, u: Field, v: Field) -> tuple[Field, Field]:
        """Coordinates along and across the spot, from its centre."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        u, v = u - np.float32(self.u), v - np.float32(self.v)
        return to_image(c * u + s * v), to_image(c * v - s * u)

    def inside(self, u: Field, v: Field) -> Field:
        """1 in the centre, 0 at the irregular outline, negative outside."""
        along, across = self.frame(u, v)
        stray = fractal(np.random.default_rng(self.seed), along, across, 1.1 / (self.length * self.width) ** 0.5, 4)
        return to_image(1.0 - np.hypot(along / self.length, across / self.width) + self.rough * stray)

    def margin(self, u: Field, v: Field) -> Field:
        """About the distance to the outline in image sides, inside > 0."""
        return to_image(self.inside(u, v) * min(self.length, self.width))


@dataclass(frozen=True)
class Stroke:
    """A long thin mark: a scratch, a crack, a crease.

    Parameters
    ----------
    spot : Spot
        Its middle and direction; ``length`` is half its length, ``width`` half its width, and ``rough`` how
        far it wanders from its course, in image sides.
    curve : float
        Sagitta in image sides.
    """

    spot: Spot
    curve: float

    def offset(self, u: Field, v: Field) -> tuple[Field, Field]:
        """Signed distance from the course in half widths, and pressure 0..1 along it."""
        along, across = self.spot.frame(u, v)
        rng = np.random.default_rng(self.spot.seed)
        flat = np.zeros_like(along)
        wander = self.spot.rough * fractal(rng, along, flat, 1.5 / self.spot.length, 4)
        uneven = fractal(rng, along, flat, 3.0 / self.spot.length, 3)
        reached = np.abs(along) / self.spot.length
        pressure = sigmoid_step(to_image(reached), 1.0, 0.55) * np.clip(0.85 + 0.2 * uneven, 0.3, 1.0)
        off = (across - self.curve * (1.0 - reached**2) - wander) / self.spot.width
        return to_image(off / (0.4 + 0.6 * pressure)), to_image(pressure)


def draw_seed(rng: np.random.Generator) -> int:
    """Draw a seed for a detail that must look the same in every drawing."""
    return int(rng.integers(2**31))


def draw_side(rng: np.random.Generator) -> float:
    """-1 or 1."""
    return float(rng.choice([-1.0, 1.0]))


def pick(rng: np.random.Generator, colours: Sequence[RGB]) -> RGB:
    """One of ``colours``."""
    return colours[int(rng.integers(len(colours)))]


def strands(side: float, first: int, count: int) -> Strands:
    """``count`` strands of one side from number ``first`` on, over their whole length."""

    def share(of: float, number: Field, along: Field) -> Field:
        chosen = (of == side) & (number >= first) & (number < first + count)
        return chosen.astype(np.float32)

    return share


def chain(*paints: Paint) -> Paint:
    """One paint after the other."""

    def paint(light: Field, u: Field, v: Field) -> Field:
        for each in paints:
            light = each(light, u, v)
        return light

    return paint


def mix(light: Field, other: Field, share: Field) -> Field:
    """``other`` laid over ``light`` with ``share`` 0..1."""
    return over(other, to_image(np.clip(share, 0.0, 1.0)), light)


def dent(light: Field, height: Field) -> Field:
    """``light`` as it falls on a surface that carries the relief ``height`` (image sides) as well."""
    nx, ny, nz = normals(height)
    facing = np.clip(KEY_LIGHT[0] * nx + KEY_LIGHT[1] * ny + KEY_LIGHT[2] * nz, 0.0, 1.0)
    return to_image(light * ((0.25 + 0.75 * facing) / (0.25 + 0.75 * KEY_LIGHT[2]))[..., None])


def coat(light: Field, share: Field, rgb: RGB, level: float, keep: float) -> Field:
    """An opaque coat of colour ``rgb`` that keeps ``keep`` of the relief below, whose usual light is ``level``."""
    relief = np.clip(light.mean(axis=-1) / level, 0.0, 2.0)
    return mix(light, colour(to_image(1.0 - keep + keep * relief), rgb), share)


def tint(light: Field, share: Field, rgb: RGB) -> Field:
    """``light`` times ``rgb``, to the degree ``share``."""
    return to_image(light * (1.0 + share[..., None] * (np.array(rgb, dtype=np.float32) - 1.0)))


def spread(spot: Spot, edge: float, ring: float = 0.0) -> Margin:
    """Share 0..1 of a liquid that has run over a spot: soft ``edge``, mottled, with a darker ``ring`` at its border."""

    def share(u: Field, v: Field) -> Field:
        inside = spot.inside(u, v)
        mottle = fractal(np.random.default_rng(spot.seed + 1), u, v, 2.5 / spot.width, 3)
        body = sigmoid_step(inside, -edge, edge) * np.clip(0.82 + 0.09 * mottle, 0.5, 1.0)
        return to_image(body * (1.0 - ring + ring * np.exp(-((inside / 0.16) ** 2))))

    return share


def scratch(stroke: Stroke, depth: float, rgb: RGB, bare: float) -> Paint:
    """A groove, ``depth`` half widths deep with raised shoulders, that lays bare material of colour ``rgb``."""

    def paint(light: Field, u: Field, v: Field) -> Field:
        off, pressure = stroke.offset(u, v)
        away = np.abs(off)
        profile = 0.45 * np.exp(-(((away - 1.7) / 0.6) ** 2)) - np.exp(-(off**2))
        lit = dent(light, to_image(depth * stroke.spot.width * pressure * profile))
        return mix(lit, colour(np.ones_like(u), rgb), to_image(bare * pressure * sigmoid_step(away, 1.2, 0.5)))

    return paint


def crater(spot: Spot, depth: float, rgb: RGB, bare: float) -> Paint:
    """A pit, ``depth`` image sides deep, with a granular floor of colour ``rgb``."""

    def paint(light: Field, u: Field, v: Field) -> Field:
        margin = spot.margin(u, v)
        rough = fractal(np.random.default_rng(spot.seed + 1), u, v, 90.0, 3)
        sunk = sigmoid_step(margin, -0.001, 0.6 * min(spot.length, spot.width))
        floor = coat(light, to_image(bare * sigmoid_step(margin, 0.0, 0.004)), rgb, float(np.mean(rgb)), 0.25)
        return dent(floor, to_image(sunk * (0.0012 * rough - depth)))

    return paint


def fracture(gone: Margin, width: float, rgb: RGB, seed: int) -> Paint:
    """The rough broken face, about ``width`` wide and of colour ``rgb``, along the border of a piece that is gone."""

    def paint(light: Field, u: Field, v: Field) -> Field:
        margin = gone(u, v)
        rough = fractal(np.random.default_rng(seed), u, v, 70.0, 3)
        share = sigmoid_step(to_image(margin + width * (1.0 + 0.25 * rough)), 0.0, 0.2 * width)
        slope = np.maximum(margin + width, 0.0) * share
        face = coat(light, share, rgb, float(np.mean(rgb)), 0.15)
        return dent(face, soften(to_image(share * (0.0012 * rough - 0.7 * slope)), 0.0008))

    return paint
