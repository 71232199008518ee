"""Augmentations and synthetic splits of anomalib's datamodules."""

import copy
import gc
import pickle
from pathlib import Path
from types import SimpleNamespace

import anomalib_stack
import cv2
import numpy as np
import pytest
from anomalib_stack import LARGE, datamodule, rejected, write_product

nsa = anomalib_stack.load()

import torch  # noqa: E402
import yaml  # noqa: E402
from anomalib.data import AnomalibDataModule, Folder  # noqa: E402
from jsonargparse import ArgumentParser  # noqa: E402
from torchvision.transforms import v2  # noqa: E402
from torchvision.tv_tensors import Mask  # noqa: E402

HERE = "nsa_augment.integrations.anomalib."


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    return write_product(tmp_path_factory.mktemp("products"))


def augmentation(product, **arguments):
    torch.manual_seed(0)
    return nsa.NSAAugmentation(sources=product[1], **{"p": 1.0, **LARGE, **arguments})


def items(made, epochs=1):
    made.setup()
    return [made.train_data[index] for _ in range(epochs) for index in range(len(made.train_data))]


WRAPPINGS = {
    "alone": lambda one: one,
    "in Compose": lambda one: v2.Compose([v2.RandomHorizontalFlip(), one, v2.RandomVerticalFlip()]),
    "in RandomApply": lambda one: v2.RandomApply([one], p=0.5),
    "in RandomChoice": lambda one: v2.RandomChoice([one, v2.RandomHorizontalFlip(p=1.0)]),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_changed_items_are_labelled(product, wrapping):
    some = WRAPPINGS[wrapping](augmentation(product, p=0.5))
    got = items(datamodule(product[0], train_augmentations=some), epochs=4)
    labels = [bool(item.gt_label) for item in got]
    assert labels == [bool(item.gt_mask.any()) for item in got]
    assert True in labels
    assert False in labels


def test_changed_items_are_labelled_where_there_are_no_masks(product):
    some = augmentation(product, p=0.6)
    made = Folder("hide", root=product[0], normal_dir="train/good", num_workers=0, val_split_mode="none",
                  test_split_mode="none", train_augmentations=some)  # fmt: skip
    made.setup()
    plain = copy.deepcopy(made.train_data)
    plain.augmentations = None
    for index in range(len(plain)):
        item = made.train_data[index]
        assert item.gt_mask is None
        assert bool(item.gt_label) == bool((item.image != plain[index].image).any())
        assert not plain[index].gt_label


def test_test_images_keep_their_labels(product):
    made = datamodule(product[0], train_augmentations=augmentation(product))
    made.setup()
    assert [int(made.test_data[index].gt_label) for index in range(len(made.test_data))] == list(
        made.test_data.samples.label_index
    )


def test_the_resizing_of_the_model_stays(product):
    made = datamodule(product[0], train_augmentations=augmentation(product))
    made.trainer = SimpleNamespace(model=SimpleNamespace(pre_processor=anomalib_stack.resize_to(48)))
    item = items(made)[0]
    assert (item.image.shape, item.gt_mask.shape) == ((3, 48, 48), (48, 48))
    assert item.gt_label


def test_workers_label_too(product):
    made = datamodule(product[0], train_augmentations=augmentation(product, p=0.5), num_workers=1)
    made.setup()
    batches = list(made.train_dataloader())
    assert all(torch.equal(one.gt_label, one.gt_mask.flatten(1).any(1)) for one in batches)
    assert {bool(label) for one in batches for label in one.gt_label} == {True, False}


@pytest.mark.parametrize("given", [Mask(torch.zeros(64, 64, dtype=torch.uint8)), Mask(torch.zeros(1, 64, 64)),
                                   Mask(torch.zeros(64, 64, dtype=torch.bool))], ids=str)  # fmt: skip
def test_masks_keep_shape_and_dtype_and_what_they_mark(product, given):
    given[..., 0, 0] = 1
    _, mask = augmentation(product)(torch.rand(3, 64, 64), given)
    assert (mask.shape, mask.dtype, int(mask.max())) == (given.shape, given.dtype, 1)
    assert mask[..., 0, 0] == 1
    assert int(mask.sum()) > 1


def test_calls_of_other_datasets_are_refused(product):
    one, image = augmentation(product), torch.rand(3, 64, 64)
    rejected(TypeError, "inputs", lambda: one(image, image, torch.zeros(64, 64)))
    rejected(TypeError, "inputs", lambda: one(image[None]))
    rejected(ValueError, "mask", lambda: one(image, torch.zeros(32, 32)))


def split(product, modes=("val",), preset=None, **arguments):
    chosen = {f"{mode}_split_mode": "synthetic" for mode in modes}
    given = datamodule(product[0], **chosen)
    return nsa.synthetic_splits(given, preset, **({**LARGE, **arguments} if preset is None else arguments))


@pytest.fixture
def _no_perlin(monkeypatch):
    monkeypatch.delattr("anomalib.data.utils.synthetic.PerlinAnomalyGenerator")


@pytest.mark.usefixtures("_no_perlin")
@pytest.mark.parametrize("mode", ["val", "test"])
def test_synthetic_splits_are_ours(product, mode):
    made = split(product, [mode])
    made.setup()
    data = getattr(made, f"{mode}_data")
    anomalous = data.samples[data.samples.label_index == 1]
    assert len(anomalous) == len(data) // 2 > 0
    assert set(anomalous.label) == {"abnormal"}
    for index, row in anomalous.iterrows():
        mask = cv2.imread(row.mask_path, cv2.IMREAD_UNCHANGED)
        assert set(np.unique(mask)) == {0, 255}
        original = next(product[0].rglob(f"{'train' if mode == 'val' else 'test'}/good/{row.image_path[-7:]}"))
        change = cv2.absdiff(cv2.imread(row.image_path), cv2.imread(str(original))).max(2)
        assert change[mask > 0].mean() > 3 * change[mask == 0].mean()
        assert data[index].gt_label
        assert data[index].gt_mask.sum() == (mask > 0).sum()
    assert made.name == "MVTecAD"


def pictures(made):
    made.setup()
    rows = made.val_data.samples
    return [(row.label_index, Path(row.image_path).read_bytes()) for row in rows.itertuples()]


def test_equal_seeds_give_equal_splits(product):
    arguments = {"val_split_mode": "synthetic", "seed": 1}

    def made(seed):
        return pictures(nsa.synthetic_splits(datamodule(product[0], **arguments), seed=seed, **LARGE))

    assert made(0) == made(0) != made(1)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_datamodules_are_copied_and_pickled(product, copied):
    made = copied(split(product))
    made.setup()
    assert isinstance(made.val_data, nsa.SyntheticDataset)


def test_the_datamodule_that_is_given_stays_as_it_is(product):
    given = datamodule(product[0], val_split_mode="synthetic")
    before = type(given), dict(vars(given))
    assert type(nsa.synthetic_splits(given, "leather")) is not type(given)
    assert (type(given), vars(given)) == before


def test_synthetic_anomalies_keep_to_the_objects(product, tmp_path):
    """Images and sources have the masks: patches are cut from the object and cover it."""
    (tmp_path / "masks").mkdir()
    mask = np.zeros((64, 64), np.uint8)
    mask[:, :40] = 255
    for path in product[1].glob("*.png"):
        cv2.imwrite(str(tmp_path / "masks" / path.name), mask)
    on_objects = {"height_range": (0.3, 0.5), "width_range": (0.3, 0.5), "min_object": 0.95, "min_overlap": 0.95}
    given = datamodule(product[0])
    given.setup()

    def columns(**arguments):
        made = nsa.SyntheticDataset(given.train_data, ratio=1.0, **on_objects, **arguments)
        return np.any([cv2.imread(path, cv2.IMREAD_UNCHANGED).any(0) for path in made.samples.mask_path], 0)

    assert columns()[44:].any()
    assert not columns(object_masks=tmp_path / "masks")[44:].any()
    (tmp_path / "masks" / "000.png").unlink()
    with pytest.raises(ValueError, match=r"object_masks has no mask for 000\.png of 8 images"):
        columns(object_masks=tmp_path / "masks")
    for path in (tmp_path / "masks").glob("00?.png"):
        path.rename(path.with_name(f"other{path.name}"))
    with pytest.raises(ValueError, match=r"object_masks has no mask for .* of 4 images"):
        split(product, object_masks=tmp_path / "masks").setup()


def test_files_live_as_long_as_a_dataset_that_uses_them(product):
    made = split(product)
    made.setup()
    data, folder = made.val_data, made.val_data._folder.path
    del made
    other = data.subsample([0, 1])
    unpickled = pickle.loads(pickle.dumps(other))
    del data, unpickled
    gc.collect()
    assert other[0].image.shape == (3, 64, 64)
    del other
    gc.collect()
    assert not folder.exists()


def test_images_that_cannot_be_changed_are_said(product):
    with pytest.raises(ValueError, match="task must be one whose patches fit the images: none of 4 could be changed"):
        split(product, preset="leather", background=lambda image: np.zeros(image.shape[:2], bool)).setup()
    rejected(ValueError, "ratio", split(product, ratio=0.1).setup)


def test_splits_that_are_not_synthetic_are_refused(product):
    rejected(ValueError, "datamodule", lambda: nsa.synthetic_splits(datamodule(product[0]), "leather"))
    rejected(TypeError, "datamodule", lambda: nsa.synthetic_splits(product[0], "leather"))
    with pytest.raises(TypeError, match="has no argument 'patches'"):
        split(product, patches=1)


def from_yaml(product, **data):
    parser = ArgumentParser()
    parser.add_subclass_arguments(AnomalibDataModule, "data", required=False, fail_untyped=False)
    file = product[0].parent / "config.yaml"
    file.write_text(yaml.safe_dump(data))
    return parser.instantiate_classes(parser.parse_args(["--data", str(file)])).data


def test_the_augmentation_is_configured_from_yaml(product):
    chosen = {"class_path": HERE + "NSAAugmentation", "dict_kwargs": {"max_patches": 2},
              "init_args": {"preset": "leather", "sources": str(product[1]), "p": 0.7}}  # fmt: skip
    whole = {"class_path": HERE + "NSAAugmentation", "init_args": {"sources": str(product[1]), "task": {
        "class_path": "nsa_augment.NaturalSyntheticAnomaly", "init_args": {"max_patches": 2}}}}  # fmt: skip
    for one in (chosen, whole):
        arguments = {"root": str(product[0].parent), "category": "hide", "train_augmentations": one}
        made = from_yaml(product, class_path="anomalib.data.MVTecAD", init_args=arguments)
        assert isinstance(made.train_augmentations, nsa.NSAAugmentation)
        assert (made.train_augmentations.task.max_patches, made.train_augmentations.task.label) == (2, "binary")


def test_synthetic_splits_are_configured_from_yaml(product):
    arguments = {"root": str(product[0].parent), "category": "hide", "val_split_mode": "synthetic"}
    inner = {"class_path": "anomalib.data.MVTecAD", "init_args": arguments}
    made = from_yaml(
        product, class_path=HERE + "synthetic_splits", init_args={"datamodule": inner, "preset": "leather"}
    )
    made.setup()
    assert isinstance(made.val_data, nsa.SyntheticDataset)
