"""NSAd in MONAI's pipelines: the core task, orientation of files, metadata, random state, workers, errors."""

import pickle

import numpy as np
import pytest
from frameworks import LARGE, ON_OBJECTS, TEXTURE, VISIBLE, error_without, normals, run_section, write_folder

from nsa_augment import CutPasteAnomaly, NaturalSyntheticAnomaly

torch = pytest.importorskip("torch")
pytest.importorskip("monai", reason="NSAd is a transform of MONAI")

from monai.data import CacheDataset, DataLoader, Dataset, MetaTensor, PILReader, list_data_collate  # noqa: E402
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, Rotate90d, ScaleIntensityRanged  # noqa: E402

from nsa_augment.integrations.monai import NSAd  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning", "ignore::FutureWarning"
)

HEIGHT, WIDTH = 28, 40  # to tell the axes apart
NORMALS = [image[:HEIGHT] for image in normals(count=6, size=WIDTH)]
TASK = NaturalSyntheticAnomaly.from_preset(TEXTURE, **VISIBLE)


def build(sources=None, prob=1.0, keys="image", label_key="label", **arguments):
    sources = [first(image) for image in NORMALS[1:]] if sources is None else sources
    return NSAd(keys, label_key, TEXTURE, sources, prob=prob, **{**VISIBLE, **arguments})


def first(image, axes="xy"):
    """Channel first, in the order of MONAI's readers."""
    return np.ascontiguousarray(image.transpose(2, 1, 0) if axes == "xy" else image.transpose(2, 0, 1))


def upright(value, axes="xy"):
    return np.asarray(value).transpose((2, 1, 0) if axes == "xy" else (1, 2, 0))


def unit(image):
    return image.astype(np.float32) / np.float32(255)


def by_hand(seed, image, sources, task=TASK, masks=None):
    """What the first call after `set_random_state(seed)` is expected to make, from the core task alone."""
    state = np.random.RandomState(seed)
    state.rand()
    rng = np.random.default_rng(int(state.randint(2**63 - 1, size=1, dtype=np.int64)[0]))
    number = rng.integers(len(sources))
    return task(image, sources[number], rng, source_mask=None if masks is None else masks[number])


def assert_is(item, result, axes="xy"):
    np.testing.assert_array_equal(upright(item["image"], axes), result.image)
    np.testing.assert_array_equal(upright(item["label"], axes)[..., 0], result.label)
    assert item["label"].dtype == torch.float32


@pytest.mark.parametrize("axes", ["xy", "yx"])
@pytest.mark.parametrize("kind", ["list", "tensors", "callable", "folder"])
def test_anomalies_are_those_of_the_core(axes, kind, tmp_path):
    sources = {
        "list": [first(image, axes) for image in NORMALS],
        "tensors": [MetaTensor(torch.from_numpy(first(image, axes))) for image in NORMALS],
        "callable": lambda rng: first(NORMALS[rng.integers(6)], axes),
        "folder": write_folder(tmp_path, NORMALS),
    }[kind]
    transform = build(sources, axes=axes)
    for seed in range(3):
        image = first(NORMALS[0], axes)
        item = transform.set_random_state(seed)({"image": image, "name": "0"})
        assert_is(item, by_hand(seed, NORMALS[0], NORMALS), axes)
        assert item["name"] == "0"
        np.testing.assert_array_equal(image, first(NORMALS[0], axes))


@pytest.mark.parametrize("axes", ["xy", "yx"])
def test_sources_have_the_object_masks_of_their_files(axes, tmp_path):
    masks = [np.arange(WIDTH)[None] * np.ones((HEIGHT, 1)) < WIDTH * share for share in (0.6, 0.7, 0.8)]
    sources = write_folder(tmp_path, NORMALS[:3], masks)
    task = NaturalSyntheticAnomaly.from_preset(TEXTURE, **ON_OBJECTS)
    transform = NSAd("image", "label", task=task, sources=sources, object_masks="alpha", prob=1.0, axes=axes)
    item = transform.set_random_state(0)({"image": first(NORMALS[3], axes)})
    assert_is(item, by_hand(0, NORMALS[3], NORMALS[:3], task, masks), axes)
    assert not np.array_equal(item["label"], first(by_hand(0, NORMALS[3], NORMALS[:3], task).label[..., None], axes))


READERS = {
    "default": {},
    "PILReader": {"reader": "PILReader"},
    "PILReader as it is": {"reader": PILReader(reverse_indexing=False)},
    "ITKReader": {"reader": "ITKReader"},
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("grey", [False, True])
def test_files_have_the_orientation_of_the_loader(reader, grey, tmp_path):
    if reader == "ITKReader":
        pytest.importorskip("itk", reason="ITKReader needs it")
    axes = "yx" if reader == "PILReader as it is" else "xy"
    images = [image[..., 1].copy() for image in NORMALS] if grey else NORMALS
    folder = write_folder(tmp_path, images)
    loading = [LoadImaged("image", **READERS[reader]), EnsureChannelFirstd("image")]
    loaded = Compose(loading)({"image": str(folder / "0.png")})["image"]
    np.testing.assert_array_equal(upright(loaded, axes).squeeze(), images[0])
    pipeline = Compose([*loading, build(folder, axes=axes, max_value=255.0)])
    pipeline.transforms[-1].set_random_state(3)
    task = NaturalSyntheticAnomaly.from_preset(TEXTURE, **VISIBLE, max_value=255.0)
    floats = [image.reshape(HEIGHT, WIDTH, -1).astype(np.float32) for image in images]
    assert_is(pipeline({"image": str(folder / "0.png")}), by_hand(3, floats[0], floats, task), axes)


EARLY = [LoadImaged("image"), EnsureChannelFirstd("image"), ScaleIntensityRanged("image", 0, 255, 0, 1)]


def loading_pipeline(folder, *later, prob=1.0):
    return Compose([*EARLY, build(folder, prob), *later])


@pytest.mark.parametrize("prob", [0.0, 1.0])
def test_metadata_are_kept_and_shared_with_the_label(prob, tmp_path):
    folder = write_folder(tmp_path, NORMALS)
    later = Rotate90d(["image", "label"], k=1)
    given = {"image": str(folder / "0.png")}
    plain = Compose([LoadImaged("image"), EnsureChannelFirstd("image")])(given)["image"]
    item = loading_pipeline(folder, prob=prob)(given)
    rotated = loading_pipeline(folder, later, prob=prob)(given)
    for key in ("image", "label"):
        assert isinstance(item[key], MetaTensor)
        assert item[key].meta["filename_or_obj"] == plain.meta["filename_or_obj"]
        assert torch.equal(item[key].affine, plain.affine)
        assert not torch.equal(rotated[key].affine, plain.affine)
        assert rotated[key].shape[1:] == (HEIGHT, WIDTH)
    assert item["image"].shape == (3, WIDTH, HEIGHT)
    assert item["label"].shape == (1, WIDTH, HEIGHT)
    assert bool(item["label"].any()) == bool(prob)


def test_lazy_pipelines(tmp_path):
    folder = write_folder(tmp_path, NORMALS)
    made = []
    for lazy in (False, True):
        steps = [*EARLY, Rotate90d("image", k=2), build(folder), Rotate90d(["image", "label"], k=1)]
        made.append(Compose(steps, lazy=lazy).set_random_state(1)({"image": str(folder / "0.png")}))
    for key in ("image", "label"):
        assert torch.equal(made[0][key], made[1][key])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_dtypes_and_kinds_of_images(dtype):
    image = NORMALS[0] if dtype == np.uint8 else (NORMALS[0] / 255).astype(dtype)
    given = {"array": first(image), "tensor": torch.from_numpy(first(image))}
    given["meta"] = MetaTensor(given["tensor"], meta={"of": "mine"})
    items = [build().set_random_state(0)({"image": value}) for value in given.values()]
    for item in items:
        assert item["image"].numpy().dtype == dtype
        assert torch.equal(item["image"].as_tensor(), items[0]["image"].as_tensor())
    assert items[2]["label"].meta["of"] == "mine"


def test_prob_is_the_share_of_anomalies():
    transform = NSAd("image", "label", TEXTURE, task="cutpaste", prob=0.4, **LARGE).set_random_state(0)
    items = [transform({"image": first(NORMALS[0])}) for _ in range(200)]
    changed = [bool(item["label"].any()) for item in items]
    assert 58 <= sum(changed) <= 102
    for item, is_changed in zip(items, changed, strict=True):
        assert np.array_equal(item["image"], first(NORMALS[0])) != is_changed


def test_labels_are_merged_by_the_maximum():
    transform = build()
    alone = transform.set_random_state(2)({"image": first(NORMALS[0])})["label"]
    for given in (np.zeros((1, WIDTH, HEIGHT), np.uint8), torch.zeros(1, WIDTH, HEIGHT)):
        given[:, 3:6] = 1
        before = np.asarray(given).copy()
        merged = transform.set_random_state(2)({"image": first(NORMALS[0]), "label": given})["label"]
        np.testing.assert_array_equal(merged, np.maximum(alone, before))
        np.testing.assert_array_equal(given, before)


def test_each_key_has_anomalies_and_a_label_of_its_own():
    transform = build(keys=["left", "right"], label_key=["a", "b"], allow_missing_keys=True)
    item = transform({"left": first(NORMALS[0]), "right": first(NORMALS[0])})
    assert not torch.equal(item["a"], item["b"])
    assert {*transform({"right": first(NORMALS[0])})} == {"right", "b"}
    with pytest.raises(KeyError, match="image"):
        build()({"picture": first(NORMALS[0])})


# random state


def test_a_pipeline_is_repeated_by_its_random_state():
    pipeline = Compose([build(prob=0.5), build(prob=0.5, label_key="other")])

    def run(seed):
        pipeline.set_random_state(seed)
        return [pipeline({"image": first(NORMALS[0])}) for _ in range(4)]

    def digest(items):
        return [item[key].numpy().tobytes() for item in items for key in ("image", "label", "other")]

    assert digest(run(1)) == digest(run(1))
    assert digest(run(1)) != digest(run(2))
    shared = np.random.RandomState(7)
    assert build().set_random_state(state=shared).R is shared


@pytest.mark.parametrize("loader", [DataLoader, torch.utils.data.DataLoader], ids=["MONAI", "PyTorch"])
@pytest.mark.parametrize("dataset", [Dataset, CacheDataset])
@pytest.mark.parametrize("persistent", [False, True])
def test_workers_are_repeatable_and_do_not_repeat_each_other(loader, dataset, persistent):
    def run():
        torch.manual_seed(1)
        options = {"progress": False} if dataset is CacheDataset else {}
        data = dataset([{"image": first(NORMALS[0])}] * 8, Compose([build()]).set_random_state(3), **options)
        batches = loader(data, batch_size=1, num_workers=2, persistent_workers=persistent, collate_fn=list_data_collate)
        return [batch["image"].numpy().tobytes() for _ in range(2) for batch in batches]

    seen = run()
    assert len({*seen}) == 16
    assert run() == seen


def test_copies():
    transform = build().set_random_state(4)
    copied = pickle.loads(pickle.dumps(transform))
    one, other = (each({"image": first(NORMALS[0])}) for each in (transform, copied))
    assert torch.equal(one["image"], other["image"])


# errors

VOLUME = MetaTensor(torch.rand(3, 16, 16), meta={"spatial_shape": np.array([3, 16, 16])})


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.rand(1, 8, 16, 16), r"image must be a \(C, x, y\) .* 2-D only, got \(1, 8, 16, 16\)"),
        (torch.rand(8, 16, 16), "image must have at most max_channels=4 channels, got 8: this package is 2-D only"),
        (VOLUME, r"image must be .* 2-D only, got \(3, 16, 16\)"),
        (torch.rand(16, 16), "image must be .* 2-D only"),
        ("0.png", "image must be .* got '0.png'"),
        (torch.rand(3, 16, 16) * 255, r"image must be .* got float32 values from .* max_value=255"),
        (torch.rand(3, 16, 16) - 0.5, "image must be .* before normalisation"),
    ],
)
def test_bad_images(image, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build()({"image": image})


def test_more_channels_on_request():
    image = np.random.default_rng(0).random((6, 16, 16))
    assert build([image], max_channels=6)({"image": image})["image"].shape == (6, 16, 16)


@pytest.mark.parametrize(
    ("label", "arguments", "message"),
    [
        (torch.full((1, WIDTH, HEIGHT), 255.0), {}, "label must be .* got values from 255 to 255"),
        (torch.zeros(1, HEIGHT, WIDTH), {}, "label must be"),
        (torch.zeros(2, WIDTH, HEIGHT), {}, "label must be"),
        (torch.zeros(1, WIDTH, HEIGHT), {"label": "continuous"}, "label must be None with label='continuous'"),
    ],
)
def test_bad_labels(label, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)({"image": first(NORMALS[0]), "label": label})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sources": None}, "sources must be given for NaturalSyntheticAnomaly"),
        ({"prob": 2}, "prob must be"),
        (
            {"sources": None, "task": "cutpaste", "object_masks": "alpha"},
            "object_masks must be None unless sources are",
        ),
        ({"object_masks": "alpha"}, "object_masks must be None unless sources are a folder or a list of image files"),
        ({"axes": "zx"}, "axes must be one of 'xy', 'yx', got 'zx'"),
        ({"axes": None}, "axes must be"),
        ({"label_key": "image"}, "label_key must be a different key"),
        ({"label_key": ["a", "b"]}, "label_key must be"),
        ({"max_channels": 0}, "max_channels must be"),
        ({"colour": 1}, "NSAd has no argument 'colour'.*allow_missing_keys"),
        ({"sources": [np.zeros((3, 4, 5, 6))]}, "every entry of sources must be .* 2-D only"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        NSAd(**{"keys": "image", "label_key": "label", "sources": [first(NORMALS[0])], **arguments})


def test_tasks_that_need_no_source():
    task = CutPasteAnomaly(**LARGE)
    item = NSAd("image", "label", task=task, prob=1.0).set_random_state(0)({"image": first(NORMALS[0])})
    assert item["label"].any()


def test_without_monai_the_error_names_the_extra():
    error = error_without({"monai"}, "nsa_augment.integrations.monai")
    assert error.startswith("ModuleNotFoundError: nsa_augment.integrations.monai needs monai:")
    assert "pip install 'nsa-augment[monai]'" in error


def test_the_page_runs(tmp_path):
    run_section("MONAI", tmp_path)
