"""The Python and the commands in the pages of the documentation run as they stand."""

import inspect
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import page_code
import pytest
import typer
import yaml

from nsa_augment.cli.app import app
from nsa_augment.samples import draw_sample, write_samples

ROOT = Path(__file__).parent.parent
ALL = ["README.md", *sorted(page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md"))]
ELSEWHERE = {
    "docs/explanation/method.md": "test_site.py",
    "docs/explanation/poisson.md": "test_site.py",
    "docs/gallery.md": "test_site.py",
    "docs/how_to/frameworks.md": "test_kornia.py, test_lightning.py and test_monai.py",
    "docs/tutorials/anomalib.md": "test_anomalib_page.py",
}
"""Pages whose Python other tests run."""
ASSUMED = {
    "docs/index.md": """
        from nsa_augment.samples import draw_sample

        image, source = draw_sample("bolt", 0).image, draw_sample("bolt", 1).image
    """,
    "docs/how_to/albumentations.md": """
        from torch.utils.data import Dataset
        from nsa_augment.samples import draw_sample

        rgb, other_rgb = draw_sample("bolt", 0).image, draw_sample("bolt", 1).image
        depth, other_depth = rgb[:, :, 0], other_rgb[:, :, 0]


        class Normals(Dataset):
            def __len__(self):
                return 4

            def __getitem__(self, index):
                return self.transform(image=rgb)["image"]


        dataset = Normals()
    """,
    "docs/how_to/object_masks.md": """
        import numpy as np
        from nsa_augment import NaturalSyntheticAnomaly
        from nsa_augment.samples import draw_sample

        sample = draw_sample("bolt", 0)
        image, object_mask = sample.image, sample.foreground
        source, region, rng = draw_sample("bolt", 1).image, np.tile(np.arange(256) > 100, (256, 1)), 0
        task = NaturalSyntheticAnomaly.from_preset("leather")
    """,
    "docs/how_to/pytorch.md": """
        from types import SimpleNamespace

        import torch
        from nsa_augment.samples import draw_sample

        normal_images = [draw_sample("bolt", index).image for index in range(4)]
        image = torch.from_numpy(normal_images[0]).permute(2, 0, 1)
        batch = SimpleNamespace(image=torch.stack([image, image.flip(1)]) / 255)
        batches = [batch.image, torch.stack([image, image])]
    """,
}
"""What pages take for granted, as Python."""
CHECKED = {
    "docs/how_to/albumentations.md": """
        dataset.transform = pipeline
        images = [batch.numpy() for batch in loader]
        assert len(images) == 4 and (images[0] != images[1]).any()
    """,
    "docs/how_to/object_masks.md": """
        assert out["mask"].any() and out["object_mask"].any()
        assert (result.image == image)[~region].all() and result.mask.any()
    """,
    "docs/how_to/pytorch.md": """
        assert batch.image.shape == (2, 3, 256, 256) and batch.gt_mask.shape == (2, 256, 256)
        assert labels.shape == (2, 256, 256)
    """,
}
"""What must hold after the Python of a page, which only defines it."""
SMALLER = {
    "1000": "12",
    "range(80)": "range(2)",
    "num_workers=4": "num_workers=1",
    "LocalCluster(": "LocalCluster(dashboard_address=':0', ",
}
"""What would take long, or a port that others may use, and what the test runs instead."""
LEFT_OUT = {
    "play": "waits for people",
    "dask": "needs a cluster: test_generate_cluster.py",
}
"""Commands that are not run, by a word in them."""


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def runs(words):
    return not set(words) & set(LEFT_OUT)


def shows_code(page):
    return any(
        block.language == "python" or any(map(runs, block.commands())) for block in page_code.blocks(text_of(page))
    )


RUN = [page for page in ALL if page not in ELSEWHERE and shows_code(page)]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """The folders and files that pages name."""
    folder = tmp_path_factory.mktemp("photographs")
    write_samples(folder, "bolt", train=5, good=0, defective=1)
    (folder / "bolt").rename(folder / "screw")
    normals = [draw_sample("bolt", index) for index in range(6)]
    kinds = {
        "path/to/train/good": lambda sample: sample.image,
        "photos": lambda sample: sample.image,
        "screw/rgb": lambda sample: sample.image,
        "screw/depth": lambda sample: sample.image[:, :, 0],
        "good": lambda sample: sample.image.astype(np.uint16) * 16,
        "cutouts": lambda sample: np.dstack([sample.image, 255 * sample.foreground.astype(np.uint8)]),
    }
    for name, kind in kinds.items():
        (folder / name).mkdir(parents=True)
        for index, sample in enumerate(normals):
            cv2.imwrite(str(folder / name / f"{index}.png"), kind(sample))
    for name, sample in zip(("a.png", "b.png"), normals, strict=False):
        cv2.imwrite(str(folder / name), sample.image)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_the_code_of_a_page_runs(page, photographs, tmp_path):
    pytest.importorskip("albumentations")
    pytest.importorskip("torch")
    shutil.copytree(photographs, tmp_path, dirs_exist_ok=True)
    found = page_code.blocks(text_of(page))
    skipped = {block.line: block.missing() for block in found if block.language == "python" and block.missing()}
    code = page_code.program([block for block in found if block.line not in skipped], runs)
    for shown, smaller in SMALLER.items():
        code = code.replace(shown, smaller)
    code = page_code.joined(ASSUMED.get(page, ""), code, CHECKED.get(page, ""))
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    command, env = [sys.executable, "-W", "error", "page.py"], {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    if skipped:
        lines = ", ".join(f"line {line} ({', '.join(names)})" for line, names in skipped.items())
        pytest.skip(f"{page} runs, without what needs frameworks that cannot be imported: {lines}")


def read(words):
    """Read a command as the program does, and do nothing."""
    group = typer.main.get_command(app)
    context = group.make_context("nsa-augment", list(words))
    if not words[0].startswith("-"):
        name, command, rest = group.resolve_command(context, list(words))
        command.make_context(name, rest, parent=context)


def mistake_in(words):
    """The class of error, of Typer or of Click by version."""
    try:
        read(words)
    except Exception as error:
        return type(error).__name__
    return None


@pytest.mark.parametrize("page", ALL)
def test_the_commands_of_a_page_can_be_read(page):
    for block in page_code.blocks(text_of(page)):
        for words in block.commands():
            read(words)
    for words in page_code.inline_commands(text_of(page)):
        assert mistake_in(words) in (None, "MissingParameter"), words


def test_the_sections_of_frameworks_are_run():
    sections = text_of("docs/how_to/frameworks.md").split("\n## ")[1:]
    titles = [section.partition("\n")[0] for section in sections if "```python" in section]
    assert titles
    for title in titles:
        test = Path(__file__).with_name(f"test_{title.lower()}.py").read_text(encoding="utf-8")
        assert f'run_section("{title}"' in test


@pytest.mark.parametrize("page", ["docs/how_to/pytorch.md", "docs/tutorials/anomalib.md"])
def test_classes_in_configurations_take_their_arguments(page):
    (text,) = [block.text for block in page_code.blocks(text_of(page)) if block.language == "yaml"]
    pending, found = [yaml.safe_load(text)], 0
    while pending:
        config = pending.pop()
        pending += [value for value in config.values() if isinstance(value, dict)]
        if config.get("class_path", "").startswith("nsa_augment."):
            module, _, name = config["class_path"].rpartition(".")
            pytest.importorskip(module.rpartition(".")[2], reason=f"{page} shows a class for it")
            inspect.signature(getattr(import_module(module), name)).bind(**config["init_args"])
            found += 1
    assert found
