"""The layouts of a dataset: where files go, and what a layout writes beside images, masks and labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from nsa_augment._shared.checks import fail
from nsa_augment._shared.registry import Registry
from nsa_augment.datasets._polygons import coco_annotations, yolo_lines
from nsa_augment.synthesis import SynthesisResult

if TYPE_CHECKING:
    from nsa_augment.datasets.recipe import Recipe

LAYOUTS: Registry[Layout] = Registry("layouts")
"""The layouts by name."""

HELD_OUT = 5
"""In layout mvtec one of this many normal images is held out for testing."""

CATEGORY = "anomaly"
"""What COCO and YOLO files call the one category."""

_DATA_YAML = f"""\
# The folder of this file is the root; anomalies are for training and validation alike until you split them.
train: images
val: images
names:
  0: {CATEGORY}
"""


class Layout:
    """Where the files of a dataset go. A subclass with a `name` registers itself.

    Paths are below the folder of the dataset, with ``/`` between folders; ``{task}`` and ``{number}`` are filled in.
    A subclass sets the attributes that differ, and overrides methods to write more than images, masks and labels.

    Attributes
    ----------
    name : str
        The value of `layout=` and `--layout` that asks for it.
    image, mask, label : str
        Paths of the image, the mask (0 and 255) and the soft label (16 bits) of an item.
    unchanged : str or None
        Path of the image where no patch could be placed; it is then the only file of its item. None: such an item has
        the same files as others.
    extra_paths : mapping
        Paths of the further files of an item, by what the manifest calls them.
    index : str or None
        Path of a file about the whole dataset.
    min_images : int
        Number of normal images that it needs.

    Examples
    --------
    >>> layout = LAYOUTS["yolo"]()
    >>> layout.folders("nsa"), layout.extra_paths, layout.index
    (['images', 'labels', 'masks', 'soft_labels'], {'polygons': 'labels/{number}.txt'}, 'data.yaml')
    """

    name: ClassVar[str]
    image: ClassVar[str] = "images/{number}.png"
    mask: ClassVar[str] = "masks/{number}.png"
    label: ClassVar[str] = "labels/{number}.png"
    unchanged: ClassVar[str | None] = None
    extra_paths: ClassVar[Mapping[str, str]] = {}
    index: ClassVar[str | None] = None
    min_images: ClassVar[int] = 1

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for role, path in cls().paths().items():
            if "{number}" not in path:
                raise fail(ValueError, f"path of {role!r} in {cls.__qualname__}", "one with {number} in it", path)
        LAYOUTS.register(cls)

    def paths(self) -> dict[str, str]:
        """Paths of all files of items, by what the manifest calls them; that of unchanged images as "unchanged"."""
        fixed = {"image": self.image, "mask": self.mask, "label": self.label}
        return {**fixed, **self.extra_paths, **({} if self.unchanged is None else {"unchanged": self.unchanged})}

    def folders(self, task: str) -> list[str]:
        """Folders that hold files of items made by a task."""
        return sorted({folder_of(path.format(task=task, number=0)) for path in self.paths().values()})

    def pool(self, names: Sequence[str]) -> list[str]:
        """Which of the normal images, sorted by name, anomalies are made of."""
        return list(names)

    def normals(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Path in the dataset and name in the folder of each normal image that is part of the dataset."""
        return []

    def extra_files(self, result: SynthesisResult) -> dict[str, bytes]:
        """Content of the files in `extra_paths` for one item."""
        return {}

    def record_fields(self, result: SynthesisResult) -> dict[str, Any]:
        """What the line of an item in the manifest says beside the fields of all layouts; plain JSON.

        Lines of normal images have the fields of all layouts only.
        """
        return {}

    def index_text(self, recipe: Recipe, records: Callable[[], Iterator[dict[str, Any]]]) -> Iterable[str]:
        """Text of the file `index`, in parts.

        Parameters
        ----------
        recipe : Recipe
        records : callable
            Each call returns the lines of the manifest, parsed, in order; they are read while they are used.
        """
        raise NotImplementedError(f"{type(self).__qualname__} has an index but no index_text")


class MVTecLayout(Layout):
    """The folder of one class of MVTec AD: normal images to train on, and a test set.

    Images and sources of the anomalies are held-out images, so that nothing of the test set is trained on.
    """

    name = "mvtec"
    image = "test/{task}/{number}.png"
    mask = "ground_truth/{task}/{number}_mask.png"
    label = "labels/{task}/{number}.png"
    unchanged = "test/good/unchanged_{number}.png"
    train = "train/good/{number}.png"
    held_out = "test/good/{number}.png"
    min_images = 3

    def folders(self, task: str) -> list[str]:
        """With those of the normal images."""
        return sorted({*super().folders(task), folder_of(self.train), folder_of(self.held_out)})

    def pool(self, names: Sequence[str]) -> list[str]:
        """The images that are held out."""
        return [names[index] for index in held_out(len(names))]

    def normals(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """All images: first those to train on, then those held out."""
        chosen = self.pool(names)
        training = sorted(set(names) - set(chosen))
        return [
            (path.format(number=number(index, len(group))), name)
            for path, group in ((self.train, training), (self.held_out, chosen))
            for index, name in enumerate(group)
        ]


class CocoLayout(Layout):
    """Plain folders, and polygons in the format of COCO; identifiers count from 1, as some readers take 0 for none."""

    name = "coco"
    index = "annotations.json"

    def record_fields(self, result: SynthesisResult) -> dict[str, Any]:
        """Size of the image, and polygon, box and area of each component."""
        height, width = result.mask.shape
        return {"size": [width, height], "annotations": coco_annotations(result.mask)}

    def index_text(self, recipe: Recipe, records: Callable[[], Iterator[dict[str, Any]]]) -> Iterator[str]:
        """One image or annotation a line."""
        yield '{"info": {"description": "made by nsa-augment generate"}, "licenses": [],\n'
        yield f'"categories": [{{"id": 1, "name": "{CATEGORY}"}}],\n"images": ['
        yield from _separated(map(self._image, records()))
        yield '\n],\n"annotations": ['
        yield from _separated(self._annotations(records()))
        yield "\n]}\n"

    def _image(self, record: dict[str, Any]) -> dict[str, Any]:
        width, height = record["size"]
        name = PurePosixPath(record["files"]["image"]["path"]).name
        return {"id": record["index"] + 1, "file_name": name, "width": width, "height": height}

    def _annotations(self, records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        identifier = 0
        for record in records:
            for annotation in record["annotations"]:
                identifier += 1
                image = record["index"] + 1
                yield {"id": identifier, "image_id": image, "category_id": 1, "iscrowd": 0, **annotation}


class YoloLayout(Layout):
    """Polygons as text files in `labels`, where readers of YOLO look for them; soft labels stand in `soft_labels`."""

    name = "yolo"
    label = "soft_labels/{number}.png"
    extra_paths = {"polygons": "labels/{number}.txt"}  # noqa: RUF012
    index = "data.yaml"

    def extra_files(self, result: SynthesisResult) -> dict[str, bytes]:
        """A line for each component."""
        return {"polygons": yolo_lines(result.mask).encode()}

    def index_text(self, recipe: Recipe, records: Callable[[], Iterator[dict[str, Any]]]) -> Iterator[str]:
        """The same for every dataset."""
        yield _DATA_YAML


class MasksLayout(Layout):
    """Images, masks and soft labels in a folder each, under the same names."""

    name = "masks"


def number(index: int, count: int) -> str:
    """Number of a file among `count` ones, with leading zeros so that names sort: three digits or more.

    Examples
    --------
    >>> number(7, 100), number(7, 20_000)
    ('007', '00007')
    """
    return f"{index:0{max(3, len(str(count - 1)))}}"


def held_out(count: int) -> range:
    """Which of `count` normal images, sorted by name, are held out: the first, the sixth, and so on.

    Of fewer than ten images two are held out, so that an anomaly has an image and another one as its source.

    Examples
    --------
    >>> list(held_out(12)), list(held_out(4))
    ([0, 5, 10], [0, 2])
    """
    return range(0, count, min(HELD_OUT, -(-count // 2)))


def folder_of(path: str) -> str:
    """The folder of a path with ``/`` between folders."""
    return path.rpartition("/")[0]


def _separated(values: Iterator[dict[str, Any]]) -> Iterator[str]:
    for position, value in enumerate(values):
        yield ("," if position else "") + "\n" + json.dumps(value)
