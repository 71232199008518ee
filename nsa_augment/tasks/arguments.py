"""The keyword arguments of a task: their names, those that presets set, and their plain form."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from os import PathLike
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from nsa_augment._shared.checks import check_choice, check_names
from nsa_augment.planning import PlanArguments
from nsa_augment.tasks.presets import ABLATIONS, preset_arguments

Task = TypeVar("Task", bound="TaskArguments")


@dataclass(frozen=True, kw_only=True)
class TaskArguments(PlanArguments):
    """Keyword arguments of a task, which presets may set.

    Parameters
    ----------
    blending : str
        One of `BLENDINGS`: how patches are blended into the image.

    Attributes
    ----------
    no_preset_columns : frozenset of str
        Arguments that presets do not set.
    unused, required : frozenset of str
        Common arguments that the task does not take, as they have no meaning for it; arguments that must be given.
    own_presets : mapping
        Further presets by name, for this task only.
    """

    blending: str = "copy_paste"

    no_preset_columns: ClassVar[frozenset[str]] = frozenset({"scale_range", "blending"})
    unused: ClassVar[frozenset[str]] = frozenset()
    required: ClassVar[frozenset[str]] = frozenset()
    own_presets: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})

    @classmethod
    def argument_names(cls) -> frozenset[str]:
        """Keyword arguments that a task takes."""
        return frozenset(field.name for field in fields(cls)) - cls.unused

    @classmethod
    @abstractmethod
    def known_arguments(cls) -> frozenset[str]:
        """Keyword arguments of any task, which preset files may hold."""

    @classmethod
    def from_preset(
        cls: type[Task], preset: str | PathLike[str], *, ablation: str | None = None, **overrides: Any
    ) -> Task:
        """Create the task with the parameters of a row of Table 4, or of a preset file.

        Parameters
        ----------
        preset : str or path-like
            One of `PRESETS`, one of the task's own, or a YAML file of arguments as written by `nsa-augment calibrate`.
            Columns that the task does not have are ignored; so is `blending`, which sets tasks apart, except for NSA.
        ablation : "A", "B", "C" or "D", optional
            One of `ABLATIONS`: A no foreground constraints, B a single patch, C patches as CutPaste's, D patches
            shaped as unions of ellipses.
        **overrides
            Keyword arguments of the task, which override the preset.

        Examples
        --------
        >>> from nsa_augment import NaturalSyntheticAnomaly
        >>> NaturalSyntheticAnomaly.from_preset("screw", label="binary").height_range
        (0.06, 0.24)
        >>> NaturalSyntheticAnomaly.from_preset("screw", ablation="B").max_patches
        1
        """
        check_names(cls.__name__, overrides, cls.argument_names())
        return cls(**{**cls.preset_columns(preset, ablation), **overrides})

    @classmethod
    def preset_columns(cls, preset: str | PathLike[str], ablation: str | None = None) -> dict[str, Any]:
        """Arguments that a preset, or an ablation of it, sets for this class of tasks."""
        if isinstance(preset, str) and preset in cls.own_presets:
            check_choice("ablation", ablation, (None,))
            return dict(cls.own_presets[preset])
        columns = cls.argument_names() - cls.no_preset_columns
        arguments = preset_arguments(preset, cls.known_arguments, cls.own_presets)
        if ablation is not None:
            check_choice("ablation", ablation, ABLATIONS)
        changes = {} if ablation is None else ABLATIONS[ablation]
        varied = {name: value for name, value in changes.items() if name in cls.argument_names()}
        return {**{name: value for name, value in arguments.items() if name in columns}, **varied}

    def given_arguments(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of some arguments, in plain form."""
        return {name: getattr(self, name) for name in names}

    def replaced(self: Task, **arguments: Any) -> Task:
        """A copy of the task with other values of some arguments."""
        return replace(self, **arguments)


def check_in_place(task: TaskArguments) -> None:
    """Raise unless the arguments suit a task whose patches stay where they are cut."""
    name = type(task).__name__
    if task.scale_range is not None:
        raise TypeError(
            f"scale_range must be None for {name}, got {task.scale_range!r}: "
            "its patches stay where they are cut, so they cannot change size"
        )
    if task.candidates != 1:
        raise TypeError(
            f"candidates must be 1 for {name}, got {task.candidates!r}: "
            "its patches stay where they are cut, so there is no place to choose"
        )
    if task.source_fit != "resize":
        raise ValueError(
            f"source_fit must be 'resize' for {name}, got {task.source_fit!r}: its patches stay "
            "where they are cut, so image and source must be aligned"
        )
