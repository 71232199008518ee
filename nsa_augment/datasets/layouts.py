"""Where the files of a dataset go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

LayoutName = Literal["mvtec", "coco", "yolo", "masks"]

HELD_OUT = 5
"""In layout mvtec one of so many normal images is held out for testing."""


@dataclass(frozen=True)
class Layout:
    """Paths of an item's files below the folder of the dataset, with {task} and {number} to be filled in.

    Parameters
    ----------
    image, mask, label : str
        The image, the mask (0 and 255) and the soft label (16 bits).
    polygons : str, optional
        A text file with the outlines of the anomalies.
    unchanged : str, optional
        The image, instead of the files above, where no patch could be placed; None: as other images.
    train, held_out : str, optional
        The normal images themselves; where they are given, anomalies are made of those held out only.
    derived : str, optional
        A file about the whole dataset.
    """

    image: str
    mask: str
    label: str
    polygons: str | None = None
    unchanged: str | None = None
    train: str | None = None
    held_out: str | None = None
    derived: str | None = None

    def folders(self, task: str) -> list[str]:
        """Folders that hold files of items."""
        paths = (self.image, self.mask, self.label, self.polygons, self.unchanged, self.train, self.held_out)
        return sorted({path.format(task=task, number=0).rpartition("/")[0] for path in paths if path is not None})


_PLAIN = ("images/{number}.png", "masks/{number}.png", "labels/{number}.png")

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "mvtec": Layout(
            "test/{task}/{number}.png",
            "ground_truth/{task}/{number}_mask.png",
            "labels/{task}/{number}.png",
            unchanged="test/good/unchanged_{number}.png",
            train="train/good/{number}.png",
            held_out="test/good/{number}.png",
        ),
        "coco": Layout(*_PLAIN, derived="annotations.json"),
        "yolo": Layout(*_PLAIN[:2], "soft_labels/{number}.png", polygons="labels/{number}.txt", derived="data.yaml"),
        "masks": Layout(*_PLAIN),
    }
)
"""The layouts by name."""


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
