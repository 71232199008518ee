"""The reference example: what it reads, how it trains, that a run can be stopped and resumed."""

import hashlib
import json
import os
import signal
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from nsa_augment.samples import write_samples

torch = pytest.importorskip("torch")

from examples.train_detector import training  # noqa: E402
from examples.train_detector.__main__ import main  # noqa: E402
from examples.train_detector.data import find_classes, load_test_set, load_training_images  # noqa: E402
from examples.train_detector.detection import detect  # noqa: E402
from examples.train_detector.files import read_image  # noqa: E402
from examples.train_detector.network import AnomalyDetector  # noqa: E402
from examples.train_detector.settings import BUDGETS, Settings, epochs_of, preset_of  # noqa: E402
from examples.train_detector.views import view_of  # noqa: E402
from nsa_augment.integrations.torch import AnomalyDataset  # noqa: E402

CPU = torch.device("cpu")
SETTINGS = Settings("bolt", "screw", "nsa", "logistic", None, 2, 64, 2, 0, "float32", "screw")

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Threads of small networks wait for one another on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder, ["bolt", "hide"], size=64, train=7, good=2, defective=1)
    return folder


@pytest.fixture
def own_samples(tmp_path):
    write_samples(tmp_path, ["bolt"], size=64, train=2, good=1, defective=1)
    return tmp_path / "bolt"


def make_trainer(samples, checkpoint, settings=SETTINGS, workers=0):
    view = view_of(settings.view, settings.size)
    images = load_training_images(samples / "bolt", view.load_size)
    dataset = AnomalyDataset(images, settings.make_task(), view_transform=view, seed=settings.seed)
    return training.Trainer(settings, dataset, CPU, workers, checkpoint)


def fingerprint(trainer):
    tensors = [*trainer.network.state_dict().values()]
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


def ignore(*_):
    pass


@pytest.fixture(scope="module")
def whole_run(samples, tmp_path_factory):
    """A run without workers or interruptions: its trainer, and its checkpoint."""
    checkpoint = tmp_path_factory.mktemp("whole") / "checkpoint.pt"
    trainer = make_trainer(samples, checkpoint)
    trainer.train(ignore)
    return trainer, checkpoint


def test_finds_classes(samples):
    assert list(find_classes(samples)) == ["bolt", "hide"]
    assert list(find_classes(samples / "bolt")) == ["bolt"]
    with pytest.raises(ValueError, match="--data must be a folder"):
        find_classes(samples / "missing")
    with pytest.raises(ValueError, match=r"CLASS/train/good"):
        find_classes(samples / "bolt" / "test")


def test_reads_images_and_masks(samples):
    test_set = load_test_set(samples / "bolt", 48)
    assert {image.shape for image in test_set.images} == {(48, 48, 3)}
    assert test_set.masks.shape == (len(test_set.images), 256, 256)
    for name, mask in zip(test_set.names, test_set.masks, strict=True):
        assert mask.any() == (not name.startswith("good/"))


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["no mask", "empty mask", "other size", "damaged image", "damaged mask", "no test"])
def test_names_the_file_that_is_wrong(own_samples, damage):
    kind = next(path.name for path in sorted((own_samples / "test").iterdir()) if path.name != "good")
    image = own_samples / "test" / kind / "000.png"
    mask = own_samples / "ground_truth" / kind / "000_mask.png"
    culprit = mask if "mask" in damage or damage == "other size" else image
    if damage == "no mask":
        mask.unlink()
    elif damage == "empty mask":
        cv2.imwrite(str(mask), np.zeros((64, 64), np.uint8))
    elif damage == "other size":
        cv2.imwrite(str(mask), np.full((65, 64), 255, np.uint8))
    elif damage == "no test":
        culprit = own_samples / "test"
        culprit.rename(own_samples / "unused")
    else:
        culprit.write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=str(culprit)):
        load_test_set(own_samples, 64)


def test_thin_defects_survive_shrinking(own_samples):
    kind = next(path.name for path in sorted((own_samples / "test").iterdir()) if path.name != "good")
    image, mask = np.zeros((1024, 1024, 3), np.uint8), np.zeros((1024, 1024), np.uint8)
    mask[101:103, 200:300] = 255
    cv2.imwrite(str(own_samples / "test" / kind / "000.png"), image)
    cv2.imwrite(str(own_samples / "ground_truth" / kind / "000_mask.png"), mask)
    test_set = load_test_set(own_samples, 64)
    found = test_set.masks[test_set.names.index(f"{kind}/000")]
    assert found[25, 50:75].all()
    assert found.sum() == 25


@pytest.mark.parametrize("size", [64, 100, 128, 224, 256])
@pytest.mark.parametrize(("channels", "width"), [(1, 64), (3, 64), (3, 32)])
def test_network_keeps_the_size(size, channels, width):
    network = AnomalyDetector(channels, width=width).eval()
    assert network.predict(torch.zeros(1, channels, size, size)).shape == (1, size, size)


def test_network_is_the_papers():
    network = AnomalyDetector()
    assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 1) == 11.5
    assert all(len(list(network.encoder[index].body)) == 5 for index in range(4, 12))


def test_continuous_predictions_are_grey_levels():
    torch.manual_seed(0)
    images = torch.randn(2, 3, 64, 64)
    network = AnomalyDetector(continuous=True)
    assert torch.equal(network.predict(images), network(images).relu())
    network = AnomalyDetector()
    assert torch.equal(network.predict(images), network(images).sigmoid())


@pytest.mark.parametrize(
    ("preset", "ablation", "budget", "epochs"),
    [
        ("screw", None, "paper", 560),
        ("hazelnut", "D", "paper", 800),
        ("tile", None, "paper", 320),
        ("wood", "D", "paper", 560),
        ("rcxr_male", None, "paper", 240),
        ("screw", None, "cpu", 80),
        ("screw", "D", "cpu", 80),
    ],
)
def test_schedules(preset, ablation, budget, epochs):
    assert epochs_of(preset, ablation, BUDGETS[budget], 320, 32) == epochs


def test_presets_of_classes():
    assert preset_of("grid") == "grid"
    assert preset_of("bolt") == "screw"
    with pytest.raises(ValueError, match=r"--preset .*'gizmo'"):
        preset_of("gizmo")


def test_view_of_objects_is_the_papers():
    view = view_of("capsule", 256)
    assert (view.within, view.crop, view.test_crop, view.degrees, view.flip) == (230, 224, 224, 0.0, False)
    assert view_of("screw", 256).degrees == 5.0
    columns = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    corners = {int(view(columns, np.random.default_rng(seed))[0, 0]) for seed in range(200)}
    assert corners == set(range(13, 20))


def test_view_of_textures_is_the_papers():
    view = view_of("carpet", 256)
    assert (view.load_size, view.crop, view.test_crop, view.flip) == (264, 256, 256, True)
    rows = np.tile(np.arange(264, dtype=np.uint16)[:, np.newaxis], (1, 264))
    corners = {int(view(rows, np.random.default_rng(seed))[0, 0]) for seed in range(400)}
    assert corners == {*range(9), *range(255, 264)}


def test_rotation_turns_about_the_middle():
    image = np.zeros((128, 128), np.uint8)
    image[62:66, 62:66] = 255
    view = replace(view_of("screw", 128), within=128, crop=128)
    for seed in range(5):
        assert view(image, np.random.default_rng(seed))[62:66, 62:66].min() > 200


class Brightness(AnomalyDetector):
    """Finds bright pixels."""

    def predict(self, images):
        return images.mean(1)


def test_maps_lie_over_the_image():
    image = np.zeros((128, 128, 3), np.uint8)
    image[30:50, 70:80] = 255
    view = view_of("screw", 128)
    maps, scores = detect(Brightness(), [image, np.zeros_like(image)], view, CPU)
    assert maps.shape == (2, 256, 256)
    assert (maps[0, 62:98, 142:158] > maps[0, 40, 40] + 1).all()
    assert (maps[:, :14] == 0).all()
    assert (maps[:, :, -14:] == 0).all()
    assert scores[0] > scores[1]
    assert scores[1] == pytest.approx(maps[1, 128, 128])


@pytest.mark.slow
def test_trains_the_same_with_any_number_of_workers(samples, whole_run, tmp_path):
    trainers = [whole_run[0]]
    for workers in (1, 2):
        trainers.append(make_trainer(samples, tmp_path / f"{workers}.pt", workers=workers))
        trainers[-1].train(ignore)
    assert [[entry["epoch"] for entry in trainer.history] for trainer in trainers] == [[1, 2]] * 3
    assert len(set(map(fingerprint, trainers))) == 1


@pytest.mark.slow
def test_batches_show_every_image_once(samples, tmp_path):
    trainer = make_trainer(samples, tmp_path / "checkpoint.pt")
    batches = [list(trainer.order) for trainer.order.epoch in range(2)]
    assert batches[0] != batches[1]
    for epoch in batches:
        assert len({index for batch in epoch for index in batch}) == 6
        assert [len(batch) for batch in epoch] == [2, 2, 2]


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 3, 4])
def test_resumes_where_it_was_stopped(samples, whole_run, tmp_path, monkeypatch, steps):
    monkeypatch.setattr(training, "SECONDS_BETWEEN_REPORTS", 0.0)
    calls = []

    def interrupt(*figures):
        calls.append(figures)
        if len(calls) == steps:
            os.kill(os.getpid(), signal.SIGINT)

    stopped = make_trainer(samples, tmp_path / "stopped.pt", workers=1)
    with pytest.raises(training.Stopped):
        stopped.train(interrupt)
    assert len(calls) == steps
    resumed = make_trainer(samples, tmp_path / "stopped.pt")
    assert resumed.done == pytest.approx(steps / 6)
    resumed.train(ignore)
    assert fingerprint(resumed) == fingerprint(whole_run[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stopped.pt"]


@pytest.mark.slow
def test_a_checkpoint_of_other_images_is_refused(whole_run, own_samples):
    with pytest.raises(ValueError, match=r"checkpoint\.pt was made with images"):
        make_trainer(own_samples.parent, whole_run[1])


@pytest.mark.slow
def test_a_checkpoint_of_other_settings_is_refused(samples, whole_run):
    with pytest.raises(ValueError, match=r"checkpoint\.pt was made with task 'nsa', not 'fpi'"):
        make_trainer(samples, whole_run[1], replace(SETTINGS, task="fpi", label="factor"))


@pytest.mark.slow
def test_writes_a_run_folder(samples, tmp_path, monkeypatch):
    options = ["--data", samples, "--classes", "hide", "--epochs", 1, "--size", 64, "--out", tmp_path, "--workers", 0]
    monkeypatch.setattr(sys, "argv", ["train_detector", *map(str, options)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    run = tmp_path / "hide" / "seed0"
    names = ["checkpoint.pt", "config.json", "curves.png", "gallery.png", "loss.png", "metrics.json", "predictions.npz"]
    assert sorted(path.name for path in run.iterdir()) == names
    metrics = json.loads((run / "metrics.json").read_text())
    assert {"image_auroc", "pixel_auroc", "aupro_0.3", "image_ap", "pixel_ap"} <= set(metrics["metrics"])
    assert json.loads((run / "config.json").read_text())["preset"] == "leather"
    assert "hide" in (tmp_path / "table.md").read_text()
    assert "hide" in (tmp_path / "table.csv").read_text()
    assert read_image(run / "gallery.png").std() > 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "paint"], "--task must be one of"),
        (["--label", "price"], "--label must be one of"),
        (["--classes", "gizmo"], "--class must be one of 'bolt', 'hide'"),
        (["--budget", "endless"], "--budget must be one of"),
        (["--device", "abacus"], "--device must be"),
    ],
)
def test_mistakes_end_in_one_line(samples, tmp_path, options, message, monkeypatch, capsys):
    arguments = ["train_detector", "--data", str(samples), "--out", str(tmp_path / "run"), *options]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "run").exists()
