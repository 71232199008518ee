"""Examples and benchmarks: they run, and they use what users may use."""

import ast
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SCRIPTS = sorted(path for name in ("examples", "benchmarks") for path in (ROOT / name).rglob("*.py"))
SOLVERS = "nsa_augment.blending.solvers"  # benchmarks may look inside


@pytest.mark.slow
def test_pytorch_loader():
    pytest.importorskip("torch")
    command = [sys.executable, str(EXAMPLES / "pytorch_loader.py"), "--workers", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("images (8, 3, 128, 128), labels (8, 128, 128), ") for line in lines)


def imports_of(path):
    """(module, name or None) of every import of the package in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name.partition(".")[0] == "nsa_augment")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "nsa_augment":
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_public_names_are_imported_and_they_are_there(path):
    pytest.importorskip("torch")
    for module, name in imports_of(path):
        parts = f"{module}.{name or ''}".split(".")
        assert module == SOLVERS or not any(part.startswith("_") for part in parts), f"{module} {name}"
        try:
            import_module(module)
        except ModuleNotFoundError as error:  # of an integration whose framework is not installed
            if "install it with pip install" not in str(error):
                raise
            continue
        if name is not None and not hasattr(import_module(module), name):
            import_module(f"{module}.{name}")


@pytest.mark.slow
def test_the_samples_train_a_detector(tmp_path):
    pytest.importorskip("torch")
    command = [sys.executable, "-m", "examples.train_detector", "--out", tmp_path]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}  # several wait for one another beside other tests
    subprocess.run(command, check=True, cwd=ROOT, env=one_thread)
    metrics = json.loads((tmp_path / "weave" / "seed0" / "metrics.json").read_text())["metrics"]
    assert min(metrics["image_auroc"], metrics["pixel_auroc"]) > 0.9
