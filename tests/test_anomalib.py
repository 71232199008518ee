"""The generator that takes the place of anomalib's, and the callback for models that learn from ground truth."""

import copy
import doctest
import pickle
import warnings
from importlib import import_module
from types import SimpleNamespace

import anomalib_stack
import numpy as np
import pytest
from anomalib_stack import rejected
from frameworks import ON_OBJECTS, write_folder

nsa = anomalib_stack.load()

import torch  # noqa: E402
from anomalib.data import ImageBatch  # noqa: E402
from anomalib.data.utils.generators.perlin import PerlinAnomalyGenerator  # noqa: E402

from nsa_augment import NaturalSyntheticAnomaly  # noqa: E402
from nsa_augment.integrations.torch import AnomalyTransform  # noqa: E402
from nsa_augment.samples import draw_sample  # noqa: E402

IMAGES = [draw_sample("hide", index, size=64).image for index in range(6)]
BATCH = torch.stack([torch.from_numpy(image.transpose(2, 0, 1).copy()) for image in IMAGES[:3]]) / 255
LARGE = anomalib_stack.LARGE
TASKS = {
    "nsa": LARGE,
    "cutpaste": {"height_range": (0.3, 0.6), "width_range": (0.3, 0.6)},
    "fpi": {"height_range": (0.3, 0.6), "width_range": (0.3, 0.6)},
    "pii": {"height_range": (0.3, 0.6), "width_range": (0.3, 0.6)},
}


def generator(**arguments):
    return nsa.NSAGenerator(sources=IMAGES[3:], **{"p": 1.0, **LARGE, **arguments})


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("image", [BATCH[0], BATCH, BATCH[:1]], ids=["image", "batch", "batch of one"])
def test_the_call_is_that_of_the_perlin_generator(task, image):
    made = nsa.NSAGenerator(sources=IMAGES[3:], task=task, p=1.0, **TASKS[task])
    ours, theirs = made(image.clone()), PerlinAnomalyGenerator(probability=1.0)(image.clone())
    assert [(one.shape, one.dtype) for one in ours] == [(one.shape, one.dtype) for one in theirs]
    assert set(ours[1].unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("task", TASKS)
def test_images_change_where_the_mask_says(task):
    given = BATCH.clone()
    made = nsa.NSAGenerator(sources=IMAGES[3:], task=task, p=1.0, **TASKS[task])
    changed, mask = made(given)
    assert torch.equal(given, BATCH)
    differs = (changed - BATCH).abs().amax(1, keepdim=True) * 255
    assert float(differs[mask == 1].mean()) > 3 * float(differs[mask == 0].mean())
    assert float(mask.mean()) > 0.01


def test_p_is_the_share_of_images_that_change():
    changed, mask = generator(p=0.0)(BATCH)
    assert torch.equal(changed, BATCH)
    assert not mask.any()
    _, mask = generator(p=0.5)(BATCH.repeat(40, 1, 1, 1))
    assert 40 < int(mask.flatten(1).any(1).sum()) < 80


def test_equal_seeds_give_equal_anomalies():
    first, second = generator(), generator()
    torch.manual_seed(1)
    expected = first(BATCH)
    torch.manual_seed(1)
    got = second(BATCH)
    assert all(torch.equal(*pair) for pair in zip(expected, got, strict=True))
    assert not torch.equal(second(BATCH)[0], expected[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_images_whose_normalisation_was_taken_back_are_accepted(dtype):
    mean, std = (torch.tensor(values, dtype=dtype).view(1, 3, 1, 1) for values in ([0.485] * 3, [0.229] * 3))
    image = torch.tensor([0.0, 1.0], dtype=dtype).repeat_interleave(32 * 64).reshape(1, 1, 64, 64).repeat(2, 3, 1, 1)
    image = ((image - mean) / std) * std + mean
    changed, mask = generator()(image)
    assert (changed.dtype, mask.dtype) == (dtype, torch.float32)
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1


@pytest.mark.parametrize("value", [-0.5, 1.5, float("nan")])
def test_normalised_images_are_refused(value):
    image = BATCH.clone()
    image[0, 0, 0, 0] = value
    with pytest.raises(ValueError, match=r"image must be in \[0, 1\], before normalisation, got .*"):
        generator()(image)


@pytest.mark.parametrize("image", [IMAGES[0], None, BATCH[0, 0]], ids=["array", "None", "two axes"])
def test_other_inputs_are_refused(image):
    rejected((TypeError, ValueError), "image", lambda: generator()(image))


def test_labels_that_models_would_cut_are_warned_of_once():
    soft = generator(label="logistic")
    with pytest.warns(UserWarning, match="label='logistic' has values other than 0 and 1.*'binary'"):
        soft(BATCH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, mask = soft(BATCH)
        generator()(BATCH)
    assert ((mask > 0) & (mask < 1)).any()


def test_a_task_given_whole_gets_the_binary_label():
    made = nsa.NSAGenerator(sources=IMAGES[3:], task=NaturalSyntheticAnomaly(**LARGE), p=1.0)
    assert set(made(BATCH)[1].unique().tolist()) == {0.0, 1.0}


DOORS = {
    "generator": nsa.NSAGenerator,
    "callback": nsa.NSACallback,
    "augmentation": nsa.NSAAugmentation,
}


@pytest.mark.parametrize("door", DOORS)
def test_arguments_are_checked_at_every_door(door):
    made = DOORS[door]
    rejected(ValueError, "sources", lambda: made("leather"))
    rejected(ValueError, "task", lambda: made("leather", IMAGES, task="perlin"))
    rejected(ValueError, "p", lambda: made("leather", IMAGES, p=2))
    rejected(TypeError, "preset", lambda: made("leather", IMAGES, task=NaturalSyntheticAnomaly()))
    with pytest.raises(TypeError, match=f"{made.__name__} has no argument 'patches', accepted are .*max_patches"):
        made("leather", IMAGES, patches=2)
    rejected(ValueError, "object_masks", lambda: made("leather", IMAGES, object_masks="alpha"))
    made(task="cutpaste")  # needs no sources
    assert made("screw", IMAGES, max_patches=1).task.max_patches == 1


def test_sources_have_the_object_masks_of_their_files(tmp_path):
    masks = [np.arange(64)[None] * np.ones((64, 1)) < 64 * share for share in (0.6, 0.7, 0.8)]
    sources, task = write_folder(tmp_path, IMAGES[3:], masks), NaturalSyntheticAnomaly(**ON_OBJECTS)
    without = {"task": task, "sources": sources, "p": 1.0}
    given = {**without, "object_masks": "alpha"}

    def changed(change):
        torch.manual_seed(0)
        return change(BATCH[0].clone())

    def by_callback(image):
        item = batch(image=image[None])
        nsa.NSACallback(**given).change(item)
        return item.image[0]

    expected, _ = changed(AnomalyTransform(**given))
    assert torch.equal(changed(nsa.NSAGenerator(**given))[0], expected)
    assert torch.equal(changed(nsa.NSAAugmentation(**given)), expected)
    assert torch.equal(changed(by_callback), expected)
    assert not torch.equal(changed(AnomalyTransform(**without))[0], expected)


@pytest.mark.parametrize("door", ["generator", "augmentation"])
def test_modules_are_copied_and_pickled(door):
    made = DOORS[door]("leather", IMAGES[3:], p=1.0)
    assert made.state_dict() == {}
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        torch.manual_seed(3)
        expected = made(BATCH[0])
        torch.manual_seed(3)
        assert torch.equal(other(BATCH[0])[0], expected[0])


def batch(**fields):
    return ImageBatch(**{"image": BATCH.clone(), "gt_label": torch.tensor([0, 0, 0]), **fields})


def callback(**arguments):
    return nsa.NSACallback(sources=IMAGES[3:], **{"p": 1.0, **LARGE, **arguments})


@pytest.mark.parametrize("masks", [None, torch.zeros(3, 64, 64)], ids=["no masks", "masks"])
def test_the_callback_sets_masks_and_labels_from_the_change(masks):
    got = batch(gt_mask=masks)
    callback(p=0.6).on_train_batch_start(None, None, got, 0)
    changed = (got.image != BATCH).flatten(1).any(1)
    assert changed.any()
    assert not changed.all()
    assert got.gt_label.tolist() == changed.tolist() == got.gt_mask.flatten(1).any(1).tolist()
    assert (got.gt_mask.dtype, got.gt_mask.shape) == (torch.bool, (3, 64, 64))


def test_the_callback_keeps_the_anomalies_that_are_there():
    mask = torch.zeros(3, 64, 64, dtype=torch.bool)
    mask[1, :4] = True
    got = batch(gt_mask=mask.clone(), gt_label=torch.tensor([0, 1, 0]))
    callback(p=0.0).change(got)
    assert torch.equal(got.gt_mask.as_subclass(torch.Tensor), mask)
    assert got.gt_label.tolist() == [False, True, False]
    callback().change(got)
    assert (got.gt_mask & mask).sum() == mask.sum()
    assert got.gt_label.all()


def test_the_callback_refuses_what_it_cannot_label():
    rejected(ValueError, "batch.gt_mask", lambda: callback().change(batch(gt_label=torch.tensor([0, 1, 0]))))
    rejected(TypeError, "batch", lambda: callback().change({"image": BATCH}))
    with pytest.raises(ValueError, match="image must be"):
        callback().change(batch(image=BATCH * 4 - 2))


def test_the_callback_wants_to_come_before_the_normalisation():
    ours, theirs = callback(), anomalib_stack.resize_to(32)
    ours.on_train_start(SimpleNamespace(callbacks=[ours, theirs]), None)
    with pytest.raises(ValueError, match="NSACallback must stand before the PreProcessor"):
        ours.on_train_start(SimpleNamespace(callbacks=[theirs, ours]), None)


def test_glass_can_pool_the_masks():
    """Plain (B, H, W) masks are an IndexError there."""
    _, mask = generator()(BATCH)
    assert torch.nn.functional.max_pool2d(mask, 8).shape == (3, 1, 8, 8)


def test_draem_keeps_every_pixel_of_the_masks():
    _, mask = generator()(BATCH)
    assert int(mask.squeeze(1).long().sum()) == int((mask > 0).sum()) > 0


@pytest.mark.parametrize("module", ["generator", "callback", "augmentation"])
def test_the_examples_run(module):
    module = import_module(f"nsa_augment.integrations.anomalib.{module}")
    found = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted >= 4
    assert found.failed == 0
