"""A package of somebody else's (`toy_package/`) adds one of each kind, and every entry point knows them.

Kinds are known to the whole process, so everything here happens in child processes.
"""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, PathDistribution, version
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree

import pytest

ROOT = Path(__file__).parent.parent
try:
    SETUPTOOLS = int(version("setuptools").partition(".")[0])
except PackageNotFoundError:
    SETUPTOOLS = 0
TOY = Path(__file__).parent / "toy_package"
CHECKS = sorted(path.name for path in (TOY / "tests").glob("test_*.py"))


def announce(folder, package, entry_points):
    """Write what an installer leaves of a distribution: its name and its entry points by group."""
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("".join(f"[{group}]\n{lines}\n" for group, lines in entry_points.items()))
    return folder


def toy_entry_points():
    """Those of the toy package's `pyproject.toml`, as they stand in `entry_points.txt`."""
    found = re.findall(r'\[project\.entry-points\."(.+)"\]\n((?:.+\n)+)', (TOY / "pyproject.toml").read_text())
    return {group: lines.replace('"', "") for group, lines in found}


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder with the toy package, installed by hand: what pip needs may be missing."""
    folder = announce(tmp_path_factory.mktemp("site"), "nsa-toy", toy_entry_points())
    copytree(TOY / "nsa_toy", folder / "nsa_toy", ignore=lambda *_: ["__pycache__"])
    return folder


def python(*arguments, site, cwd):
    path = os.pathsep.join(map(str, [site, ROOT]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


@pytest.mark.slow
def test_toy_package_passes_its_own_tests(site, tmp_path):
    checks = [TOY / "tests" / name for name in CHECKS if find_spec("torch") or name != "test_torch.py"]
    options = ("-q", "-c", TOY / "pyproject.toml", "--rootdir", TOY, "--basetemp", tmp_path / "pytest")
    done = python("-m", "pytest", *options, *checks, site=site, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(SETUPTOOLS < 71, reason="pip needs a setuptools that makes wheels by itself")
def test_pip_installs_it_the_same_way(site, tmp_path):
    source = copytree(TOY, tmp_path / "source")
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", tmp_path / "site")
    done = python("-m", "pip", "install", *options, source, site=site, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    by_pip, by_hand = (
        {(entry.group, entry.name, entry.value) for entry in PathDistribution(info).entry_points}
        for folder in (tmp_path / "site", site)
        for info in folder.glob("*.dist-info")
    )
    assert by_pip == by_hand
    modules = [sorted(path.name for path in (folder / "nsa_toy").glob("*.py")) for folder in (tmp_path / "site", site)]
    assert modules[0] == modules[1]


BROKEN = {
    "no such module": ("gone = broken_gone", "No module named 'broken_gone'"),
    "fails while it is imported": ("fails = broken_fails", "ZeroDivisionError: division by zero"),
    "no class of that name": ("other = broken_other", "it defines no class with name = 'other'"),
    "a name that is taken": ("nsa = broken_taken", "name of Taken must not be taken in nsa_augment.tasks, got 'nsa'"),
}
MODULES = {
    "broken_fails": "1 / 0",
    "broken_other": "from nsa_augment import AnomalyTask\nclass Mine(AnomalyTask):\n    name = 'mine'",
    "broken_taken": "from nsa_augment import AnomalyTask\nclass Taken(AnomalyTask):\n    name = 'nsa'",
}
LIST_TASKS = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from nsa_augment.tasks import TASKS, NaturalSyntheticAnomaly
    names = list(TASKS)
    assert list(TASKS) == names
assert TASKS["nsa"] is NaturalSyntheticAnomaly
(warning,) = caught
assert warning.category is RuntimeWarning and warning.filename == "<string>", warning
print(" ".join(names), warning.message, sep="\\n")
"""


@pytest.mark.parametrize("case", BROKEN)
def test_broken_entry_point_is_a_warning_and_the_rest_works(case, site, tmp_path):
    line, reason = BROKEN[case]
    folder = announce(tmp_path / "site", "nsa-broken", {"nsa_augment.tasks": line})
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(text)
    done = python("-c", LIST_TASKS, site=f"{folder}{os.pathsep}{site}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    names, message = done.stdout.splitlines()
    own = {"nsa", "cutpaste", "fpi", "pii", "cutout", "texture", "bank", "mix", "dark_spots"}
    expected = own | ({"mine"} if "other" in line else set())
    assert set(names.split()) == expected
    entry, _, module = line.partition(" = ")
    assert message.startswith(f"cannot use {entry!r} ({module}) of nsa-broken in nsa_augment.tasks: ")
    assert reason in message


def test_known_names_need_no_other_package(tmp_path):
    """What others announce is imported when it is asked for, not before."""
    folder = announce(tmp_path / "site", "nsa-broken", {"nsa_augment.tasks": "gone = broken_gone"})
    code = "from nsa_augment.tasks import bind_task; print(bind_task('nsa', 'screw').label)"
    done = python("-W", "error", "-c", code, site=folder, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "logistic\n"), done.stderr
