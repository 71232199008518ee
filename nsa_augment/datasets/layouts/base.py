"""The base of all layouts: where files go, and which files a layout adds to images, masks and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from nsa_augment._shared.checks import fail
from nsa_augment._shared.registry import Registry
from nsa_augment.synthesis import SynthesisResult

if TYPE_CHECKING:
    from nsa_augment.datasets.recipe import Recipe

Records = Callable[[], Iterator[dict[str, Any]]]
"""Each call returns an iterator over the parsed lines of the manifest, in order."""

LAYOUTS: Registry[Layout] = Registry("layouts")
"""The layouts by name."""

CATEGORY = "anomaly"
"""Name of the only class in COCO and YOLO files of a dataset with one task."""


class Layout:
    """Where the files of a dataset go. A subclass with a `name` registers itself.

    Paths are below the folder of the dataset, with ``/`` between folders; ``{task}``, ``{number}``, ``{category}`` and
    ``{split}`` are filled in. The last is "train/" or "val/" in a split dataset, else empty. A subclass sets the
    attributes that differ, and overrides methods to write more than images, masks and labels.

    Attributes
    ----------
    name : str
        The value for `layout=` and `--layout`.
    image, mask, label : str
        Paths of the image, the mask (0 and 255) and the soft label (16 bits) of an item.
    unchanged : str or None
        Path of an image in which no patch could be placed; it is then the only file of its item. None: such an item
        has the same files as others.
    extra_paths : mapping
        Paths of further files of an item, by their names in the manifest.
    index : str or None
        Path of a file about the whole dataset.
    min_images : int
        Number of normal images that the layout needs.
    item_split : str
        Part of the dataset to which items belong if it is not split.
    normals_of_its_own : bool
        Whether the layout always has normal images, which rules out further ones as backgrounds.
    earlier : Layout class or None
        The layout of this name in datasets of the previous edition.

    Examples
    --------
    >>> layout = LAYOUTS["yolo"]()
    >>> layout.image, dict(layout.extra_paths), layout.index
    ('images/{split}{number}.png', {'polygons': 'labels/{split}{number}.txt'}, 'data.yaml')
    """

    name: ClassVar[str]
    image: ClassVar[str] = "images/{number}.png"
    mask: ClassVar[str] = "masks/{number}.png"
    label: ClassVar[str] = "labels/{number}.png"
    unchanged: ClassVar[str | None] = None
    extra_paths: ClassVar[Mapping[str, str]] = {}
    index: ClassVar[str | None] = None
    min_images: ClassVar[int] = 1
    item_split: ClassVar[str] = "train"
    normals_of_its_own: ClassVar[bool] = False
    earlier: ClassVar[type[Layout] | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for role, path in cls().paths().items():
            if "{number}" not in path:
                raise fail(ValueError, f"path of {role!r} in {cls.__qualname__}", "one with {number} in it", path)
        LAYOUTS.register(cls)

    def paths(self) -> dict[str, str]:
        """Paths of all files of items, by their names in the manifest; that of unchanged images as "unchanged"."""
        fixed = {"image": self.image, "mask": self.mask, "label": self.label}
        return {**fixed, **self.extra_paths, **({} if self.unchanged is None else {"unchanged": self.unchanged})}

    @property
    def can_be_split(self) -> bool:
        """Whether the paths separate the parts of a split dataset."""
        return "{split}" in self.image

    def pool(self, names: Sequence[str]) -> list[str]:
        """The normal images, of those sorted by name, from which anomalies are made."""
        return list(names)

    def normals(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Path in the dataset and name in the folder of each normal image in the dataset."""
        return []

    def normal_split(self, path: str) -> str:
        """Part of the dataset to which a path returned by `normals` belongs."""
        return self.item_split

    def class_files(self, result: SynthesisResult, number: int) -> dict[str, bytes]:
        """Contents of the files in `extra_paths` for one item of a class; classes count from 0."""
        return self.extra_files(result)

    def extra_files(self, result: SynthesisResult) -> dict[str, bytes]:
        """Contents of the files in `extra_paths` for one item."""
        return {}

    def record_fields(self, result: SynthesisResult) -> dict[str, Any]:
        """Further fields for the line of an item in the manifest; plain JSON.

        Lines of the layout's own normal images have only the fields of all layouts.
        """
        return {}

    def index_files(self, recipe: Recipe) -> dict[str, Callable[[Recipe, Records], Iterable[str]]]:
        """Functions that return the texts of the files about the whole dataset, by path."""
        return {} if self.index is None else {self.index: self.index_text}

    def index_text(self, recipe: Recipe, records: Records) -> Iterable[str]:
        """Text of the file `index`, in parts.

        Parameters
        ----------
        recipe : Recipe
        records : callable
            Each call returns an iterator over the parsed lines of the manifest, in order.
        """
        raise NotImplementedError(f"{type(self).__qualname__} has an index but no index_text")


def number(index: int, count: int) -> str:
    """Number of one of `count` files, with leading zeros so that names sort: three digits or more.

    Examples
    --------
    >>> number(7, 100), number(7, 20_000)
    ('007', '00007')
    """
    return f"{index:0{max(3, len(str(count - 1)))}}"


def folder_of(path: str) -> str:
    """The folder of a path with ``/`` between folders."""
    return path.rpartition("/")[0]
