"""Kinds by name: classes that register themselves on definition, here or in other packages."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from nsa_augment._shared.checks import fail
from nsa_augment._shared.notices import warn_caller

Kind = TypeVar("Kind")

_PACKAGE = "nsa_augment"
_REGISTRIES: dict[str, Registry[Any]] = {}
_LOADING = threading.RLock()


class Registry(Mapping[str, type[Kind]]):
    """Classes of one kind (tasks, labels...) by their `name`.

    A class registers itself when defined with its own `name`. Other packages announce theirs in the entry-point group
    ``nsa_augment.<kinds>``; they are imported when an unknown name is looked up or all names are listed. A
    RuntimeWarning names those that cannot be used.

    Parameters
    ----------
    kinds : str
        Plural of the kind of classes, the end of the entry-point group's name.
    """

    def __init__(self, kinds: str) -> None:
        self.group = f"{_PACKAGE}.{kinds}"
        self._kinds: dict[str, type[Kind]] = {}
        self._loaded = False
        _REGISTRIES[self.group] = self

    def register(self, kind: type[Kind]) -> None:
        """Add a class with its own `name`; a class without one is a base for others.

        Raises
        ------
        TypeError, ValueError
            If the name is not a lowercase identifier, or another class has it. A redefined class, as in a notebook,
            replaces the older one.
        """
        if "name" not in vars(kind):
            return
        name: Any = vars(kind)["name"]
        owner, accepted = f"name of {kind.__qualname__}", "a lowercase identifier"
        if not isinstance(name, str):
            raise fail(TypeError, owner, accepted, name)
        if not name.isidentifier() or name != name.lower():
            raise fail(ValueError, owner, accepted, name)
        other = self._kinds.get(name)
        if other is not None and _origin(other) != _origin(kind):
            raise ValueError(f"{owner} must not be taken in {self.group}, got {name!r}, the name of {_origin(other)}")
        self._kinds[name] = kind

    def check(self, argument: str, value: Any) -> type[Kind]:
        """The class of a name; a TypeError or ValueError names the argument and lists the known names."""
        if isinstance(value, str) and value in self._kinds:
            return self._kinds[value]
        accepted = f"one of {', '.join(map(repr, self))}"
        if not isinstance(value, str):
            raise fail(TypeError, argument, accepted, value)
        if value not in self._kinds:
            raise fail(ValueError, argument, accepted, value)
        return self._kinds[value]

    def __getitem__(self, name: str) -> type[Kind]:
        if name not in self._kinds:
            self._load()
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(tuple(self._kinds))

    def __len__(self) -> int:
        self._load()
        return len(self._kinds)

    def __repr__(self) -> str:
        return f"<{self.group}: {', '.join(self)}>"

    def _load(self) -> None:
        with _LOADING:
            if self._loaded:
                return
            self._loaded = True
            problems = [(entry, self._import(entry)) for entry in entry_points(group=self.group)]
        for entry, problem in problems:
            if problem is not None:
                package = "an unknown package" if entry.dist is None else entry.dist.name
                message = f"cannot use {entry.name!r} ({entry.value}) of {package} in {self.group}: {problem}"
                warn_caller(message, RuntimeWarning)

    def _import(self, entry: EntryPoint) -> str | None:
        """Import an entry point; returns the reason if that fails."""
        try:
            entry.load()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None if entry.name in self._kinds else f"it defines no class with name = {entry.name!r}"


def modules_of_other_packages() -> tuple[str, ...]:
    """Modules outside this package that registered kinds; new processes must import them to use the kinds.

    Examples
    --------
    >>> "nsa_augment.tasks.published" in modules_of_other_packages()
    False
    """
    kinds = [kind for registry in _REGISTRIES.values() for kind in registry._kinds.values()]
    modules = {kind.__module__ for kind in kinds}
    return tuple(sorted(name for name in modules if name.partition(".")[0] not in (_PACKAGE, "__main__")))


def _origin(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
