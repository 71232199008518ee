"""The base class of the transforms of all tasks, for either library."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import albumentations as A
import numpy as np

from nsa_augment._shared.checks import check_number, fail
from nsa_augment._shared.types import Image
from nsa_augment.integrations._masks import check_mergeable
from nsa_augment.integrations.albumentations.arguments import check_anomaly_class, check_keys
from nsa_augment.integrations.albumentations.contract import UNCHANGED
from nsa_augment.integrations.albumentations.labels import add_boxes, write_label
from nsa_augment.integrations.albumentations.notices import check_input, say_lost_label
from nsa_augment.integrations.albumentations.seeding import seed_tag
from nsa_augment.integrations.albumentations.serialization import SerializableTransform
from nsa_augment.integrations.albumentations.signatures import task_init
from nsa_augment.integrations.albumentations.supply import Supply, as_record
from nsa_augment.integrations.albumentations.targets import (
    LABEL_KEYS,
    MASK_KEYS,
    ImageTarget,
    check_alike,
    given_masks,
    image_targets,
    reference_frame,
)
from nsa_augment.planning.plan import SynthesisPlan
from nsa_augment.sources import Source, Sources
from nsa_augment.tasks import TASKS, AnomalyTask, bind_task
from nsa_augment.tasks.signature import given_parameters


class SynthesisTransform(SerializableTransform):
    """Base class of the transforms of all tasks; parameters are those of `NSA`.

    A subclass that sets `task_class` is the transform of that task, with the task's arguments in its signature.

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

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        task = vars(cls).get("task_class")
        if "__init__" not in vars(cls) and isinstance(task, type) and issubclass(task, AnomalyTask):
            cls.__init__ = task_init(cls, task)  # type: ignore[method-assign]

    def __init__(
        self,
        preset: str | os.PathLike[str] | None = None,
        sources: Sources | None = None,
        *,
        ablation: str | None = None,
        source_transform: Callable[..., Any] | Mapping[str, Any] | None = None,
        paired_sources: Mapping[str, Sources] | None = None,
        channel_order: str = "rgb",
        object_masks: str | os.PathLike[str] | None = None,
        metadata_key: str = "nsa_metadata",
        label_key: str = "mask",
        anomaly_class: int | None = None,
        box_label: Any = None,
        cache_mib: float = 256,
        p: float = 0.5,
        **parameters: Any,
    ) -> None:
        super().__init__(p=p)
        own = given_parameters(parameters)
        self.task = bind_task(self._task_to_bind(), preset, ablation, own, owner=type(self))
        check_keys(metadata_key, label_key)
        if isinstance(source_transform, Mapping):
            source_transform = A.from_dict(dict(source_transform))
        if source_transform is not None and not callable(source_transform):
            raise fail(TypeError, "source_transform", "an albumentations transform or a callable", source_transform)
        if source_transform is not None and object_masks is not None:
            accepted = "None with a source_transform, which would not move them"
            raise fail(ValueError, "object_masks", accepted, object_masks)
        self.object_masks = None if object_masks is None else os.fspath(object_masks)
        self.preset, self.ablation = None if preset is None else os.fspath(preset), ablation
        self.sources, self.source_transform = sources, source_transform
        self.paired_sources, self.channel_order = paired_sources, channel_order
        self.metadata_key, self.label_key = metadata_key, label_key
        self.anomaly_class, self.box_label = check_anomaly_class(anomaly_class), box_label
        self.cache_mib = check_number("cache_mib", cache_mib, 0)
        self.parameters = self.task.given_arguments(own)
        self._supply = Supply(self.task, sources, paired_sources, self.cache_mib, channel_order, object_masks)
        is_transform = isinstance(source_transform, (A.BasicTransform, A.BaseCompose))
        self._source_pipeline = self.source_pipeline(source_transform) if is_transform else None
        self._tag, self._called = self.seed_tag(), False

    def guard(self, data: dict[str, Any], call: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Check the data, let the host decide and apply, and add labels if the transform was skipped."""
        targets = self._targets_of(data)
        keys = [key for target in targets if (key := target.label_key(self.label_key)) is not None]
        given = {key: data.get(key) for key in keys}
        if self.anomaly_class is None:
            for key, mask in given.items():
                check_mergeable(key, mask, self.task)
        if not self._called:
            say_lost_label(type(self).__name__)
            self._called = True
        result = call(data)
        skipped = bool(given) and all(result.get(key) is mask for key, mask in given.items())
        if skipped and not self.replay_mode and self.deterministic:
            self.record_skip(result)
        if skipped and not self.replay_mode:
            result = self.apply_params(UNCHANGED, result)
        reference = reference_frame(targets)
        if reference is not None and not self.replay_mode:
            self._supply.remember(targets, reference)
        return result

    def draw_params(
        self, data: Mapping[str, Any], generator: np.random.Generator, python_random: random.Random
    ) -> dict[str, Any]:
        """Draw sources and a plan: everything that is random."""
        targets = self._targets_of(data, checked=True)
        reference = reference_frame(targets)
        if reference is None:
            return dict(UNCHANGED)
        masks = given_masks(data, reference.shape[:2])
        sources = self._draw_sources(data, generator)
        if sources is None:
            return dict(UNCHANGED)
        if not sources:
            return {"source": None, "plan": self.task.plan(reference, None, generator, **masks).to_dict()}
        if self.source_transform is not None:
            sources = self._transformed(sources, data, reference, generator, python_random)
        records = {key: as_record(source) for key, source in sources.items()}
        record, source_mask = records.pop("image"), self._supply.mask_record(sources["image"])
        plan = self.task.plan(reference, self._supply.prepare(record, reference), generator, **masks)
        more: dict[str, Any] = {"paired": records} if records else {}
        if source_mask is not None:
            more["source_mask"] = source_mask
        return {"source": record, "plan": plan.to_dict(), **more}

    def apply_params(self, params: Mapping[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Apply the recorded plan to every image of a call, and write the labels."""
        targets, result = self._targets_of(data, checked=True), dict(data)
        reference = reference_frame(targets)
        plan = None if params["plan"] is None else SynthesisPlan.from_dict(params["plan"])
        for target in targets:
            image, label, mask = None, None, None
            if plan is not None and reference is not None and all(target.stack_shape):
                image, label, mask = self._changed(target, plan, params, reference, data)
                result[target.key] = image
            key = target.label_key(self.label_key)
            if key is not None:
                result[key] = self._label(target, key, label, mask, data.get(key))
            if target.key == "image" and self.box_label is not None and mask is not None:
                processor = self.get_processor("bboxes")
                result["bboxes"] = add_boxes(processor, data.get("bboxes"), mask, self.box_label)
        self._supply.forget()
        return result

    @property
    def available_keys(self) -> set[str]:
        """Keys that a strict `A.Compose` accepts."""
        labels = {form.format(self.label_key) for form in LABEL_KEYS.values()}
        boxes = {"bboxes"} if self.box_label is not None else set()
        return {*self._available_keys, self.metadata_key, *MASK_KEYS, *labels, *boxes}

    def seed_tag(self) -> int:
        """Number that differs between transforms of different classes or arguments."""
        return seed_tag(self._seed_name(), getattr(self, "task", None))

    def _seed_name(self) -> str:
        return type(self).__name__

    def _task_to_bind(self) -> str | AnomalyTask:
        kind = getattr(self, "task_class", None)
        name = getattr(kind, "name", None)
        if name is None or TASKS.get(name) is not kind:
            accepted = "a class of tasks with its own `name`"
            raise fail(TypeError, f"task_class of {type(self).__name__}", accepted, kind)
        return str(name)

    def _targets_of(self, data: Mapping[str, Any], *, checked: bool = False) -> list[ImageTarget]:
        targets = image_targets(data, self._additional_targets)
        if not checked:
            check_input(type(self).__name__, targets, self.task.scale)
        return targets

    def _draw_sources(self, data: Mapping[str, Any], generator: np.random.Generator) -> Mapping[str, Source] | None:
        """The sources of a call by target; empty: cut from the image; None: leave it unchanged."""
        given = data.get(self.metadata_key)
        if given is not None:
            return self._supply.given(self.metadata_key, given, generator)
        if self._supply.empty and not self.task.needs_source:
            return {}
        if self._supply.empty:
            raise ValueError(
                f"sources must be given to {type(self).__name__}, or {self.metadata_key}= in the call: got neither"
            )
        return self._supply.draw(generator)

    def _transformed(
        self,
        sources: Mapping[str, Source],
        data: Mapping[str, Any],
        reference: Image,
        generator: np.random.Generator,
        python_random: random.Random,
    ) -> dict[str, Source]:
        function: Any = self.source_transform
        pipeline = self._source_pipeline
        run = partial(self.run_on_source, pipeline) if pipeline is not None else lambda source, *_: function(source)
        states = [copy.deepcopy((generator, python_random)) for _ in range(len(sources) - 1)]
        return {
            key: self._supply.transformed(source, reference if key == "image" else data[key], run, *state)
            for (key, source), state in zip(sources.items(), [(generator, python_random), *states], strict=True)
            if key == "image" or data.get(key) is not None
        }

    def _changed(
        self,
        target: ImageTarget,
        plan: SynthesisPlan,
        params: Mapping[str, Any],
        reference: Image,
        data: Mapping[str, Any],
    ) -> tuple[Any, Any, Any]:
        paired = params.get("paired", {})
        record = paired.get(target.key, params["source"])
        mask, results = given_masks(data, reference.shape[:2]).get("mask"), []
        for frame in target.frames():
            if record is not None and target.key not in paired:
                check_alike(target.key, frame, reference, self.metadata_key)
            source = None if record is None else self._supply.prepare(record, frame, params.get("source_mask"))
            results.append(self.task.apply(frame, source, plan, mask=mask))
        parts = zip(*((result.image, result.label, result.mask) for result in results), strict=True)
        image, label, changed = (target.stacked(list(part)) for part in parts)
        return image, label, changed

    def _label(self, target: ImageTarget, key: str, label: Any, mask: Any, given: Any) -> Any:
        shape = target.stack_shape + target.size
        label = np.zeros(shape, np.float32) if label is None else label
        mask = np.zeros(shape, np.uint8) if mask is None else mask
        written = write_label(key, label, mask, given, self.anomaly_class)
        return self.place_label(key, written) if given is None else written
