"""Base class for albumentations 2.0.8."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from typing import Any

import albumentations as A
import numpy as np

from nsa_augment._shared.types import Image
from nsa_augment.integrations.albumentations.contract import UNCHANGED, Guest
from nsa_augment.integrations.albumentations.seeding import rank_of
from nsa_augment.integrations.albumentations.targets import image_targets


class HostTransform(Guest, A.ImageOnlyTransform):  # type: ignore[misc, unused-ignore]
    """A transform of albumentations 2.0.8, which seeds neither workers nor ranks: all would repeat one draw."""

    _worker: tuple[tuple[int, ...], np.random.Generator, random.Random] | None = None
    _rank: int | None = None

    def __call__(self, *args: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        """Transform the images of a call."""
        if args:
            raise KeyError("pass the data as named arguments: transform(image=image)")
        call = super().__call__
        return self.guard(data, lambda checked: call(force_apply=force_apply, **checked))

    def update_transform_params(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Add the shape of the image that the plan is for; targets may be None, and stacks empty."""
        first = image_targets(data, self._additional_targets)[0]
        return {**params, "shape": first.value.shape[len(first.stack_shape) :]}

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Draw a source and a plan: everything that is random."""
        return self.draw_params(data, *self._random_state())

    def apply_with_params(self, params: Mapping[str, Any], *args: Any, **data: Any) -> dict[str, Any]:
        """Apply the recorded plan to the images and write the label."""
        return self.apply_params(params, data)

    def record_skip(self, data: dict[str, Any]) -> None:
        """Note for `A.ReplayCompose` that nothing was changed."""
        data[self.save_key][id(self)] = dict(UNCHANGED)

    def place_label(self, key: str, label: Image) -> Image:
        """A label in the form of masks inside a pipeline: as it is."""
        return label

    @staticmethod
    def source_pipeline(transform: Any) -> Any:
        """The pipeline for sources: the transform itself."""
        return transform

    @staticmethod
    def run_on_source(
        pipeline: Any, source: Image, generator: np.random.Generator, python_random: random.Random
    ) -> Image:
        """A source after a pipeline, run with the given random state."""
        pipeline.set_random_state(generator, python_random)
        return pipeline(image=source)["image"]  # type: ignore[no-any-return]

    def set_random_seed(self, seed: int | None) -> None:
        """Seed this transform differently from others (with other arguments) that get the same seed."""
        self.seed = seed
        self.random_generator = np.random.default_rng(None if seed is None else [self.seed_tag(), seed])
        self.py_random = random.Random(int(self.random_generator.integers(2**63)))
        self._worker = None

    def set_random_state(self, random_generator: np.random.Generator, py_random: random.Random) -> None:
        """Share the state of a container."""
        super().set_random_state(random_generator, py_random)
        self._worker = None

    def should_apply(self, force_apply: bool = False) -> bool:
        """Decide by p, with different random numbers in each DataLoader worker and on each rank."""
        if self.p <= 0 or self.p >= 1 or force_apply:
            return bool(self.p > 0)
        return bool(self._random_state()[1].random() < self.p)

    def _random_state(self) -> tuple[np.random.Generator, random.Random]:
        """Generators of the transform; in a worker or on a rank above 0, generators derived from them."""
        torch_data = sys.modules.get("torch.utils.data")
        worker = None if torch_data is None else torch_data.get_worker_info()
        rank = rank_of(self._rank)
        apart = (() if worker is None else (int(worker.seed),)) + ((rank,) if rank else ())
        if not apart:
            return self.random_generator, self.py_random
        if self._worker is None or self._worker[0] != apart:
            generator = np.random.default_rng([int(self.random_generator.integers(2**63)), *apart])
            self._worker = apart, generator, random.Random(int(generator.integers(2**63)))
        return self._worker[1:]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rank": rank_of(self._rank)}
