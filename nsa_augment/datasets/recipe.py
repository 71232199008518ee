"""Everything that decides the bytes of a dataset, as plain JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import Any

import cv2

from nsa_augment._shared.checks import check_integer, fail
from nsa_augment._shared.plain import parse_json
from nsa_augment.datasets._fields import EDITION, FIELDS, FIRST_EDITION, MAX_COUNT
from nsa_augment.datasets._folder import read_folder
from nsa_augment.datasets._masks import compared_masks, describe_masks, mask_folders, moved_masks
from nsa_augment.datasets._normals import Normal, check_enough, check_layout, normals_of, window_sizes
from nsa_augment.datasets._tasks import check_tasks, plain_arguments, task_from
from nsa_augment.datasets.layouts import LAYOUTS, Layout
from nsa_augment.datasets.layouts.base import CATEGORY, folder_of
from nsa_augment.datasets.options import Options
from nsa_augment.labelling import LABELS, Label
from nsa_augment.tasks import AnomalyTask

RECIPE = "recipe.json"
FORMAT = "nsa-augment dataset 1"


@dataclass(frozen=True)
class Recipe:
    """What a dataset is made from: equal recipes make the same bytes.

    Parameters
    ----------
    folder : str
        Absolute path of the folder of normal images.
    images : mapping
        SHA-256 of each image by name, sorted by name.
    task : str
        A key of `TASKS`.
    arguments : mapping
        All keyword arguments of the task.
    count, seed : int
        Number of anomalies; item i is drawn from `numpy.random.default_rng([seed, i])`.
    layout : str
        A key of `LAYOUTS`.
    versions : mapping
        Versions of this package and of those that compute pixels.
    origin : mapping
        Where the arguments come from, for human readers.
    damaged : sequence of str
        Names of the files that were skipped because they cannot be decoded.
    edition : int
        Edition of the layouts; 1 if missing, as the recipe is older than editions.
    options : Options
        Parts, backgrounds, windows.
    more_tasks : sequence of mappings
        The other tasks: "task" and "arguments" of each.
    sizes : mapping
        Height and width of each image by name, if items are windows.
    masks : mapping
        For each of "object_masks" and "allowed_masks" that was given: "folder" (a path, or "alpha"), and "files", by
        image the name and SHA-256 of its mask.
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
    edition: int = EDITION
    options: Options = field(default_factory=Options)
    more_tasks: Sequence[Mapping[str, Any]] = ()
    sizes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    masks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        task: AnomalyTask | Sequence[AnomalyTask],
        count: int,
        seed: int,
        layout: str,
        origin: Mapping[str, Any] | None = None,
        options: Options | None = None,
        *,
        recursive: bool = False,
        skip_damaged: bool = False,
        known: Collection[str] = (),
        masks: Mapping[str, str | os.PathLike[str]] | None = None,
    ) -> Recipe:
        """Check arguments of `nsa_augment.datasets.generate`, and read the folder.

        Files are decoded to find damaged ones, except those whose SHA-256 is `known`. `masks` are `object_masks` and
        `allowed_masks`, if given.
        """
        (name, first), *others = check_tasks(task)
        options = options or Options()
        kind = LAYOUTS.check("layout", layout)
        check_layout(kind, options)
        images, damaged = read_folder(Path(folder), recursive, skip_damaged, known)
        if len(images) < kind.min_images:
            message = f"folder must hold at least {kind.min_images} images with layout={layout!r}"
            raise ValueError(f"{message}, got {len(images)}: {folder}")
        recipe = cls(
            folder=os.path.abspath(folder),
            images=images,
            task=name,
            arguments=plain_arguments(first),
            count=check_integer("count", count, 1, MAX_COUNT),
            seed=check_integer("seed", seed, 0),
            layout=layout,
            versions=current_versions(),
            origin=dict(origin or {}),
            damaged=damaged,
            edition=EDITION,
            options=options,
            more_tasks=[{"task": name, "arguments": plain_arguments(other)} for name, other in others],
            sizes=window_sizes(Path(folder), list(images), options, first.scale),
            masks={
                name: describe_masks(name, where, Path(folder), images, known) for name, where in (masks or {}).items()
            },
        )
        check_enough(recipe.pools, options)
        return recipe

    @property
    def places(self) -> dict[str, str]:
        """Where the images ("folder") and their masks are."""
        return {"folder": self.folder, **mask_folders(self.masks)}

    def moved(self, folder: str | None = None, **masks: str) -> Recipe:
        """The recipe with images and masks at other places; ValueError if it has no such masks."""
        return replace(self, folder=folder or self.folder, masks=moved_masks(self.masks, masks))

    @cached_property
    def tasks(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Names and arguments of all tasks."""
        return [(self.task, self.arguments), *((more["task"], more["arguments"]) for more in self.more_tasks)]

    def make_tasks(self) -> list[AnomalyTask]:
        """The tasks with their arguments; arguments newer than the recipe have their defaults."""
        return [task_from(*task) for task in self.tasks]

    def make_task(self) -> AnomalyTask:
        """The task of the dataset; of several, the first."""
        return self.make_tasks()[0]

    @property
    def class_names(self) -> list[str]:
        """Names of the classes of anomalies in the files of a layout."""
        return [CATEGORY] if len(self.tasks) == 1 else [name for name, _ in self.tasks]

    def class_of(self, index: int) -> int:
        """Index of the task that makes an item; tasks take turns in each part of the dataset."""
        return self.options.place_of(index)[1] % len(self.tasks)

    @cached_property
    def layout_kind(self) -> Layout:
        """The layout, as it was when the dataset was begun."""
        kind = LAYOUTS.check("layout", self.layout)
        return kind() if self.edition == EDITION or kind.earlier is None else kind.earlier()

    @cached_property
    def label_kind(self) -> type[Label]:
        """Class of the labels."""
        return LABELS.check("label", self.make_task().label)

    @property
    def label_scale(self) -> int:
        """Factor of the labels in their files."""
        return self.label_kind.file_scale

    @cached_property
    def pools(self) -> dict[str, list[str]]:
        """Names of the images that anomalies are made from, by part of the dataset."""
        names = self.layout_kind.pool(list(self.images))
        return self.options.parted(names) if self.options.split else {self.layout_kind.item_split: names}

    def place_of(self, index: int) -> tuple[str, int]:
        """Part of the dataset of anomaly or background `index`, and its position there."""
        part, position = self.options.place_of(index)
        return list(self.pools)[part], position

    @cached_property
    def normals(self) -> list[Normal]:
        """The normal images in the dataset."""
        return list(normals_of(self))

    @property
    def total(self) -> int:
        """Number of lines of the manifest: anomalies, then normal images."""
        return self.count + len(self.normals)

    def path(self, template: str, number: str, task: str, part: str) -> str:
        """A path of the layout, filled in."""
        split = f"{part}/" if self.options.split else ""
        return template.format(number=number, task=task, split=split, category=self.options.category)

    def folders(self) -> list[str]:
        """Folders that hold files of items."""
        templates = self.layout_kind.paths().values()
        paths = [self.path(*each) for each in product(templates, ["0"], dict(self.tasks), self.pools)]
        paths += [normal.path for normal in self.normals if normal.path is not None]
        return sorted({folder_of(path) for path in paths})

    def to_json(self) -> str:
        """Text of `recipe.json`."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)} | {"options": self.options.plain()}
        return json.dumps({"format": FORMAT, **plain, "label_scale": self.label_scale}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Inverse of `to_json`; ValueError on anything else."""
        plain = parse_json(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT!r}")
        plain = {**FIRST_EDITION, **plain}
        if missing := [item.name for item in fields(cls) if item.name not in plain]:
            raise ValueError(f"it has no {missing[0]!r}")
        for name, check in FIELDS.items():
            check(name, plain[name])
        options = Options.from_plain(plain["options"])
        return cls(**{item.name: plain[item.name] for item in fields(cls)} | {"options": options})

    def differences(self, now: Recipe) -> list[str]:
        """Differences from another recipe that change the bytes, in words; the folder's path does not count."""
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
        versions = {f"version of {name}": self.versions.get(name) for name in current_versions()}
        plain = {name: getattr(self, name) for name in ("task", "count", "seed", "layout")}
        plain |= self.options.plain()
        plain |= compared_masks(self.masks)
        first, *others = self.make_tasks()
        more = {f"task {name}": plain_arguments(task) for (name, _), task in zip(self.tasks[1:], others, strict=True)}
        return {**plain, **plain_arguments(first), **more, **images, **versions}


def load_recipe(out: Path) -> Recipe:
    """Read the recipe of a dataset, and check that its kinds and arguments are known here.

    Raises
    ------
    ValueError
        If the folder holds no recipe, or one with an unknown task, layout, label or argument: the message lists the
        known ones. Nothing that a recipe names is imported.
    """
    path = out / RECIPE
    try:
        text = path.read_text("utf-8")
        recipe = Recipe.from_json(text)
    except (ValueError, TypeError, OSError) as error:
        raise ValueError(f"{out} is no dataset made by nsa-augment generate: cannot read {path}: {error}") from error
    try:
        LAYOUTS.check("layout", recipe.layout)
        scale = parse_json(text).get("label_scale", recipe.label_scale)
        if scale != recipe.label_scale:
            raise fail(ValueError, "label_scale", f"{recipe.label_scale}, that of its labels", scale)
    except (ValueError, TypeError) as error:
        raise ValueError(f"cannot use {path} here: {error}") from error
    return recipe


@lru_cache(maxsize=1)
def current_versions() -> dict[str, str | None]:
    """Versions of this package and of those that compute pixels; None: not installed."""

    def installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    names = ("nsa-augment", "numpy", "numba")
    return {**{name: installed(name) for name in names}, "opencv": cv2.__version__}
