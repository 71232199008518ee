"""The same bytes whatever the processor: compiled code fuses nothing, and other instructions make the same datasets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMPILED = """
import re, sys
import numpy as np
import nsa_augment
from nsa_augment.samples import draw_sample
from nsa_augment.tasks import TASKS

images = [draw_sample("bolt", index, size=160).image for index in range(2)]
pairs = [images, [image.astype(np.uint16) * 257 for image in images], [image / np.float32(255) for image in images]]
tasks = [
    *(TASKS["nsa"](shape=shape) for shape in (None, "ellipses", "noise", "stroke")),
    TASKS["nsa"](blending="silhouette", candidates=3, background=(200, 60)),
    TASKS["cutpaste"](jitter=0.3),
    TASKS["pii"](),
    TASKS["texture"](augmented=10),
]
for pair in pairs:
    for task in tasks:
        for seed in range(3):
            task(*pair, seed).label
fused = re.compile(r"^\\s+(v?fn?m(add|sub)|fml[as])", re.M)
seen = {}
for module in [module for name, module in list(sys.modules.items()) if name.startswith("nsa_augment.")]:
    for name, function in vars(module).items():
        if not isinstance(function, type) and hasattr(function, "inspect_asm") and function.signatures:
            seen[name] = max(len(fused.findall(text)) for text in function.inspect_asm().values())
print(len(seen), sorted(name for name, count in seen.items() if count))
"""


@pytest.mark.slow
def test_compiled_code_fuses_no_multiplication_with_an_addition(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", COMPILED], env=environment, capture_output=True, text=True, check=True)
    count, fused = done.stdout.split(maxsplit=1)
    assert int(count) > 25
    assert fused.strip() == "[]"


@pytest.mark.slow
@pytest.mark.skipif(os.uname().machine != "x86_64" if hasattr(os, "uname") else True, reason="names kernels of x86-64")
def test_older_instructions_make_the_same_datasets():
    script = ROOT / "benchmarks" / "check_same_bytes.py"
    done = subprocess.run([sys.executable, str(script), "--quick"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("'images': 0, 'levels': 0.0, 'masks': 0, 'labels': 0") == 2
