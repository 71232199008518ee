"""Everything that decides the bytes of a dataset, as plain JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any

import cv2

from nsa_augment._shared.checks import check_integer, check_names, fail
from nsa_augment._shared.plain import parse_json
from nsa_augment.datasets._folder import read_folder
from nsa_augment.datasets.layouts import LAYOUTS, Layout
from nsa_augment.labelling import LABELS, Label
from nsa_augment.tasks import TASKS, AnomalyTask

RECIPE = "recipe.json"
FORMAT = "nsa-augment dataset 1"
MAX_COUNT = 10**9
LARGEST = 65535
"""Value that fits into a file of labels."""


@dataclass(frozen=True)
class Recipe:
    """What a dataset is made of: two equal recipes make the same bytes.

    Parameters
    ----------
    folder : str
        Absolute path of the folder of normal images.
    images : mapping
        SHA-256 of each of them by name, sorted by name.
    task : str
        A key of `TASKS`.
    arguments : mapping
        All keyword arguments of the task.
    count, seed : int
        Number of anomalies; item i is drawn from `numpy.random.default_rng([seed, i])`.
    layout : str
        A key of `LAYOUTS`.
    versions : mapping
        Of this package and of those that compute pixels.
    origin : mapping
        Where the arguments come from, for people to read.
    damaged : sequence of str
        Names of the files in the folder that were skipped because they cannot be decoded.
    """

    folder: str
    images: Mapping[str, str]
    task: str
    arguments: Mapping[str, Any]
    count: int
    seed: int
    layout: str
    versions: Mapping[str, str | None]
    origin: Mapping[str, Any] = field(default_factory=dict)
    damaged: Sequence[str] = ()

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        task: AnomalyTask,
        count: int,
        seed: int,
        layout: str,
        origin: Mapping[str, Any] | None = None,
        *,
        recursive: bool = False,
        skip_damaged: bool = False,
        known: Collection[str] = (),
    ) -> Recipe:
        """Check arguments as `nsa_augment.datasets.generate` is given them, and read the folder.

        Files are decoded to find damaged ones, but for those whose SHA-256 is `known`.
        """
        name = _check_task(task)
        label = LABELS.check("label", task.label)
        if label.maximum * label.file_scale > LARGEST:
            accepted = f"one whose maximum * file_scale fits into 16 bits, {LARGEST}"
            raise fail(ValueError, f"label {task.label!r}", accepted, f"{label.maximum:g} * {label.file_scale}")
        needed = LAYOUTS.check("layout", layout).min_images
        images, damaged = read_folder(Path(folder), recursive, skip_damaged, known)
        if len(images) < needed:
            message = f"folder must hold at least {needed} images with layout={layout!r}"
            raise ValueError(f"{message}, got {len(images)}: {folder}")
        return cls(
            folder=os.path.abspath(folder),
            images=images,
            task=name,
            arguments=_plain_arguments(task),
            count=check_integer("count", count, 1, MAX_COUNT),
            seed=check_integer("seed", seed, 0),
            layout=layout,
            versions=current_versions(),
            origin=dict(origin or {}),
            damaged=damaged,
        )

    def make_task(self) -> AnomalyTask:
        """The task with its arguments; arguments that are younger than the recipe have their defaults."""
        kind = TASKS.check("task", self.task)
        check_names(kind.__name__, self.arguments, kind.argument_names())
        return kind(**self.arguments)

    @cached_property
    def layout_kind(self) -> Layout:
        """The layout."""
        return LAYOUTS.check("layout", self.layout)()

    @cached_property
    def label_kind(self) -> type[Label]:
        """Class of the labels."""
        return LABELS.check("label", self.make_task().label)

    @property
    def label_scale(self) -> int:
        """What labels are multiplied by in their files."""
        return self.label_kind.file_scale

    @cached_property
    def pool(self) -> list[str]:
        """Names of the images that anomalies are made of."""
        return self.layout_kind.pool(list(self.images))

    @cached_property
    def normals(self) -> list[tuple[str, str]]:
        """Path in the dataset and name in the folder of each normal image that is part of the dataset."""
        return self.layout_kind.normals(list(self.images))

    @property
    def total(self) -> int:
        """Number of lines of the manifest: anomalies, then normal images."""
        return self.count + len(self.normals)

    def to_json(self) -> str:
        """Text of `recipe.json`."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        return json.dumps({"format": FORMAT, **plain, "label_scale": self.label_scale}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Inverse of `to_json`; ValueError on anything else."""
        plain = parse_json(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT!r}")
        plain = {"damaged": [], **plain}  # younger than the format
        if missing := [item.name for item in fields(cls) if item.name not in plain]:
            raise ValueError(f"it has no {missing[0]!r}")
        for name, check in _FIELDS.items():
            check(name, plain[name])
        return cls(**{item.name: plain[item.name] for item in fields(cls)})

    def differences(self, now: Recipe) -> list[str]:
        """What makes the bytes of another recipe differ, in words; the path of the folder does not."""
        old, new = self._compared(), now._compared()
        differing = [
            f"{name} was {old[name]!r}, is {new[name]!r} now" for name in old if name in new and old[name] != new[name]
        ]
        differing += [f"{name} is new" for name in new if name not in old]
        differing += [f"{name} is missing now" for name in old if name not in new]
        shared = [name for name in self.origin if name in now.origin]
        origins = [
            f"{name} was {self.origin[name]!r}, is {now.origin[name]!r} now"
            for name in shared
            if self.origin[name] != now.origin[name]
        ]
        return origins + differing if differing else []

    def _compared(self) -> dict[str, Any]:
        images = {f"image file {name}": value[:12] for name, value in self.images.items()}
        versions = {f"version of {name}": value for name, value in self.versions.items()}
        plain = {name: getattr(self, name) for name in ("task", "count", "seed", "layout")}
        return {**plain, **_plain_arguments(self.make_task()), **images, **versions}


def load_recipe(out: Path) -> Recipe:
    """The recipe of a dataset, whose kinds and arguments are known here.

    Raises
    ------
    ValueError
        If the folder holds no recipe, or one that names an unknown task, layout, label or argument: the message lists
        what is known. Nothing that a recipe names is imported.
    """
    path = out / RECIPE
    try:
        recipe = Recipe.from_json(path.read_text("utf-8"))
    except (ValueError, TypeError, OSError) as error:
        raise ValueError(f"{out} is no dataset made by nsa-augment generate: cannot read {path}: {error}") from error
    try:
        LAYOUTS.check("layout", recipe.layout)
        recipe.make_task()
    except (ValueError, TypeError) as error:
        raise ValueError(f"cannot use {path} here: {error}") from error
    return recipe


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise fail(TypeError, name, "a string", value)


def _check_texts(name: str, value: Any) -> None:
    if not isinstance(value, list):
        raise fail(TypeError, name, "a list", value)
    for each in value:
        _check_text(f"every entry of {name}", each)


def _check_mapping(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise fail(TypeError, name, "a mapping", value)


def _check_images(name: str, value: Any) -> None:
    _check_mapping(name, value)
    for path, content in value.items():
        _check_text(f"digest of {path!r} in {name}", content)
        parts = PurePath(path).parts
        if not parts or ".." in parts or PurePath(path).is_absolute():
            raise fail(ValueError, f"every name in {name}", "one below the folder", path)


_FIELDS: dict[str, Callable[[str, Any], object]] = {
    "folder": _check_text,
    "images": _check_images,
    "task": _check_text,
    "arguments": _check_mapping,
    "count": partial(check_integer, low=1, high=MAX_COUNT),
    "seed": partial(check_integer, low=0),
    "layout": _check_text,
    "versions": _check_mapping,
    "origin": _check_mapping,
    "damaged": _check_texts,
}
"""How the fields of a recipe are checked when it is read."""


def _check_task(task: Any) -> str:
    """The name of a task's class, by which a recipe can find it again."""
    if not isinstance(task, AnomalyTask):
        raise fail(TypeError, "task", f"a task ({', '.join(kind.__name__ for kind in TASKS.values())}...)", task)
    kind = type(task)
    if "name" not in vars(kind):
        message = f"task must be of a class that a recipe can name, got {kind.__qualname__}"
        raise TypeError(f"{message}: give the class a `name` of its own")
    if TASKS.get(kind.name) is not kind:
        message = f"task must be of the class that is registered as {kind.name!r}, got one of an older definition of it"
        raise TypeError(f"{message}: make the task again")
    return kind.name


def _plain_arguments(task: AnomalyTask) -> dict[str, Any]:
    """Keyword arguments that make a task again, as plain JSON."""
    plain = {}
    for item in fields(task):
        value = getattr(task, item.name)
        try:
            plain[item.name] = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError) as error:
            accepted = "plain JSON (None, numbers, strings, lists) in a dataset, whose recipe writes it down"
            raise fail(TypeError, item.name, accepted, value) from error
    return plain


@lru_cache(maxsize=1)
def current_versions() -> dict[str, str | None]:
    """Versions of this package and of those that compute pixels; None: not installed."""

    def installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    names = ("nsa-augment", "numpy", "numba", "scipy")
    return {**{name: installed(name) for name in names}, "opencv": cv2.__version__}
