"""Threads that share a pipeline with NSA."""

import sys
from concurrent.futures import ThreadPoolExecutor

import albumentations as A
import numpy as np
import pytest
from pipelines import normals, transform_of, write_folder

IMAGE = normals()[0]
OTHERS = normals()[1:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("use", "sizes", "calls"),
    [
        ("folder", [(64, 64)], 300),
        ("arrays", [(64, 64)], 300),
        ("transformed", [(64, 64)], 300),
        ("arrays", [(64, 64), (60, 56), (52, 64)], 2000),
    ],
    ids=["folder", "arrays", "transformed", "several sizes"],
)
def test_threads_may_share_a_pipeline(use, sizes, calls, tmp_path):
    sources = write_folder(tmp_path, OTHERS) if use == "folder" else OTHERS[:2]
    flip = A.HorizontalFlip() if use == "transformed" else None
    pipeline = A.Compose([transform_of("nsa", sources=sources, source_transform=flip, cache_mib=0.02)], seed=1)

    def work(index):
        height, width = sizes[index % len(sizes)]
        image = np.ascontiguousarray(IMAGE[:height, :width])
        out = pipeline(image=image)
        return out["mask"].any() and (out["image"] != image).any()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(work, range(calls)))
    finally:
        sys.setswitchinterval(before)
