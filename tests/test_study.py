"""The study of detectors: configurations, runs that are resumed or refused, and the arithmetic of its tables."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from processes import workers_of

torch = pytest.importorskip("torch")


from examples.train_detector import jobs, study  # noqa: E402
from examples.train_detector.configurations import Configuration, read_configurations, suits  # noqa: E402
from examples.train_detector.files import read_image  # noqa: E402
from examples.train_detector.settings import Settings  # noqa: E402
from examples.train_detector.training import Stopped  # noqa: E402
from nsa_augment import PRESETS  # noqa: E402
from nsa_augment.samples import write_samples  # noqa: E402

ROOT = Path(__file__).parent.parent
TWO = "published: {}\nsilhouette: {objects: {blending: silhouette}, set: {candidates: 2}}\n"


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def no_calibration():
    raise AssertionError("calibrated without being asked to")


def task_of(configuration, preset):
    bound = configuration.bind(preset, no_calibration)
    return Settings("any", epochs=1, size=64, batch=2, seed=0, precision="float32", view=preset, **bound).make_task()


def file_of(folder, text):
    path = folder / "configurations.yaml"
    path.write_text(text)
    return path


def test_shipped_configurations_bind_to_every_class():
    shipped = read_configurations(study.SHIPPED)
    names = ["published", "candidates", "silhouette", "together", "calibrated"]
    names += ["texture", "mix", "cutpaste", "fpi", "pii"]
    assert list(shipped) == names
    del shipped["calibrated"]
    for preset, columns in PRESETS.items():
        for name, configuration in shipped.items():
            has_object = columns.get("background") is not None
            assert suits(task_of(configuration, preset)) == (name != "silhouette" or has_object)
    assert (
        task_of(shipped["published"], "screw")
        == Settings("any", "screw", "nsa", "logistic", None, 1, 64, 2, 0, "float32", "screw").make_task()
    )


def test_configurations_change_what_they_say(tmp_path):
    found = read_configurations(
        file_of(
            tmp_path,
            """
            texture: {task: texture, preset: memseg, set: {noise_scales: [0, 3]}}
            both: {set: {candidates: 4}, objects: {blending: silhouette}}
            mix: {label: binary, parts: [{task: nsa, weight: 3}, {task: cutpaste, max_patches: 1}]}
            C: {ablation: C, label: continuous}
            """,
        )
    )
    texture = task_of(found["texture"], "screw")
    assert (texture.structure, texture.noise_scales, texture.background) == (0.5, (0, 3), ((200.0, 60.0),))
    screw, leather = (task_of(found["both"], preset) for preset in ("screw", "leather"))
    assert (screw.candidates, screw.blending) == (4, "silhouette")
    assert (leather.candidates, leather.blending) == (4, "poisson")
    mix = task_of(found["mix"], "screw")
    assert [(part.name, part.label, weight) for part, weight in mix.parts] == [
        ("nsa", "binary", 3),
        ("cutpaste", "binary", 1),
    ]
    assert (task_of(found["C"], "screw").selection, task_of(found["C"], "screw").label) == ("cutpaste", "continuous")


def test_calibrated_presets_are_asked_for_once_needed(tmp_path):
    path = file_of(tmp_path, "max_patches: 2\nbackground: [10, 20]\n")
    bound = Configuration(preset="calibrated").bind("screw", lambda: str(path))
    assert bound["preset"] == str(path)
    settings = Settings("any", epochs=1, size=64, batch=2, seed=0, precision="float32", view="screw", **bound)
    assert settings.make_task().max_patches == 2
    assert settings.to_dict()["preset"] == path.name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must map names to configurations"),
        ("[1, 2]", "must map names to configurations"),
        ("a: {", "must be a YAML file"),
        ("a: {}\na: {}", "different names .* got 'a'"),
        ("../a: {}", "different names .* got '../a'"),
        ("a: 3", "configuration a .* must be a mapping with keys of task, preset"),
        ("a: {candidates: 4}", "must be a mapping with keys of task, preset"),
        ("a: {set: 4}", "set of configuration a .* must map arguments to values, got 4"),
    ],
)
def test_files_that_are_no_configurations(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_configurations(file_of(tmp_path, text))


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder, ["bolt", "hide"], size=64, train=4, good=2, defective=1)
    return folder


def arguments(samples, out, configurations, **options):
    given = {"seeds": 2, "epochs": 1, "size": 64, "batch": 2, "device": "cpu", "jobs": 1, **options}
    paths = ["--data", samples, "--out", out, "--configurations", configurations]
    return [str(part) for part in (*paths, *(part for name, value in given.items() for part in (f"--{name}", value)))]


def run_study(monkeypatch, *given):
    monkeypatch.setattr(sys, "argv", ["study", *given])
    with pytest.raises(SystemExit) as stopped:
        study.main()
    return stopped.value.code


@pytest.mark.slow
def test_a_study_is_trained_once_and_refuses_other_settings(samples, tmp_path, monkeypatch, capsys):
    given = arguments(samples, tmp_path / "study", file_of(tmp_path, TWO))
    assert run_study(monkeypatch, *given) == 0
    assert "8 of 8 runs to train" in capsys.readouterr().out
    runs = sorted((tmp_path / "study").glob("runs/*/*/seed*"))
    assert len(runs) == 8
    assert {tuple(sorted(path.name for path in run.iterdir())) for run in runs} == {
        ("config.json", "history.json", "predictions.npz")
    }
    assert json.loads((runs[-1] / "config.json").read_text())["overrides"] == {"candidates": 2}
    assert json.loads((runs[-4] / "config.json").read_text())["overrides"]["candidates"] == 2
    assert sorted(path.name for path in (tmp_path / "study").iterdir()) == [
        "bolt.png",
        "hide.png",
        "runs",
        "study.csv",
        "study.md",
    ]
    assert read_image(tmp_path / "study" / "bolt.png").std() > 10
    before = {run: (run / "predictions.npz").stat().st_mtime_ns for run in runs}
    assert run_study(monkeypatch, *given) == 0
    assert "0 of 8 runs to train" in capsys.readouterr().out
    assert before == {run: (run / "predictions.npz").stat().st_mtime_ns for run in runs}
    other = arguments(samples, tmp_path / "study", file_of(tmp_path, TWO), epochs=2)
    assert run_study(monkeypatch, *other) == 1
    message = capsys.readouterr().err
    assert "config.json was made with epochs 1, not 2: use another --out" in message
    other = arguments(samples, tmp_path / "study", file_of(tmp_path, TWO.replace("2}", "3}")))
    assert run_study(monkeypatch, *other) == 1
    assert "was made with overrides" in capsys.readouterr().err
    (tmp_path / "study").rename(tmp_path / "moved")
    moved = [*arguments(samples, tmp_path / "moved", file_of(tmp_path, TWO)), "--report-only"]
    assert run_study(monkeypatch, *moved) == 0
    assert "to train" not in capsys.readouterr().out


@pytest.mark.slow
def test_mistakes_are_named_before_anything_is_trained(samples, tmp_path, monkeypatch, capsys):
    for text, message in (
        ("a: {set: {candidate: 4}}", "configuration a: NaturalSyntheticAnomaly() got unexpected"),
        ("a: {task: paint}", "configuration a: task must be one of"),
    ):
        given = arguments(samples, tmp_path / "study", file_of(tmp_path, text))
        assert run_study(monkeypatch, *given) == 1
        assert message[:20] in capsys.readouterr().err
        assert not (tmp_path / "study" / "runs").exists()
    given = [*arguments(samples, tmp_path / "study", file_of(tmp_path, TWO)), "--report-only"]
    assert run_study(monkeypatch, *given) == 1
    assert "no finished run in" in capsys.readouterr().err


@pytest.fixture
def job(samples, tmp_path):
    bound = Configuration().bind("screw", no_calibration)
    settings = Settings("bolt", epochs=2, size=64, batch=2, seed=0, precision="float32", view="screw", **bound)
    return jobs.Job("published", settings, samples / "bolt", tmp_path / "run")


@pytest.mark.slow
def test_a_stopped_run_continues_from_its_checkpoint(job, tmp_path, monkeypatch):
    whole = replace(job, folder=tmp_path / "whole")
    jobs._run(whole, "cpu", 0)
    steps = iter([False, False, False, True])
    monkeypatch.setattr(jobs, "_stop", lambda: next(steps))
    with pytest.raises(Stopped):
        jobs._run(job, "cpu", 0)
    assert sorted(path.name for path in job.folder.iterdir()) == ["checkpoint.pt", "config.json"]
    state = torch.load(job.folder / "checkpoint.pt", weights_only=True)
    assert (state["epoch"], state["step"]) == (1, 0)
    monkeypatch.setattr(jobs, "_stop", lambda: False)
    jobs._run(job, "cpu", 0)
    with np.load(job.folder / "predictions.npz") as resumed, np.load(whole.folder / "predictions.npz") as uninterrupted:
        assert np.array_equal(resumed["maps"], uninterrupted["maps"])


@pytest.fixture
def two_running(samples, tmp_path):
    """A study in a process of its own, once two runs of many epochs have begun."""
    given = arguments(samples, tmp_path / "study", file_of(tmp_path, "published: {}"), epochs=10_000, jobs=2)
    command = [sys.executable, "-m", "examples.train_detector.study", *given]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            deadline = time.monotonic() + 300
            while len(list(tmp_path.glob("study/runs/*/*/seed*/config.json"))) < 2 and time.monotonic() < deadline:
                time.sleep(0.2)
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_ctrl_c_leaves_checkpoints(two_running, tmp_path):
    os.killpg(two_running.pid, signal.SIGINT)
    _, errors = two_running.communicate(timeout=300)
    assert two_running.returncode == 130
    assert errors.strip().splitlines()[-1].startswith("stopped; the same command resumes")
    assert "Traceback" not in errors
    assert len(list(tmp_path.glob("study/runs/*/*/seed*/checkpoint.pt"))) == 2


@pytest.mark.slow
def test_a_killed_study_leaves_checkpoints_and_no_process(two_running, tmp_path):
    training = workers_of(two_running)
    assert len(training) == 2
    two_running.kill()
    _, alive = psutil.wait_procs(training, timeout=300)
    assert not alive
    assert len(list(tmp_path.glob("study/runs/*/*/seed*/checkpoint.pt"))) == 2
