"""Common parts of the sample products: poses, coordinates, grain, surface shading and the camera.

Lengths are in image sides (1.0 is the whole width) and light is in 0..1, so that a drawing looks the
same at every size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Drawing", "Field", "Pose", "backdrop", "colour", "coverage", "expose", "fractal", "grain",
           "grid", "levels", "local_frame", "normals", "over", "ring_light", "seen", "shadow", "sigmoid_step",
           "soften", "to_image"]  # fmt: skip

Field = NDArray[np.float32]
RGB = tuple[float, float, float]

KEY_LIGHT = (-0.45, -0.55, 0.70)  # unit vector to the lamp: upper left, in front of the image


@dataclass(frozen=True)
class Pose:
    """The properties that differ between individuals of a product.

    Parameters
    ----------
    x, y : float
        Centre in image sides, (0, 0) in the middle of the image, y downwards.
    angle : float
        Rotation in radians, clockwise on the screen.
    scale : float
        Size relative to the nominal product.
    roll : float
        Phase in [0, 1): the bolt's rotation about its axis, the start of the zipper's teeth...
    tone : float
        Shade of the material, -1 (cooler, darker) .. 1 (warmer, lighter).
    gain : float
        Illumination relative to nominal, 0.95 .. 1.05.
    falloff : float
        Direction in radians in which the illumination falls off over the image.
    seed : int
        Seed of the individual's grain.
    """

    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0
    scale: float = 1.0
    roll: float = 0.0
    tone: float = 0.0
    gain: float = 1.0
    falloff: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Drawing:
    """A product before the camera: ``light`` (n, n, 3) float32 in 0..1, ``cover`` (n, n) float32 in 0..1."""

    light: Field
    cover: Field


def grid(n: int) -> tuple[Field, Field]:
    """Pixel centres x, y of an ``n`` x ``n`` image in image sides, each (n, n) float32 in (-0.5, 0.5)."""
    axis = ((np.arange(n, dtype=np.float32) + 0.5) / n - 0.5).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def local_frame(pose: Pose, n: int) -> tuple[Field, Field]:
    """Coordinates of every pixel in the product's own frame: u along its axis, v across; (n, n) float32."""
    x, y = grid(n)
    c, s = math.cos(pose.angle) / pose.scale, math.sin(pose.angle) / pose.scale
    x, y = x - np.float32(pose.x), y - np.float32(pose.y)
    return to_image(c * x + s * y), to_image(c * y - s * x)


def to_image(values: NDArray[np.floating] | cv2.typing.MatLike) -> Field:
    """``values`` as float32 (a view where they already are)."""
    return np.asarray(values, dtype=np.float32)


def sigmoid_step(values: Field, low: float, high: float) -> Field:
    """Smooth rise from 0 at ``low`` to 1 at ``high`` (falling where ``low`` > ``high``)."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return to_image(t * t * (3.0 - 2.0 * t))


def coverage(margin: Field, n: int) -> Field:
    """Anti-aliased share of each pixel inside a shape; ``margin`` is the distance to its edge, inside > 0."""
    return to_image(np.clip(margin * n + 0.5, 0.0, 1.0))


def soften(values: Field, sigma: float) -> Field:
    """Gaussian blur of an image with ``sigma`` in image sides."""
    pixels = sigma * values.shape[0]
    if pixels < 8:
        return to_image(cv2.GaussianBlur(values, (0, 0), max(pixels, 0.05), borderType=cv2.BORDER_REFLECT))
    shrink = 4.0 / pixels
    small = cv2.resize(values, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 4.0, borderType=cv2.BORDER_REFLECT)
    return to_image(cv2.resize(small, values.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def grain(rng: np.random.Generator, u: Field, v: Field, across_u: float, across_v: float) -> Field:
    """Smooth noise of about unit variance with ``across_u`` x ``across_v`` knots per image side.

    The knots lie in the (u, v) frame, so the grain moves with the product and does not depend on the
    number of pixels.
    """
    lattice = rng.standard_normal((256, 256), dtype=np.float32)
    at_u, at_v = to_image(u * across_u + 128.0), to_image(v * across_v + 128.0)
    values = cv2.remap(lattice, at_u, at_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return to_image(1.4 * to_image(values))


def fractal(rng: np.random.Generator, u: Field, v: Field, knots: float, octaves: int = 3) -> Field:
    """Sum of ``octaves`` grains, each twice as fine and half as strong as the one before."""
    total = grain(rng, u, v, knots, knots)
    for octave in range(1, octaves):
        fine = knots * 2.0**octave
        total += grain(rng, u + np.float32(0.37 * octave), v, fine, fine) * np.float32(0.5**octave)
    return total


def normals(height: Field) -> tuple[Field, Field, Field]:
    """Unit surface normals (nx, ny, nz) of a height map given in image sides."""
    n = height.shape[0]
    slope_x = to_image(cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=n / 8))
    slope_y = to_image(cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=n / 8))
    slope_x[:, [0, -1]], slope_y[[0, -1]] = slope_x[:, [1, -2]], slope_y[[1, -2]]
    nz = to_image(1.0 / np.sqrt(1.0 + slope_x * slope_x + slope_y * slope_y))
    return -slope_x * nz, -slope_y * nz, nz


def ring_light(nx: Field, ny: Field, tilt: float, width: float) -> Field:
    """Reflection of a ring lamp, brightest at the upper left: 1 where the normal leans by ``tilt``."""
    lean = np.sqrt(nx * nx + ny * ny)
    towards_key = 0.5 - 0.5 * (0.6 * nx + 0.8 * ny) / (lean + 1e-3)
    return to_image(np.exp(-(((lean - tilt) / width) ** 2)) * (0.25 + 0.75 * towards_key))


def colour(shade: Field, rgb: RGB) -> Field:
    """A grey ``shade`` (n, n) times a colour, (n, n, 3)."""
    return to_image(shade[..., None] * np.array(rgb, dtype=np.float32))


def over(front: Field, cover: Field, back: Field) -> Field:
    """``front`` composited over ``back`` (both (n, n, 3)) with ``cover`` (n, n)."""
    return to_image(back + (front - back) * cover[..., None])


def shadow(cover: Field, reach: float, depth: float) -> Field:
    """Factor in (1 - depth)..1 by which an object darkens the ground, away from the key light."""
    n = cover.shape[0]
    move = np.array([[1, 0, 0.6 * reach * n], [0, 1, 0.8 * reach * n]], dtype=np.float32)
    cast = to_image(cv2.warpAffine(cover, move, (n, n), borderMode=cv2.BORDER_REPLICATE))
    return to_image(1.0 - depth * (0.6 * soften(cast, reach) + 0.4 * soften(cover, 0.35 * reach)))


def backdrop(pose: Pose, n: int, rgb: RGB, mottle: float) -> Field:
    """Evenly lit ground of colour ``rgb``: slight falloff to one side and ``mottle`` of fine grain."""
    x, y = grid(n)
    side = math.cos(pose.falloff) * x + math.sin(pose.falloff) * y
    even = 1.0 - 0.035 * side - 0.05 * (x * x + y * y)
    spots = fractal(np.random.default_rng(pose.seed), x, y, 60.0, 2)
    return colour(to_image(even + mottle * spots), rgb)


def seen(values: Field, size: int) -> Field:
    """``values`` through a lens: slightly blurred, ``size`` x ``size`` pixels."""
    blurred = soften(values, 0.0016)
    if blurred.shape[0] == size:
        return blurred
    return to_image(cv2.resize(blurred, (size, size), interpolation=cv2.INTER_AREA))


def levels(drawing: Drawing, size: int, gain: float) -> Field:
    """Grey levels 0..255 of a drawing seen under ``gain``, before sensor noise; (size, size, 3)."""
    return to_image(np.clip(seen(drawing.light, size) * np.float32(gain), 0.0, 1.0) * np.float32(255.0))


def expose(drawing: Drawing, size: int, gain: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Photograph a drawing: lens blur, ``size`` x ``size`` pixels, ``gain``, sensor noise, 8 bit RGB."""
    level = levels(drawing, size, gain)
    shared = rng.standard_normal((size, size, 1), dtype=np.float32)
    own = rng.standard_normal((size, size, 3), dtype=np.float32)
    noise = (shared + 0.5 * own) * (0.4 + 0.06 * np.sqrt(level))
    return np.asarray(np.clip(np.rint(level + noise), 0, 255), dtype=np.uint8)
