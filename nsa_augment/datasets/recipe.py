"""Everything that decides the bytes of a dataset, as plain JSON."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2

from nsa_augment._shared.checks import check_choice, check_integer, fail
from nsa_augment._shared.images import list_images
from nsa_augment.datasets.layouts import LAYOUTS, Layout, held_out, number
from nsa_augment.tasks import TASKS, AnomalyTask

RECIPE = "recipe.json"
FORMAT = "nsa-augment dataset 1"
FULL_LABEL = 65535
GREY_LEVEL = 256
"""Value of one grey level in a file of continuous labels; of other labels 1 is `FULL_LABEL`."""


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

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        task: AnomalyTask,
        count: int,
        seed: int,
        layout: str,
        origin: Mapping[str, Any] | None = None,
    ) -> Recipe:
        """Check arguments as `nsa_augment.datasets.generate` is given them, and read the folder."""
        names = {kind: name for name, kind in TASKS.items()}
        if type(task) not in names:
            raise fail(TypeError, "task", f"one of {', '.join(kind.__name__ for kind in names)}", task)
        if callable(task.background):
            accepted = "None or pairs (b, t) in a dataset: a function cannot be written down"
            raise fail(TypeError, "background", accepted, task.background)
        check_choice("layout", layout, LAYOUTS)
        files = list_images(folder)
        if LAYOUTS[layout].held_out is not None and len(files) < 3:
            raise ValueError(f"folder must hold at least 3 images with layout={layout!r}, got {len(files)}: {folder}")
        return cls(
            folder=os.path.abspath(folder),
            images={file.name: digest(read_bytes(file)) for file in files},
            task=names[type(task)],
            arguments=json.loads(json.dumps(asdict(task))),
            count=check_integer("count", count, 1),
            seed=check_integer("seed", seed, 0),
            layout=layout,
            versions=current_versions(),
            origin=dict(origin or {}),
        )

    def make_task(self) -> AnomalyTask:
        """The task with its arguments."""
        return TASKS[self.task](**self.arguments)

    @property
    def files(self) -> Layout:
        """Where files go."""
        return LAYOUTS[self.layout]

    @property
    def label_scale(self) -> int:
        """What labels are multiplied by in their files."""
        return GREY_LEVEL if self.arguments["label"] == "continuous" else FULL_LABEL

    @cached_property
    def pool(self) -> list[str]:
        """Names of the images that anomalies are made of."""
        names = list(self.images)
        return names if self.files.held_out is None else [names[index] for index in held_out(len(names))]

    @cached_property
    def normals(self) -> list[tuple[str, str]]:
        """Path in the dataset and name in the folder of each normal image that is part of the dataset."""
        if self.files.train is None or self.files.held_out is None:
            return []
        chosen = set(self.pool)
        training = [name for name in self.images if name not in chosen]
        groups = ((self.files.train, training), (self.files.held_out, self.pool))
        return [
            (template.format(number=number(index, len(names))), name)
            for template, names in groups
            for index, name in enumerate(names)
        ]

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
        plain = json.loads(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT!r}")
        if missing := [item.name for item in fields(cls) if item.name not in plain]:
            raise ValueError(f"it has no {missing[0]!r}")
        for name, known in (("task", TASKS), ("layout", LAYOUTS)):
            check_choice(name, plain[name], known)
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
        return {**plain, **self.arguments, **images, **versions}


def load_recipe(out: Path) -> Recipe:
    """The recipe of a dataset; ValueError if the folder holds none."""
    path = out / RECIPE
    try:
        return Recipe.from_json(path.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{out} is no dataset made by nsa-augment generate: cannot read {path}: {error}") from error


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


def digest(data: bytes) -> str:
    """SHA-256 as hexadecimal text."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path) -> bytes:
    """Content of an image file; ValueError that names it if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read image file {path}: {error.strerror or error}") from error
