"""Patterns from the images: the source as a texture, and the image itself, shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_integer, fail, set_field
from nsa_augment._shared.resizing import resize
from nsa_augment._shared.types import Image, Size
from nsa_augment.planning.patterns.base import Material, Pattern

GRID = 8
"""Cells per axis of the shuffled image in MemSeg."""
MAX_GRID = 256


@dataclass(frozen=True)
class Picture(Pattern):
    """The source as a texture, without regard to its object."""

    name: ClassVar[str] = "picture"

    def pixels(self, material: Material) -> Image:
        """Source pixels, resized to the patch."""
        return resize(material.source, material.size)


@dataclass(frozen=True)
class Shuffled(Pattern):
    """The image, cut into a grid with its cells shuffled.

    Parameters
    ----------
    rows, columns : int
    order : tuple of int
        Cell of the image for each cell of the pattern, row by row: a permutation.

    Examples
    --------
    >>> image = np.arange(8, dtype=np.uint8).reshape(2, 4, 1)
    >>> Shuffled(1, 2, (1, 0)).pixels(Material(image, image, (2, 4)))[:, :, 0].tolist()
    [[2, 3, 0, 1], [6, 7, 4, 5]]
    """

    rows: int
    columns: int
    order: tuple[int, ...]

    name: ClassVar[str] = "shuffled"

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            set_field(self, name, check_integer(f"{name} of shuffled", getattr(self, name), 1, MAX_GRID))
        accepted = f"every integer below {self.rows * self.columns} once"
        if not isinstance(self.order, (list, tuple)):
            raise fail(TypeError, "order", accepted, self.order)
        order = tuple(check_integer("every number of order", number, 0) for number in self.order)
        if sorted(order) != list(range(self.rows * self.columns)):
            raise fail(ValueError, "order", accepted, self.order)
        set_field(self, "order", order)

    @classmethod
    def draw(cls, rng: np.random.Generator, size: Size) -> Shuffled:
        """Draw an order of a grid of 8 x 8 cells, or of the pixels of a smaller image."""
        rows, columns = min(size[0], GRID), min(size[1], GRID)
        return cls(rows, columns, tuple(rng.permutation(rows * columns).tolist()))

    def pixels(self, material: Material) -> Image:
        """The shuffled image, resized to the patch; cells of other sizes are stretched by nearest neighbours."""
        image = material.image
        rows, columns = (
            np.arange(count + 1) * side // count
            for count, side in zip((self.rows, self.columns), image.shape, strict=False)
        )
        shuffled = np.empty_like(image, order="C")
        for cell, origin in enumerate(self.order):
            (row, column), (row_from, column_from) = (divmod(number, self.columns) for number in (cell, origin))
            taken = np.ix_(_stretched(rows, row, row_from), _stretched(columns, column, column_from))
            shuffled[rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = image[taken]
        return resize(shuffled, material.size)


def _stretched(edges: NDArray[np.int64], cell: int, origin: int) -> NDArray[np.int64]:
    """Rows (or columns) of the image that fill a cell with the pixels of another."""
    length, given = edges[cell + 1] - edges[cell], edges[origin + 1] - edges[origin]
    return np.asarray(np.minimum(edges[origin] + np.arange(length) * given // max(length, 1), edges[-1] - 1))
