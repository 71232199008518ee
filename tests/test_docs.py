"""The Python in the documentation for people who write kinds of their own runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "how_to" / "write_your_own.md"


@pytest.mark.slow
def test_write_your_own_runs(tmp_path):
    """In a process of its own, as it registers kinds."""
    pytest.importorskip("torch")
    page = PAGE.read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 6
    (tmp_path / "page.py").write_text("\n\n".join(blocks))
    command = [sys.executable, "-W", "error", str(tmp_path / "page.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_write_your_own_names_every_group_of_entry_points():
    from nsa_augment._shared.registry import _REGISTRIES

    page = PAGE.read_text()
    assert [group for group in _REGISTRIES if f"`{group}`" not in page] == []
