"""RandomNSA in kornia's pipelines: the core task per sample, labels in masks, replay, gates, errors."""

import copy
import pickle

import numpy as np
import pytest
from frameworks import LARGE, ON_OBJECTS, TEXTURE, VISIBLE, error_without, normals, run_section, write_folder

from nsa_augment import CutPasteAnomaly, NaturalSyntheticAnomaly

pytest.importorskip("kornia", reason="RandomNSA is an augmentation of kornia")
torch = pytest.importorskip("torch")

import kornia.augmentation as K  # noqa: E402

from nsa_augment.integrations.kornia import RandomNSA  # noqa: E402

SIZE = 32
NORMALS = normals(count=6, size=SIZE)
BATCH = torch.from_numpy(np.stack(NORMALS).transpose(0, 3, 1, 2).copy()).float() / 255
ZEROS = torch.zeros(6, 1, SIZE, SIZE)
TASK = NaturalSyntheticAnomaly.from_preset(TEXTURE, label="binary", **VISIBLE)
KEYS = ["input", "mask"]


def build(p=1.0, sources=None, **arguments):
    return RandomNSA(TEXTURE, sources, p=p, **{**VISIBLE, **arguments})


def pipeline(*augmentations, **options):
    return K.AugmentationSequential(*augmentations, data_keys=KEYS, **options)


def arrays(batch=BATCH):
    return [np.ascontiguousarray(image.numpy().transpose(1, 2, 0)) for image in batch]


def by_hand(params, task=TASK, sources=None, masks=None):
    """What is expected, from the recorded seeds and gates and from nothing but the core task."""
    images, labels = arrays(), np.zeros((6, 1, SIZE, SIZE), np.float32)
    changed = [image.copy() for image in images]
    for index, (seed, gate) in enumerate(zip(params["nsa_seeds"], params["batch_prob"], strict=True)):
        if gate < 0.5:
            continue
        rng = np.random.default_rng(int(seed))
        if sources is None:
            source, mask = images[(index + 1 + rng.integers(5)) % 6], None
        else:
            number = rng.integers(len(sources))
            source = sources[number].astype(np.float32) / np.float32(255)
            mask = None if masks is None else masks[number]
        result = task(images[index], source, rng, source_mask=mask)
        changed[index], labels[index, 0] = result.image, result.label
    return torch.from_numpy(np.stack(changed).transpose(0, 3, 1, 2)), torch.from_numpy(labels)


def assert_equal(one, other):
    for left, right in zip(one, other, strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("given", ["batch", "folder", "tensors"])
def test_samples_are_those_of_the_core(p, given, tmp_path):
    sources = {"batch": None, "folder": write_folder(tmp_path, NORMALS), "tensors": list(BATCH)}[given]
    torch.manual_seed(2)
    before = BATCH.clone()
    sequence = pipeline(build(p, sources))
    result = sequence(BATCH, ZEROS)
    params = sequence._params[0].data
    assert_equal(result, by_hand(params, sources=None if given == "batch" else NORMALS))
    assert torch.equal(BATCH, before)
    assert not ZEROS.any()
    assert torch.equal(result[1].flatten(1).any(1), params["batch_prob"] > 0.5)


def test_sources_have_the_object_masks_of_their_files(tmp_path):
    masks = [np.arange(SIZE)[None] * np.ones((SIZE, 1)) < SIZE * share for share in (0.6, 0.7, 0.8)]
    sources = write_folder(tmp_path, NORMALS[:3], masks)
    task = NaturalSyntheticAnomaly.from_preset(TEXTURE, label="binary", **ON_OBJECTS)
    sequence = pipeline(RandomNSA(task=task, sources=sources, object_masks="alpha", p=1.0))
    result = sequence(BATCH, ZEROS)
    params = sequence._params[0].data
    assert_equal(result, by_hand(params, task, NORMALS[:3], masks))
    assert not torch.equal(result[1], by_hand(params, task, NORMALS[:3])[1])


def test_seeds_come_from_torch_and_differ_between_samples():
    sequence = pipeline(build())

    def draw(seed):
        torch.manual_seed(seed)
        return sequence(BATCH[:1].expand(6, -1, -1, -1), ZEROS)

    first = draw(1)
    assert_equal(draw(1), first)
    assert not torch.equal(draw(2)[1], first[1])
    assert len({label.numpy().tobytes() for label in first[1]}) == 6


def test_p_is_drawn_for_each_sample():
    batch = BATCH[:1].expand(200, -1, -1, -1)
    torch.manual_seed(0)
    _, masks = pipeline(RandomNSA(TEXTURE, task="cutpaste", p=0.4, **LARGE))(batch, torch.zeros(200, 1, SIZE, SIZE))
    assert 58 <= int(masks.flatten(1).any(1).sum()) <= 102


def test_same_on_batch_draws_once():
    batch = BATCH[:1].expand(6, -1, -1, -1)
    _, masks = pipeline(RandomNSA(TEXTURE, task="cutpaste", p=1.0, **LARGE), same_on_batch=True)(batch, ZEROS)
    assert masks[0].any()
    assert all(torch.equal(mask, masks[0]) for mask in masks)


SEQUENCES = {
    "between geometric ones": lambda: [K.RandomHorizontalFlip(p=0.5), build(0.5), K.RandomAffine(20.0, p=1.0)],
    "twice": lambda: [build(0.5), build(0.5)],
    "nested": lambda: [K.ImageSequential(build(0.5)), K.AugmentationSequential(build(0.5))],
}


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("random_apply", [False, 1])
def test_replay(name, random_apply):
    torch.manual_seed(4)
    sequence = pipeline(*SEQUENCES[name](), random_apply=random_apply)
    for _ in range(3):
        result = sequence(BATCH, ZEROS)
        params = copy.deepcopy(sequence._params)
        sequence(BATCH.flip(0), ZEROS)
        assert_equal(sequence(BATCH, ZEROS, params=params), result)
        assert torch.equal(sequence(ZEROS, params=params, data_keys=["mask"]), result[1])


def test_masks_move_with_their_images():
    torch.manual_seed(0)
    batch = torch.full_like(BATCH, 0.5)
    sources = [torch.full((3, SIZE, SIZE), level) for level in (0.0, 1.0)]
    anomaly = RandomNSA(TEXTURE, sources, task="cutpaste", p=1.0, max_patches=1, **LARGE)
    images, masks = pipeline(anomaly, K.RandomVerticalFlip(p=1.0), K.RandomHorizontalFlip(p=0.5))(batch, ZEROS)
    changed = (images != 0.5).any(1, keepdim=True)
    assert not masks[~changed].any()
    assert masks[changed].mean() > 0.95


def test_masks_are_merged_by_the_maximum():
    torch.manual_seed(0)
    given = torch.zeros_like(ZEROS)
    given[:, :, :4] = 0.25
    sequence = pipeline(build(label="logistic"))
    _, expected = sequence(BATCH, ZEROS)
    _, merged = sequence(BATCH, given, params=sequence._params)
    assert torch.equal(merged, torch.maximum(expected, given))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16, torch.float32])
def test_masks_keep_their_dtype(dtype):
    sequence = pipeline(build())
    _, expected = sequence(BATCH, ZEROS)
    _, masks = sequence(BATCH, ZEROS.to(dtype), params=sequence._params)
    assert masks.dtype == dtype
    assert torch.equal(masks.float(), expected)


def test_lists_of_masks():
    sequence = pipeline(build(0.5))
    _, expected = sequence(BATCH, ZEROS)
    _, masks = sequence(BATCH, list(ZEROS), params=sequence._params)
    assert torch.equal(torch.cat(masks), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_images_keep_their_dtype(dtype):
    batch = BATCH.to(dtype)
    images, masks = pipeline(build(0.5))(batch, ZEROS)
    skipped = ~masks.flatten(1).any(1)
    assert images.dtype == dtype
    assert torch.equal(images[skipped], batch[skipped])


def test_boxes_and_keypoints_pass_through():
    boxes, points = torch.tensor([[[1.0, 1, 8, 8]]]).repeat(6, 1, 1), torch.tensor([[[3.0, 4]]]).repeat(6, 1, 1)
    sequence = K.AugmentationSequential(build(), data_keys=["input", "bbox_xyxy", "keypoints"])
    images, *rest = sequence(BATCH, boxes, points)
    assert not torch.equal(images, BATCH)
    assert_equal(rest, [boxes, points])


def test_single_images():
    anomaly = build(sources=list(BATCH[1:]))
    assert anomaly(BATCH[0]).shape == (1, 3, SIZE, SIZE)
    assert build(sources=list(BATCH[1:]), keepdim=True)(BATCH[0]).shape == (3, SIZE, SIZE)
    assert anomaly._params["nsa_labels"].shape == (1, 1, SIZE, SIZE)


def test_rounding_of_earlier_augmentations_is_no_error():
    images, _ = pipeline(build())(BATCH.round() * (1 + 3e-7), ZEROS)
    assert images.max() <= 1


def test_copies():
    torch.manual_seed(0)
    sequence = pipeline(build())
    expected = sequence(BATCH, ZEROS)
    for copied in (copy.deepcopy(sequence), pickle.loads(pickle.dumps(sequence))):
        assert_equal(copied(BATCH, ZEROS, params=sequence._params), expected)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (BATCH * 2 - 1, r"input must be in \[0, 1\], got values from -.*before normalisation"),
        (BATCH.flatten(0, 1), "input must have at most max_channels=4 channels, got 18.*2-D only"),
        (BATCH[:, None], r"input must be .* 2-D only, got \(6, 1, 3, 32, 32\)"),
        (BATCH[:1], "sources must be given, or a batch of at least 2"),
        (torch.full_like(BATCH, torch.nan), r"input must be in \[0, 1\], got values from nan"),
    ],
)
def test_bad_batches(batch, message):
    with pytest.raises(ValueError, match=message):
        build()(batch)


@pytest.mark.parametrize(
    ("mask", "arguments", "message"),
    [
        (ZEROS.repeat(1, 2, 1, 1), {}, r"mask must be a tensor of shape \(6, 1, 32, 32\), got \(6, 2, 32, 32\)"),
        (ZEROS + 255, {}, "mask must be .* got values from 255 to 255"),
        (ZEROS + 0.5, {"label": "continuous"}, "mask must be None with label='continuous'"),
    ],
)
def test_bad_masks(mask, arguments, message):
    with pytest.raises(ValueError, match=message):
        pipeline(build(**arguments))(BATCH, mask)


def test_params_of_another_batch():
    anomaly = build()
    anomaly(BATCH)
    with pytest.raises(ValueError, match="params must be drawn for 2 images, got those of 6"):
        anomaly(BATCH[:2], params=anomaly._params)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1.5}, "p must be"),
        ({"max_channels": 0}, "max_channels must be"),
        ({"colour": 1}, "RandomNSA has no argument 'colour'.*max_channels"),
        ({"label": "factor"}, "label must be"),
        ({"sources": 3}, "sources must be"),
        ({"object_masks": "alpha"}, "object_masks must be None unless sources are files"),
        ({"task": CutPasteAnomaly(), "label": "binary"}, "left out if task is an AnomalyTask"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        RandomNSA(**arguments)


def test_tasks_and_their_labels():
    assert RandomNSA(TEXTURE).task == NaturalSyntheticAnomaly.from_preset(TEXTURE, label="binary")
    assert RandomNSA(task=CutPasteAnomaly(label="logistic")).task == CutPasteAnomaly(label="logistic")
    images, masks = pipeline(RandomNSA(task="fpi", label="factor", p=1.0, **LARGE))(BATCH, ZEROS)
    assert not torch.equal(images, BATCH)
    assert 0 < masks.max() < 1


def test_without_kornia_the_error_names_the_extra():
    error = error_without({"kornia"}, "nsa_augment.integrations.kornia")
    assert error.startswith("ModuleNotFoundError: nsa_augment.integrations.kornia needs kornia")
    assert "pip install 'nsa-augment[kornia]'" in error


def test_the_page_runs(tmp_path):
    run_section("kornia", tmp_path)
