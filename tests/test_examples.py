import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_pytorch_loader():
    pytest.importorskip("torch")
    command = [sys.executable, str(EXAMPLES / "pytorch_loader.py"), "--workers", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("images (8, 3, 128, 128), labels (8, 128, 128), ") for line in lines)
