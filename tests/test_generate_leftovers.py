"""Whatever an interrupted dataset leaves behind, and disks that are full or cannot be written."""

import errno
import os
import shutil

import pytest
from dataset_folders import content, make, write_samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples") / "good", size=128)


@pytest.fixture(scope="module")
def halves(folder, tmp_path_factory):
    """A dataset of 20 images of which some are made, and what it will be."""
    root = tmp_path_factory.mktemp("halves")
    make(folder, root / "whole", count=20)

    def stop(state):
        if state.done >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(folder, root / "out", count=20, on_progress=stop)
    return root / "out", content(root / "whole")


@pytest.fixture
def begun(halves, tmp_path):
    """The same, which a test may change."""
    return shutil.copytree(halves[0], tmp_path / "out"), halves[1]


def test_images_may_move_in_between(tmp_path):
    folder = write_samples(tmp_path / "in")

    def stop(state):
        if state.done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(folder, tmp_path / "out", on_progress=stop)
    moved = folder.rename(tmp_path / "moved")
    make(moved, tmp_path / "out")
    make(moved, tmp_path / "whole")
    recipes = [content(tmp_path / name) for name in ("out", "whole")]
    assert {recipe.pop("recipe.json") == b"" for recipe in recipes} == {False}
    assert recipes[0] == recipes[1]


@pytest.mark.parametrize("damage", ["torn", "garbage", "zeros", "nothing", "stale", "other file", "no journal"])
def test_whatever_is_left_behind(folder, begun, damage):
    out, whole = begun
    journal = out / ".nsa-augment" / "journal.jsonl"
    lines = journal.read_bytes()
    assert lines.count(b"\n") >= 10
    if damage == "torn":
        journal.write_bytes(lines[:-30])
    elif damage == "garbage":
        journal.write_bytes(
            b'{"index": 1\n[2]\n{"index": "3"}\n{"index": 400}\n\xff\n'
            + lines
            + b'{"index": 2}\n{"index": 3, "kind": 0, "files": {"image": 1}}\n{"ind'
        )
    elif damage == "zeros":
        journal.write_bytes(lines[: len(lines) // 2] + bytes(1000))
        (out / "images" / "002.png").write_bytes(bytes(100))
    elif damage == "nothing":
        journal.write_bytes(b"")
    elif damage == "stale":
        (out / ".nsa-augment" / "0123.tmp").write_bytes(b"half")
    elif damage == "other file":
        (out / "images" / "003.png").write_bytes((out / "images" / "004.png").read_bytes())
    else:
        journal.unlink()
    state = make(folder, out, count=20)
    assert state.kept < 20
    assert content(out) == whole


def test_a_source_that_becomes_unreadable(tmp_path, folder):
    images = shutil.copytree(folder, tmp_path / "images")
    spoilt, kept = images / "003.png", folder / "003.png"

    def spoil(state):
        if not state.done:
            spoilt.write_bytes(b"")

    with pytest.raises(ValueError, match=r"003\.png has changed since the dataset was begun"):
        make(images, tmp_path / "out", count=100, on_progress=spoil)
    spoilt.unlink()
    with pytest.raises(ValueError, match=r"003\.png is missing now"):
        make(images, tmp_path / "out", count=100)
    spoilt.write_bytes(kept.read_bytes())
    make(images, tmp_path / "out", count=100)
    make(folder, tmp_path / "whole", count=100)
    expected = content(tmp_path / "whole")
    expected.pop("recipe.json")
    assert content(tmp_path / "out").items() >= expected.items()


def test_a_damaged_source_is_named(folder, tmp_path):
    images = shutil.copytree(folder, tmp_path / "images")
    (images / "003.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"cannot decode image file .*003\.png"):
        make(images, tmp_path / "out", count=100)


@pytest.mark.parametrize("name", ["images/007.png", "labels/012.png", "manifest.jsonl", "journal.jsonl", "contact.png"])
def test_a_full_disk(folder, begun, monkeypatch, name):
    out, whole = begun
    replace = os.replace

    def full(source, target):
        if str(target).endswith(name):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    if name == "journal.jsonl":
        (out / ".nsa-augment" / name).unlink()
    for path in out.glob(name):
        path.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space left on device") as caught:
            make(folder, out, count=20)
    assert name in str(caught.value)
    assert not list(out.rglob("*.tmp"))
    make(folder, out, count=20)
    assert content(out) == whole


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(folder, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="out"):
        make(folder, tmp_path / "out")


def test_a_place_that_cannot_be_a_folder(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        make(folder, tmp_path / "file" / "out")
