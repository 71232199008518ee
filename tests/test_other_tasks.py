"""Cut-outs and textures by every entry point: pipelines, tensors, commands, whole datasets."""

import copy
import inspect
import json
import pickle

import albumentations as A
import cv2
import numpy as np
import pytest
from dataset_folders import command, content, manifest, read, write_samples
from drawing import draw_plans
from pipelines import assert_same, normals, params_of, recorder, write_folder
from strategies import bank_folder, draw_pixels

from nsa_augment import CutOut, CutOutAnomaly, DefectBankAnomaly, MixedAnomaly, SynthesisPlan, Texture, TextureAnomaly
from nsa_augment.datasets import verify
from nsa_augment.integrations.albumentations import AnomalyTransform
from nsa_augment.tasks import PUBLISHED, TASKS, TEXTURE_PRESETS

IMAGE = normals()[0]
OTHERS = normals()[1:]
TRANSFORMS = {
    "cutout": lambda **more: CutOut("leather", fill="noise", p=1.0, **more),
    "cutout by name": lambda **more: AnomalyTransform("cutout", fill=(9, 0, 255), p=1.0, **more),
    "draem": lambda **more: Texture("draem", p=1.0, normal_share=0.3, **more),
    "memseg": lambda **more: Texture("memseg", p=1.0, background=(255, 0), **more),
    "glass by name": lambda **more: AnomalyTransform("texture", "glass", p=1.0, **more),
}
each_transform = pytest.mark.parametrize("name", TRANSFORMS)


def test_the_published_tasks_come_first_and_are_those_of_the_paper():
    assert list(TASKS)[:4] == [task.name for task in PUBLISHED]
    assert set(TASKS) >= {"cutout", "texture", "bank"}
    assert [task.name for task in PUBLISHED] == ["nsa", "cutpaste", "fpi", "pii"]


@each_transform
@pytest.mark.parametrize("given", [False, True])
def test_albumentations_applies_what_the_plan_says(name, given):
    transform = TRANSFORMS[name](sources=list(OTHERS) if given else None)
    pipeline, changed = recorder([transform, A.HorizontalFlip(p=1.0)]), 0
    for _ in range(6):
        out = pipeline(image=IMAGE)
        params = params_of(out)
        plan = SynthesisPlan.from_dict(params["plan"])
        expected = transform.task.apply(IMAGE, params["source"], plan)
        np.testing.assert_array_equal(out["image"], expected.image[:, ::-1])
        np.testing.assert_array_equal(out["mask"], expected.label[:, ::-1])
        patterns = [patch.filling.pattern.name for patch in plan.patches]
        assert given or "picture" not in patterns
        if given and "cutout" not in name:
            assert set(patterns) <= {"picture", "shuffled"}
        assert_same(A.ReplayCompose.replay(copy.deepcopy(out["replay"]), image=IMAGE), out)
        changed += out["mask"].any()
    assert changed >= 2


@each_transform
def test_albumentations_writes_them_down(name, tmp_path):
    transform = TRANSFORMS[name](sources=write_folder(tmp_path, OTHERS))
    written = json.loads(json.dumps(A.to_dict(A.Compose([transform]))))
    restored = A.from_dict(written)
    assert (type(restored[0]), restored[0].task) == (type(transform), transform.task)
    assert A.to_dict(restored) == A.to_dict(A.Compose([transform]))
    for other in (pickle.loads(pickle.dumps(transform)), copy.deepcopy(transform)):
        assert other.task == transform.task
    results = []
    for pipeline in (restored, A.Compose([transform])):
        pipeline.set_random_seed(3)
        results.append(pipeline(image=IMAGE))
    assert_same(*results)


@each_transform
def test_every_image_of_a_call_is_changed_by_the_plan(name):
    pipeline = recorder([TRANSFORMS[name]()], additional_targets={"other": "image"})
    grey = cv2.cvtColor(OTHERS[0], cv2.COLOR_RGB2GRAY)
    other = OTHERS[0] if name == "cutout by name" else grey
    for _ in range(4):
        out = pipeline(image=IMAGE, other=other)
        plan = SynthesisPlan.from_dict(params_of(out)["plan"])
        expected = TRANSFORMS[name]().task.apply(other, None, plan)
        np.testing.assert_array_equal(out["other"], expected.image)


def test_signatures_show_the_arguments_that_exist():
    for transform, own, gone in (
        (CutOut, {"fill", "max_patches"}, {"min_overlap", "candidates"}),
        (Texture, {"textures", "normal_share", "noise_scales"}, {"max_patches", "selection", "fill"}),
    ):
        parameters = inspect.signature(transform).parameters
        assert own <= set(parameters)
        assert not gone & set(parameters)
        with pytest.raises(TypeError, match=f"{transform.__name__} has no argument '{sorted(gone)[0]}'"):
            transform(**{sorted(gone)[0]: 2})


# PyTorch


@pytest.mark.parametrize(
    ("task", "preset", "arguments"),
    [("cutout", "leather", {"fill": 0}), ("texture", "glass", {}), ("texture", "memseg", {"label": "factor"})],
)
def test_torch_transform_and_dataset(task, preset, arguments):
    torch = pytest.importorskip("torch")
    from nsa_augment.integrations.torch import AnomalyDataset, AnomalyTransform

    transform = AnomalyTransform(preset, task=task, p=1.0, **arguments)
    batch = torch.stack([torch.from_numpy(image.transpose(2, 0, 1).copy()) for image in normals()[:3]])
    torch.manual_seed(1)
    images, masks = transform(batch)
    assert (images.shape, masks.shape) == (batch.shape, (3, 64, 64))
    assert ((images != batch).any(dim=1) | (masks == 0)).float().mean() > 0.99
    assert masks.amax() > 0
    lone, mask = transform(batch[0])
    assert (lone.shape, mask.shape) == (batch[0].shape, (64, 64))
    dataset = AnomalyDataset(list(normals()), transform.task)
    item, label = dataset[1]
    assert torch.equal(dataset[1][0], item)
    assert (item.dtype, label.shape) == (torch.uint8, (64, 64))


# commands and datasets


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("normals") / "good", size=64)


@pytest.fixture(scope="module")
def textures(tmp_path_factory):
    place = tmp_path_factory.mktemp("textures")
    (place / "deep").mkdir()
    for index in range(3):
        cv2.imwrite(str(place / "deep" / f"{index}.png"), draw_pixels(index, (50, 70, 3)))
    return place


@pytest.mark.parametrize(
    "options",
    [
        ("cutout", "screw", "fill=noise"),
        ("cutout", "screw", "fill=255,0,0"),
        *[("texture", preset, "background=200,60") for preset in TEXTURE_PRESETS],
        ("texture", "screw", "structure=0"),
    ],
    ids=str,
)
def test_datasets_are_made_and_verified(options, folder, tmp_path):
    task, preset, setting = options
    given = ("--task", task, "--preset", preset, "--set", setting, "--label", "continuous", "-w", 0)
    done = command("generate", folder, tmp_path / "out", "-n", 5, *given)
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "out", workers=0).problems == ()
    for record in manifest(tmp_path / "out"):
        plan = SynthesisPlan.from_dict(record["plan"])
        assert all(patch.filling is not None for patch in plan.patches)
        assert record["source"] is None
        mask, image = (read(tmp_path / "out" / record["files"][role]["path"]) for role in ("mask", "image"))
        normal = read(folder / record["image"])
        assert (image[mask > 0] != normal[mask > 0]).any(axis=1).mean() > 0.9
        assert mask.any()
    again = command("generate", folder, tmp_path / "again", "-n", 5, *given)
    assert again.returncode == 0
    names = [name for name in content(tmp_path / "out") if name.endswith(".png") and "contact" not in name]
    first, second = (content(tmp_path / name) for name in ("out", "again"))
    assert all(first[name] == second[name] for name in names)
    (tmp_path / "out" / names[0]).write_bytes(b"")
    assert verify(tmp_path / "out", workers=0).problems


def test_textures_of_a_folder_in_commands(folder, textures, tmp_path):
    given = ("--task", "texture", "--preset", "memseg", "--set", f"textures={textures}", "--set", "structure=0")
    done = command("generate", folder, tmp_path / "out", "-n", 4, *given, "-w", 0)
    assert done.returncode == 0, done.stderr
    plans = [SynthesisPlan.from_dict(record["plan"]) for record in manifest(tmp_path / "out")]
    assert {patch.filling.pattern.name for plan in plans for patch in plan.patches} == {"file"}
    assert command("verify", tmp_path / "out", "-w", 0).returncode == 0
    done = command("preview", folder, *given, "-n", 1, "-o", tmp_path / "preview.png")
    assert done.returncode == 0, done.stderr
    done = command("preview", folder, *given, "--set", f"textures={tmp_path / 'none'}", "-o", tmp_path / "no.png")
    assert done.returncode == 1
    assert "no such folder" in done.stderr


def test_preview_tells_normal_images_from_failures(folder, tmp_path):
    given = ("preview", folder, "-n", 3, "--task", "texture", "-o", tmp_path / "page.png")
    done = command(*given, "--set", "normal_share=1")
    assert (done.returncode, done.stderr.strip()) == (0, "3 of 3 images stayed normal on purpose")
    done = command(*given, "--set", "noise_threshold=1", "--set", "noise_cover=0")
    assert "3 of 3 images had no place for a patch. Likeliest reason" in done.stderr
    assert "normal" not in done.stderr
    assert "with --task texture also: draem, memseg, glass" in command("presets").stdout


# what all of them keep


@pytest.mark.parametrize("task", [CutOutAnomaly(fill="noise"), TextureAnomaly(), TextureAnomaly.from_preset("glass")])
def test_plans_read_back_make_the_same_image_without_the_generator(task):
    for plan in draw_plans(task, IMAGE, 8):
        read_back = SynthesisPlan.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False)))
        assert read_back == plan
        first, second = (task.apply(IMAGE, None, each) for each in (plan, read_back))
        np.testing.assert_array_equal(first.image, second.image)


def test_plans_of_published_tasks_have_no_new_fields():
    for task in PUBLISHED:
        for plan in draw_plans(task.from_preset("leather"), IMAGE, 5):
            keys = {key for patch in plan.to_dict()["patches"] for key in patch}
            assert keys <= {"source_box", "destination_box", "factor", "gradient", "shape"}


@pytest.mark.parametrize("blending", ["poisson", "copy_paste", "linear", "feather", "silhouette"])
def test_they_are_joined_by_any_blending(blending):
    objects = np.zeros((64, 64), bool)
    objects[8:50, 8:50] = True
    large = {"height_range": (0.4, 0.6), "width_range": (0.4, 0.6)}
    for task in (TextureAnomaly(blending=blending), CutOutAnomaly(blending=blending, fill=0, **large)):
        results = [task(IMAGE, rng=seed, mask=objects) for seed in range(10)]
        assert sum(result.mask.any() for result in results) >= 5
        for result in results:
            if blending in ("copy_paste", "linear", "feather"):
                np.testing.assert_array_equal(result.image[~objects], IMAGE[~objects])


@pytest.mark.parametrize(
    "make", [CutOutAnomaly, TextureAnomaly, lambda **more: DefectBankAnomaly(bank=bank_folder(), **more)]
)
def test_patches_change_the_image_enough_if_that_is_asked(make):
    task, placed = make(min_change=2, logistic_midpoint=25, label="continuous", background=None), 0
    image = draw_pixels(4, (64, 64, 3))
    for seed in range(15):
        result = task(image, rng=seed)
        assert not result.plan.patches or result.label.max() > 50
        placed += len(result.plan.patches)
    assert placed > 5
    faint = make(min_change=100, logistic_midpoint=200).plan(image, rng=0)
    assert {patch.reason.name for patch in faint.given_up} == {"TOO_FAINT"}


def test_they_are_parts_of_a_mixture():
    parts = [
        ("nsa", 1), {"task": "cutout", "fill": "noise"}, {"task": "texture", "preset": "glass"},
        {"task": "bank", "bank": bank_folder()},
    ]  # fmt: skip
    mixture = MixedAnomaly(parts, label="binary")
    rng, seen = np.random.default_rng(0), set()
    for _ in range(24):
        plan = SynthesisPlan.from_dict(json.loads(json.dumps(mixture.plan(IMAGE, OTHERS[0], rng).to_dict())))
        alone = mixture.tasks[plan.task].apply(IMAGE, OTHERS[0] if plan.task == "nsa" else None, plan)
        np.testing.assert_array_equal(mixture.apply(IMAGE, OTHERS[0], plan).image, alone.image)
        seen.add(plan.task)
    assert seen == {"nsa", "cutout", "texture", "bank"}
    assert MixedAnomaly(**json.loads(json.dumps(mixture.given_arguments(["parts"]), default=str))) == mixture
