"""Object masks of sources that lie in files, through the transforms."""

import json
import pickle
import shutil

import albumentations as A
import numpy as np
import pytest
from PIL import Image
from pipelines import assert_same, params_of, recorder

from nsa_augment import NSA, SynthesisPlan

SIZE = 96
IMAGE = np.random.default_rng(9).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
SMALL = {"height_range": (0.15, 0.4), "width_range": (0.15, 0.4), "scale_range": None, "min_object": 0.7}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """RGBA sources whose objects are discs in other places, and the discs as files."""
    root = tmp_path_factory.mktemp("inputs")
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for name in ("good", "masks"):
        (root / name).mkdir()
    for number, (top, left) in enumerate([(30, 30), (60, 35), (40, 62)]):
        disc = np.hypot(rows - top, columns - left) < 25
        pixels = np.random.default_rng(number).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
        Image.fromarray(np.dstack([pixels, disc * np.uint8(255)]), "RGBA").save(root / "good" / f"{number}.png")
        Image.fromarray(disc).save(root / "masks" / f"{number}.tif")
    return root


def share(inputs, name, box):
    """How much of a patch shows the object of its source."""
    with Image.open(inputs / "masks" / f"{name}.tif") as mask:
        top, left, bottom, right = box
        return np.array(mask)[top:bottom, left:right].mean()


@pytest.mark.parametrize("where", ["alpha", "masks"])
def test_patches_are_cut_from_the_object(inputs, where):
    masks = "alpha" if where == "alpha" else inputs / where
    pipeline = recorder([NSA(None, inputs / "good", object_masks=masks, p=1.0, **SMALL)])
    shares = []
    for _ in range(20):
        params = params_of(pipeline(image=IMAGE))
        plan = SynthesisPlan.from_dict(params["plan"])
        name = params["source"].rpartition("/")[2].split(".")[0]
        shares += [share(inputs, name, patch.source_box) for patch in plan.patches]
    assert shares
    assert min(shares) > SMALL["min_object"]


@pytest.mark.parametrize("where", ["alpha", "masks"])
def test_replay_and_files_keep_the_masks(inputs, where):
    """With a blending whose result depends on the object masks."""
    masks = "alpha" if where == "alpha" else str(inputs / where)
    given = {"blending": "silhouette", "p": 1.0, **SMALL}
    transform = NSA(None, str(inputs / "good"), object_masks=masks, **given)
    restored = recorder([A.from_dict(json.loads(json.dumps(A.to_dict(transform))))])
    pipeline = recorder([transform])
    for _ in range(4):
        out = pipeline(image=IMAGE)
        record = json.loads(json.dumps(out["replay"]))
        for again in (A.ReplayCompose.replay(record, image=IMAGE), restored(image=IMAGE)):
            assert_same(again, out)


@pytest.mark.parametrize("where", ["alpha", "masks"])
def test_tensors(inputs, where):
    torch = pytest.importorskip("torch")
    from nsa_augment.integrations.torch import AnomalyTransform

    masks = "alpha" if where == "alpha" else inputs / where
    made = []
    for given in (None, masks):
        transform = AnomalyTransform(None, inputs / "good", object_masks=given, p=1.0, blending="copy_paste", **SMALL)
        for each in (transform, pickle.loads(pickle.dumps(transform))):
            torch.manual_seed(0)
            made.append(each(torch.from_numpy(IMAGE.transpose(2, 0, 1).copy()))[1])
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[2], made[3])
    assert not torch.equal(made[0], made[2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sources": [IMAGE]}, "object_masks must be None unless sources are"),
        ({"sources": lambda rng: IMAGE}, "object_masks must be None unless sources are"),
        ({}, "object_masks must be None unless sources are files"),
        ({"sources": "previous"}, "object_masks must be None unless sources are files"),
        ({"source_transform": np.flipud}, "object_masks must be None with a source_transform"),
    ],
)
def test_masks_without_files_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        NSA(None, object_masks="alpha", **arguments)


def test_masks_that_do_not_fit_are_named(inputs, tmp_path):
    masks = shutil.copytree(inputs / "masks", tmp_path / "masks")
    (masks / "1.tif").unlink()
    with pytest.raises(ValueError, match=r"object_masks has no mask for 1\.png of 3 images"):
        NSA(None, inputs / "good", object_masks=masks)
    Image.new("L", (SIZE, 1)).save(masks / "1.tif")
    with pytest.raises(ValueError, match="object_masks must be of the image's 96 x 96 pixels"):
        NSA(None, [inputs / "good" / "1.png"], object_masks=masks, p=1.0)(image=IMAGE)
