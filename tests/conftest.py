"""Hypothesis profiles: "default", "ci" (the same examples every time) and "thorough"; chosen by HYPOTHESIS_PROFILE."""

import os

import pytest
import torchvision_stubs
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("commands", "drawing", "oracle", "rejections")
settings.register_profile("default", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))
collect_ignore = ["toy_package"]
"""A distribution of its own, which `test_toy_package.py` tests in other processes."""
torchvision_stubs.declare_operators()


@pytest.fixture
def registries(monkeypatch):
    """Forget the kinds that a test defines."""
    from nsa_augment._shared.registry import _REGISTRIES

    for registry in _REGISTRIES.values():
        monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
