"""`clear_caches` gives memory back and changes no result."""

import threading
import tracemalloc

import cv2
import numpy as np
import pytest

from nsa_augment import NaturalSyntheticAnomaly, clear_caches
from nsa_augment.sources import SourcePool

IMAGE, SOURCE = np.random.default_rng(0).integers(0, 256, (2, 400, 400, 3), np.uint8)
TASK = NaturalSyntheticAnomaly(size_gamma=None, height_range=(0.7, 0.8), width_range=(0.7, 0.8), scale_range=None)


def traced():
    return tracemalloc.get_traced_memory()[0]


@pytest.fixture
def tracing():
    clear_caches()
    tracemalloc.start()
    yield
    tracemalloc.stop()


def test_intermediate_arrays_and_sine_matrices_are_given_back(tracing):
    result = TASK(IMAGE, SOURCE, 0)
    assert result.mask.any()
    del result
    kept = traced()
    clear_caches()
    assert kept - traced() > 2**20


def test_those_of_other_threads_too(tracing):
    ready, done = threading.Event(), threading.Event()

    def work():
        try:
            TASK(IMAGE, SOURCE, 0)
        finally:
            ready.set()
        done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    try:
        kept = traced()
        clear_caches()
        assert kept - traced() > 2**20
    finally:
        done.set()
        thread.join()


def test_results_stay_the_same():
    before = TASK(IMAGE, SOURCE, 1)
    clear_caches()
    after = TASK(IMAGE, SOURCE, 1)
    np.testing.assert_array_equal(before.image, after.image)
    np.testing.assert_array_equal(before.label, after.label)


def test_files_are_read_again(tmp_path):
    path = tmp_path / "source.png"
    cv2.imwrite(str(path), SOURCE[:64, :64])
    pool = SourcePool([path])
    image = IMAGE[:64, :64]
    first = pool.prepare(path, image, TASK)
    assert pool.prepare(path, image, TASK) is first
    clear_caches()
    assert pool.prepare(path, image, TASK) is not first
    path.unlink()
    clear_caches()
    with pytest.raises(ValueError, match=r"source\.png"):
        pool.prepare(path, image, TASK)
