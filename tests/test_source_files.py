"""Source images as files and arrays: decoding, dtypes, sizes, names, and files that are no images."""

import os
from pathlib import Path

import numpy as np
import pytest
from pipelines import TEXTURE, VISIBLE, assert_same, by_hand, normals, params_of, recorder, write_folder, write_image

from nsa_augment import NSA

IMAGE = normals()[0]
OTHERS = normals()[1:]
GREY = np.ascontiguousarray(IMAGE[:, :, 1])


def nsa(sources, **arguments):
    return NSA(TEXTURE, sources, p=1.0, **VISIBLE, **arguments)


@pytest.mark.parametrize("image", [GREY, GREY[:, :, np.newaxis], IMAGE], ids=["(H, W)", "(H, W, 1)", "RGB"])
@pytest.mark.parametrize("stored", ["RGB", "grey"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("use", ["folder", "list"])
def test_files_are_decoded_as_the_image_is(image, stored, dtype, use, tmp_path):
    path = write_image(tmp_path / "0.png", OTHERS[0] if stored == "RGB" else np.ascontiguousarray(OTHERS[0][:, :, 0]))
    if dtype == np.float32:
        image = image.astype(np.float32) / np.float32(255)
    pipeline = recorder([nsa(tmp_path if use == "folder" else [path])])
    for _ in range(3):
        out = pipeline(image=image)
        expected = by_hand(image, params_of(out))
        assert out["image"].shape == image.shape
        assert_same(out, {"image": expected.image, "mask": expected.label})
        assert out["mask"].any()


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".webp", ".jpg", ".jpeg", ".PNG"])
def test_the_usual_formats_are_read_in_the_order_rgb(suffix, tmp_path):
    seen = []
    red = np.full((64, 64, 3), (200, 40, 10), np.uint8)
    write_image(tmp_path / f"red{suffix.lower()}", red).rename(tmp_path / f"red{suffix}")
    nsa(tmp_path, source_transform=lambda image: seen.append(image) or image)(image=IMAGE)
    np.testing.assert_allclose(seen[0].astype(int), red, atol=6)


@pytest.mark.parametrize("stored", ["uint8", "float32"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_arrays_are_brought_to_the_dtype_of_the_image(stored, dtype):
    def as_type(image, wanted):
        return image if wanted == np.uint8 else image.astype(np.float32) / np.float32(255)

    image, source = as_type(IMAGE, dtype), as_type(OTHERS[0], np.dtype(stored))
    out = recorder([nsa([source])])(image=image)
    params = {**params_of(out), "source": as_type(OTHERS[0], dtype)}
    assert_same(out, {"image": by_hand(image, params).image, "mask": by_hand(image, params).label})


def test_unicode_and_spaces_in_names(tmp_path):
    folder = write_folder(tmp_path / "gute Teile äß 写真 #1", OTHERS[:1])
    path = write_image(folder / "Schräube 1 — «gut» 🔩.png", OTHERS[1])
    pipeline = recorder([nsa(folder)])
    drawn = {params_of(pipeline(image=IMAGE))["source"] for _ in range(20)}
    assert drawn == {str(folder / "0.png"), str(path)}


def test_relative_paths(tmp_path, monkeypatch):
    write_folder(tmp_path / "good", OTHERS)
    monkeypatch.chdir(tmp_path)
    for sources in ("good", Path("good"), [os.path.join("good", "1.png")]):
        assert nsa(sources)(image=IMAGE)["mask"].any()


# sizes


def test_a_source_of_another_size_is_resized_with_one_warning(tmp_path):
    folder = write_folder(tmp_path, normals(size=96))
    with pytest.warns(UserWarning, match="96 x 96.*64 x 64") as caught:
        out = nsa(folder, cache_mib=0)(image=IMAGE)
    assert len(caught) == 1
    assert out["mask"].any()


def test_a_source_of_about_the_same_size_is_resized_in_silence():
    out = nsa(normals(size=72))(image=IMAGE)
    assert out["image"].shape == IMAGE.shape


# mistakes


@pytest.mark.parametrize("make", [str, Path])
def test_a_missing_folder_is_named(make, tmp_path):
    with pytest.raises(ValueError, match="no-such-folder"):
        NSA(TEXTURE, make(tmp_path / "no-such-folder"))


@pytest.mark.parametrize("content", ["nothing", "no images", "a file"])
def test_a_folder_without_images_is_named(content, tmp_path):
    folder = tmp_path / "bare"
    if content == "a file":
        folder.write_text("not a folder")
    else:
        folder.mkdir()
    if content == "no images":
        (folder / "notes.txt").write_text("none")
        (folder / "sub").mkdir()
        write_image(folder / "sub" / "0.png", OTHERS[0])
    with pytest.raises(ValueError, match="bare"):
        NSA(TEXTURE, folder)


def test_other_files_of_a_folder_are_left_alone(tmp_path):
    write_folder(tmp_path, OTHERS[:1])
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / ".hidden.png").write_text("none")
    (tmp_path / "sub").mkdir()
    pipeline = recorder([nsa(tmp_path)])
    assert {params_of(pipeline(image=IMAGE))["source"] for _ in range(20)} == {str(tmp_path / "0.png")}


def test_a_subfolder_named_like_an_image_is_no_image(tmp_path):
    write_folder(tmp_path, OTHERS[:1])
    (tmp_path / "crops.png").mkdir()
    pipeline = recorder([nsa(tmp_path)])
    assert {params_of(pipeline(image=IMAGE))["source"] for _ in range(20)} == {str(tmp_path / "0.png")}


@pytest.mark.parametrize("use", ["folder", "list"])
@pytest.mark.parametrize("damage", ["cut to 60 %", "header only", "text", "nothing", "missing"])
def test_a_damaged_file_is_named(damage, use, tmp_path):
    path = write_image(tmp_path / "odd one.png", OTHERS[0])
    data = path.read_bytes()
    damaged = {"cut to 60 %": data[: len(data) * 6 // 10], "header only": data[:8], "text": b"text", "nothing": b""}
    path.write_bytes(damaged.get(damage, data))
    transform = nsa(tmp_path if use == "folder" else [str(path)])
    if damage == "missing":
        path.unlink()
    with pytest.raises(ValueError, match=r"odd one\.png"):
        transform(image=IMAGE)


@pytest.mark.parametrize(
    ("image", "source"),
    [(IMAGE, GREY), (GREY, IMAGE), (IMAGE, np.zeros((64, 64, 4), np.uint8)), (IMAGE, GREY[:, :, np.newaxis])],
)
def test_an_array_with_other_channels_than_the_image_is_an_error(image, source):
    with pytest.raises(ValueError, match="channels"):
        nsa([source])(image=image)
