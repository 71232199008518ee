"""What the transforms of all tasks share."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import albumentations as A
import numpy as np

from nsa_augment._shared.checks import check_number, fail
from nsa_augment._shared.types import Image
from nsa_augment.integrations._masks import check_mergeable, merge_labels
from nsa_augment.integrations.albumentations.arguments import (
    is_being_printed,
    is_plain,
    pick_source,
    plain_sources,
)
from nsa_augment.integrations.albumentations.seeding import seed_tag
from nsa_augment.planning.plan import SynthesisPlan
from nsa_augment.scenes.scene import PreparedSource
from nsa_augment.sources import Source, SourcePool, Sources, decode
from nsa_augment.tasks import TASKS, AnomalyTask, bind_task

PREVIOUS = "previous"
UNCHANGED = MappingProxyType({"source": None, "plan": None})
"""Parameters of a call that leaves the image as it is."""


class SynthesisTransform(A.ImageOnlyTransform):  # type: ignore[misc, unused-ignore]
    """What the transforms of all tasks share; parameters are those of `NSA`.

    A subclass sets one attribute, and is then the transform of that task.

    Attributes
    ----------
    task_class : type of AnomalyTask
        One of `TASKS`.

    Examples
    --------
    >>> from nsa_augment import ForeignPatchInterpolation
    >>> class Interpolated(SynthesisTransform):
    ...     task_class = ForeignPatchInterpolation
    >>> Interpolated("screw", "previous").task.max_patches
    4
    """

    task_class: ClassVar[type[AnomalyTask]]

    def __init__(
        self,
        preset: str | os.PathLike[str] | None = None,
        sources: Sources | None = None,
        *,
        ablation: str | None = None,
        source_transform: Callable[..., Any] | Mapping[str, Any] | None = None,
        metadata_key: str = "nsa_metadata",
        label_key: str = "mask",
        cache_mib: float = 256,
        p: float = 0.5,
        **parameters: Any,
    ) -> None:
        self._worker: tuple[int, np.random.Generator, random.Random] | None = None
        super().__init__(p=p)
        self.task = bind_task(self._task_to_bind(), preset, ablation, parameters, owner=type(self))
        for name, key in (("metadata_key", metadata_key), ("label_key", label_key)):
            if not isinstance(key, str):
                raise fail(TypeError, name, "a string", key)
        if isinstance(source_transform, Mapping):
            source_transform = A.from_dict(dict(source_transform))
        if source_transform is not None and not callable(source_transform):
            raise fail(TypeError, "source_transform", "an albumentations transform or a callable", source_transform)
        self.preset, self.ablation = None if preset is None else os.fspath(preset), ablation
        self.sources, self.source_transform = sources, source_transform
        self.metadata_key, self.label_key = metadata_key, label_key
        self.cache_mib = check_number("cache_mib", cache_mib, 0)
        self.parameters = {name: getattr(self.task, name) for name in parameters}
        self._pool = (
            None if sources is None or self._uses_previous else SourcePool(sources, cache_mib, self.task.max_value)
        )
        self._previous: Image | None = None
        self._prepared: tuple[Any, Any, PreparedSource] | None = None

    def __call__(self, *args: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        """Transform `data["image"]`; `data[label_key]` is there afterwards in any case."""
        if args:
            raise KeyError("pass the data as named arguments: transform(image=image)")
        self.task.scale.check_image("image", data.get("image"))
        given = data.get(self.label_key)
        check_mergeable(self.label_key, given, self.task)
        result: dict[str, Any] = super().__call__(force_apply=force_apply, **data)
        if result.get(self.label_key) is given and not self.replay_mode:
            if self.deterministic:
                result[self.save_key][id(self)] = dict(UNCHANGED)
            result = self.apply_with_params(UNCHANGED, **result)
        if self._uses_previous and not self.replay_mode:
            self._previous = data["image"].copy()
        return result

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Draw a source and a plan: everything that is random."""
        image = data["image"]
        generator, python_random = self._random_state()
        source = self._draw_source(data, generator)
        if source is None and self._cuts_from_image(data):
            return {"source": None, "plan": self.task.plan(image, None, generator).to_dict()}
        if source is None:
            return dict(UNCHANGED)
        if self.source_transform is not None:
            source = self._transformed(self._read(source, image), generator, python_random)
        prepared = self._prepare(source, image)
        plan = self.task.plan(image, prepared, generator)
        record = str(source) if isinstance(source, Path) else source
        self._prepared = record, _form(image), prepared
        return {"source": record, "plan": plan.to_dict()}

    def apply_with_params(self, params: Mapping[str, Any], *args: Any, **data: Any) -> dict[str, Any]:
        """Apply the recorded plan to the image (and to additional image targets) and merge the label."""
        if params["plan"] is None:
            unchanged = np.zeros(data["image"].shape[:2], np.float32)
            return {**data, self.label_key: merge_labels(self.label_key, unchanged, data.get(self.label_key))}
        plan, result = SynthesisPlan.from_dict(params["plan"]), dict(data)
        for key, image in data.items():
            if key != "image" and self._additional_targets.get(key) != "image":
                continue
            source = None if params["source"] is None else self._recorded_source(params["source"], image)
            synthesis = self.task.apply(image, source, plan)
            result[key] = synthesis.image
            if key == "image":
                result[self.label_key] = merge_labels(self.label_key, synthesis.label, data.get(self.label_key))
        self._prepared = None
        return result

    @property
    def available_keys(self) -> set[str]:
        """Keys that a strict `A.Compose` lets through."""
        return set(self._available_keys) | {self.metadata_key, self.label_key}

    def _task_to_bind(self) -> str | AnomalyTask:
        kind = getattr(self, "task_class", None)
        name = getattr(kind, "name", None)
        if name is None or TASKS.get(name) is not kind:
            accepted = "a class of tasks with a `name` of its own"
            raise fail(TypeError, f"task_class of {type(self).__name__}", accepted, kind)
        return str(name)

    @property
    def _uses_previous(self) -> bool:
        return isinstance(self.sources, str) and self.sources == PREVIOUS

    def _draw_source(self, data: Mapping[str, Any], generator: np.random.Generator) -> Source | None:
        given = data.get(self.metadata_key)
        if given is not None:
            source = pick_source(self.metadata_key, given, generator)
            self.task.scale.check_image(self.metadata_key, source)
            return source
        if self._uses_previous:
            return self._previous
        if self._cuts_from_image(data):
            return None
        if self._pool is None:
            raise ValueError(
                f"sources must be given to {type(self).__name__}, or {self.metadata_key}= in the call: got neither"
            )
        return self._pool.draw(generator)

    def _cuts_from_image(self, data: Mapping[str, Any]) -> bool:
        return not self.task.needs_source and self.sources is None and data.get(self.metadata_key) is None

    def _read(self, source: Source, image: Image) -> Image:
        if self._pool is not None:
            return self._pool.read(source, image, self.task)
        return decode(source, image, self.task.scale)

    def _prepare(self, source: Source, image: Image) -> PreparedSource:
        if self._pool is not None:
            return self._pool.prepare(source, image, self.task)
        return self.task.prepare_source(decode(source, image, self.task.scale), image.shape[:2])

    def _recorded_source(self, record: Any, image: Image) -> PreparedSource:
        prepared = self._prepared
        if prepared is not None and prepared[0] is record and prepared[1] == _form(image):
            return prepared[2]
        return self._prepare(Path(record) if isinstance(record, str) else record, image)

    def _transformed(self, source: Image, generator: np.random.Generator, python_random: random.Random) -> Image:
        transform = self.source_transform
        if isinstance(transform, (A.BasicTransform, A.BaseCompose)):
            transform.set_random_state(generator, python_random)
            transformed = transform(image=source)["image"]
        else:
            assert callable(transform)
            transformed = transform(source)
        self.task.scale.check_image("source_transform(source)", transformed)
        return transformed  # type: ignore[no-any-return]

    def set_random_seed(self, seed: int | None) -> None:
        """Seed this transform, apart from the other transforms (of other arguments) that are given the same seed."""
        self.seed = seed
        tag = seed_tag(self._seed_name(), getattr(self, "task", None))
        self.random_generator = np.random.default_rng(None if seed is None else [tag, seed])
        self.py_random = random.Random(int(self.random_generator.integers(2**63)))
        self._worker = None

    def _seed_name(self) -> str:
        return type(self).__name__

    def set_random_state(self, random_generator: np.random.Generator, py_random: random.Random) -> None:
        """Share the state of a container."""
        super().set_random_state(random_generator, py_random)
        self._worker = None

    def should_apply(self, force_apply: bool = False) -> bool:
        """Decide by p, in a DataLoader worker with the worker's own randomness."""
        if self.p <= 0 or self.p >= 1 or force_apply:
            return bool(self.p > 0)
        return bool(self._random_state()[1].random() < self.p)

    def _random_state(self) -> tuple[np.random.Generator, random.Random]:
        """Generators of the transform; in a DataLoader worker, ones derived from them and from the worker's seed."""
        torch_data = sys.modules.get("torch.utils.data")
        worker = None if torch_data is None else torch_data.get_worker_info()
        if worker is None:
            return self.random_generator, self.py_random
        if self._worker is None or self._worker[0] != worker.seed:
            generator = np.random.default_rng([int(self.random_generator.integers(2**63)), worker.seed])
            self._worker = worker.seed, generator, random.Random(int(generator.integers(2**63)))
        return self._worker[1:]

    def get_transform_init_args(self) -> dict[str, Any]:
        """Constructor arguments (those that are not None)."""
        arguments = {
            "preset": self.preset,
            "ablation": self.ablation,
            "sources": plain_sources(self.sources),
            "source_transform": self.source_transform,
            "metadata_key": self.metadata_key,
            "label_key": self.label_key,
            "cache_mib": self.cache_mib,
            **self.parameters,
        }
        return {name: value for name, value in arguments.items() if value is not None or name in self.parameters}

    def to_dict_private(self) -> dict[str, Any]:
        """Plain types for `A.to_dict` and `A.save`; ValueError if an argument cannot be written down."""
        state: dict[str, Any] = super().to_dict_private()
        if is_being_printed():
            return state
        transform = state.get("source_transform")
        if isinstance(transform, (A.BasicTransform, A.BaseCompose)):
            state["source_transform"] = transform.to_dict()
        for name, value in state.items():
            if not is_plain(value):
                raise ValueError(
                    f"{name} must consist of names, paths, numbers or albumentations transforms to be serialized, "
                    f"got {type(value).__name__}"
                )
        return state

    def get_dict_with_id(self) -> dict[str, Any]:
        """State for `A.ReplayCompose`, whose parameters hold the sources."""
        state: dict[str, Any] = super().to_dict_private()
        for name in ("sources", "source_transform"):
            state.pop(name, None)
        return {**state, "id": id(self)}

    def __repr__(self) -> str:
        arguments = {**self.get_base_init_args(), **self.get_transform_init_args()}
        if not is_plain(arguments.get("sources")):
            arguments["sources"] = f"<{type(self.sources).__name__}>"
        elif isinstance(arguments.get("sources"), list):
            arguments["sources"] = f"<{len(arguments['sources'])} paths>"
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"


def _form(image: Image) -> tuple[Any, ...]:
    """All that a source prepared for an image depends on, beside the task."""
    return image.shape, image.dtype
