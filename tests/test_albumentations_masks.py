"""A mask that is already there is merged with the label of NSA."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pipelines import TEXTURE, VISIBLE, assert_same, by_hand, normals, params_of, recorder

from nsa_augment import NSA

IMAGE = normals()[0]
OTHERS = normals()[1:]
SIZE = IMAGE.shape[:2]
NOWHERE = {"background": (0, 255)}  # nothing is object: no place is ever found


def nsa(p=1.0, **arguments):
    return NSA(TEXTURE, OTHERS, p=p, **VISIBLE, **arguments)


MASKS = {
    "bool": lambda base: base,
    "uint8 0/255": lambda base: base * np.uint8(255),
    "uint8 classes": lambda base: base.astype(np.uint8) * 3,
    "int64 with negatives": lambda base: np.where(base, 5, -1),
    "float32": lambda base: np.where(base, 0.6, 0.1).astype(np.float32),
    "float64": lambda base: np.where(base, 1.0, 0.0),
    "float16": lambda base: np.where(base, 0.5, 0.25).astype(np.float16),
}


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("trailing", [False, True])
@pytest.mark.parametrize("case", ["applied", "p=0", "no place"])
def test_a_given_mask_is_merged_by_maximum(kind, trailing, case):
    base = np.zeros(SIZE, bool)
    base[10:40, 5:30] = True
    given_mask = MASKS[kind](base)
    expected = given_mask.astype(np.float32) if given_mask.dtype.kind == "f" else base.astype(np.float32)
    if trailing:
        given_mask = given_mask[:, :, np.newaxis]
    before = given_mask.copy()
    arguments = NOWHERE if case == "no place" else {}
    pipeline = recorder([nsa(p=0.0 if case == "p=0" else 1.0, **arguments)])
    out = pipeline(image=IMAGE, mask=given_mask)
    if case == "applied":
        label = by_hand(IMAGE, params_of(out)).label
        assert label.any()
        expected = np.maximum(expected, label)
    assert out["mask"].dtype == np.float32
    assert out["mask"].shape in (SIZE, (*SIZE, 1))
    np.testing.assert_array_equal(out["mask"].reshape(SIZE), expected)
    np.testing.assert_array_equal(given_mask, before)


@settings(max_examples=25)
@given(mask=arrays(np.float32, SIZE, elements=st.floats(0, 1, width=32), fill=st.just(np.float32(0.5))))
def test_merging_twice_is_merging_once(mask):
    skipped = nsa(p=0.0)
    once = skipped(image=IMAGE, mask=mask)
    np.testing.assert_array_equal(once["mask"], mask)
    assert_same(skipped(**once), once)


def test_two_in_one_pipeline_mark_both():
    pipeline = recorder([nsa(), nsa(label="binary")])
    out = pipeline(image=IMAGE)
    first = by_hand(IMAGE, params_of(out, 0))
    second = by_hand(first.image, params_of(out, 1), label="binary")
    assert_same(out, {"image": second.image, "mask": np.maximum(first.label, second.label)})


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_grey_levels_are_not_merged(p):
    with pytest.raises(ValueError, match="continuous"):
        nsa(p=p, label="continuous")(image=IMAGE, mask=np.zeros(SIZE, np.uint8))


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((32, 64), np.uint8),
        np.zeros((64, 64, 2), np.uint8),
        np.zeros((1, 64, 64), np.uint8),
        np.full(SIZE, 1.5),
        np.full(SIZE, -0.1),
        np.full(SIZE, 255.0, np.float32),
        np.full(SIZE, np.nan, np.float32),
        np.zeros(SIZE, complex),
        np.full(SIZE, "a"),
        np.zeros(SIZE).tolist(),
        "mask.png",
    ],
    ids=["size", "channels", "axes", "above 1", "below 0", "0..255", "NaN", "complex", "str", "list", "path"],
)
def test_a_wrong_mask_is_named(wrong, p):
    with pytest.raises((TypeError, ValueError), match="defect"):
        nsa(p=p, label_key="defect")(image=IMAGE, defect=wrong)
