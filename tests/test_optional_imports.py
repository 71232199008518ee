"""The core costs no framework: integrations are loaded on first use, and say what they need."""

import pytest
from pipelines import run_python

BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        TRIED.add(name.partition(".")[0])
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

BLOCKED, TRIED = {"albumentations", "torch"}, set()
sys.meta_path.insert(0, Blocker())
"""


def test_importing_the_package_imports_no_framework():
    code = """
import sys
import nsa_augment
from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.samples import draw_sample
image, source = (draw_sample("hide", index, size=64).image for index in range(2))
NaturalSyntheticAnomaly.from_preset("leather")(image, source, rng=0)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"albumentations", "torch", "pydantic"}))
"""
    assert run_python(code).strip() == "[]"


def test_nsa_works_without_torch_and_does_not_ask_for_it():
    code = """
BLOCKED = {"torch"}
import albumentations  # asks for torch itself
assert "torch" in TRIED
TRIED.clear()
from nsa_augment import NSA
from nsa_augment.samples import draw_sample
image, source = (draw_sample("hide", index, size=64).image for index in range(2))
print(NSA("leather", [source], p=1.0)(image=image)["mask"].dtype)
print("torch" in TRIED)
"""
    assert run_python(BLOCK + code).split() == ["float32", "False"]


def test_without_albumentations_the_error_names_the_extra():
    code = """
import nsa_augment
nsa_augment.NaturalSyntheticAnomaly()
for attempt in range(2):
    try:
        from nsa_augment import NSA
    except ModuleNotFoundError as error:
        print(error)
    try:
        nsa_augment.NSA
    except ModuleNotFoundError as error:
        print(error.name)
"""
    lines = run_python(BLOCK + code).splitlines()
    assert len(lines) == 4
    for message, name in (lines[:2], lines[2:]):
        assert "nsa-augment[albumentations]" in message
        assert "NSA" in message
        assert name == "albumentations"


def test_the_torch_integration_says_that_it_needs_torch():
    code = """
try:
    import nsa_augment.integrations.torch
except ModuleNotFoundError as error:
    print(error.name, error)
"""
    assert run_python(BLOCK + code).split(maxsplit=1) == ["torch", "No module named 'torch'\n"]


@pytest.mark.slow
def test_the_torch_integration_needs_nothing_but_torch():
    pytest.importorskip("torch")
    code = """
BLOCKED = {"albumentations", "torchvision", "scipy"}
import numpy as np
from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.integrations.torch import AnomalyDataset, NSATransform
images = list(np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8))
image, label = AnomalyDataset(images, NaturalSyntheticAnomaly(), view_transform=lambda image, rng: image[::-1])[0]
image, mask = NSATransform("leather", images, p=1.0)(image)
print(image.dtype, label.dtype, mask.dtype)
"""
    assert run_python(BLOCK + code).split() == ["torch.uint8", "torch.float32", "torch.float32"]


def test_another_missing_module_is_not_blamed_on_albumentations():
    code = """
BLOCKED = {"pydantic"}
try:
    from nsa_augment import NSA
except ModuleNotFoundError as error:
    print(error.name, "nsa-augment[" in str(error))
"""
    assert run_python(BLOCK + code).split() == ["pydantic", "False"]


def test_an_unknown_name_is_an_attribute_error():
    code = """
import nsa_augment
try:
    nsa_augment.NSB
except AttributeError as error:
    print(error)
"""
    assert "NSB" in run_python(code)
