"""The interface between the transforms and the base class for either library."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

UNCHANGED: Mapping[str, Any] = MappingProxyType({"source": None, "plan": None})
"""Parameters of a call that leaves the image unchanged."""


class Guest:
    """A transform as its host sees it: drawing and applying, under names that fit either library."""

    _tag: int

    def guard(self, data: dict[str, Any], call: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Check the data, let the host decide and apply, and add labels if the transform was skipped."""
        raise NotImplementedError

    def draw_params(
        self, data: Mapping[str, Any], generator: np.random.Generator, python_random: random.Random
    ) -> dict[str, Any]:
        """Draw everything that is random."""
        raise NotImplementedError

    def apply_params(self, params: Mapping[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Apply what was drawn."""
        raise NotImplementedError

    def seed_tag(self) -> int:
        """Number that differs between transforms of different classes or arguments."""
        raise NotImplementedError
