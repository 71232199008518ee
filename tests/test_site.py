"""The pages of the documentation agree with the code. test_page_code.py runs what they show."""

import importlib.util
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from nsa_augment import (
    Augmentation,
    Filling,
    Jitter,
    NaturalSyntheticAnomaly,
    PatchPlacement,
    Polygon,
    SynthesisPlan,
)
from nsa_augment._shared.registry import _REGISTRIES
from nsa_augment.blending import BLENDINGS
from nsa_augment.datasets import Options, generate
from nsa_augment.labelling import LABELS
from nsa_augment.planning import OUTLINES
from nsa_augment.planning.patterns import Pattern, pattern_from_dict
from nsa_augment.samples import write_samples
from nsa_augment.tasks import PRESETS, TASKS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def load(name):
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generated = load("generated")


def documented(part):
    """Names in the first column of a table of docs/reference/formats.md."""
    page = (DOCS / "reference" / "formats.md").read_text(encoding="utf-8")
    lines = page.partition(f"<!-- fields: {part} -->\n\n")[2].partition("\n\n")[0].splitlines()
    return [re.match(r"\| `(\w+)` \|", line)[1] for line in lines[2:]]


def test_fields_of_plans():
    augmentation = Augmentation.from_dict({"kind": "posterise", "values": [4]})
    filling = Filling(pattern_from_dict({"kind": "mean"}), (augmentation,))
    jitter = Jitter()
    outline = Polygon(((0, 0), (0, 1), (1, 1)))
    patch = PatchPlacement((0, 0, 9, 9), (0, 0, 9, 9), shape=outline, jitter=jitter, filling=filling)
    plan = SynthesisPlan((9, 9), (9, 9), (patch,), source_fit="native", task="nsa", severity=0.5)
    plain = plan.to_dict()
    assert documented("plan") == list(plain)
    assert documented("patch") == list(plain["patches"][0])
    assert documented("jitter") == list(plain["patches"][0]["jitter"])
    assert documented("filling") == list(plain["patches"][0]["filling"])
    assert isinstance(filling.pattern, Pattern)


def test_fields_of_datasets(tmp_path):
    write_samples(tmp_path / "products", "hide", size=64, train=6, good=0, defective=0)
    options = Options(backgrounds=1, tile=(48, 48), overlap=32)
    task = NaturalSyntheticAnomaly.from_preset("leather")
    generate(tmp_path / "products/hide/train/good", tmp_path / "out", task, count=2, options=options, workers=0)
    lines = (tmp_path / "out" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert {name for line in lines for name in json.loads(line)} == set(documented("manifest"))
    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text(encoding="utf-8"))
    assert documented("recipe") == list(recipe)
    page = (DOCS / "reference" / "formats.md").read_text(encoding="utf-8")
    assert [field.name for field in fields(Options) if f"`{field.name}`" not in page] == []


def test_the_preset_in_the_formats_is_one(tmp_path):
    page = (DOCS / "reference" / "formats.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "preset.yaml").write_text(text)
    task = NaturalSyntheticAnomaly.from_preset(tmp_path / "preset.yaml")
    assert {name: getattr(task, name) for name in ("label", "logistic_midpoint")} == {
        "label": "logistic",
        "logistic_midpoint": 4,
    }


def test_generated_parts_name_everything():
    parts = {name: part() for name, part in generated.PARTS.items() if name != "commands"}
    assert [name for name in PRESETS if f"| `{name}` |" not in parts["presets"]] == []
    assert [name for name in TASKS if f"`{name}`" not in parts["task_arguments"]] == []
    assert [name for name in OUTLINES if f"`{name}`" not in parts["outlines"]] == []
    pages = [page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md")]
    used = {name for page in pages for name in re.findall(r"^<!-- generated: (\w+) -->$", page, re.MULTILINE)}
    assert used == set(generated.PARTS)


@pytest.mark.slow
def test_generated_commands():
    from nsa_augment.cli import app

    text = generated.commands()
    for command in app.registered_commands:
        assert f"## `nsa-augment {command.name or command.callback.__name__}`" in text


def test_every_page_is_in_the_navigation_and_has_one_title():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    listed = re.findall(r"[\w/]+\.md", navigation)
    pages = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
    assert sorted(listed) == pages
    for page in DOCS.rglob("*.md"):
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1, page
        assert "![](" not in text, page


def test_links_between_pages():
    """Those that MkDocs checks too, for people who read the pages elsewhere."""
    for page in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", text):
            if not target.startswith(("http", "mailto")):
                assert (page.parent / target).is_file(), f"{page}: {target}"


def test_the_gallery_shows_every_kind():
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    sections = {part.partition("\n")[0]: part for part in page.split("\n## ")}
    outlines = [name for name, kind in OUTLINES.items() if kind.drawable]
    kinds = {"Tasks": TASKS, "Outlines": outlines, "Blendings": BLENDINGS, "Labels": LABELS}
    for title, names in kinds.items():
        assert [name for name in names if f"### `{name}`" not in sections[title]] == [], title


@pytest.mark.slow
@pytest.mark.parametrize("page", ["gallery.md", "explanation/method.md", "explanation/poisson.md"])
def test_pages_with_pictures_can_be_drawn(page, tmp_path):
    target = tmp_path / "docs" / page
    target.parent.mkdir(parents=True)
    target.write_text((DOCS / page).read_text(encoding="utf-8"), encoding="utf-8")
    written = load("pictures").draw(target)
    text = target.read_text(encoding="utf-8")
    assert len(written) == len(re.findall(r"^!\[", text, re.MULTILINE)) > 0
    for path in written:
        assert (DOCS / path.relative_to((tmp_path / "docs").resolve())).is_file()


def test_write_your_own_names_every_group_of_entry_points():
    page = (DOCS / "how_to" / "write_your_own.md").read_text(encoding="utf-8")
    assert [group for group in _REGISTRIES if f"`{group}`" not in page] == []
