"""A solver of the same equation as "spectral": conjugate gradients in plain NumPy."""

import cv2
import numpy as np

from nsa_augment import Solver


class ConjugateGradients(Solver):
    name = "conjugate_gradients"

    @staticmethod
    def clone(canvas, source, mask, gradient, max_value):
        inner = canvas[1:-1, 1:-1]
        weight = cv2.erode(mask, np.ones((7, 7), np.uint8), borderValue=0)[1:-1, 1:-1] / 255
        for channel in range(canvas.shape[2]):
            image, foreign = (pixels[1:-1, 1:-1, channel].astype(float) for pixels in (canvas, source))
            across, down = guidance(image, foreign, weight, gradient)
            divergence = np.diff(across, axis=1)[1:-1, :-1] + np.diff(down, axis=0)[:-1, 1:-1]
            image[1:-1, 1:-1] += solve(divergence)
            inner[:, :, channel] = np.clip(image, 0, max_value)


def guidance(image, foreign, weight, gradient):
    """Change of the gradient along both axes: forward differences, 0 behind the last pixel."""
    own, new = (
        [np.diff(pixels, axis=axis, append=np.take(pixels, [-1], axis)) for axis in (1, 0)]
        for pixels in (image, foreign)
    )
    taken = weight
    if gradient == "mixed":
        taken = np.where(abs(new[0] - new[1]) <= abs(own[0] - own[1]), 0, weight)
    return [taken * (theirs - ours) for ours, theirs in zip(own, new, strict=True)]


def solve(divergence):
    """The field, zero all around, whose five-point Laplacian is `divergence`."""
    field = np.zeros_like(divergence)
    residual = divergence - laplacian(field)
    direction, energy = residual, np.vdot(residual, residual)
    while energy > 1e-6:
        ahead = laplacian(direction)
        step = energy / np.vdot(direction, ahead)
        field, residual = field + step * direction, residual - step * ahead
        energy, before = np.vdot(residual, residual), energy
        direction = residual + energy / before * direction
    return field


def laplacian(field):
    padded = np.pad(field, 1)
    return padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * field
