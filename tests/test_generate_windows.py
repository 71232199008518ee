"""What Windows lacks is not needed; a script shows it that hides it from Python."""

import subprocess
import sys
from pathlib import Path

import pytest
from dataset_folders import content, make, write_samples


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux to know which files are open")
def test_without_what_only_unix_has(tmp_path):
    folder = write_samples(tmp_path / "in")
    script = Path(__file__).parent / "without_unix.py"
    done = subprocess.run([sys.executable, script, folder, tmp_path], capture_output=True, text=True, check=False)
    assert done.stdout == "as on Unix\n", done.stderr
    make(folder, tmp_path / "here", count=12, layout="coco")
    assert content(tmp_path / "out") == content(tmp_path / "here")
