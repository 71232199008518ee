"""The controls for the arguments of tasks, derived from the arguments' types and from what tasks accept."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from nsa_augment.cli.options import parse_overrides
from nsa_augment.tasks import PRESETS, TASKS, AnomalyTask, bind_task

CHOICE, NUMBER, PAIR, TEXT = "choice", "number", "pair", "text"
KINDS: dict[Any, str] = {int: NUMBER, float: NUMBER, tuple[int, int]: PAIR, tuple[float, float]: PAIR}
"""Kind of control by type of argument; for other types, a choice if the task lists what it accepts, else text."""
STEP = 0.01
"""Step of sliders for real numbers."""
WIDE, TIMES = 10, 4
"""Sliders for wider ranges than `WIDE` end at `WIDE`, or at `TIMES` the largest value of any preset."""

_BOUNDS = (
    re.compile(r"in \[(?P<low>-?[\d.]+), (?P<high>[\d.]+)\]$"),
    re.compile(r"with (?P<low>-?[\d.]+) <= minimum <= maximum <= (?P<high>[\d.]+)$"),
)


@dataclass(frozen=True)
class Control:
    """A control for an argument.

    Parameters
    ----------
    name : str
        Name of the argument.
    kind : "choice", "number", "pair" or "text"
        A list, a slider, two sliders (minimum and maximum), or a text field in the syntax of `--set`.
    accepted : str
        What the task accepts, as in its error messages; "" if unknown.
    choices : tuple of str
        Entries of a list, as text.
    low, high, step : float
        Range and step of a slider; its upper end may be lower than what the task accepts.
    """

    name: str
    kind: str
    accepted: str = ""
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    step: float = STEP

    def shown(self, value: Any) -> Any:
        """What the control shows for a value of the argument."""
        if self.kind == PAIR:
            return list(value)
        return value if self.kind == NUMBER else as_text(value)

    def chosen(self, shown: Any, start: Any) -> Any:
        """The value of the argument that a control shows; `start` itself unless the control was moved."""
        if self.kind == PAIR:
            return tuple(self._number(part, first) for part, first in zip(shown, start, strict=True))
        if self.kind == NUMBER:
            return self._number(shown, start)
        return start if shown == as_text(start) else parse_overrides([f"{self.name}={shown}"])[self.name]

    def _number(self, shown: Any, start: Any) -> Any:
        if shown is None or abs(shown - start) <= self.step / 2:
            return start
        return int(shown) if isinstance(start, int) and float(shown).is_integer() else shown


def as_text(value: Any) -> str:
    """A value as `--set` takes it.

    Examples
    --------
    >>> as_text((200.0, 60.0)), as_text("ellipses"), as_text(None)
    ('(200.0, 60.0)', 'ellipses', 'None')
    """
    return value if isinstance(value, str) else repr(value)


@cache
def controls_of(task: str) -> Mapping[str, Control]:
    """Controls of all arguments of a task, by name, in the order of its fields.

    Examples
    --------
    >>> controls_of("nsa")["min_overlap"]
    Control(name='min_overlap', kind='number', accepted='a number in [0, 1]', choices=(), low=0.0, high=1.0, step=0.01)
    >>> controls_of("nsa")["gradient"].choices
    ('source', 'mixed')
    """
    kind = TASKS[task]
    hints = get_type_hints(kind)
    taken = kind.argument_names()
    return {item.name: _control(kind, item.name, hints[item.name]) for item in fields(kind) if item.name in taken}


def start_values(task: str, preset: str) -> dict[str, Any]:
    """Values of all arguments of a task with a preset, as far as they can be written as text.

    Examples
    --------
    >>> start_values("nsa", "screw")["height_range"]
    (0.06, 0.24)
    """
    kind = TASKS[task]
    values, defaults = _values(kind, preset), _defaults(kind)
    return {name: values[name] if _written(values[name]) else defaults[name] for name in controls_of(task)}


def _defaults(kind: type[AnomalyTask]) -> dict[str, Any]:
    return {item.name: None if item.default is MISSING else item.default for item in fields(kind)}


def _values(kind: type[AnomalyTask], preset: str) -> dict[str, Any]:
    if kind.required:
        return _defaults(kind) | kind.preset_columns(preset)
    bound = bind_task(kind.name, preset)
    return {item.name: getattr(bound, item.name) for item in fields(kind)}


def _control(kind: type[AnomalyTask], name: str, hint: Any) -> Control:
    accepted = _accepted(kind, name)
    if accepted.startswith("one of "):
        return Control(name, CHOICE, accepted, _choices(kind, name, accepted))
    bounds = next((found for pattern in _BOUNDS if (found := pattern.search(accepted))), None)
    if bounds is None or hint not in KINDS:
        return Control(name, TEXT, accepted)
    low, high = float(bounds["low"]), float(bounds["high"])
    if high > WIDE and KINDS[hint] == NUMBER:
        high = min(high, max(WIDE, TIMES * max(_values(kind, preset)[name] for preset in PRESETS)))
    whole = hint in (int, tuple[int, int])
    return Control(name, KINDS[hint], accepted, (), low, high, 1 if whole else STEP)


def _accepted(kind: type[AnomalyTask], name: str) -> str:
    """What a task accepts, from its error message for a value of no accepted type."""
    try:
        wrong: dict[str, Any] = dict.fromkeys({*kind.required, name}, object())
        kind(**wrong)
    except (TypeError, ValueError) as error:
        told = re.match(rf"{name} must be (.+?), got ", str(error), re.DOTALL)
        return "" if told is None else told[1]
    return ""


def _choices(kind: type[AnomalyTask], name: str, accepted: str) -> tuple[str, ...]:
    """All known names, without those that the task refuses."""
    known = ast.literal_eval(f"[{accepted.removeprefix('one of ')}]")
    return tuple(as_text(value) for value in known if kind.required or _takes(kind, name, value))


def _takes(kind: type[AnomalyTask], name: str, value: Any) -> bool:
    try:
        kind(**{name: value})
    except (TypeError, ValueError):
        return False
    return True


def _written(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False
