"""Datasets survive what happens to processes, disks and files."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from dataset_folders import COMMAND, content, make, write_samples
from processes import workers_of

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


def finish(folder, out):
    make(folder, out, count=COUNT, layout="coco", origin={"preset": "screw", "ablation": None})


@pytest.mark.slow
def test_killed_parent(folder, whole, tmp_path):
    out = tmp_path / "out"
    process = start(folder, out, 2)
    wait_for(lambda: written(out) >= 30)
    workers = workers_of(process)
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
        workers = workers_of(process) if process.poll() is None else []
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
            workers = workers_of(process) if process.poll() is None else []
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
    wait_for(lambda: workers_of(process))
    time.sleep(later)
    interrupt(process)


@pytest.mark.slow
def test_two_processes_at_once_and_a_killed_worker(folder, whole, tmp_path):
    out = tmp_path / "out"
    process = start(folder, out, 2)
    wait_for(lambda: written(out) >= 5)
    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(ValueError, match="another process is writing"):
            make(folder, out, count=COUNT, layout="coco")
        workers_of(process)[0].kill()
    finally:
        process.send_signal(signal.SIGCONT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert content(out) == whole


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from nsa_augment.cli import main
main()
"""


@pytest.mark.slow
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
