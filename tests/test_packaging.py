"""What packages are asked for, and that the oldest versions that are tested are those that are promised."""

import re
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from nsa_augment.cli import app

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
NOT_RUN_BY_TESTS = {"mkdocs-material", "mkdocstrings", "mypy", "ruff", "types-PyYAML"}
NEWEST_ONLY = {"albumentationsx", "anomalib", "gradio", "kornia", "lightning", "monai", "torchvision"}
"""Frameworks in environments of their own (`.ci/frameworks`)."""
COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [requirement for group in groups for requirement in group if not requirement.startswith("nsa-augment[")]


def lower_bounds():
    """(package, version) of every requirement but exact ones."""
    for requirement in requirements():
        match = re.fullmatch(r"([\w-]+)(?:\[\w+\])?(?:>=([\d.]+)(?:,<[\d.]+)?|==[\d.]+)?", requirement)
        assert match, requirement
        if "==" not in requirement and match[1] not in NOT_RUN_BY_TESTS | NEWEST_ONLY:
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


def test_the_readme_shows_the_same_away_from_the_repository():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    without_code = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    inline = re.findall(r"\]\(([^)]+)\)", without_code)
    named = dict(re.findall(r"^\[(\w+)\]: (\S+)$", text, re.MULTILINE))
    assert all(target.startswith(("https://", "#")) for target in [*inline, *named.values()])
    assert set(re.findall(r"\]\[(\w+)\]", without_code)) == set(named)
    home = PROJECT["urls"]["Homepage"].removeprefix("https://github.com/")
    own = [re.search(rf"/{home}/(?:blob/)?main/(.+)", target) for target in named.values()]
    assert [match[1] for match in own if match and not (ROOT / match[1]).is_file()] == []
    assert sum(match is not None for match in own) > 8


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["title"], citation["version"]) == (PROJECT["name"], PROJECT["version"])
    assert citation["repository-code"] == PROJECT["urls"]["Homepage"]


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS)], ids=str)
def test_help_is_shown(arguments):
    shown = CliRunner().invoke(app, [*arguments, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Usage" in shown.output
    assert "--help" in shown.output
