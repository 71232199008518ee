"""Datasets survive what happens to processes, disks and files."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from dataset_folders import COMMAND, content, make, write_samples

from nsa_augment.datasets import verify

COUNT = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples") / "good", size=128)


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("datasets") / "whole"
    make(folder, out, count=COUNT, layout="coco", origin={"preset": "screw", "ablation": None})
    return content(out)


def start(folder, out, workers=1, **options):
    arguments = ["generate", folder, out, "--preset", "screw", "-n", COUNT, "-w", workers, "--layout", "coco"]
    return subprocess.Popen([*COMMAND, *map(str, arguments)], stderr=subprocess.PIPE, text=True, **options)


def written(out):
    return len(list((out / "images").iterdir())) if (out / "images").exists() else 0


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def children(process):
    """Its workers, without the process that keeps track of semaphores."""
    found = psutil.Process(process.pid).children()
    return [child for child in found if "spawn_main" in " ".join(child.cmdline())]


def finish(folder, out):
    make(folder, out, count=COUNT, layout="coco", origin={"preset": "screw", "ablation": None})


def test_killed_parent(folder, whole, tmp_path):
    out = tmp_path / "out"
    process = start(folder, out, 2)
    wait_for(lambda: written(out) >= 30)
    workers = children(process)
    process.kill()
    process.communicate()
    wait_for(lambda: not any(worker.is_running() for worker in workers))
    assert 30 <= written(out) < COUNT
    assert not (out / "manifest.jsonl").exists()
    with pytest.raises(ValueError, match="must be finished"):
        verify(out)
    finish(folder, out)
    assert content(out) == whole


@pytest.mark.slow
def test_killed_at_random_moments(folder, whole, tmp_path):
    moments = random.Random(0)
    out = tmp_path / "out"
    for turn in range(20):
        process = start(folder, out, 2, stdout=subprocess.DEVNULL)
        begun = written(out)
        wait_for(lambda: written(out) > begun or process.poll() is not None)  # noqa: B023
        time.sleep(moments.uniform(0, 0.15))
        workers = children(process) if process.poll() is None else []
        if turn % 2 and workers:
            moments.choice(workers).kill()
            time.sleep(moments.uniform(0, 1.0))
        process.kill()
        process.communicate()
        wait_for(lambda: not any(worker.is_running() for worker in workers))  # noqa: B023
        if (out / "manifest.jsonl").exists():
            shutil.rmtree(out)
    finish(folder, out)
    assert content(out) == whole


@pytest.mark.slow
def test_killed_while_starting_and_finishing(folder, whole, tmp_path):
    """At moments spread over the whole life of the process, from before its first file to after its last."""
    out = tmp_path / "out"
    begin = time.monotonic()
    _, errors = start(folder, out, 2).communicate(timeout=300)
    life = time.monotonic() - begin
    assert content(out) == whole, errors
    shutil.rmtree(out)
    for turn in range(10):
        process = start(folder, out, 2)
        time.sleep(life * turn / 9)
        process.kill()
        process.communicate()
    finish(folder, out)
    assert content(out) == whole


@pytest.mark.slow
def test_killed_while_growing(folder, whole, tmp_path):
    """Twice: at moments spread over the life of a process that adds to a dataset, and half-way through the next."""
    out, grown = tmp_path / "out", {"layout": "coco", "origin": {"preset": "screw", "ablation": None}}
    make(folder, tmp_path / "small", count=COUNT // 3, **grown)
    begin = time.monotonic()
    shutil.copytree(tmp_path / "small", out)
    _, errors = start(folder, out, 2).communicate(timeout=300)
    life = time.monotonic() - begin
    assert content(out) == whole, errors
    for turn in range(5):
        shutil.rmtree(out)
        shutil.copytree(tmp_path / "small", out)
        for share in (turn / 4, 0.5):
            process = start(folder, out, 2)
            time.sleep(life * share)
            workers = children(process) if process.poll() is None else []
            process.kill()
            process.communicate()
            wait_for(lambda: not any(worker.is_running() for worker in workers))  # noqa: B023
        finish(folder, out)
        assert content(out) == whole


def interrupt(process):
    """Press Ctrl-C in its terminal."""
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "nsa-augment: stopped; run the same command again to continue"
    assert "Traceback" not in errors


def test_ctrl_c(folder, whole, tmp_path):
    out = tmp_path / "out"
    process = start(folder, out, start_new_session=True)
    wait_for(lambda: written(out) >= 30)
    interrupt(process)
    assert 30 <= written(out) < COUNT
    finish(folder, out)
    assert content(out) == whole


@pytest.mark.parametrize("later", [0.1, *(pytest.param(moment, marks=pytest.mark.slow) for moment in (0, 0.3))])
def test_ctrl_c_while_workers_start(later, folder, tmp_path):
    process = start(folder, tmp_path / "out", 2, start_new_session=True)
    wait_for(lambda: children(process))
    time.sleep(later)
    interrupt(process)


def test_two_processes_at_once_and_a_killed_worker(folder, whole, tmp_path):
    out = tmp_path / "out"
    process = start(folder, out, 2)
    wait_for(lambda: written(out) >= 5)
    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(ValueError, match="another process is writing"):
            make(folder, out, count=COUNT, layout="coco")
        children(process)[0].kill()
    finally:
        process.send_signal(signal.SIGCONT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert content(out) == whole


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


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from nsa_augment.cli import main
main()
"""


@pytest.mark.parametrize(("limit", "name", "workers"), [(5_000, "images/", 1), (60_000, "journal.jsonl", 0)])
def test_files_that_cannot_be_written_whole(folder, whole, tmp_path, limit, name, workers):
    """A limit on the size of files, which strikes in the middle of a file as a full disk does."""
    out = tmp_path / "out"
    arguments = ["generate", folder, out, "--preset", "screw", "-n", COUNT, "-w", workers, "--layout", "coco"]
    command = [sys.executable, "-c", LIMITED, str(limit), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("nsa-augment: [Errno 27] File too large")
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(out.rglob("*.tmp"))
    finish(folder, out)
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
