"""Tasks and transforms from configurations of hydra, whose lists are none of Python's."""

import numpy as np
import pytest
from pipelines import TEXTURE, VISIBLE, normals, write_folder

hydra_utils = pytest.importorskip("hydra.utils", reason="hydra reads the configurations")
from omegaconf import OmegaConf  # noqa: E402

from nsa_augment import (  # noqa: E402
    NSA,
    CutOutAnomaly,
    MixedAnomaly,
    NaturalSyntheticAnomaly,
    TextureAnomaly,
)

IMAGES = normals(count=4, size=64)


def instantiate(target, **arguments):
    return hydra_utils.instantiate(OmegaConf.create({"_target_": f"nsa_augment.{target}", **arguments}))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (
            NaturalSyntheticAnomaly,
            {"height_range": [0.1, 0.3], "background": [[200, 60]], "size_gamma": [2, 0.1, 0.06]},
        ),
        (NaturalSyntheticAnomaly, {"background": [200, 60], "stroke_width": [1.5, 3], "shape": "stroke"}),
        (CutOutAnomaly, {"fill": [255, 0, 0]}),
        (
            TextureAnomaly,
            {"noise_scales": [0, 3], "noise_combinations": ["single", "union"], "opacity_range": [0.2, 1]},
        ),
        (TextureAnomaly, {"opacity_normal": [0.5, 0.1], "augmentations": ["gamma", "solarise"], "augmented": 1}),
        (MixedAnomaly, {"parts": [{"task": "nsa", "weight": 2, "height_range": [0.1, 0.3]}, ["cutpaste", 1]]}),
    ],
)
def test_lists_are_lists(kind, arguments):
    assert instantiate(kind.__name__, **arguments) == kind(**arguments)


def test_presets_and_transforms(tmp_path):
    folder = write_folder(tmp_path, IMAGES)
    task = instantiate("NaturalSyntheticAnomaly.from_preset", preset=TEXTURE, height_range=[0.1, 0.3])
    assert task == NaturalSyntheticAnomaly.from_preset(TEXTURE, height_range=(0.1, 0.3))
    files = [str(file) for file in sorted(folder.iterdir())]
    for sources in (str(folder), files):
        arguments = {"preset": TEXTURE, "sources": sources, **VISIBLE, "p": 1.0}
        outputs = []
        for transform in (instantiate("NSA", **arguments), NSA(**arguments)):
            transform.set_random_seed(1)
            outputs.append(transform(image=IMAGES[0]))
        assert np.array_equal(outputs[0]["image"], outputs[1]["image"])
        assert outputs[0]["mask"].any()
