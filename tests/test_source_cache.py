"""Sources are read once, kept within a bound, and forgotten by a pickle."""

import contextlib
import gc
import pickle
import tracemalloc

import numpy as np
import pytest
from pipelines import TEXTURE, assert_same, normals, params_of, recorder, write_folder

from nsa_augment import NSA, NaturalSyntheticAnomaly
from nsa_augment.sources import BoundedCache, SourcePool

IMAGE = normals()[0]
OBJECT = dict(preset="pill", min_object=0.05, min_overlap=0.05)
TABLETS = normals("tablet")
MIB = 2**20


def test_a_second_read_does_not_touch_the_disk(tmp_path):
    folder = write_folder(tmp_path, normals()[1:2])
    pipeline = recorder([NSA(TEXTURE, folder, p=1.0)])
    before = pipeline(image=IMAGE)
    (folder / "0.png").unlink()
    pipeline.set_random_seed(0)
    assert_same(pipeline(image=IMAGE), before)


def test_a_second_read_does_not_touch_the_disk_with_a_transform(tmp_path):
    folder = write_folder(tmp_path, normals()[1:2])
    transform = NSA(TEXTURE, folder, p=1.0, source_transform=np.flipud)
    transform(image=IMAGE)
    (folder / "0.png").unlink()
    assert transform(image=IMAGE)["image"].shape == IMAGE.shape


@pytest.mark.parametrize("source_transform", [None, np.flipud])
def test_zero_keeps_nothing(source_transform, tmp_path):
    folder = write_folder(tmp_path, normals()[1:2])
    transform = NSA(TEXTURE, folder, p=1.0, cache_mib=0, source_transform=source_transform)
    transform(image=IMAGE)
    (folder / "0.png").unlink()
    with pytest.raises(ValueError, match=r"0\.png"):
        transform(image=IMAGE)


def kept_sources(transform, folder, image, count):
    """How many of the files, seen often enough, are not read again."""
    pipeline = recorder([transform])
    for _ in range(15 * count):
        pipeline(image=image)
    for path in folder.iterdir():
        path.unlink()
    kept = set()
    for _ in range(15 * count):
        with contextlib.suppress(ValueError):  # the file is not there any more
            kept.add(params_of(pipeline(image=image))["source"])
    return len(kept)


@pytest.mark.parametrize(("room", "most"), [(2.5, 2), (100, 6), (0.9, 0)])
def test_no_more_pixels_are_kept_than_there_is_room_for(room, most, tmp_path):
    folder = write_folder(tmp_path, normals())
    transform = NSA(TEXTURE, folder, p=1.0, cache_mib=room * IMAGE.nbytes / MIB)
    assert kept_sources(transform, folder, IMAGE, 6) == most


def test_object_masks_and_tables_count(tmp_path):
    folder = write_folder(tmp_path, TABLETS)
    transform = NSA(**OBJECT, sources=folder, p=1.0, cache_mib=2.5 * TABLETS[0].nbytes / MIB)
    assert kept_sources(transform, folder, TABLETS[0], 6) < 2


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [{"preset": TEXTURE}, OBJECT], ids=["texture", "object"])
@pytest.mark.parametrize(("cache_mib", "calls"), [(0, 60), (0.5, 60), (4, 150)])
def test_memory_grows_by_no_more_than_the_cache(arguments, cache_mib, calls, tmp_path):
    """Sources of all calls together would take more."""
    folder = write_folder(tmp_path, normals("tablet", size=128) * 10)
    images = [np.ascontiguousarray(normals("tablet", size=128)[0][:side, :side]) for side in (120, 124, 128)]
    transform = NSA(**arguments, sources=folder, p=1.0, cache_mib=cache_mib)
    transform(image=images[0])
    draw_again = NSA(**arguments, sources=normals("tablet", size=128)[:1], p=1.0)
    for index in range(400):  # fills the solver's tables, which have a bound of their own
        draw_again(image=images[index % 3])
    gc.collect()
    tracemalloc.start()
    try:
        for index in range(calls):
            transform(image=images[index % 3])
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] / MIB
    finally:
        tracemalloc.stop()
    assert grown < cache_mib + 0.75
    if cache_mib:
        assert grown > cache_mib / 2


def test_the_cache_serves_images_of_several_forms(tmp_path):
    folder = write_folder(tmp_path, normals()[1:2])
    transform = NSA(TEXTURE, folder, p=1.0)
    grey = np.ascontiguousarray(IMAGE[:, :, 0])
    forms = [IMAGE, grey, grey[:, :, np.newaxis], IMAGE / np.float32(255), np.ascontiguousarray(IMAGE[:56, :60])]
    for image in [*forms, *forms]:
        fresh = NSA(TEXTURE, folder, p=1.0, cache_mib=0)
        transform.set_random_seed(5)
        fresh.set_random_seed(5)
        assert_same(transform(image=image), fresh(image=image))


def test_a_result_does_not_depend_on_the_cache(tmp_path):
    folder = write_folder(tmp_path, TABLETS)
    pipelines = [recorder([NSA(**OBJECT, sources=folder, p=1.0, cache_mib=size)]) for size in (0, 0.05, 256)]
    for _ in range(30):
        outs = [pipeline(image=TABLETS[0]) for pipeline in pipelines]
        assert_same(outs[0], outs[1])
        assert_same(outs[0], outs[2])


def test_a_background_model_need_not_be_hashable(tmp_path):
    class Bright:
        __hash__ = None

        def __call__(self, image):
            return image.mean(axis=-1) > 60

    folder = write_folder(tmp_path, TABLETS)
    assert NSA(sources=folder, background=Bright(), p=1.0)(image=TABLETS[0])["image"].shape == TABLETS[0].shape


@pytest.mark.parametrize("wrong", [-1, "256", None, float("nan"), True])
def test_a_wrong_cache_size_is_named(wrong, tmp_path):
    with pytest.raises((TypeError, ValueError), match="cache_mib"):
        NSA(TEXTURE, write_folder(tmp_path, normals()), cache_mib=wrong)


def test_a_pickle_holds_no_pixels_of_files(tmp_path):
    folder = write_folder(tmp_path, normals(size=128))
    transform = NSA(TEXTURE, folder, p=1.0)
    empty = len(pickle.dumps(transform))
    for _ in range(20):
        transform(image=normals(size=128)[0])
    data = pickle.dumps(transform)
    assert len(data) < empty + 1.5 * normals(size=128)[0].nbytes  # at most the source of the last call
    copy = pickle.loads(data)
    image = normals(size=128)[1]
    assert_same(copy(image=image), transform(image=image))


def test_a_pool_is_pickled_without_its_cache(tmp_path):
    pool = SourcePool(write_folder(tmp_path, normals()), cache_mib=1)
    empty = pickle.dumps(pool)
    rng = np.random.default_rng(0)
    task = NaturalSyntheticAnomaly()
    prepared = [pool.prepare(pool.draw(rng), IMAGE, task) for _ in range(20)]
    assert len({id(source) for source in prepared}) <= 6
    assert pickle.dumps(pool) == empty
    assert len(pickle.loads(empty)) == 6


def test_the_cache_tells_tasks_apart(tmp_path):
    """One pool for tasks of several scales and backgrounds, and images of several forms."""
    pool = SourcePool(write_folder(tmp_path, TABLETS[:1]))
    (source,) = {pool.draw(np.random.default_rng(seed)) for seed in range(3)}
    tasks = [
        NaturalSyntheticAnomaly(background=background, max_value=max_value)
        for background in (
            None,
            (20, 20),
            (200, 60),
            lambda image: image.reshape(*image.shape[:2], -1).mean(axis=-1) > 90,
        )
        for max_value in (None, 4095)
    ]
    grey = TABLETS[0][:, :, 0]
    images = [(form.astype(dtype)) for form in (TABLETS[0], grey, grey[:60]) for dtype in (np.uint16, np.float64)]
    for _, task, image in [(again, task, image) for again in range(2) for task in tasks for image in images]:
        alone = SourcePool([source], cache_mib=0)
        np.testing.assert_array_equal(pool.read(source, image, task), alone.read(source, image, task))
        one, other = (each.prepare(source, image, task) for each in (pool, alone))
        np.testing.assert_array_equal(one.image, other.image)
        assert (one.image.dtype, one.image.shape[:2], one.model) == (image.dtype, image.shape[:2], task.object_model)
        assert (one.foreground is None) == (other.foreground is None) == (task.background is None)
        if one.foreground is not None:
            np.testing.assert_array_equal(one.foreground.mask, other.foreground.mask)


def test_the_least_recently_used_goes_first():
    made = []

    def get(key, size=3):
        return cache.get(key, lambda: (made.append(key) or key.upper(), size))

    cache = BoundedCache(10)
    assert [get(key) for key in "abcabc"] == list("ABCABC")
    assert made == list("abc")
    get("a")
    get("d")
    assert (len(cache), cache.size) == (3, 9)
    get("a")
    get("b")
    assert made == list("abcdb")


def test_what_is_larger_than_the_room_is_not_kept_and_drives_nothing_out():
    cache = BoundedCache(10)
    cache.get("a", lambda: (1, 10))
    assert cache.get("b", lambda: (2, 11)) == 2
    assert cache.get("a", lambda: (3, 10)) == 1
    assert (len(cache), cache.size) == (1, 10)
    assert len(pickle.loads(pickle.dumps(cache))) == 0
