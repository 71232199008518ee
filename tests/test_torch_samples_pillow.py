"""Pillow images in samples."""

import numpy as np
import PIL.Image
import pytest

torch = pytest.importorskip("torch", reason="the transform is made of torch")
from torch_samples import CHANGED, EDGE, LABEL, NORMALS, SOURCES, as_array, build, seeded, values  # noqa: E402

# PIL


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16", "F"])
def test_pillow_images_keep_their_mode(mode):
    def convert(image):
        if mode == "I;16":
            return image[..., 0].astype(np.uint16) * 257
        if mode == "F":
            return image[..., 0].astype(np.float32) / 255
        return np.asarray(PIL.Image.fromarray(image).convert(mode))

    image = PIL.Image.fromarray(convert(NORMALS[0]))
    assert image.mode == mode
    sources = [convert(one) for one in SOURCES]
    transform = build(sources=sources)
    torch.manual_seed(3)
    rng = np.random.default_rng(torch.randint(2**63 - 1, ()).item())
    rng.random()
    expected = transform.task(convert(NORMALS[0]), sources[rng.integers(3)], rng)
    before = image.tobytes()
    changed, label = seeded(transform, image)
    assert changed.mode == mode
    np.testing.assert_array_equal(values(changed), expected.image)
    np.testing.assert_array_equal(values(label), expected.label)
    assert label.any()
    assert image.tobytes() == before


@pytest.mark.parametrize("mode", ["1", "L", "P", "I", "F"])
def test_pillow_masks(mode):
    mask = PIL.Image.fromarray((values(EDGE) * 255).astype(np.uint8))
    mask = PIL.Image.fromarray(values(EDGE)) if mode == "F" else mask.convert(mode)
    image = PIL.Image.fromarray(np.array(NORMALS[0]))
    for sample in ((image, mask), [image, mask], {"image": image, "mask": mask}):
        result = seeded(build(), sample)
        image_of, mask_of = ("image", "mask") if isinstance(sample, dict) else (0, 1)
        np.testing.assert_array_equal(values(result[image_of]), as_array(CHANGED))
        assert torch.equal(result[mask_of], torch.maximum(EDGE, LABEL))


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "LA", "I"])
def test_other_modes_are_refused(mode):
    image = PIL.Image.fromarray(np.array(NORMALS[0])).convert("L" if mode == "LA" else "RGB").convert(mode)
    with pytest.raises(ValueError, match=rf"image must be a PIL image of mode L, RGB.* got '{mode}'"):
        build()(image)
