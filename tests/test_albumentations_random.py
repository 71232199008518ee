"""Randomness of NSA in pipelines: seeds, independence, containers."""

import random

import albumentations as A
import numpy as np
import pytest
from pipelines import (
    TEXTURE,
    USES,
    VISIBLE,
    assert_same,
    each_transform,
    index_of,
    is_zero_mask,
    normals,
    only_in_2,
    only_in_x,
    params_of,
    recorder,
    transform_of,
    write_folder,
)

from nsa_augment import NSA, CutPaste

IMAGE = normals()[0]
OTHERS = normals()[1:]
SIZE = IMAGE.shape[:2]


def nsa(p=1.0, sources=OTHERS, **arguments):
    return NSA(TEXTURE, sources, p=p, **VISIBLE, **arguments)


def run(pipeline, count=6, **data):
    return [pipeline(image=IMAGE, **data) for _ in range(count)]


def build(kind, seed):
    transforms = {
        "plain": lambda: [nsa()],
        "p": lambda: [nsa(p=0.5)],
        "cropped": lambda: [A.RandomCrop(48, 48), nsa(source_transform=A.RandomCrop(48, 48)), A.HorizontalFlip()],
        "nested": lambda: [A.Compose([A.Sequential([nsa(p=0.7)], p=0.8)]), A.NoOp()],
        "cutpaste alone": lambda: [transform_of("cutpaste alone", p=0.7)],
        "cutpaste variant": lambda: [CutPaste(variant="union", p=1.0)],
        "cutpaste": lambda: [transform_of("cutpaste", source_transform=A.RandomCrop(64, 64))],
        "fpi": lambda: [transform_of("fpi", p=0.7)],
        "pii": lambda: [transform_of("pii")],
        "one of each": lambda: [A.OneOf([transform_of(use) for use in USES], p=1.0)],
        "one of": lambda: [A.OneOf([nsa(), nsa(label="binary"), nsa(max_patches=1)], p=1.0)],
        "composed source transform": lambda: [
            nsa(source_transform=A.Compose([A.RandomCrop(64, 48), A.Resize(64, 64), A.OneOf([A.VerticalFlip(p=1)])]))
        ],
    }[kind]
    return A.Compose(transforms(), seed=seed)


KINDS = ("plain", "p", "cropped", "nested", "one of", "composed source transform", "cutpaste alone", "cutpaste variant")
KINDS += ("cutpaste", "fpi", "pii", "one of each")


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_of_the_compose_decides(kind):
    first, same, other = (run(build(kind, seed), 12) for seed in (11, 11, 12))
    for one, two in zip(first, same, strict=True):
        assert one.keys() == two.keys()
        assert_same(one, two, one.keys())
    assert any(not np.array_equal(one["image"], two["image"]) for one, two in zip(first, other, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_set_random_seed_starts_again(kind):
    pipeline = build(kind, 11)
    before = run(pipeline)
    pipeline.set_random_seed(11)
    for one, two in zip(before, run(pipeline), strict=True):
        assert_same(one, two, one.keys())


def test_the_seed_also_decides_with_files(tmp_path):
    folder = write_folder(tmp_path, OTHERS)
    first, same = (run(A.Compose([nsa(sources=folder, cache_mib=size)], seed=4)) for size in (0, 10))
    for one, two in zip(first, same, strict=True):
        assert_same(one, two)


def test_without_a_seed_two_pipelines_differ():
    images = [out["image"] for pipeline in (A.Compose([nsa()]), A.Compose([nsa()])) for out in run(pipeline)]
    assert len({image.tobytes() for image in images}) == len(images)


@each_transform(USES)
def test_calls_of_one_pipeline_differ(use):
    outs = run(A.Compose([transform_of(use)], seed=0), 40)
    changed = [out["image"].tobytes() for out in outs if not np.array_equal(out["image"], IMAGE)]
    assert len(set(changed)) == len(changed) > (20 if use == "pii" else 38)


DRAWN = {
    "nsa": [[20, 11, 30, 17], [22, 1, 48, 19], [35, 9, 51, 25]],
    "cutpaste": [[23, 22, 39, 34], [49, 0, 64, 10], [20, 2, 30, 16]],
    "fpi": [[46, 1, 64, 13], [11, 40, 27, 50], [0, 20, 21, 36]],
    "pii": [[38, 27, 50, 55], [2, 39, 28, 64], [14, 3, 24, 33]],
}
"""First source boxes of three calls from seed 8, as version 0.1 draws them."""


@only_in_2
@each_transform(DRAWN)
@pytest.mark.parametrize("preset", [TEXTURE, None])
def test_a_seed_draws_what_it_drew_in_version_0_1(use, preset):
    pipeline = recorder([transform_of(use, preset, arguments={})], seed=8)
    plans = [params_of(pipeline(image=IMAGE))["plan"] for _ in range(3)]
    assert [plan["patches"][0]["source_box"] for plan in plans] == DRAWN[use]


def test_transforms_of_one_pipeline_draw_apart():
    """CutPaste, FPI and PII that are given the same seed do not follow one another."""
    boxes = []
    for use in USES:
        pipeline = recorder([transform_of(use)], seed=8)
        boxes.append(params_of(pipeline(image=IMAGE))["plan"]["patches"][0]["source_box"])
    assert len({tuple(box) for box in boxes[:4]}) == 4


def test_global_random_state_is_neither_used_nor_touched(tmp_path):
    folder = write_folder(tmp_path, OTHERS)

    def results(seed):
        np.random.seed(seed)
        random.seed(seed)
        pipeline = A.Compose([nsa(p=0.7, sources=folder, source_transform=A.RandomCrop(64, 64))], seed=9)
        pipeline.set_random_seed(9)
        return run(pipeline, 10)

    first = results(1)
    state = np.random.get_state()[1].copy(), random.getstate()
    np.random.seed(1)
    random.seed(1)
    np.testing.assert_array_equal(np.random.get_state()[1], state[0])
    assert random.getstate() == state[1]
    for one, two in zip(first, results(2), strict=True):
        assert_same(one, two)


def test_torch_random_state_is_not_touched():
    torch = pytest.importorskip("torch")
    before = torch.random.get_rng_state()
    run(A.Compose([nsa()], seed=3))
    assert torch.equal(torch.random.get_rng_state(), before)


def corner(image):
    """Where a crop of `POSITIONS` was cut."""
    return tuple(int(value) for value in image[0, 0, :2])


POSITIONS = np.zeros((64, 64, 3), np.uint8)
POSITIONS[:, :, 0], POSITIONS[:, :, 1] = np.mgrid[:64, :64]


def test_sources_are_cropped_apart_from_the_image():
    crop = A.RandomCrop(40, 40)
    pipeline = recorder([A.RandomCrop(40, 40), nsa(sources=[POSITIONS], source_transform=crop)], seed=3)
    pairs = []
    for _ in range(60):
        out = pipeline(image=POSITIONS)
        left, top, *_ = params_of(out, 0)["crop_coords"]
        pairs.append(((top, left), corner(params_of(out, 1)["source"])))
    assert sum(image == source for image, source in pairs) < 6
    assert len({source for _, source in pairs}) > 40
    offsets = np.array([np.subtract(*pair) for pair in pairs])
    assert (offsets.std(axis=0) > 3).all()
    rows, columns = np.array(pairs).transpose(2, 1, 0)
    assert abs(np.corrcoef(rows)[0, 1]) < 0.45
    assert abs(np.corrcoef(columns)[0, 1]) < 0.45


def test_numbers_are_drawn_apart_from_those_of_other_transforms():
    class Other(A.ImageOnlyTransform):
        def apply(self, img, **params):
            numbers["other"].append(self.random_generator.random())
            return img

    def draw(rng):
        numbers["nsa"].append(rng.random())
        return OTHERS[0]

    numbers = {"nsa": [], "other": []}
    run(A.Compose([Other(p=1.0), nsa(sources=draw)], seed=6), 30)
    assert len({*numbers["nsa"], *numbers["other"]}) == 60
    assert abs(np.corrcoef(numbers["nsa"], numbers["other"])[0, 1]) < 0.6


def test_a_source_transform_depends_on_the_seed_of_the_compose_alone():
    def corners(seed, inner):
        transform = A.Compose([A.RandomCrop(40, 40)], seed=inner)
        image = np.ascontiguousarray(IMAGE[:40, :40])
        pipeline = recorder([nsa(sources=[POSITIONS], source_transform=transform)], seed=seed)
        return [corner(params_of(pipeline(image=image))["source"]) for _ in range(8)]

    assert corners(1, None) == corners(1, 5) != corners(2, 5)


def test_a_callable_source_transform_is_given_the_source():
    seen = []

    def flip(source):
        seen.append(source)
        return np.ascontiguousarray(source[:, ::-1])

    out = recorder([nsa(source_transform=flip)])(image=IMAGE)
    index_of(seen[0], OTHERS)
    np.testing.assert_array_equal(params_of(out)["source"], seen[0][:, ::-1])


# containers


@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: A.OneOf([t], p=1.0),
        lambda t: A.SomeOf([t, A.NoOp()], n=2),
        lambda t: A.RandomOrder([t, A.HorizontalFlip()], n=2),
        lambda t: A.Sequential([t, A.VerticalFlip()], p=1.0),
        lambda t: A.Compose([A.Compose([t])]),
        lambda t: A.OneOrOther(t, t, p=0.5),
    ],
    ids=["OneOf", "SomeOf", "RandomOrder", "Sequential", "Compose", "OneOrOther"],
)
def test_containers(wrap):
    pipeline = A.Compose([wrap(nsa()), A.HorizontalFlip()], seed=1)
    for out in run(pipeline, 10):
        assert (out["mask"].shape, out["mask"].dtype) == (SIZE, np.float32)
        assert out["mask"].any()


def test_one_of_leaves_a_given_zero_mask_where_it_chose_another_branch():
    pipeline = A.Compose([A.OneOf([nsa(), A.NoOp(p=1.0)], p=1.0)], seed=1)
    outs = run(pipeline, 40, mask=np.zeros(SIZE, np.float32))
    assert {(out["mask"].shape, out["mask"].dtype.name) for out in outs} == {(SIZE, "float32")}
    assert 5 < sum(bool(out["mask"].any()) for out in outs) < 35


def test_some_of_with_replacement_merges_both_labels():
    outs = run(A.Compose([A.SomeOf([nsa(label="binary", max_patches=1)], n=3, replace=True)], seed=1), 10)
    once = run(A.Compose([nsa(label="binary", max_patches=1)], seed=1), 10)
    assert sum(out["mask"].sum() for out in outs) > 1.5 * sum(out["mask"].sum() for out in once)


@only_in_2
def test_saved_parameters_are_those_of_the_plan():
    out = A.Compose([nsa()], seed=1, save_applied_params=True)(image=IMAGE)
    ((name, params),) = out["applied_transforms"]
    assert name == "NSA"
    assert params["plan"]["image_shape"] == [64, 64]


@only_in_x
def test_saved_parameters_rebuild_the_transform():
    out = A.Compose([nsa()], seed=1, save_applied_params=True)(image=IMAGE)
    ((name, config),) = out["applied_transforms"]
    assert NSA(**config).task == nsa().task
    assert name.endswith("NSA")


def test_a_strict_compose_lets_metadata_and_label_through():
    transforms = [NSA(TEXTURE, metadata_key="good", label_key="defect", p=1.0, **VISIBLE), A.HorizontalFlip(p=1.0)]
    out = A.Compose(transforms, strict=True, seed=1)(image=IMAGE, good=[{"image": OTHERS[0]}])
    assert out["defect"].any()
    out = A.Compose(transforms, strict=True)(image=IMAGE, good=OTHERS[0], defect=np.zeros(SIZE, np.uint8))
    assert out["defect"].any()
    with pytest.raises(ValueError, match="godo"):
        A.Compose(transforms, strict=True)(image=IMAGE, godo=OTHERS[0])


def test_a_strict_compose_looks_into_containers():
    inner = A.Sequential([NSA(TEXTURE, metadata_key="good", label_key="defect", p=1.0, **VISIBLE)], p=1.0)
    out = A.Compose([A.Compose([inner])], strict=True)(image=IMAGE, good=OTHERS[0])
    assert out["defect"].any()


def test_a_container_that_skips_adds_nothing():
    out = A.Compose([A.Sequential([nsa()], p=0.0)])(image=IMAGE)
    assert set(out) == {"image"}
    assert is_zero_mask(A.Compose([nsa(p=0.0)])(image=IMAGE)["mask"], SIZE)
