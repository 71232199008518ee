"""Signatures and reserved keys, in both libraries."""

import inspect
from dataclasses import fields

import albumentations as A
import numpy as np
import pytest
from albumentations_images import OTHERS, nsa
from pipelines import (
    TRANSFORMS,
    each_transform,
    write_folder,
)

from nsa_augment import NSA, CutPaste
from nsa_augment.integrations.albumentations import AnomalyTransform
from nsa_augment.integrations.albumentations.hosts import host_module

# which library


class Of2:
    def get_params_dependent_on_data(self): ...


class OfX:
    def sample_parameters(self): ...

    def apply_in_invocation(self): ...


def test_both_libraries_have_a_host():
    assert host_module("2.0.8", Of2) == "albumentations2"
    assert [host_module(version, OfX) for version in ("2.5.0", "2.10", "3.0.1rc1")] == ["albumentationsx"] * 3


@pytest.mark.parametrize(
    ("version", "base"),
    [("2.0.7", Of2), ("2.0.9", Of2), ("1.4.24", Of2), ("2.4.3", OfX), ("2.5.1", Of2), ("2.0.8", OfX)],
)
def test_other_libraries_are_refused_by_name(version, base):
    with pytest.raises(ImportError, match=rf"albumentations 2\.0\.8 and AlbumentationsX 2\.5.*found {version}"):
        host_module(version, base)


# signatures


@each_transform()
def test_the_signature_lists_every_argument_of_the_task(use):
    transform = TRANSFORMS[use]
    parameters = inspect.signature(transform).parameters
    assert not [name for name, parameter in parameters.items() if parameter.kind.name.startswith("VAR")]
    assert {field.name for field in fields(transform.task_class)} <= set(parameters)
    assert list(parameters)[:2] == ["preset", "sources"]
    assert all(parameter.annotation is not parameter.empty for parameter in parameters.values())


@each_transform()
@pytest.mark.parametrize("preset", [None, "screw"])
def test_all_defaults_given_are_no_arguments_given(use, preset):
    """What hydra and jsonargparse do."""
    transform = TRANSFORMS[use]
    defaults = {name: parameter.default for name, parameter in inspect.signature(transform).parameters.items()}
    assert transform(**{**defaults, "preset": preset}).task == transform(preset).task


@each_transform()
def test_what_is_written_down_stands_in_the_signature(use):
    paired = {"depth": [np.zeros((8, 8), np.uint8)]}
    transform = TRANSFORMS[use](
        "screw", [OTHERS[0]], max_patches=2, background=None, paired_sources=paired, anomaly_class=3, box_label="x"
    )
    written = set(transform.get_transform_init_args())
    assert {"max_patches", "background", "paired_sources", "anomaly_class", "box_label"} <= written
    assert written <= set(inspect.signature(type(transform)).parameters)
    assert written <= set(transform.get_transform_init_args_names())


def test_any_task_is_written_down_in_the_signature():
    transform = AnomalyTransform("fpi", "tile", "previous", max_patches=2)
    assert set(transform.get_transform_init_args()) <= set(inspect.signature(AnomalyTransform).parameters)
    assert A.from_dict(A.to_dict(transform)).task == transform.task


@pytest.mark.parametrize("cls", [NSA, CutPaste])
def test_round_trip_of_the_new_arguments(cls, tmp_path):
    for name in ("a", "b"):
        write_folder(tmp_path / name, OTHERS)
    new = {"channel_order": "bgr", "anomaly_class": 2, "box_label": "flaw", "max_patches": 3}
    paired = {"after": str(tmp_path / "b")}
    transform = cls("screw", str(tmp_path / "a"), paired_sources=paired, **new)
    again = A.from_dict(A.to_dict(transform))
    assert again.get_transform_init_args() == transform.get_transform_init_args()
    assert new.items() <= again.get_transform_init_args().items()


# keys


@pytest.mark.parametrize("key", ["image", "images", "volume", "volumes", "bboxes", "keypoints", "masks", "replay", ""])
@pytest.mark.parametrize("name", ["label_key", "metadata_key"])
def test_keys_of_the_pipeline_are_refused(name, key):
    with pytest.raises(ValueError, match=f"{name} must be an unused key.*{key!r}"):
        nsa(**{name: key})


@pytest.mark.parametrize("keys", [{"metadata_key": "mask"}, {"metadata_key": "same", "label_key": "same"}])
def test_metadata_and_label_have_keys_of_their_own(keys):
    with pytest.raises(ValueError, match="metadata_key must be an unused key"):
        nsa(**keys)
