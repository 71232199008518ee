import json

import cv2
import numpy as np
import pytest
from dataset_folders import command, content, make, manifest, read, screws, write_samples

from nsa_augment import CutPasteAnomaly, ForeignPatchInterpolation, NaturalSyntheticAnomaly, SynthesisPlan
from nsa_augment._shared.images import read_image
from nsa_augment.datasets import LAYOUTS, Recipe
from nsa_augment.datasets._items import ItemMaker
from nsa_augment.datasets.recipe import current_versions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples") / "good images")


@pytest.fixture(scope="module")
def dataset(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("datasets") / "screws"
    make(folder, out)
    return out


def test_files_of_an_item_are_what_its_plan_makes(folder, dataset):
    task = screws()
    for record in manifest(dataset):
        image, source = (read_image(folder / record[name]) for name in ("image", "source"))
        result = task.apply(image, source, SynthesisPlan.from_dict(record["plan"]))
        paths = {role: dataset / described["path"] for role, described in record["files"].items()}
        np.testing.assert_array_equal(read_image(paths["image"]), result.image)
        np.testing.assert_array_equal(read(paths["mask"]), result.mask * 255)
        label = read(paths["label"])
        assert label.dtype == np.uint16
        np.testing.assert_allclose(label / 65535, result.label, atol=1e-5)
        assert result.mask.any()
        assert record["image"] != record["source"]
        assert record["versions"]["opencv"] == cv2.__version__


def test_items_depend_on_seed_and_index_alone(folder, dataset, tmp_path):
    make(folder, tmp_path / "more", count=9)
    more = content(tmp_path / "more")
    same = [name for name, data in content(dataset).items() if more[name] == data]
    assert len(same) == 3 * 6
    make(folder, tmp_path / "other", seed=1)
    other = content(tmp_path / "other")
    assert not [name for name in same if other[name] == more[name]]
    maker = ItemMaker(Recipe.create(folder, screws(), 6, 0, "masks"))
    for index in (4, 1):
        assert [more[name] for name in maker.make(index).files] == list(maker.make(index).files.values())


def test_any_number_of_workers_makes_the_same_bytes(folder, dataset, tmp_path):
    state = make(folder, tmp_path / "two", workers=2)
    assert (state.anomalies, state.unchanged, state.kept, state.done, state.total) == (6, 0, 0, 6, 6)
    assert content(tmp_path / "two") == content(dataset)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_second_call_makes_only_what_is_missing_or_damaged(folder, tmp_path, layout):
    out = tmp_path / "out"
    task = screws(label="continuous")
    first = make(folder, out, task, layout=layout)
    before = content(out)
    assert make(folder, out, task, layout=layout).kept == first.total
    assert content(out) == before
    images = sorted(path for path in out.rglob("*.png") if "contact" not in path.name)
    images[0].unlink()
    images[-1].write_bytes(images[-1].read_bytes()[:-1])
    assert make(folder, out, task, layout=layout).kept == first.total - 2
    for name in ("contact.png", "manifest.jsonl"):
        (out / name).unlink()
        make(folder, out, task, layout=layout)
    assert content(out) == before


def test_labels_of_every_kind(folder, tmp_path):
    for kind, scale in (("binary", 65535), ("continuous", 256)):
        out = tmp_path / kind
        make(folder, out, screws(label=kind))
        assert json.loads((out / "recipe.json").read_text())["label_scale"] == scale
        labels, masks = (
            np.array([read(path) for path in sorted((out / name).iterdir())]) for name in ("labels", "masks")
        )
        if kind == "binary":
            np.testing.assert_array_equal(labels, masks.astype(np.uint16) * 257)
        else:
            assert 1 < labels.max() / scale <= 255


@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 1), (np.uint16, 1), (np.uint16, 3)])
def test_images_keep_bits_and_channels_of_their_files(tmp_path, dtype, channels):
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    shape = (48, 40) if channels == 1 else (48, 40, channels)
    for index in range(3):
        pixels = cv2.GaussianBlur(rng.random(shape), (0, 0), 2) * np.iinfo(dtype).max
        cv2.imwrite(str(tmp_path / "in" / f"{index}.png"), pixels.astype(dtype))
    make(tmp_path / "in", tmp_path / "out", NaturalSyntheticAnomaly(), count=3)
    for record in manifest(tmp_path / "out"):
        made, original = (
            read(tmp_path / "out" / record["files"]["image"]["path"]),
            read(tmp_path / "in" / record["image"]),
        )
        assert made.dtype == dtype
        assert made.shape == shape
        assert 0 < (made != original).mean() < 1


def test_other_tasks(folder, tmp_path):
    make(folder, tmp_path / "cutpaste", CutPasteAnomaly.from_preset("screw"), count=2)
    assert {record["source"] for record in manifest(tmp_path / "cutpaste")} == {None}
    state = make(folder, tmp_path / "fpi", ForeignPatchInterpolation.from_preset("screw"), count=2)
    assert state.anomalies == 2


def test_an_image_without_a_place_is_drawn_again_or_recorded_as_unchanged(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("nsa_augment.datasets._items.ATTEMPTS", 2)
    seldom = screws(min_object=0.9, max_patches=1)
    for layout in ("coco", "mvtec"):
        out = tmp_path / layout
        state = make(folder, out, seldom, count=30, seed=2, layout=layout)
        assert state.unchanged
        assert state.anomalies
        kinds = {record["kind"]: record for record in manifest(out)}
        unchanged = kinds["unchanged"]
        made = read_image(out / unchanged["files"]["image"]["path"])
        np.testing.assert_array_equal(made, read_image(folder / unchanged["image"]))
        assert not unchanged["plan"]["patches"]
        if layout == "mvtec":
            assert unchanged["files"]["image"]["path"].startswith("product/test/good/unchanged_")
            assert len(list((out / "product/test/nsa").iterdir())) == state.anomalies
        else:
            assert not read(out / unchanged["files"]["mask"]["path"]).any()
            assert unchanged["annotations"] == []


def test_a_task_that_does_not_fit_ends_early(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("nsa_augment.datasets._items.ATTEMPTS", 3)
    with pytest.raises(ValueError, match=r"no patch found a place in any of \d+ images"):
        make(folder, tmp_path / "out", screws(background=(200, 255)), count=1000)


def test_progress_counts_up(folder, tmp_path):
    states = []
    make(folder, tmp_path / "out", count=17, layout="mvtec", on_progress=states.append)
    counts = [state.done for state in states]
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] == states[-1].total == 17 + 6


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"count": 0}, ValueError, ("count", "0")),
        ({"count": 2.5}, TypeError, ("count", "2.5")),
        ({"seed": -1}, ValueError, ("seed", "-1")),
        ({"layout": "voc"}, ValueError, ("layout", "'voc'", "mvtec")),
        ({"workers": -1}, ValueError, ("workers", "-1")),
        ({"backend": "ray"}, ValueError, ("backend", "'ray'", "dask")),
        ({"backend": "dask"}, ValueError, ("scheduler", "None")),
        ({"backend": "dask", "scheduler": "tcp://here:1"}, ValueError, ("workers", "0")),
        ({"scheduler": "tcp://here:1"}, ValueError, ("scheduler", "here")),
        ({"task": "nsa"}, TypeError, ("task", "'nsa'", "NaturalSyntheticAnomaly")),
        ({"task": NaturalSyntheticAnomaly(background=lambda image: image > 0)}, TypeError, ("background", "lambda")),
    ],
)
def test_bad_arguments_are_named_and_nothing_is_written(folder, tmp_path, arguments, error, words):
    with pytest.raises(error) as caught:
        make(folder, tmp_path / "out", **arguments)
    for word in words:
        assert word in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_mvtec_needs_three_images(tmp_path):
    few = write_samples(tmp_path / "few", 2)
    with pytest.raises(ValueError, match=r"at least 3 images .* got 2"):
        make(few, tmp_path / "out", layout="mvtec")
    assert make(few, tmp_path / "out").anomalies == 6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": 5}, "count was 6, is 5 now"),
        ({"seed": 5}, "seed was 0, is 5 now"),
        ({"layout": "coco"}, "layout was 'masks', is 'coco' now"),
        ({"task": screws(max_patches=2)}, "max_patches was 4, is 2 now"),
        ({"task": CutPasteAnomaly()}, "task was 'nsa', is 'cutpaste' now"),
    ],
)
def test_another_recipe_is_refused(folder, dataset, change, words):
    before = content(dataset)
    with pytest.raises(ValueError, match="was begun with other arguments") as caught:
        make(folder, dataset, **change)
    assert words in str(caught.value)
    assert content(dataset) == before


def test_other_images_and_other_versions_are_refused(folder, dataset, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    for path in folder.iterdir():
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    make(tmp_path / "in", dataset)  # a copy of the folder elsewhere is as good
    (tmp_path / "in" / "new.png").write_bytes((folder / "000.png").read_bytes())
    with pytest.raises(ValueError, match=r"image file new\.png is new"):
        make(tmp_path / "in", dataset)
    monkeypatch.setattr("nsa_augment.datasets.recipe.current_versions", lambda: {**current_versions(), "opencv": "3.0"})
    with pytest.raises(ValueError, match=r"version of opencv was .* is '3\.0' now"):
        make(folder, dataset)


def test_a_folder_with_other_files_is_refused(folder, tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    make(folder, out, count=1)
    (tmp_path / "file").write_text("")
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "notes.txt").write_text("keep me")
    for place in (notes, tmp_path / "file", folder):
        with pytest.raises(ValueError, match="out must be"):
            make(folder, place)
    assert [path.name for path in notes.iterdir()] == ["notes.txt"]
    (notes / "recipe.json").write_text("{}")
    with pytest.raises(ValueError, match="is no dataset made by nsa-augment generate"):
        make(folder, notes)


def test_command_line(folder, dataset, tmp_path):
    arguments = ("generate", folder, tmp_path / "out", "--preset", "screw", "-n", 6, "-w", 0)
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    assert "wrote 6 anomalies" in done.stdout
    expected = content(dataset)
    made = content(tmp_path / "out")
    assert json.loads(made.pop("recipe.json"))["origin"] == {"preset": "screw", "ablation": None}
    assert made.items() <= expected.items()
    for extra, word in (
        (("--preset", "pill"), "preset was 'screw', is 'pill' now"),
        (("--set", "max_patches=1"), "max_patches"),
        (("--layout", "voc"), "'voc'"),
        (("--task", "nasa"), "'nasa'"),
        (("--backend", "dask"), "scheduler"),
    ):
        done = command(*arguments, *extra)
        assert done.returncode == 1
        assert word in done.stderr
        assert done.stderr.startswith("nsa-augment: ")
        assert done.stderr.count("\n") == 1
