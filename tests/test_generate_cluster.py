"""A Dask cluster makes the same dataset as local processes, also when its workers die."""

import importlib
import itertools
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack

import psutil
import pytest
from dataset_folders import COMMAND, command, content, make, write_samples
from processes import workers_of

from nsa_augment.tasks import TASKS

pytest.importorskip("distributed")

COUNT = 120
KINDS = """
from nsa_augment import NaturalSyntheticAnomaly

class Plain(NaturalSyntheticAnomaly):
    name = "plain"

class Unreadable(NaturalSyntheticAnomaly):
    name = "unreadable"

    def draw(self, scene, rng):
        raise OSError("Input/output error")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples") / "good", size=128)


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("datasets") / "whole"
    make(folder, out, count=COUNT, layout="mvtec", origin={"preset": "screw", "ablation": None})
    return content(out)


def end(process):
    if process.poll() is not None:
        return
    for each in [*psutil.Process(process.pid).children(recursive=True), process]:
        each.kill()
    process.wait()


class Machines:
    """A scheduler, and workers that are started one by one."""

    def __init__(self, folder, stack):
        self._folder, self._stack = folder, stack
        file = folder / "scheduler.json"
        self.scheduler = self._run("scheduler", "--port", "0", "--host", "127.0.0.1", "--scheduler-file", file)
        while not file.exists() or not file.read_text().endswith("}"):
            time.sleep(0.1)
        self.address = json.loads(file.read_text())["address"]

    def worker(self, *options):
        return self._run("worker", self.address, "--nthreads", "1", "--local-directory", self._folder, *options)

    def _run(self, *arguments):
        page = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")  # a free port for its HTTP server
        words = [sys.executable, "-m", "dask", *map(str, arguments), *page]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._stack.callback(end, process)
        return process

    def wait(self, workers):
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A module with a task, which workers can import but do not unless they are told."""
    place = tmp_path / "packages"
    place.mkdir()
    (place / "cluster_kinds.py").write_text(KINDS)
    monkeypatch.syspath_prepend(place)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.setattr(TASKS, "_kinds", dict(TASKS._kinds))
    yield importlib.import_module("cluster_kinds")
    sys.modules.pop("cluster_kinds", None)


@pytest.fixture
def machines(tmp_path, package):
    with ExitStack() as stack:
        yield Machines(tmp_path, stack)


def arguments(folder, out, address):
    shown = ("generate", folder, out, "--preset", "screw", "-n", COUNT, "--layout", "mvtec")
    return (*shown, "--backend", "dask", "--scheduler", address)


def start(folder, out, machines):
    words = [*COMMAND, *map(str, arguments(folder, out, machines.address))]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for_images(out, count, process):
    while len(list(out.glob("product/test/nsa/*.png"))) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.slow
def test_the_same_dataset_as_local_processes(folder, whole, machines, package, tmp_path):
    machines.worker("--no-nanny")
    machines.worker("--no-nanny")
    machines.wait(2)
    done = command(*arguments(folder, tmp_path / "out", machines.address))
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "out") == whole
    task, cluster = package.Plain.from_preset("screw"), {"backend": "dask", "scheduler": machines.address}
    make(folder, tmp_path / "plain", task, workers=None, **cluster)
    make(folder, tmp_path / "here", task)
    assert content(tmp_path / "plain") == content(tmp_path / "here")


@pytest.mark.slow
@pytest.mark.parametrize("nanny", ["--nanny", "--no-nanny"])
def test_a_worker_that_is_killed(folder, whole, machines, tmp_path, nanny):
    workers = [machines.worker(nanny) for _ in range(2)]
    machines.wait(2)
    process = start(folder, tmp_path / "out", machines)
    wait_for_images(tmp_path / "out", 20, process)
    killed = psutil.Process(workers[0].pid)
    if nanny == "--nanny":
        killed = workers_of(killed)[0]
    killed.kill()
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert content(tmp_path / "out") == whole


@pytest.mark.slow
def test_a_scheduler_that_is_killed(folder, whole, machines, tmp_path):
    machines.worker("--no-nanny")
    machines.wait(1)
    process = start(folder, tmp_path / "out", machines)
    wait_for_images(tmp_path / "out", 20, process)
    machines.scheduler.kill()
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert errors.splitlines()[-1].startswith("nsa-augment: lost the Dask cluster")
    done = command(*arguments(folder, tmp_path / "out", machines.address)[:-4], "-w", 1)
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "out") == whole


@pytest.mark.slow
@pytest.mark.parametrize("is_noticed", [False, True])
@pytest.mark.parametrize("call", ["Client.nthreads", "Client.submit", "wait", "Future.result"])
def test_a_scheduler_that_is_gone_before_a_call(folder, machines, tmp_path, monkeypatch, call, is_noticed):
    import distributed

    machines.worker("--no-nanny")
    machines.wait(1)
    monkeypatch.setattr("nsa_augment.datasets._cluster.CONNECT_SECONDS", 2)
    connect, clients = distributed.Client, []
    monkeypatch.setattr(
        "distributed.Client", lambda *args, **options: clients.append(connect(*args, **options)) or clients[-1]
    )
    owner = {"Client": connect, "Future": distributed.Future, "wait": distributed}[call.split(".")[0]]
    name = call.split(".")[-1]
    original, calls = getattr(owner, name), itertools.count(1)

    def called(*arguments, **options):
        if next(calls) == (1 if name == "nthreads" else 2):
            machines.scheduler.kill()
            machines.scheduler.wait()
            while is_noticed and clients[-1].status != "closed":
                time.sleep(0.1)
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, called)
    with pytest.raises(ChildProcessError, match=r"^lost the Dask cluster at .*; run the same command again"):
        make(folder, tmp_path / "out", count=COUNT, workers=None, backend="dask", scheduler=machines.address)


@pytest.mark.slow
def test_errors_of_workers_stay_what_they_are(folder, machines, package, tmp_path):
    machines.worker("--no-nanny")
    machines.wait(1)
    task = package.Unreadable.from_preset("screw")
    with pytest.raises(OSError, match=r"^Input/output error$"):
        make(folder, tmp_path / "out", task, workers=None, backend="dask", scheduler=machines.address)


def test_no_scheduler_and_no_workers(folder, tmp_path, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr("nsa_augment.datasets._cluster.CONNECT_SECONDS", 1)
    with LocalCluster(n_workers=0, processes=False, protocol="tcp://", dashboard_address=":0") as cluster:
        done = command(*arguments(folder, tmp_path / "out", cluster.scheduler_address))
    assert done.returncode == 1
    assert "must have workers" in done.stderr.splitlines()[-1]
    done = command(*arguments(folder, tmp_path / "out", "tcp://127.0.0.1:1"))
    assert done.returncode == 1
    assert "cannot reach a Dask scheduler at tcp://127.0.0.1:1" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"nsa-augment\[distributed\]"):
        make(folder, tmp_path / "out", workers=None, backend="dask", scheduler="tcp://127.0.0.1:1")
