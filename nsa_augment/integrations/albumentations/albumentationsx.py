"""Base class for AlbumentationsX 2.5 and newer."""

from __future__ import annotations

import random
import sys
from types import SimpleNamespace
from typing import Any

import albumentations as A
import numpy as np
from albumentations.core.invocation import ChannelRestorationState, get_current_invocation
from albumentations.core.transform_params import SampledParams

from nsa_augment._shared.types import Image
from nsa_augment.integrations.albumentations.contract import UNCHANGED, Guest
from nsa_augment.integrations.albumentations.seeding import rank_of


class HostTransform(Guest, A.ImageOnlyTransform):  # type: ignore[misc, unused-ignore]
    """A transform of AlbumentationsX, whose random state and records belong to the call."""

    _rank: int | None = None

    def apply_in_invocation(self, invocation: Any, /, *args: Any, force_apply: bool, **data: Any) -> dict[str, Any]:
        """Transform the images of a call."""
        if args:
            raise KeyError("pass the data as named arguments: transform(image=image)")
        call = super().apply_in_invocation
        return self.guard(data, lambda checked: call(invocation, force_apply=force_apply, **checked))

    def sample_parameters(self, params: Any, data: dict[str, Any], targets: Any, sampling: Any) -> Any:
        """Draw a source and a plan: everything that is random."""
        seed = int(sampling.random_generator.integers(2**63))
        torch_data = sys.modules.get("torch.utils.data")
        worker = None if torch_data is None else torch_data.get_worker_info()
        apart = (rank_of(self._rank) or 0, 0 if worker is None else worker.id)
        generator = np.random.default_rng([self._tag, seed, *apart])
        python_random = random.Random(int(generator.integers(2**63)))
        return SampledParams(params=self.draw_params(data, generator, python_random))

    def apply_with_params(self, sampled_params: Any, *args: Any, **data: Any) -> dict[str, Any]:
        """Apply the recorded plan to the images and write the label."""
        return self.apply_params(sampled_params.params, data)

    def record_skip(self, data: dict[str, Any]) -> None:
        """Note for `A.ReplayCompose` that nothing changed; a transform may run several times in a call."""
        record = SampledParams(params=dict(UNCHANGED)).to_dict()
        data[self.save_key].setdefault(id(self), []).append(record)

    def place_label(self, key: str, label: Image) -> Image:
        """A label with the channel axis that masks have inside a `Compose`, which removes it at the end."""
        invocation = get_current_invocation()
        if invocation is None or invocation.root_key is None:
            return label
        placed = label[..., np.newaxis]
        root = SimpleNamespace(invocation_key=invocation.root_key)
        invocation.compose_state(root).channel_restorations[key] = ChannelRestorationState("mask", label, placed)
        return placed

    @staticmethod
    def source_pipeline(transform: Any) -> Any:
        """The pipeline for sources: a `Compose`, which also takes (H, W)."""
        return transform if isinstance(transform, A.Compose) else A.Compose([transform], telemetry=False)

    @staticmethod
    def run_on_source(
        pipeline: Any, source: Image, generator: np.random.Generator, python_random: random.Random
    ) -> Image:
        """A source after a pipeline, run with the given random state."""
        seed = int(generator.integers(2**63))
        return pipeline(image=source, invocation_seed=seed)["image"]  # type: ignore[no-any-return]

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {**state, "_rank": rank_of(self._rank)}
