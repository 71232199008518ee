"""Solvers of Poisson's equation, with a common interface."""

from nsa_augment.blending.solvers.base import SOLVERS, Solver
from nsa_augment.blending.solvers.opencv import OpenCV
from nsa_augment.blending.solvers.spectral import Spectral

__all__ = ["SOLVERS", "OpenCV", "Solver", "Spectral"]
