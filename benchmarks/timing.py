"""Shared by the benchmarks: exclusive times of named stages, and results as a table and as JSON."""

from __future__ import annotations

import functools
import json
import platform
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numba
import numpy as np
from rich.console import Console
from rich.table import Table

import nsa_augment


class StageClock:
    """Time spent in wrapped functions, excluding other wrapped functions that they call."""

    def __init__(self):
        self.seconds = defaultdict(float)
        self._started = []

    def wrap(self, owner, name, stage):
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*args, **kwargs):
            begin = time.perf_counter()
            self._started.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                elapsed = time.perf_counter() - begin
                self.seconds[stage] += elapsed - self._started.pop()
                if self._started:
                    self._started[-1] += elapsed

        setattr(owner, name, timed)
        return lambda: setattr(owner, name, function)


def seconds(function, *args, **kwargs):
    begin = time.perf_counter()
    function(*args, **kwargs)
    return time.perf_counter() - begin


def environment():
    return {
        "nsa_augment": nsa_augment.__version__,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def report(title, rows, path):
    """Print rows (dicts with the same keys) and write them as JSON, with the versions used."""
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=150).print(table)
    if path is not None:
        Path(path).write_text(json.dumps({"title": title, "environment": environment(), "rows": rows}, indent=1))
