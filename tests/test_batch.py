"""`task.batch`: the bytes of single calls with spawned generators, for any number of threads."""

import re
import sys
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import all_tasks, channel_shapes, draw_object, draw_pixels, dtypes, seeds

from nsa_augment import CutPasteAnomaly, MixedAnomaly, NaturalSyntheticAnomaly, TextureAnomaly, clear_caches
from nsa_augment.samples import draw_sample

BOLTS = [draw_sample("bolt", index, size=96).image for index in range(4)]
TASKS = st.one_of(all_tasks, st.builds(MixedAnomaly, label=st.sampled_from(["binary", "logistic"])))


def one_by_one(task, images, sources, rng, **masks):
    """Single calls, each with its spawned generator."""
    generators = np.random.default_rng(rng).spawn(len(images))
    results = []
    for index, image in enumerate(images):
        own = {name: values[index] for name, values in masks.items()}
        results.append(task(image, None if sources is None else sources[index], generators[index], **own))
    return results


def assert_equal(results, expected):
    assert len(results) == len(expected)
    for result, single in zip(results, expected, strict=True):
        assert result.plan == single.plan
        for name in ("image", "mask", "label"):
            first, second = getattr(result, name), getattr(single, name)
            assert (first.dtype, first.shape, first.tobytes()) == (second.dtype, second.shape, second.tobytes())


@st.composite
def batches(draw):
    """Images of one size or of several, their sources, and masks of some of them."""
    count, channels, dtype, seed = draw(st.integers(0, 5)), draw(channel_shapes), draw(dtypes), draw(seeds)
    shapes = [(draw(st.integers(24, 72)), draw(st.integers(24, 72))) for _ in range(count)]
    if stacked := draw(st.booleans()):
        shapes = shapes[:1] * count
    images, sources = (
        [draw_pixels(seed + 2 * index + part, shape + channels, dtype) for index, shape in enumerate(shapes)]
        for part in (0, 1)
    )
    arguments = {"mask": "masks", "source_mask": "source_masks", "allowed": "allowed"}
    masks = {
        name: [draw_object(seed + i, shape) if draw(st.booleans()) else None for i, shape in enumerate(shapes)]
        for name in draw(st.sets(st.sampled_from(sorted(arguments))))
    }
    if stacked and count:
        images, sources = np.stack(images), np.stack(sources)
    return images, sources, masks, {arguments[name]: values for name, values in masks.items()}


@settings(max_examples=60)
@given(TASKS, batches(), seeds, st.integers(1, 4))
def test_the_same_bytes_as_one_by_one_and_plans_replay(task, batch, seed, threads):
    images, sources, masks, plural = batch
    before = [image.copy() for image in images], [source.copy() for source in sources]
    results = task.batch(images, sources, seed, threads=threads, **plural)
    for given_, kept in zip((images, sources), before, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(given_, kept, strict=True))
    assert_equal(results, one_by_one(task, images, sources, seed, **masks))
    masks.pop("allowed", None)
    for index, result in enumerate(results):
        own = {name: values[index] for name, values in masks.items()}
        assert_equal([task.apply(images[index], sources[index], result.plan, **own)], [result])


@pytest.mark.parametrize("task", [CutPasteAnomaly(), TextureAnomaly()], ids=lambda task: task.name)
def test_sources_may_be_missing_altogether_or_for_some(task):
    assert_equal(task.batch(BOLTS, rng=3, threads=2), one_by_one(task, BOLTS, None, 3))
    sources = [None, BOLTS[0], None, task.prepare_source(BOLTS[1], (96, 96))]
    assert_equal(task.batch(BOLTS, sources, rng=3, threads=2), one_by_one(task, BOLTS, sources, 3))


def test_a_generator_spawns_and_is_not_drawn_from():
    task, rng = NaturalSyntheticAnomaly(), np.random.default_rng(5)
    first, second = (task.batch(BOLTS, BOLTS[::-1], rng, threads=threads) for threads in (1, 2))
    assert rng.random() == np.random.default_rng(5).random()
    twin = np.random.default_rng(5)
    for results in (first, second):
        generators = twin.spawn(4)
        assert_equal(results, list(map(task, BOLTS, BOLTS[::-1], generators)))
    assert [one.plan for one in first] != [one.plan for one in second]


def test_threads_by_default_are_for_large_images():
    seen = set()

    def background(image):
        seen.add(threading.get_ident())
        return np.ones(image.shape[:2], bool)

    task = CutPasteAnomaly(background=background)
    task.batch(BOLTS, rng=0)
    assert seen == {threading.get_ident()}
    large = np.tile(BOLTS[0], (6, 6, 1))
    assert_equal(task.batch([large] * 3, rng=0), one_by_one(task, [large] * 3, None, 0))


def test_threads_work_at_the_same_time():
    both = threading.Barrier(2, timeout=60)

    def background(image):
        both.wait()
        return np.ones(image.shape[:2], bool)

    task = CutPasteAnomaly(background=background)
    before = threading.active_count()
    task.batch(BOLTS[:2], rng=0, threads=2)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "task",
    [NaturalSyntheticAnomaly(background=(200, 60), label="logistic"), MixedAnomaly(shape="ellipses")],
    ids=lambda task: task.name,
)
def test_eight_threads_and_200_items(task):
    images = [draw_sample("bolt", index, size=40 + 8 * (index % 5)).image for index in range(10)] * 20
    sources = [task.prepare_source(images[(index + 5) % 10], image.shape[:2]) for index, image in enumerate(images)]
    expected = one_by_one(task, images, sources, 11)
    assert sum(bool(result.plan.patches) for result in expected) > 50
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    clearing, done = (
        threading.Thread(target=lambda: [clear_caches() for _ in iter(done.is_set, True)]),
        threading.Event(),
    )
    clearing.start()
    try:
        results = task.batch(images, sources, 11, threads=8)
    finally:
        done.set()
        clearing.join()
        sys.setswitchinterval(before)
    assert_equal(results, expected)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", [TypeError, ValueError, OSError, LookupError])
def test_the_first_item_that_fails_is_named(threads, kind):
    def background(image):
        if image[0, 0, 0] in (2, 4):
            raise kind("no object mask")
        return np.ones(image.shape[:2], bool)

    images = [np.full((32, 32, 3), index, np.uint8) for index in range(6)]
    raised = RuntimeError if kind is LookupError else kind
    with pytest.raises(raised, match="item 2 of the batch: no object mask") as caught:
        CutPasteAnomaly(background=background).batch(images, rng=0, threads=threads)
    assert type(caught.value.__cause__) is kind


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"images": BOLTS[0]}, ValueError, "images must be .* image[None]), got an array of shape (96, 96, 3)"),
        ({"images": "bolts"}, TypeError, "images must be a sequence of images or an (N, H, W) or"),
        ({"images": iter(BOLTS)}, TypeError, "images must be a sequence"),
        ({"sources": BOLTS[:3]}, ValueError, "sources must be None, or .* one item for each image (4), got 3"),
        ({"sources": None}, ValueError, "item 0 of the batch: source must be another normal image"),
        ({"masks": np.ones((96, 96))}, TypeError, "masks must be None, or a sequence or array with one item"),
        ({"masks": [None] * 5}, ValueError, "masks must be None, or .* got 5"),
        ({"source_masks": [None]}, ValueError, "source_masks must be None, or .* got 1"),
        ({"allowed": [None, None, np.ones((9, 9), bool), None]}, ValueError, "item 2 of the batch: allowed must be"),
        ({"threads": 0}, ValueError, "threads must be an integer >= 1, got 0"),
        ({"rng": -1}, ValueError, "rng must be"),
    ],
)  # fmt: skip
def test_errors_name_the_argument(arguments, error, words):
    pattern = ".*".join(re.escape(part) for part in words.split(".*"))
    with pytest.raises(error, match=pattern):
        NaturalSyntheticAnomaly().batch(**{"images": BOLTS, "sources": BOLTS[::-1], **arguments})


def warned(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    assert {one.filename for one in caught} <= {__file__}
    return [str(one.message) for one in caught]


@pytest.mark.parametrize("threads", [1, 4])
def test_silence_over_several_batches_is_one_warning_at_the_callers_line(threads):
    task = NaturalSyntheticAnomaly.from_preset("screw")
    images = [bolt[:24, :24] for bolt in BOLTS] * 4
    assert not warned(lambda: task.batch(images, images, 0, threads=threads))
    (message,) = warned(lambda: [task.batch(images, images, 0, threads=threads) for _ in range(9)])
    assert "has placed no patch in 20 calls in a row" in message


@pytest.mark.parametrize("threads", [1, 4])
def test_other_warnings_are_those_of_single_calls(threads):
    task = NaturalSyntheticAnomaly()
    sources = [np.zeros((side, side, 3), np.uint8) for side in (200, 96, 300, 50)]
    expected = warned(lambda: one_by_one(task, BOLTS, sources, 0))
    assert len(expected) == 3
    assert warned(lambda: task.batch(BOLTS, sources, 0, threads=threads)) == expected
