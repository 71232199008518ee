"""AnomalyModule as a module: seeds, sources, masks, replay, what it refuses; plans that are drawn on the device."""

import numpy as np
import pytest
from pipelines import normals
from scipy.stats import ks_2samp

torch = pytest.importorskip("torch")
from module_batches import as_arrays, as_batch, one_thread  # noqa: E402, F401

from nsa_augment import CutOutAnomaly, NaturalSyntheticAnomaly  # noqa: E402
from nsa_augment.integrations.torch import AnomalyModule  # noqa: E402

SIZE = 64
BATCH = as_batch(normals("bolt", 4, SIZE))
TASKS = ("nsa", "cutpaste", "fpi", "pii")
LARGE = {"height_range": (0.3, 0.6), "width_range": (0.3, 0.6), "min_object": 0.1, "min_overlap": 0.1}
each_way = pytest.mark.parametrize("plans_on", ["processor", "device"])
each_place = pytest.mark.parametrize("blended_on", ["processor", "device"])
each_task = pytest.mark.parametrize("task", TASKS)


def build(task="nsa", preset="screw", sources=None, p=1.0, **arguments):
    return AnomalyModule(preset, sources, task=task, p=p, **{**LARGE, **arguments})


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@each_way
@each_place
@each_task
def test_calls_repeat_and_replay(task, plans_on, blended_on):
    module, before = build(task, plans_on=plans_on, blended_on=blended_on), BATCH.clone()
    images, labels = module(BATCH, generator=seeded(1))
    assert labels.any()
    assert images.dtype == torch.uint8
    assert labels.shape == (4, SIZE, SIZE)
    assert torch.equal(BATCH, before)
    plans = module.plans()
    assert any(plan.patches for plan in plans)
    for again in (module.apply(BATCH, None, plans), module(BATCH, generator=seeded(1))):
        assert torch.equal(again[0], images)
        assert torch.equal(again[1], labels)
    assert not torch.equal(module(BATCH, generator=seeded(2))[0], images)


@each_place
def test_plans_are_those_of_the_task(blended_on):
    module = build("nsa", blended_on=blended_on)
    module(BATCH, generator=seeded(3))
    seeds = torch.randint(2**63 - 1, (4,), generator=seeded(3)).tolist()
    arrays = as_arrays(BATCH)
    for number, (seed, plan) in enumerate(zip(seeds, module.plans(), strict=True)):
        rng = np.random.default_rng(seed)
        rng.random()
        assert plan == module.task.plan(arrays[number], arrays[number - 1], rng)


@each_place
def test_plans_see_pixels_where_they_depend_on_them(blended_on):
    module = build("nsa", candidates=3, min_change=0.5, blended_on=blended_on)
    module(BATCH, generator=seeded(3))
    seeds = torch.randint(2**63 - 1, (4,), generator=seeded(3)).tolist()
    arrays = as_arrays(BATCH)
    rng = np.random.default_rng(seeds[0])
    rng.random()
    assert module.plans()[0] == module.task.plan(arrays[0], arrays[-1], rng)


@each_place
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtypes_and_layouts_are_kept(dtype, blended_on):
    batch = (BATCH.double() / 255).to(dtype).to(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        images, labels = build(blended_on=blended_on)(batch, generator=seeded())
    assert images.dtype == dtype
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert labels.dtype == torch.float32
    assert not images.requires_grad
    untouched = (labels == 0)[:, None] & (images == batch)
    assert untouched.float().mean() > 0.5
    plain = build(blended_on=blended_on)(batch.detach(), generator=seeded())
    assert torch.equal(plain[0], images)
    assert torch.equal(plain[1], labels)


def assert_exactly_the_tasks(module, images, sources, given):
    """What the module made of its last plans on a batch is, bit for bit, what the task makes of them."""
    changed, labels = module.apply(as_batch(images), as_batch(sources), module.plans(), **given)
    assert labels.any()
    for number, plan in enumerate(module.plans()):
        masks = {name[:-1]: maps[number].numpy() for name, maps in given.items()}
        expected = module.task.apply(images[number], sources[number], plan, **masks)
        np.testing.assert_array_equal(changed[number].permute(1, 2, 0), expected.image)
        np.testing.assert_array_equal(labels[number], expected.label)


@each_task
@each_way
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_batches_in_the_memory_of_the_processor_are_exactly_the_tasks(task, plans_on, masked, dtype):
    images = [one if dtype == np.uint8 else (one / 255).astype(dtype) for one in as_arrays(BATCH)]
    given = {}
    if masked:
        halves = torch.zeros(4, SIZE, SIZE, dtype=torch.bool)
        halves[:, :, 20:] = True
        given = {"masks": halves, "source_masks": halves.flip(2)}
    module, sources = build(task, plans_on=plans_on, label="binary"), images[1:] + images[:1]
    module(as_batch(images), as_batch(sources), seeded(6), **given)
    assert_exactly_the_tasks(module, images, sources, given)


@pytest.mark.parametrize("arguments", [{"blending": "silhouette"}, {"solver": "opencv"}, {"task": CutOutAnomaly()}])
def test_the_processor_takes_every_kind(arguments):
    if "task" in arguments:
        module = AnomalyModule(p=1.0, blended_on="processor", **arguments)
    else:
        module = build(blended_on="processor", **arguments)
    images = as_arrays(BATCH)
    sources = images[1:] + images[:1]
    module(BATCH, as_batch(sources), seeded(7))
    assert_exactly_the_tasks(module, images, sources, {})


@pytest.mark.parametrize("p", [0.0, 0.4])
def test_p_is_drawn_for_each_image(p):
    module = build("cutpaste", p=p)
    batch = BATCH[:1].expand(60, -1, -1, -1)
    images, labels = module(batch, generator=seeded())
    left = torch.tensor([plan is None for plan in module.plans()])
    assert torch.equal(images[left], batch[left])
    assert not labels[left].any()
    assert 60 * (1 - p) - 12 <= int(left.sum()) <= 60 * (1 - p) + 12


@each_way
@each_place
def test_a_bank_is_loaded_once_and_replayed(plans_on, blended_on):
    module = build(sources=BATCH[1:], plans_on=plans_on, blended_on=blended_on)
    images, labels = module(BATCH[:1], generator=seeded(4))
    numbers = module.drawn_sources()
    again = module.apply(BATCH[:1], numbers, module.plans())
    assert torch.equal(again[0], images)
    given = module.apply(BATCH[:1], BATCH[1:][numbers], module.plans())
    assert torch.equal(given[0], images)
    assert torch.equal(given[1], labels)
    with pytest.raises(ValueError, match=r"sources must be .* integers below 3"):
        module.apply(BATCH[:1], torch.tensor([3]), module.plans())


@each_place
def test_sources_of_another_size_are_resized(blended_on):
    larger = as_batch(normals("bolt", 4, SIZE + 8))
    module = build(blended_on=blended_on)
    images, _ = module(BATCH, larger, seeded())
    plan = module.plans()[0]
    assert plan.source_shape == (SIZE + 8, SIZE + 8)
    expected = module.task.apply(as_arrays(BATCH)[0], as_arrays(larger)[0], plan).image
    assert np.abs(as_arrays(images)[0].astype(int) - expected).max() <= len(plan.patches)


@each_place
def test_masks_of_a_call_replace_the_background_model(blended_on):
    module = build(preset="leather", min_overlap=0.5, blended_on=blended_on)
    masks = torch.zeros(4, SIZE, SIZE, dtype=torch.bool)
    masks[:, :, 40:] = True
    _, labels = module(BATCH, generator=seeded(), masks=masks, source_masks=None)
    assert torch.equal(module.apply(BATCH, None, module.plans(), masks=masks)[1], labels)
    other = build(preset="leather", min_overlap=0.5, blended_on="device")
    other(BATCH, generator=seeded(), masks=masks)
    assert other.plans() == module.plans()
    assert all(patch.destination_box.x1 > 40 for plan in module.plans() for patch in plan.patches)


def test_a_batch_of_one_is_left_alone_with_one_warning():
    module = build()
    with pytest.warns(UserWarning, match="batch of one image has no other image") as caught:
        images, labels = module(BATCH[:1])
    module(BATCH[:1])  # a second warning would be an error
    assert len(caught) == 1
    assert torch.equal(images, BATCH[:1])
    assert not labels.any()
    assert module.plans() == [None]
    assert build("cutpaste")(BATCH[:1], generator=seeded())[1].any()


def test_functions_are_applied_as_by_every_module():
    seen = []
    torch.nn.Sequential(build()).apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["AnomalyModule", "Sequential"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"solver": "opencv"}, "solver must be 'spectral' for AnomalyModule, got 'opencv'"),
        ({"blending": "silhouette"}, "blending must be one of .* for AnomalyModule, got 'silhouette'"),
        ({"task": CutOutAnomaly()}, "task must be one of 'nsa', .* got 'cutout'"),
        ({"plans_on": "gpu"}, "plans_on must be one of 'processor', 'device', got 'gpu'"),
        ({"blended_on": "gpu"}, "blended_on must be one of 'auto', 'processor', 'device', got 'gpu'"),
        (
            {"task": CutOutAnomaly(), "plans_on": "device", "blended_on": "processor"},
            "task must be one of 'nsa', .* got",
        ),
        ({"plans_on": "device", "shape": "ellipses"}, "shape must be None with plans_on='device'"),
        ({"plans_on": "device", "candidates": 2}, "candidates must be 1 with plans_on='device'"),
        ({"plans_on": "device", "min_change": 1}, "min_change must be 0 with plans_on='device'"),
        ({"plans_on": "device", "selection": "cutpaste_scar"}, "selection must be one of 'natural', 'cutpaste', 'fpi'"),
        ({"plans_on": "device", "task": "cutpaste", "variant": "scar"}, "variant must be None with plans_on='device'"),
        ({"object_masks": "masks"}, "object_masks must be None unless sources are files"),
    ],
)
def test_what_cannot_be_done_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        AnomalyModule(**arguments)


@pytest.mark.parametrize(
    ("images", "sources", "message"),
    [
        (BATCH[0], None, r"images must be a \(B, C, H, W\) tensor"),
        (BATCH.int(), None, r"images must be a \(B, C, H, W\) tensor"),
        (BATCH / 200, None, "images must be .* values from"),
        (BATCH, BATCH / 255, "sources must be of the images' dtype"),
        (BATCH, BATCH[:3], "sources must be a batch of size 4 with 3 channels"),
    ],
)
def test_wrong_batches_are_errors(images, sources, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build()(images, sources)


def numbers_of(plans):
    """Counts of patches, and some of the numbers of each patch."""
    patches = [patch for plan in plans for patch in plan.patches]
    return {
        "count": [len(plan.patches) for plan in plans],
        "height": [patch.size[0] for patch in patches],
        "width": [patch.size[1] for patch in patches],
        "source row": [patch.source_box.y0 for patch in patches],
        "source column": [patch.source_box.x0 for patch in patches],
        "row": [patch.destination_box.y0 for patch in patches],
        "column": [patch.destination_box.x0 for patch in patches],
        "factor": [patch.factor for patch in patches],
    }


@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        ("nsa", {}),
        ("cutpaste", {"selection": "cutpaste", "background": None}),
        ("pii", {"selection": "fpi"}),
        ("nsa", {"resize_limits": "full", "size_gamma": None, "background": None}),
    ],
)
def test_plans_of_the_device_have_the_distribution_of_the_task(task, arguments):
    drawn = []
    for plans_on, seed in (("processor", 1), ("device", 2)):
        module = build(task, plans_on=plans_on, **arguments)
        module(BATCH[:2].repeat(100, 1, 1, 1), generator=seeded(seed))
        drawn.append(numbers_of(module.plans()))
    assert sum(drawn[0]["count"]) > 150
    for name in drawn[0]:
        assert ks_2samp(drawn[0][name], drawn[1][name]).pvalue > 1e-3, name


def test_reasons_are_those_of_the_task():
    task = NaturalSyntheticAnomaly.from_preset("screw")
    white = torch.full_like(BATCH, 200)
    for sources, images in ((white, BATCH), (BATCH, white)):
        found = []
        for plans_on in ("processor", "device"):
            module = AnomalyModule(task=task, p=1.0, plans_on=plans_on)
            module(images, sources, seeded())
            found.append({patch.reason for plan in module.plans() for patch in plan.given_up})
        assert found[0] & found[1]
