import errno
import gc
import multiprocessing
import resource
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from dataset_folders import make, write_samples
from worker_functions import chunks, die, large, refuse, refuse_oddly

import nsa_augment
from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.datasets._items import ItemMaker
from nsa_augment.datasets._processes import Processes


def test_workers_that_always_die_end_in_an_error(tmp_path, monkeypatch):
    folder = write_samples(tmp_path / "in")
    monkeypatch.setattr("nsa_augment.datasets.generation.make_chunk", die)
    monkeypatch.setattr("nsa_augment.datasets._processes.MAX_DEATHS", 1)  # of 3: each costs the start of a process
    with pytest.raises(ChildProcessError, match="run the same command again"):
        make(folder, tmp_path / "out", workers=1)
    monkeypatch.undo()
    make(folder, tmp_path / "out")
    assert not multiprocessing.active_children()


def run_killing(first, runs, kills=3):
    """In a process of its own, which can be ended if it hangs."""
    code = f"import worker_functions as w; [w.kill_while_sending(s, {kills}) for s in range({first}, {first + runs})]"
    words = {"capture_output": True, "text": True, "check": False, "cwd": Path(__file__).parent}
    done = subprocess.run([sys.executable, "-c", code], timeout=120 * runs, **words)
    assert done.returncode == 0, done.stderr


def test_killed_workers_never_stop_the_others():
    run_killing(0, 1, kills=1)


@pytest.mark.slow
def test_killed_workers_never_stop_the_others_in_many_runs():
    run_killing(1000, 20)


def test_errors_of_workers_arrive_with_their_origin():
    with pytest.raises(OSError, match="nothing free") as caught:
        list(Processes(1).run(refuse, chunks(3, 1)))
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "images/000.png")
    assert "in refuse" in str(caught.value.__cause__)
    with pytest.raises(RuntimeError, match="OddError: odd"):
        list(Processes(1).run(refuse_oddly, chunks(3, 1)))


def test_workers_in_a_daemonic_process(tmp_path, monkeypatch):
    """Python asks this flag whether a process may start others."""
    folder = write_samples(tmp_path / "in")
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    with pytest.raises(AssertionError, match="daemonic processes are not allowed to have children"):
        multiprocessing.get_context("spawn").Process().start()
    with pytest.raises(ValueError, match="workers must be 0 in a daemonic process"):
        make(folder, tmp_path / "out", workers=1)
    assert make(folder, tmp_path / "out", workers=0).anomalies == 6


def test_workers_end_with_the_loop_that_uses_them():
    taken = iter(chunks(1000, 10))
    results = Processes(2).run(large, taken)
    next(results)
    assert len(multiprocessing.active_children()) == 2
    results.close()
    assert not multiprocessing.active_children()
    assert 1000 - len(list(taken)) <= 6, "only some chunks are taken ahead"


def test_images_are_given_back_with_other_caches(tmp_path):
    folder = write_samples(tmp_path / "in", count=3)
    kept = []

    def look(state):
        if state.done:
            nsa_augment.clear_caches()
            gc.collect()
            kept.append([each for each in gc.get_objects() if type(each) is ItemMaker])

    make(folder, tmp_path / "out", count=2, on_progress=look)
    assert kept
    assert not any(kept)


@pytest.mark.slow
def test_memory_of_the_parent_stays_flat(tmp_path):
    folder = write_samples(tmp_path / "in", product="hide", size=32)
    memory = []
    process = psutil.Process()

    def look(state):
        memory.append((state.done, process.memory_info().rss))

    task = NaturalSyntheticAnomaly.from_preset("leather", max_patches=1)
    state = make(folder, tmp_path / "out", task, count=4_000, workers=2, layout="coco", on_progress=look)
    assert state.done == 4_000
    early = max(rss for done, rss in memory if done < 1_000)
    late = max(rss for done, rss in memory)
    assert late - early < 16 * 2**20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - early < 64 * 2**20
