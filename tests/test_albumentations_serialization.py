"""Pipelines with NSA written down, printed, pickled and copied."""

import copy
import json
import pickle

import albumentations as A
import numpy as np
import pytest
from pipelines import (
    LARGE,
    TEXTURE,
    TRANSFORMS,
    VISIBLE,
    assert_same,
    each_transform,
    normals,
    run_python,
    write_folder,
)

from nsa_augment import FPI, NSA, PII, PRESETS, CutPaste

IMAGE = normals()[0]
OTHERS = normals()[1:]


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "good", OTHERS)


def plain(pipeline):
    """What stands in a file."""
    return json.loads(json.dumps(A.to_dict(pipeline)))


def assert_alike(one, other, count=6, **data):
    """Two pipelines do the same from the same seed."""
    for pipeline in (one, other):
        pipeline.set_random_seed(77)
    for _ in range(count):
        out = one(image=IMAGE, **data)
        assert_same(out, other(image=IMAGE, **data), out.keys())


ARGUMENTS = {
    "bare": {},
    "preset": {"preset": "screw"},
    "large": {"preset": TEXTURE, **VISIBLE},
    "override": {"preset": "pill", "label": "continuous", "max_patches": 7, "logistic_midpoint": 3, "p": 0.9},
    "dropped": {"preset": "screw", "background": None, "scale_range": None, "size_gamma": None},
    "pair": {"background": (20, 20), "min_object": 0.01, "min_overlap": 0.0},
    "pairs": {"background": [(20, 20), (200, 7.5)], "size_gamma": (3, 0.1, 0.05)},
    "shape": {"preset": "wood", "shape": "ellipses", "resize_limits": "full", "gradient": "source"},
    "keys": {"preset": TEXTURE, "label_key": "defect", "metadata_key": "good", "cache_mib": 1.5},
    "source transform": {"preset": TEXTURE, "source_transform": A.RandomCrop(64, 64)},
    "composed source transform": {
        "preset": TEXTURE,
        "source_transform": A.Compose([A.RandomResizedCrop((64, 64), scale=(0.8, 1)), A.OneOf([A.VerticalFlip(p=1)])]),
    },
    **{f"ablation {name}": {"preset": "tile", "ablation": name} for name in "ABCD"},
    "ablation, override": {"preset": "screw", "ablation": "B", "max_patches": 3, "background": None},
    "FPI": {"class": FPI, "preset": TEXTURE, "selection": "fpi", **LARGE},
    "PII": {"class": PII, "selection": "cutpaste", "shape": "ellipses", "label": "binary"},
    "PII, ablation": {"class": PII, "preset": "wood", "ablation": "C", "solver": "opencv"},
    "CutPaste": {"class": CutPaste, "preset": TEXTURE, "scale_range": (0.7, 1.3), "jitter": 0.2, **LARGE},
    "CutPaste alone": {"class": CutPaste, "preset": TEXTURE, "sources": None, **LARGE},
    **{
        f"CutPaste {name}": {"class": CutPaste, "variant": name, "sources": None, "label": "logistic"}
        for name in ("normal", "scar", "union")
    },
    "CutPaste, no jitter": {"class": CutPaste, "variant": "union", "jitter": 0, "sources": None},
}


def build(name, sources):
    arguments = {"class": NSA, "sources": sources, "p": 1.0, **ARGUMENTS[name]}
    transform = arguments.pop("class")(**arguments)
    return A.Compose([A.HorizontalFlip(), A.Sequential([transform], p=1.0)])


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("way", ["dict", "json", "yaml", "text"])
def test_round_trip(name, way, folder, tmp_path):
    pipeline = build(name, str(folder))
    if way == "dict":
        restored = A.from_dict(A.to_dict(pipeline))
    elif way == "text":
        restored = A.from_dict(plain(pipeline))
    else:
        if way == "yaml":
            pytest.importorskip("yaml")
        A.save(pipeline, tmp_path / "pipeline", data_format=way)
        restored = A.load(tmp_path / "pipeline", data_format=way)
    assert plain(restored) == plain(pipeline)
    assert_alike(restored, pipeline)


@pytest.mark.parametrize("kind", ["str", "Path", "strings", "Paths", "tuple", "mixed"])
def test_round_trip_of_every_kind_of_paths(kind, folder):
    paths = sorted(folder.iterdir())
    sources = {
        "str": str(folder),
        "Path": folder,
        "strings": list(map(str, paths)),
        "Paths": paths,
        "tuple": tuple(paths),
        "mixed": [paths[0], str(paths[1])],
    }[kind]
    pipeline = build("large", sources)
    assert_alike(A.from_dict(plain(pipeline)), pipeline)


@pytest.mark.parametrize(
    "arguments",
    [
        {"logistic_midpoint": np.float32(3)},
        {"max_patches": np.int64(2)},
        {"height_range": np.array([0.25, 0.5])},
        {"background": (np.uint8(20), np.float32(20))},
        {"cache_mib": np.float32(2)},
        {"p": np.float32(0.5)},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
def test_numbers_of_numpy_are_written_as_numbers(arguments, folder):
    pipeline = A.Compose([NSA(**{"preset": TEXTURE, "sources": folder, "p": 1.0, **arguments})])
    assert_alike(A.from_dict(plain(pipeline)), pipeline)


@pytest.mark.parametrize("sources", [None, "previous"])
def test_round_trip_without_files(sources):
    pipeline = A.Compose([NSA(TEXTURE, sources, p=1.0, **VISIBLE)])
    restored = A.from_dict(A.to_dict(pipeline))
    assert_alike(restored, pipeline, nsa_metadata=OTHERS[0])
    if sources is not None:
        assert_alike(A.from_dict(A.to_dict(pipeline)), A.from_dict(A.to_dict(pipeline)))


@each_transform()
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_written_by_name(use, preset, folder):
    for ablation in (None, "A", "B", "C", "D"):
        transform = TRANSFORMS[use](preset, folder, ablation=ablation, p=0.25)
        written = A.to_dict(transform)["transform"]
        assert (written["preset"], written.get("ablation"), written["p"]) == (preset, ablation, 0.25)
        restored = A.from_dict({"transform": written})
        assert type(restored) is type(transform)
        assert restored.task == transform.task


def model(image):
    return image.mean(axis=-1) > 60


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"sources": list(OTHERS)}, "sources"),
        ({"sources": lambda rng: IMAGE}, "sources"),
        ({"source_transform": np.flipud}, "source_transform"),
        ({"background": model}, "background"),
        ({"background": lambda image: image[:, :, 0] > 9}, "background"),
    ],
)
def test_what_cannot_be_written_is_named(arguments, name, folder, tmp_path):
    transform = NSA(**{"preset": TEXTURE, "sources": folder, **arguments})
    for pipeline in (transform, A.Compose([transform]), A.Compose([A.OneOf([transform])])):
        with pytest.raises(ValueError, match=rf"\b{name}\b"):
            A.to_dict(pipeline)
        with pytest.raises(ValueError, match=rf"\b{name}\b"):
            A.save(pipeline, tmp_path / "pipeline.json")


def test_sources_of_paths_and_arrays_cannot_be_written(folder):
    with pytest.raises(ValueError, match="sources"):
        A.to_dict(A.Compose([NSA(TEXTURE, [folder / "0.png", OTHERS[0]])]))


@pytest.mark.slow
def test_a_fresh_process_reads_what_was_saved(folder, tmp_path):
    pytest.importorskip("yaml")
    pipeline = build("source transform", folder)
    for form in ("json", "yaml"):
        A.save(pipeline, tmp_path / f"pipeline.{form}", data_format=form)
    pipeline.set_random_seed(5)
    out = pipeline(image=IMAGE)
    np.save(tmp_path / "image.npy", IMAGE)
    code = """
import sys
import nsa_augment
from nsa_augment import NSA
import albumentations as A
import numpy as np
folder = sys.argv[1]
for form in ("json", "yaml"):
    pipeline = A.load(f"{folder}/pipeline.{form}", data_format=form)
    pipeline.set_random_seed(5)
    out = pipeline(image=np.load(f"{folder}/image.npy"))
    print(int(out["image"].astype(int).sum()), float(out["mask"].sum(dtype=float)))
"""
    expected = [str(int(out["image"].astype(int).sum())), str(float(out["mask"].sum(dtype=float)))]
    assert run_python(code, tmp_path).split() == 2 * expected


# printing

LOCAL = {
    "arrays": lambda: {"sources": list(normals(count=6))},
    "callable": lambda: {"sources": lambda rng: IMAGE},
    "callable source transform": lambda: {"sources": "previous", "source_transform": np.flipud},
    "callable background": lambda: {"sources": "previous", "background": model},
}


@pytest.mark.parametrize("name", LOCAL)
def test_what_cannot_be_written_can_be_printed(name):
    text = repr(NSA(TEXTURE, p=0.25, **LOCAL[name]()))
    assert text.startswith("NSA(")
    assert "leather" in text
    assert "p=0.25" in text
    assert len(text) < 400


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("wrap", [A.Compose, A.OneOf], ids=lambda wrap: wrap.__name__)
def test_pipelines_of_what_cannot_be_written_can_be_printed(name, wrap):
    text = repr(wrap([NSA(TEXTURE, **LOCAL[name]()), A.HorizontalFlip()]))
    assert "NSA(" in text
    assert "HorizontalFlip(" in text
    assert len(text) < 800


@pytest.mark.parametrize("name", ARGUMENTS)
def test_pipelines_can_be_printed(name, folder):
    text = repr(build(name, folder))
    assert str(folder) in text or "sources" in ARGUMENTS[name]
    assert f"{ARGUMENTS[name].get('class', NSA).__name__}(" in text
    assert len(text) < 1000 + len(str(folder))


# pickles and copies


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("kind", ["folder", "arrays", "previous"])
@pytest.mark.parametrize("duplicate", [lambda p: pickle.loads(pickle.dumps(p)), copy.deepcopy], ids=["pickle", "copy"])
def test_pickles_and_copies_go_on_alike(name, kind, duplicate, folder):
    pipeline = build(name, {"folder": folder, "arrays": list(OTHERS), "previous": "previous"}[kind])
    pipeline(image=OTHERS[0])
    other = duplicate(pipeline)
    for _ in range(4):
        out = pipeline(image=IMAGE)
        assert_same(out, other(image=IMAGE), out.keys())


def test_a_pickle_holds_arrays_once():
    images = list(np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8))
    transform = NSA(TEXTURE, images, p=1.0)
    transform(image=images[0])
    assert len(pickle.dumps(transform)) < 1.5 * sum(image.nbytes for image in images)
