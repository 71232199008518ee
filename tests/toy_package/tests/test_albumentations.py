"""The task, with kinds of the package and of its own, in albumentations pipelines."""

import json

import albumentations as A
import numpy as np
import pytest

from nsa_augment import NSA, SynthesisPlan
from nsa_augment.integrations.albumentations import AnomalyTransform
from nsa_augment.tasks import bind_task

LARGE = {"height_range": (0.4, 0.6), "width_range": (0.4, 0.6), "size_gamma": None}


def spots(sources=None, **arguments):
    return AnomalyTransform("dark_spots", sources=sources, p=1.0, **{**LARGE, **arguments})


@pytest.mark.parametrize("with_sources", [False, True])
def test_result_is_that_of_the_task(with_sources, images):
    sources = images[1:] if with_sources else None
    pipeline = A.ReplayCompose([spots(sources, label="percent")])
    pipeline.set_random_seed(3)
    out = pipeline(image=images[0])
    (recorded,) = [transform["params"] for transform in out["replay"]["transforms"]]
    task = bind_task("dark_spots", arguments={**LARGE, "label": "percent"})
    plan = SynthesisPlan.from_dict(json.loads(json.dumps(recorded["plan"])))
    by_hand = task.apply(images[0], recorded["source"] if with_sources else None, plan)
    np.testing.assert_array_equal(out["image"], by_hand.image)
    np.testing.assert_array_equal(out["mask"], by_hand.label)
    assert out["mask"].max() > 1


def test_replay_is_exact(images):
    pipeline = A.ReplayCompose([spots(), A.HorizontalFlip(p=0.5)])
    pipeline.set_random_seed(4)
    out = pipeline(image=images[0])
    again = A.ReplayCompose.replay(out["replay"], image=images[0])
    np.testing.assert_array_equal(again["image"], out["image"])
    np.testing.assert_array_equal(again["mask"], out["mask"])
    assert out["mask"].any()


def test_written_down_and_read_again(images, folder, tmp_path):
    pipeline = A.Compose([spots(str(folder), darkness=0.5, label="percent"), A.HorizontalFlip(p=0.5)], seed=7)
    A.save(pipeline, tmp_path / "pipeline.json", data_format="json")
    read = A.load(tmp_path / "pipeline.json", data_format="json")
    first, second = pipeline.transforms[0], read.transforms[0]
    assert second.task == first.task
    assert second.task.darkness == 0.5
    read.set_random_seed(7)
    pipeline.set_random_seed(7)
    np.testing.assert_array_equal(read(image=images[0])["image"], pipeline(image=images[0])["image"])


def test_a_mask_that_is_there_merges_with_shares_of_one_only(images):
    given = np.zeros(images[0].shape[:2], np.uint8)
    given[:3] = 1
    mask = spots(label="logistic")(image=images[0], mask=given)["mask"]
    assert (mask[:3] == 1).all()
    with pytest.raises(ValueError, match=r"mask .*label='percent'"):
        spots(label="percent")(image=images[0], mask=given)


def test_other_kinds_in_the_transforms_of_the_package(images):
    arguments = {**LARGE, "shape": "triangle", "solver": "conjugate_gradients", "label": "percent"}
    out = NSA("leather", images[1:], p=1.0, **arguments)(image=images[0])
    assert 0 < out["mask"].max() <= 100


def test_unknown_arguments_and_tasks(images):
    with pytest.raises(TypeError, match="darknes"):
        spots(darknes=1)
    with pytest.raises(ValueError, match="'dark_spots'"):
        AnomalyTransform("spots")
