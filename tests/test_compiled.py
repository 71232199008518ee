"""Compiled functions: cached on disk, and compiled anew when what they use has changed, in any file."""

import os
import subprocess
import sys

import numba

from nsa_augment._shared import compiled as compilation
from nsa_augment._shared.compiled import compiled

KERNELS = """
from nsa_augment._shared.compiled import compiled

@compiled
def inner(x):
    return x + {step}

@compiled
def middle(x):
    return inner(x)
"""
CONSTANTS = """
import numpy as np

FACTOR = {factor}
TABLE = np.array([0, {entry}])
"""
CALLER = """
import sys
from constants import FACTOR, TABLE
from kernels import middle
from nsa_augment._shared.compiled import compiled

@compiled
def outer(x):
    return FACTOR * middle(x) + TABLE[1]

print(outer(1), sum(outer.stats.cache_hits.values()))
"""


def test_changes_in_other_files_are_noticed(tmp_path):
    values = {"step": 1, "factor": 2, "entry": 3}

    def write():
        for name, text in (("kernels", KERNELS), ("constants", CONSTANTS), ("caller", CALLER)):
            (tmp_path / f"{name}.py").write_text(text.format(**values))

    def expected():
        return values["factor"] * (1 + values["step"]) + values["entry"]

    def run():
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        made = subprocess.run(
            [sys.executable, "caller.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return tuple(map(int, made.stdout.split()))

    write()
    assert run() == (expected(), 0)
    assert run() == (expected(), 1)
    for change in ({"step": 5}, {"factor": 7}, {"entry": 9}):
        values |= change
        write()
        assert run() == (expected(), 0)


def test_functions_may_call_themselves():
    @compiled
    def factorial(n):
        return 1 if n < 2 else n * factorial(n - 1)

    assert factorial(5) == 120


def test_literals_are_numbers_like_any_other():
    @compiled
    def plus(x, y):
        return x + y

    @compiled
    def outer(x):
        return plus(x, 1) + plus(x, y=2) + plus(0, x)

    assert outer(5) == 18
    assert len(plus.signatures) == 1


def test_compiles_without_a_cache_folder(monkeypatch):
    def without_folder(function):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(compilation, "_Cache", without_folder)
    assert compiled(lambda x: x + 1)(1) == 2


def test_runs_uncompiled_where_numba_is_switched_off(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)

    def negative(x):
        return -x

    assert compiled(negative) is negative
