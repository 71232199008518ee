"""How transforms are written down: for `A.to_dict`, `A.save` and `A.ReplayCompose`, and when printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import albumentations as A

from nsa_augment._shared.wording import counted
from nsa_augment.integrations.albumentations.arguments import is_being_printed, is_plain, plain_sources
from nsa_augment.integrations.albumentations.hosts import HostTransform
from nsa_augment.sources import Sources


class SerializableTransform(HostTransform):  # type: ignore[misc]
    """A transform whose constructor arguments are its attributes, except those of the task, its `parameters`."""

    sources: Sources | None
    paired_sources: Mapping[str, Sources] | None
    parameters: Mapping[str, Any]

    def get_transform_init_args(self) -> dict[str, Any]:
        """Constructor arguments (those that are not None)."""
        paired = self.paired_sources
        arguments = {
            "preset": self.preset,
            "ablation": self.ablation,
            "sources": plain_sources(self.sources),
            "source_transform": self.source_transform,
            "paired_sources": None if paired is None else {key: plain_sources(paired[key]) for key in paired},
            "channel_order": self.channel_order,
            "object_masks": self.object_masks,
            "metadata_key": self.metadata_key,
            "label_key": self.label_key,
            "anomaly_class": self.anomaly_class,
            "box_label": self.box_label,
            "cache_mib": self.cache_mib,
        }
        return {**{name: value for name, value in arguments.items() if value is not None}, **self.parameters}

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
        for name in ("sources", "source_transform", "paired_sources", "object_masks"):
            state.pop(name, None)
        return {**state, "id": id(self)}

    def __repr__(self) -> str:
        arguments = {**self.get_base_init_args(), **self.get_transform_init_args()}
        if not is_plain(arguments.get("sources")):
            arguments["sources"] = f"<{type(self.sources).__name__}>"
        elif isinstance(arguments.get("sources"), list):
            arguments["sources"] = f"<{counted(len(arguments['sources']), 'path')}>"
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
