"""Where NSA gets its sources from: a folder, a list, a callable, the call itself, the image before."""

import itertools
from pathlib import Path

import albumentations as A
import numpy as np
import pytest
from pipelines import (
    TEXTURE,
    by_hand,
    index_of,
    is_zero_mask,
    normals,
    params_of,
    read,
    recorder,
    write_folder,
)
from scipy.stats import chisquare

from nsa_augment import NSA

IMAGE = normals()[0]
OTHERS = normals()[1:]
GREY = np.ascontiguousarray(IMAGE[:, :, 1])


def make_sources(kind, folder):
    write_folder(folder, OTHERS)
    paths = sorted(folder.iterdir())
    return {
        "folder": str(folder),
        "folder as Path": folder,
        "list of strings": list(map(str, paths)),
        "tuple of Paths": tuple(paths),
        "list of arrays": list(OTHERS),
        "mixed list": [paths[0], str(paths[1]), *OTHERS[2:]],
        "callable": lambda rng: OTHERS[int(rng.integers(len(OTHERS)))],
    }[kind]


KINDS = ("folder", "folder as Path", "list of strings", "tuple of Paths", "list of arrays", "mixed list", "callable")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_sources_is_cut_from(kind, tmp_path):
    pipeline = recorder([NSA(TEXTURE, make_sources(kind, tmp_path), p=1.0)])
    drawn = set()
    for _ in range(40):
        out = pipeline(image=IMAGE)
        params = params_of(out)
        expected = by_hand(IMAGE, params)
        np.testing.assert_array_equal(out["image"], expected.image)
        np.testing.assert_array_equal(out["mask"], expected.label)
        source = params["source"]
        drawn.add(index_of(read(source) if isinstance(source, str) else source, OTHERS))
    assert drawn == set(range(len(OTHERS)))


@pytest.mark.filterwarnings("ignore:NaturalSyntheticAnomaly has placed no patch")
def test_sources_are_drawn_uniformly(tmp_path):
    images = normals(count=5, size=32)
    pipeline = recorder([NSA(TEXTURE, write_folder(tmp_path, images), p=1.0, max_patches=1)], seed=20240607)
    drawn = [int(Path(params_of(pipeline(image=images[0]))["source"]).stem) for _ in range(500)]
    counts = np.bincount(drawn, minlength=5)
    assert chisquare(counts).pvalue > 1e-3
    runs = np.bincount(np.diff(drawn) % 5, minlength=5)  # no draw tells the next
    assert chisquare(runs).pvalue > 1e-3


def test_a_callable_is_given_the_generator_of_the_compose():
    def draw(rng):
        assert isinstance(rng, np.random.Generator)
        numbers.append(int(rng.integers(10**9)))
        return OTHERS[0]

    drawn = []
    for seed in (3, 3, 4):
        numbers = []
        pipeline = A.Compose([NSA(TEXTURE, draw, p=1.0)], seed=seed)
        for _ in range(3):
            pipeline(image=IMAGE)
        drawn.append(numbers)
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 3


@pytest.mark.parametrize(
    "wrong", [None, "a.png", [1, 2], np.zeros((4, 4, 3), np.float16), np.zeros((0, 4, 3), np.uint8)]
)
def test_a_callable_that_returns_no_image_is_an_error(wrong):
    with pytest.raises((TypeError, ValueError), match="sources"):
        NSA(TEXTURE, lambda rng: wrong, p=1.0)(image=IMAGE)


# metadata of the call


def test_an_array_in_the_call_wins_over_sources():
    pipeline = recorder([NSA(TEXTURE, OTHERS[:1], p=1.0)])
    out = pipeline(image=IMAGE, nsa_metadata=OTHERS[3])
    np.testing.assert_array_equal(params_of(out)["source"], OTHERS[3])
    np.testing.assert_array_equal(out["image"], by_hand(IMAGE, params_of(out)).image)


@pytest.mark.parametrize("sequence", [list, tuple])
def test_a_list_in_the_call_is_drawn_from(sequence):
    pipeline = recorder([NSA(TEXTURE, metadata_key="good", p=1.0)])
    given = sequence({"image": image} for image in OTHERS)
    drawn = {index_of(params_of(pipeline(image=IMAGE, good=given))["source"], OTHERS) for _ in range(40)}
    assert drawn == set(range(len(OTHERS)))


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        "data/good",
        3,
        {"img": OTHERS[0]},
        ["0.png"],
        [{"img": OTHERS[0]}],
        [{"image": "0.png"}],
        [{"image": None}],
        OTHERS[0].astype(np.int64),
        OTHERS[0].astype(np.float64),
        OTHERS[0][:, :, :2],
        np.zeros((0, 5, 3), np.uint8),
    ],
    ids=lambda value: type(value).__name__,
)
def test_wrong_metadata_is_an_error_that_names_it(wrong):
    with pytest.raises((TypeError, ValueError), match=r"nsa_metadata|source"):
        NSA(TEXTURE, OTHERS, p=1.0)(image=IMAGE, nsa_metadata=wrong)


def test_neither_sources_nor_metadata_is_an_error_that_names_both():
    with pytest.raises(ValueError, match=r"sources.*nsa_metadata"):
        NSA(TEXTURE, p=1.0)(image=IMAGE)


# "previous"


def test_previous_is_the_image_seen_last():
    pipeline = recorder([NSA(TEXTURE, "previous", p=1.0)])
    out = pipeline(image=IMAGE)
    np.testing.assert_array_equal(out["image"], IMAGE)
    assert is_zero_mask(out["mask"], IMAGE.shape[:2])
    labels = []
    for seen, image in zip([IMAGE, *OTHERS], OTHERS, strict=False):
        out = pipeline(image=image)
        labels.append(out["mask"].any())
        np.testing.assert_array_equal(params_of(out)["source"], seen)
        np.testing.assert_array_equal(out["image"], by_hand(image, params_of(out)).image)
    assert any(labels)


def test_previous_is_also_an_image_that_p_skipped():
    pipeline = recorder([NSA(TEXTURE, "previous", p=0.3)])
    applied = []
    for index in range(60):
        image = normals()[index % 6]
        params = params_of(pipeline(image=image))
        applied.append(params is not None)
        if params is not None and index > 0:
            np.testing.assert_array_equal(params["source"], normals()[(index - 1) % 6])
    assert (False, True) in list(itertools.pairwise(applied))


def test_previous_is_a_copy():
    transform = NSA(TEXTURE, "previous", p=1.0)
    pipeline = recorder([transform])
    first = OTHERS[0].copy()
    pipeline(image=first)
    first[:] = 0
    np.testing.assert_array_equal(params_of(pipeline(image=IMAGE))["source"], OTHERS[0])


def test_the_call_wins_over_previous():
    pipeline = recorder([NSA(TEXTURE, "previous", p=1.0)])
    pipeline(image=OTHERS[0])
    out = pipeline(image=OTHERS[1], nsa_metadata=OTHERS[2])
    np.testing.assert_array_equal(params_of(out)["source"], OTHERS[2])
    np.testing.assert_array_equal(params_of(pipeline(image=OTHERS[3]))["source"], OTHERS[1])


# mistakes


@pytest.mark.parametrize(
    "wrong",
    [
        3,
        1.5,
        {"image": IMAGE},
        [],
        (),
        [3],
        [None],
        ["0.png", None],
        [np.zeros((8, 8, 3), np.int32)],
        [np.zeros((8, 8, 3), np.float16)],
        [np.full((8, 8, 3), 2, np.float32)],
        [np.zeros((0, 8, 3), np.uint8)],
        [np.zeros((8,), np.uint8)],
        np.zeros((8, 8, 3), np.uint8),
        (image for image in OTHERS),
        b"folder",
    ],
    ids=lambda value: type(value).__name__,
)
def test_sources_that_are_nothing_of_the_kind_are_an_error_at_once(wrong):
    with pytest.raises((TypeError, ValueError), match="sources"):
        NSA(TEXTURE, wrong)
