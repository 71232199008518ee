"""`clamp=`: values slightly outside of [0, 1]."""

import pytest

torch = pytest.importorskip("torch", reason="the transform is made of torch")
from torch_samples import IMAGE, SIZE, as_array, build, seeded  # noqa: E402

from nsa_augment.integrations.torch import AnomalyTransform  # noqa: E402

# clamp


def overshooting(dtype, amount=0.03):
    unit = IMAGE.double() / 255
    unit[:, 0], unit[:, 1] = -amount, 1 + amount
    return unit.to(dtype)


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_clamp(dtype, p):
    image = overshooting(dtype)
    before = image.clone()
    with pytest.raises(ValueError, match=r"image must be .*values from -0\.0(3|2999).*clamp=True"):
        build(p=p)(image)
    result, label = seeded(build(p=p, clamp=True), image)
    expected, expected_label = seeded(build(p=p), image.clamp(0, 1))
    assert torch.equal(result, expected)
    assert torch.equal(label, expected_label)
    assert torch.equal(image, before)


def test_clamp_takes_what_bicubic_resizing_makes():
    rng = torch.Generator().manual_seed(0)
    image = torch.randint(0, 2, (3, 12, 12), generator=rng).float()
    for antialias in (False, True):
        resized = torch.nn.functional.interpolate(
            image[None], (SIZE, SIZE), mode="bicubic", antialias=antialias, align_corners=False
        )[0]
        assert resized.min() < -0.05
        assert resized.max() > 1.05
        result, _ = build(p=0.0, clamp=True)(resized)
        assert torch.equal(result, resized.clamp(0, 1))


def test_clamp_refuses_what_is_no_overshoot():
    unit = IMAGE.float() / 255
    for image in ((unit - 0.45) / 0.22, unit * 255, unit * 2 - 1, unit + torch.nan):
        with pytest.raises(ValueError, match=r"image must be .*values from (?!.*clamp)"):
            build(clamp=True)(image)


def test_clamp_of_other_maxima():
    image = torch.full((1, SIZE, SIZE), 260.0)
    transform = AnomalyTransform(task="cutpaste", max_value=255.0, clamp=True, p=0.0)
    assert (transform(image)[0] == 255).all()


@pytest.mark.parametrize("kind", ["tensor", "array", "callable"])
def test_clamp_reaches_sources(kind):
    source = overshooting(torch.float32).flip(-1)
    expected, _ = seeded(build(sources=[source.clamp(0, 1)]), IMAGE)
    array = as_array(source).copy()
    sources = {"tensor": [source], "array": [array], "callable": lambda rng: array}[kind]
    with pytest.raises(ValueError, match=r"sources.* must be .*values from -0\.03 to 1\.03"):
        build(sources=sources)(IMAGE)
    changed, _ = seeded(build(sources=sources, clamp=True), IMAGE)
    assert torch.equal(changed, expected)
    assert not torch.equal(changed, IMAGE)
    assert array.min() < 0
