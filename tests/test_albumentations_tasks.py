"""CutPaste, FPI and PII in pipelines: where they differ from NSA, and ablations of all."""

import albumentations as A
import numpy as np
import pytest
from pipelines import LARGE, TEXTURE, USES, assert_same, each_transform, normals, params_of, recorder, transform_of
from table5 import ROWS

from nsa_augment import FPI, NSA, PII, CutPaste

IMAGE = normals()[0]
OTHERS = normals()[1:]

# CutPaste, with and without sources


def test_cutpaste_alone_cuts_from_the_image_itself():
    pipeline = recorder([CutPaste(TEXTURE, p=1.0, **LARGE)], seed=3)
    for image in normals():
        out = pipeline(image=image)
        assert params_of(out)["source"] is None
        (boxes,) = [[patch["source_box"] for patch in params_of(out)["plan"]["patches"]]]
        assert boxes
        assert np.isin(out["image"].view("u1,u1,u1"), image.view("u1,u1,u1")).all()


def test_cutpaste_takes_the_sources_it_is_given():
    marked = [np.full((64, 64, 3), 200 + index, np.uint8) for index in range(3)]
    pipeline = A.Compose([CutPaste(TEXTURE, marked[:2], p=1.0, **LARGE)], seed=3)
    values = {int(out["image"].max()) for out in (pipeline(image=np.zeros((64, 64, 3), np.uint8)) for _ in range(12))}
    assert values == {200, 201}
    for transform in (pipeline, A.Compose([CutPaste(TEXTURE, p=1.0, **LARGE)])):
        out = transform(image=np.zeros((64, 64, 3), np.uint8), nsa_metadata=[{"image": marked[2]}])
        assert out["image"].max() == 202


@pytest.mark.parametrize("variant", ["normal", "scar", "union"])
def test_variants_of_cutpaste(variant):
    pipeline = recorder([CutPaste(variant=variant, p=1.0)], seed=3)
    image = normals(size=128)[0]
    strips = 0
    for _ in range(20):
        out = pipeline(image=image)
        (patch,) = params_of(out)["plan"]["patches"]
        strips += patch["shape"] is not None
        assert set(patch["jitter"]) == {"brightness", "contrast", "saturation", "hue"}
        assert_same(A.ReplayCompose.replay(out["replay"], image=image), out)
    low, high = {"normal": (0, 0), "scar": (20, 20), "union": (4, 16)}[variant]
    assert low <= strips <= high


# ablations


@each_transform(USES)
@pytest.mark.parametrize("ablation", ["A", "B", "C", "D"])
def test_ablations_are_those_of_the_core(use, ablation):
    transform = transform_of(use, "screw", normals(size=128)[1:], ablation=ablation, arguments={"label": "binary"})
    assert transform.task == ROWS[use.split()[0]].task.from_preset("screw", ablation=ablation, label="binary")
    transform.set_random_seed(1)
    assert transform(image=normals(size=128)[0])["mask"].shape == (128, 128)


# mistakes


@pytest.mark.parametrize(
    ("transform", "arguments", "error", "message"),
    [
        *[(cls, {"ablation": "A", "preset": None}, ValueError, "ablation.*'A'") for cls in (NSA, CutPaste, FPI, PII)],
        *[(cls, {"ablation": "E"}, ValueError, "ablation.*'E'") for cls in (NSA, CutPaste, FPI, PII)],
        (NSA, {"ablation": 1}, TypeError, "ablation.*1"),
        *[(cls, {"selection": "scar"}, ValueError, "selection.*'scar'") for cls in (NSA, CutPaste, FPI, PII)],
        *[(cls, {"scale_range": (1, 2)}, TypeError, "scale_range") for cls in (FPI, PII)],
        *[(cls, {"gradient": "mixed"}, TypeError, "gradient") for cls in (CutPaste, FPI, PII)],
        *[(cls, {"solver": "opencv"}, TypeError, "solver") for cls in (CutPaste, FPI)],
        *[(cls, {"variant": "scar"}, TypeError, "variant") for cls in (NSA, FPI, PII)],
        *[(cls, {"jitter": 0.1}, TypeError, "jitter") for cls in (NSA, FPI, PII)],
        (CutPaste, {"jitter": 0.7}, ValueError, "jitter.*0.7"),
        (CutPaste, {"variant": "3way"}, ValueError, "variant.*'3way'"),
        (CutPaste, {"variant": "scar", "selection": "fpi"}, ValueError, "selection.*'fpi'"),
        (CutPaste, {"label": "factor"}, ValueError, "label.*'factor'"),
    ],
)
def test_wrong_arguments_of_every_transform_are_named(transform, arguments, error, message):
    with pytest.raises(error, match=message):
        transform(**{"preset": TEXTURE, "sources": OTHERS, **arguments})


@pytest.mark.parametrize("transform", [NSA, FPI, PII], ids=lambda transform: transform.__name__)
def test_only_cutpaste_does_without_sources(transform):
    with pytest.raises(ValueError, match=f"sources must be given to {transform.__name__}.*nsa_metadata"):
        transform(TEXTURE, p=1.0)(image=IMAGE)
    assert CutPaste(TEXTURE, p=1.0, **LARGE)(image=IMAGE)["mask"].any()
