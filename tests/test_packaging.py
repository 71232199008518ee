"""What packages are asked for, and that the oldest versions that are tested are those that are promised."""

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nsa_augment.cli import app

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
NOT_RUN_BY_TESTS = {"mypy", "ruff", "types-PyYAML"}
COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


def requirements():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [requirement for group in groups for requirement in group if not requirement.startswith("nsa-augment[")]


def lower_bounds():
    """(package, version) of every requirement but exact ones."""
    for requirement in requirements():
        match = re.fullmatch(r"([\w-]+)(?:>=([\d.]+)(?:,<[\d.]+)?|==[\d.]+)?", requirement)
        assert match, requirement
        if "==" not in requirement and match[1] not in NOT_RUN_BY_TESTS:
            yield match.groups()


def test_every_lower_bound_is_tested():
    lines = (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    bounds = {bound for bound in lower_bounds() if bound[0] != "torch"}
    assert len(bounds) > 15
    tested = sorted(line for line in lines if not line.startswith("#"))
    assert tested == sorted(f"{name}=={low}" for name, low in bounds)


def test_the_lower_bound_of_torch_is_tested_on_hosted_machines():
    (bound,) = {low for name, low in lower_bounds() if name == "torch"}
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert f'"torch=={bound}"' in workflow


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS)], ids=str)
def test_help_is_shown(arguments):
    shown = CliRunner().invoke(app, [*arguments, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Usage" in shown.output
    assert "--help" in shown.output
