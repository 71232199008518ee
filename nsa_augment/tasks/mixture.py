"""A mixture of tasks: each call draws one of them by weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from os import PathLike
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_generator, check_names, check_number, fail, set_field
from nsa_augment._shared.types import Image, Size
from nsa_augment.planning import SynthesisPlan
from nsa_augment.scenes.scene import PreparedSource, Scene
from nsa_augment.synthesis import SynthesisResult
from nsa_augment.tasks.base import TASKS, AnomalyTask
from nsa_augment.tasks.published import CutPasteAnomaly, NaturalSyntheticAnomaly

Part: TypeAlias = tuple[AnomalyTask | str, float] | Mapping[str, Any]
Mixture = TypeVar("Mixture", bound="MixedAnomaly")

DEFAULT_PARTS = ((NaturalSyntheticAnomaly.name, 1.0), (CutPasteAnomaly.name, 1.0))
LEAST_WEIGHT = 1e-9
ALIKE = ("label", "max_value")
"""Arguments that all parts must share, since one detector learns from all labels."""
_ACCEPTED = "a sequence of (task, weight > 0), with tasks or their names, or of mappings with the key 'task'"


@dataclass(frozen=True)
class MixedSource(PreparedSource):
    """A source as each part of a mixture uses it; None for parts that cut from the image itself."""

    parts: tuple[PreparedSource | None, ...] = ()

    @property
    def nbytes(self) -> int:
        """Size in memory, with masks and tables."""
        return sum(part.nbytes for part in {id(part): part for part in self.parts if part is not None}.values())


@dataclass(frozen=True, kw_only=True, init=False, repr=False)
class MixedAnomaly(AnomalyTask):
    """A mixture of tasks: each call draws one of them by weight, and the plan names it.

    Parameters
    ----------
    parts : sequence of (task, weight), or of mappings
        The task is an object or a name in `TASKS`; a mapping has the key "task", and may have "weight" (default 1),
        "preset" and arguments of the task. Weights are relative.
    **arguments
        Arguments that all tasks have (`label`, `background`...), for every part. Without `label`, parts given by name
        take that of the first part.

    Notes
    -----
    All parts have the same `label` and `max_value`. Parts that need no source (CutPaste) cut from the image itself,
    whatever source is given. Attributes of the mixture have the value shared by all parts, else the default.

    Examples
    --------
    >>> from nsa_augment import NaturalSyntheticAnomaly
    >>> strokes = NaturalSyntheticAnomaly(shape="stroke", label="binary")
    >>> task = MixedAnomaly([(strokes, 3), ("cutpaste", 1)])
    >>> task.names
    ('nsa', 'cutpaste')
    >>> image, source = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    >>> {task(image, source, rng=seed).plan.task for seed in range(9)} == {"nsa", "cutpaste"}
    True
    """

    parts: Sequence[Part] = DEFAULT_PARTS

    name: ClassVar[str] = "mix"
    title: ClassVar[str] = "Mixture"

    def __init__(self, parts: Sequence[Part] = DEFAULT_PARTS, **arguments: Any) -> None:
        check_names(type(self).__name__, arguments, type(self).argument_names())
        self._set(_bind_parts(parts, arguments))

    def _set(self, parts: Sequence[tuple[AnomalyTask, float]]) -> None:
        tasks = [task for task, _ in parts]
        for name in ALIKE:
            values = {part: getattr(task, name) for part, task in zip(_names(tasks), tasks, strict=True)}
            if len(set(values.values())) > 1:
                raise fail(ValueError, name, f"the same for all parts ({name}= sets it for all)", values)
        for field in fields(AnomalyTask):
            found = [getattr(task, field.name) for task in tasks]
            set_field(self, field.name, found[0] if all(value == found[0] for value in found) else field.default)
        set_field(self, "parts", tuple(parts))
        set_field(self, "needs_source", any(task.needs_source for task in tasks))

    @classmethod
    def from_preset(
        cls: type[Mixture], preset: str | PathLike[str], *, ablation: str | None = None, **overrides: Any
    ) -> Mixture:
        """Create every part given by name with a preset.

        Parameters
        ----------
        preset : str or path-like
            As for all tasks; a YAML file may have the key "parts", with a list of mappings.
        ablation : "A", "B", "C" or "D", optional
            Ablation of the preset.
        **overrides
            `parts`, and arguments that all tasks have.
        """
        check_names(cls.__name__, overrides, cls.argument_names())
        parts = overrides.pop("parts", None) or cls.preset_columns(preset).get("parts", DEFAULT_PARTS)
        mixture = cls.__new__(cls)
        mixture._set(_bind_parts(parts, overrides, preset, ablation))
        return mixture

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parts in plans: those of their tasks, numbered from the second of the same name."""
        return _names([task for task, _ in self._bound])

    @cached_property
    def tasks(self) -> Mapping[str, AnomalyTask]:
        """The parts by name."""
        return MappingProxyType(dict(zip(self.names, (task for task, _ in self._bound), strict=True)))

    def replaced(self: Mixture, **arguments: Any) -> Mixture:
        """A copy of the mixture with other parts, or other arguments in every part."""
        return type(self)(**{"parts": self.parts, **arguments})

    def given_arguments(self, names: Any = ("parts",)) -> dict[str, Any]:
        """The parts as plain mappings with all arguments."""
        plain = [
            {"task": task.name, "weight": weight, **task.given_arguments(sorted(task.argument_names()))}
            for task, weight in self._bound
        ]
        return {"parts": plain} if names else {}

    @property
    def source_key(self) -> Any:
        """The arguments that a prepared source depends on, in every part."""
        return tuple(task.source_key for task, _ in self._bound)

    def prepare_source(self, source: Image, shape: Size, source_mask: NDArray[Any] | None = None) -> MixedSource:
        """Prepare a source for every part that needs one; as for all tasks."""
        made: dict[Any, PreparedSource] = {}
        for task, _ in self._bound:
            if task.needs_source and task.source_key not in made:
                made[task.source_key] = task.prepare_source(source, shape, source_mask)
        if not made:
            made[None] = super().prepare_source(source, shape, source_mask)
        first = next(iter(made.values()))
        parts = tuple(made[task.source_key] if task.needs_source else None for task, _ in self._bound)
        return MixedSource(first.image, first.given_shape, first.foreground, first.model, parts)

    def __call__(
        self,
        image: Image,
        source: Image | PreparedSource | None = None,
        rng: np.random.Generator | int | None = None,
        *,
        mask: NDArray[Any] | None = None,
        source_mask: NDArray[Any] | None = None,
        allowed: NDArray[Any] | None = None,
    ) -> SynthesisResult:
        """Draw a part, a plan of it, and apply it; as for all tasks."""
        generator = check_generator(rng)
        name = self._draw_name(generator)
        source, source_mask = self._source_of(name, source, source_mask)
        result = self.tasks[name](image, source, generator, mask=mask, source_mask=source_mask, allowed=allowed)
        return replace(result, plan=result.plan.of_task(name))

    def plan(
        self,
        image: Image,
        source: Image | PreparedSource | None = None,
        rng: np.random.Generator | int | None = None,
        *,
        mask: NDArray[Any] | None = None,
        source_mask: NDArray[Any] | None = None,
        allowed: NDArray[Any] | None = None,
    ) -> SynthesisPlan:
        """Draw a part and everything random in it; as for all tasks."""
        generator = check_generator(rng)
        name = self._draw_name(generator)
        source, source_mask = self._source_of(name, source, source_mask)
        plan = self.tasks[name].plan(image, source, generator, mask=mask, source_mask=source_mask, allowed=allowed)
        return plan.of_task(name)

    def apply(
        self,
        image: Image,
        source: Image | PreparedSource | None,
        plan: SynthesisPlan,
        *,
        mask: NDArray[Any] | None = None,
        source_mask: NDArray[Any] | None = None,
        out: Image | None = None,
    ) -> SynthesisResult:
        """Apply a plan by the part that it names; as for all tasks."""
        if not isinstance(plan, SynthesisPlan):
            raise fail(TypeError, "plan", "a SynthesisPlan", plan)
        if plan.task is None or plan.task not in self.tasks:
            raise fail(ValueError, "task of plan", f"one of the parts {', '.join(map(repr, self.names))}", plan.task)
        source, source_mask = self._source_of(plan.task, source, source_mask)
        return self.tasks[plan.task].apply(image, source, plan, mask=mask, source_mask=source_mask, out=out)

    def draw(self, scene: Scene, rng: np.random.Generator) -> SynthesisPlan:
        """Not available for mixtures, whose parts see different scenes: use `plan`."""
        raise TypeError("a mixture draws no plan for a scene: call plan")

    @property
    def _bound(self) -> tuple[tuple[AnomalyTask, float], ...]:
        return cast("tuple[tuple[AnomalyTask, float], ...]", self.parts)

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        return np.cumsum([weight for _, weight in self._bound])

    def _draw_name(self, rng: np.random.Generator) -> str:
        return self.names[int(np.searchsorted(self._shares, rng.random() * self._shares[-1], side="right"))]

    def _source_of(
        self, name: str, source: Image | PreparedSource | None, source_mask: NDArray[Any] | None
    ) -> tuple[Image | PreparedSource | None, NDArray[Any] | None]:
        """Source and its mask for a part."""
        if not self.tasks[name].needs_source:
            return None, None
        if isinstance(source, MixedSource):
            return source.parts[self.names.index(name)], source_mask
        return source, source_mask

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.parts,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.parts)!r})"


def part_of(task: AnomalyTask, plan: SynthesisPlan) -> AnomalyTask:
    """The task that drew a plan: the part it names, or the task itself if it is no mixture."""
    return task.tasks[plan.task] if isinstance(task, MixedAnomaly) and plan.task is not None else task


def _names(tasks: Sequence[AnomalyTask]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    names = []
    for task in tasks:
        seen[task.name] += 1
        names.append(task.name if seen[task.name] == 1 else f"{task.name}_{seen[task.name]}")
    return tuple(names)


def _bind_parts(
    parts: Any, shared: Mapping[str, Any], preset: str | PathLike[str] | None = None, ablation: str | None = None
) -> list[tuple[AnomalyTask, float]]:
    if isinstance(parts, (str, Mapping)) or not isinstance(parts, Sequence):
        raise fail(TypeError, "parts", _ACCEPTED, parts)
    if not parts:
        raise fail(ValueError, "parts", _ACCEPTED, parts)
    bound: list[tuple[AnomalyTask, float]] = []
    for part in parts:
        task, weight, own = _read_part(part)
        if isinstance(task, AnomalyTask):
            task = task.replaced(**shared) if shared else task
        else:
            given, kind = own.pop("preset", preset), TASKS.check("task of parts", task)
            columns = {} if given is None else kind.preset_columns(given, ablation)
            label = {"label": bound[0][0].label} if bound else {}
            arguments = {**label, **columns, **shared, **own}
            check_names(kind.__name__, arguments, kind.argument_names())
            task = kind(**arguments)
        if isinstance(task, MixedAnomaly):
            raise fail(ValueError, "task of parts", "a task other than a mixture", task)
        bound.append((task, check_number("weight of parts", weight, LEAST_WEIGHT)))
    return bound


def _read_part(part: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Task, weight, and arguments of the task."""
    if isinstance(part, Mapping) and "task" in part:
        own = dict(part)
        return own.pop("task"), own.pop("weight", 1), own
    if isinstance(part, Sequence) and not isinstance(part, str) and len(part) == 2:
        return part[0], part[1], {}
    raise fail(TypeError, "parts", _ACCEPTED, part)
