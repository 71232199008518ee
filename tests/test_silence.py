"""A task that places nothing warns once, says why, and changes nothing else by it."""

import copy
import gc
import multiprocessing
import pickle
import re
import threading
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest

from nsa_augment import (
    AnomalyTask,
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    NaturalSyntheticAnomaly,
    PoissonImageInterpolation,
    SynthesisPlan,
    calibrate,
)
from nsa_augment.datasets import generate
from nsa_augment.samples import draw_sample, write_samples

BOLTS = {side: [draw_sample("bolt", index, size=side).image for index in range(2)] for side in (64, 128)}
NOWHERE, EVERYWHERE = np.zeros((128, 128), bool), np.ones((128, 128), bool)
THIN = np.arange(128) % 8 == np.zeros((128, 1))  # every eighth column is object
MANY = 60
SCREWS = NaturalSyntheticAnomaly.from_preset("screw")


def said(function, *arguments, **options):
    """The warnings about silence of a call, and those alone."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*arguments, **options)
    assert all("has placed no patch in 20 calls in a row" in str(one.message) for one in caught)
    return caught


def call(task, side, count, **masks):
    for seed in range(count):
        task.plan(*BOLTS[side], seed, **masks)


@pytest.mark.parametrize(
    ("task", "side", "masks", "words"),
    [
        (SCREWS, 64, {}, ("too small", "8 x 8", "64 x 64", "resize_limits='full'")),
        (PoissonImageInterpolation(height_range=(0.02, 0.05)), 64, {}, ("too small", "Poisson", "raise height_range")),
        (CutPasteAnomaly(height_range=(0.001, 0.001)), 64, {}, ("less than one pixel", "0 x ", "height_range")),
        (CutPasteAnomaly(height_range=(0.99, 0.99)), 64, {}, ("too large", "lower height_range=(0.99, 0.99)")),
        (CutPasteAnomaly(background=(255, 250)), 64, {}, ("no object", "source", "(255.0, 250.0)")),
        (NaturalSyntheticAnomaly(), 128, {"source_mask": NOWHERE}, ("no object", "the source", "masks")),
        (NaturalSyntheticAnomaly(), 128, {"mask": NOWHERE}, ("no object", "the image", "masks")),
        (NaturalSyntheticAnomaly(min_object=0.9), 128, {"source_mask": THIN}, ("fill enough", "lower min_object=0.9")),
        (
            NaturalSyntheticAnomaly(min_object=0.9, shape="ellipses"),
            128,
            {"source_mask": THIN},
            ("fill enough", "lower min_object=0.9"),
        ),
        (
            NaturalSyntheticAnomaly(min_overlap=0.9, scale_range=None),
            128,
            {"mask": THIN},
            ("land on the object", "lower min_overlap=0.9"),
        ),
        (NaturalSyntheticAnomaly(selection="cutpaste_scar"), 4, {}, ("too large", "use larger images")),
    ],
)  # fmt: skip
def test_one_warning_with_the_likeliest_reason(task, side, masks, words):
    if side not in BOLTS:
        BOLTS[side] = [image[:side, :side] for image in BOLTS[64]]
    task = replace(task)
    assert not said(call, task, side, 19, **masks)
    (warning,) = said(call, task, side, MANY, **masks)
    text = str(warning.message)
    assert text.startswith(f"{type(task).__name__} has placed no patch")
    for word in words:
        assert word in text
    assert warning.filename == __file__


def test_the_reason_is_that_of_most_patches():
    task = NaturalSyntheticAnomaly(height_range=(0.3, 0.5), width_range=(0.3, 0.5), min_object=0.5)
    plans = [task.plan(*BOLTS[128], seed, source_mask=THIN) for seed in range(19)]
    (warning,) = said(task.plan, *BOLTS[128], 0, source_mask=NOWHERE)
    total = sum(len(plan.given_up) for plan in plans)
    assert re.search(rf"for {total} of \d+ patch(es)?: nowhere in the source", str(warning.message))


def test_a_patch_in_between_starts_the_count_again():
    task = NaturalSyntheticAnomaly.from_preset("screw")

    def mostly_silent():
        for _ in range(5):
            call(task, 64, 19)
            assert any(task.plan(*BOLTS[128], seed).patches for seed in range(10))

    assert not said(mostly_silent)
    assert len(said(call, task, 64, MANY)) == 1


def test_equal_tasks_count_for_themselves():
    tasks = [NaturalSyntheticAnomaly.from_preset("screw") for _ in range(3)]
    assert not [one for task in tasks for one in said(call, task, 64, 19)]
    assert [len(said(call, task, 64, MANY)) for task in tasks] == [1, 1, 1]


def test_a_task_that_is_gone_leaves_no_count():
    for _ in range(100):
        task = NaturalSyntheticAnomaly.from_preset("screw")
        assert not said(call, task, 64, 19)
        del task
        gc.collect(0)


def in_threads(task, threads, count):
    workers = [threading.Thread(target=call, args=(task, 64, count)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def test_threads_count_for_themselves_and_warn_once():
    task = NaturalSyntheticAnomaly.from_preset("screw")
    assert not said(in_threads, task, 4, 19)
    assert len(said(in_threads, task, 4, 20)) == 1


def count_in_worker(task, count, results):
    results.put(len(said(call, task, 64, count)))


@pytest.mark.slow
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_workers_count_for_themselves(method):
    context = multiprocessing.get_context(method)
    task, results = NaturalSyntheticAnomaly.from_preset("screw"), context.SimpleQueue()
    assert not said(call, task, 64, 15)
    for count in (15, 25):
        worker = context.Process(target=count_in_worker, args=(task, count, results))
        worker.start()
        assert results.get() == (count > 20)
        worker.join()


def test_tasks_and_their_results_are_what_they_were():
    task, fresh = (NaturalSyntheticAnomaly.from_preset("screw") for _ in range(2))
    assert len(said(call, task, 64, MANY)) == 1
    assert (task, hash(task), repr(task)) == (fresh, hash(fresh), repr(fresh))
    assert pickle.dumps(task) == pickle.dumps(fresh)
    for twin in (pickle.loads(pickle.dumps(task)), copy.deepcopy(task)):
        assert twin == fresh
        assert len(said(call, twin, 64, 20)) == 1
    for seed in range(5):
        assert task.plan(*BOLTS[128], seed) == fresh.plan(*BOLTS[128], seed)


def test_plans_say_why_patches_were_given_up():
    task = NaturalSyntheticAnomaly.from_preset("screw", max_patches=1)
    plan = task.plan(*BOLTS[64], 0)
    ((reason, (height, width), needs),) = plan.given_up
    assert reason.name == "TOO_SMALL"
    assert (height - 2) * (width - 2) < 50
    assert needs
    assert "given_up" not in plan.to_dict()
    assert SynthesisPlan.from_dict(plan.to_dict()) == plan
    placed = [NaturalSyntheticAnomaly(max_patches=1).plan(*BOLTS[128], seed) for seed in range(50)]
    assert {len(plan.patches) + len(plan.given_up) for plan in placed} == {1}


@dataclass(frozen=True, kw_only=True)
class Nothing(AnomalyTask):
    """Registers nothing, plans nothing."""

    def draw(self, scene, rng):
        return SynthesisPlan(scene.size, scene.source.given_shape)


def test_own_draws_may_give_no_reason():
    (warning,) = said(call, Nothing(), 64, MANY)
    assert "Nothing has placed no patch" in str(warning.message)


def test_albumentations_warns():
    albumentations = pytest.importorskip("albumentations", reason="needs albumentations")
    from nsa_augment import NSA

    pipeline = albumentations.Compose([NSA("screw", sources=BOLTS[64], p=1)], seed=1)
    (warning,) = said(lambda: [pipeline(image=BOLTS[64][0]) for _ in range(MANY)])
    assert "too small" in str(warning.message)


def test_torch_warns():
    torch = pytest.importorskip("torch", reason="needs torch")
    from nsa_augment.integrations.torch import AnomalyDataset, NSATransform

    task = NaturalSyntheticAnomaly.from_preset("screw")
    dataset = AnomalyDataset(BOLTS[64] * 15, task)
    assert len(said(lambda: [dataset[index] for index in range(30)])) == 1
    batch = torch.from_numpy(np.stack(BOLTS[64] * 15).transpose(0, 3, 1, 2).copy())
    assert len(said(NSATransform("screw", p=1), batch)) == 1


def test_calibrate_tries_in_silence():
    found = calibrate([draw_sample("bolt", index, size=32).image for index in range(3)])
    assert found.placed_share < 0.5


def test_generate_draws_in_silence_and_ends_with_an_error(tmp_path):
    write_samples(tmp_path, "bolt", size=64, train=3, good=0, defective=0)
    task = NaturalSyntheticAnomaly.from_preset("screw")
    with pytest.raises(
        ValueError, match=r"no patch found a place.* Likeliest reason, for \d+ of \d+ patch(es)?: .* What helps: "
    ):
        generate(tmp_path / "bolt" / "train" / "good", tmp_path / "out", task, count=2, workers=0)
    assert len(said(call, task, 64, 20)) == 1


@pytest.mark.parametrize("name", ["height_range", "width_range"])
@pytest.mark.parametrize(
    ("kind", "arguments", "value"),
    [
        (NaturalSyntheticAnomaly, {"scale_range": None}, (0, 0)),
        (CutPasteAnomaly, {}, (0, 0)),
        (ForeignPatchInterpolation, {}, (0, 0)),
        (NaturalSyntheticAnomaly, {"scale_range": None}, (1, 1)),
        (CutPasteAnomaly, {}, (1, 1)),
    ],
)
def test_ranges_that_nothing_can_meet_are_said(kind, arguments, value, name):
    task = kind(**arguments, **{name: value})
    (message,) = said(call, task, 128, 20)
    assert f"{name}=" in str(message.message)


@pytest.mark.parametrize(
    "task",
    [
        ForeignPatchInterpolation(height_range=(1, 1), width_range=(1, 1)),
        PoissonImageInterpolation(height_range=(1, 1)),
        NaturalSyntheticAnomaly(height_range=(1, 1), width_range=(1, 1)),
        NaturalSyntheticAnomaly(scale_range=(0, 1)),
        CutPasteAnomaly(selection="cutpaste", height_range=(1, 1)),
        NaturalSyntheticAnomaly(height_range=(0, 0.9), width_range=(0, 1)),
    ],
)
def test_values_that_look_impossible_but_are_met(task):
    assert any(task.plan(*BOLTS[128], seed).patches for seed in range(20))


@pytest.mark.parametrize("shape", [None, "ellipses"])
@pytest.mark.parametrize("kind", [NaturalSyntheticAnomaly, CutPasteAnomaly, ForeignPatchInterpolation])
def test_one_asks_for_all(kind, shape):
    """A share of 1 is met where all is object, and only there."""
    half = EVERYWHERE.copy()
    half[:, 64:] = False
    task = kind(min_object=1, min_overlap=1, shape=shape, height_range=(0.2, 0.4), width_range=(0.2, 0.4))
    plans = [task.plan(*BOLTS[128], seed, mask=EVERYWHERE, source_mask=half) for seed in range(20)]
    boxes = [patch.source_box for plan in plans for patch in plan.patches]
    assert boxes
    if shape is None:
        assert max(x1 for _, _, _, x1 in boxes) <= 64
    plans = [task.plan(*BOLTS[128], seed, mask=half, source_mask=EVERYWHERE) for seed in range(20)]
    targets = [patch.destination_box for plan in plans for patch in plan.patches]
    assert targets
    if kind.shift and shape is None:
        assert max(x1 for _, _, _, x1 in targets) <= 64


@pytest.mark.parametrize("shape", [(80, 128, 128), (2, 3, 64, 64), (3, 128, 65), (64,)])
@pytest.mark.parametrize("kind", [NaturalSyntheticAnomaly, CutPasteAnomaly])
def test_volumes_are_refused(kind, shape):
    volume = np.zeros(shape, np.uint8)
    with pytest.raises(
        ValueError, match=r"\(H, W\) or \(H, W, C\) with 1 to 64 channels.*shape " + re.escape(str(shape))
    ):
        kind()(volume, volume, 0)
