"""Whole labelled datasets on disk, which can be interrupted, resumed and verified.

On the command line: `nsa-augment generate` and `nsa-augment verify`.
"""

from nsa_augment.datasets.generation import Progress, generate
from nsa_augment.datasets.layouts import LAYOUTS, Layout
from nsa_augment.datasets.options import Options
from nsa_augment.datasets.recipe import Recipe
from nsa_augment.datasets.verification import Problem, Report, verify

__all__ = ["LAYOUTS", "Layout", "Options", "Problem", "Progress", "Recipe", "Report", "generate", "verify"]
