import multiprocessing
import os
import resource
import signal

import psutil
import pytest
from dataset_folders import make, write_samples

from nsa_augment import NaturalSyntheticAnomaly


def test_workers_that_always_die_end_in_an_error(tmp_path, monkeypatch):
    folder = write_samples(tmp_path / "in")
    monkeypatch.setattr("nsa_augment.datasets.generation.make_chunk", die)
    with pytest.raises(ChildProcessError, match="run the same command again"):
        make(folder, tmp_path / "out", workers=1)
    monkeypatch.undo()
    make(folder, tmp_path / "out")
    assert not multiprocessing.active_children()


def die(chunk):
    os.kill(os.getpid(), signal.SIGKILL)


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
