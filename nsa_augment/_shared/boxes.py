"""Rectangles of pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from nsa_augment._shared.checks import check_integers, fail
from nsa_augment._shared.types import Size


class Box(NamedTuple):
    """Half-open rectangle: rows y0 to y1 - 1, columns x0 to x1 - 1.

    Examples
    --------
    >>> box = Box(2, 3, 6, 9)
    >>> box.size, box == (2, 3, 6, 9), box.relative_to(Box(1, 1, 9, 9))
    ((4, 6), True, Box(y0=1, x0=2, y1=5, x1=8))
    """

    y0: int
    x0: int
    y1: int
    x1: int

    @classmethod
    def at(cls, y: int, x: int, size: Size) -> Box:
        """The box of a size whose upper left pixel is (y, x)."""
        return cls(y, x, y + size[0], x + size[1])

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        return self.y1 - self.y0, self.x1 - self.x0

    def of(self, array: NDArray[Any]) -> NDArray[Any]:
        """View of an array inside the box."""
        return array[self.y0 : self.y1, self.x0 : self.x1]

    def relative_to(self, area: Box) -> Box:
        """The box in coordinates from the upper left pixel of `area`."""
        return Box(self.y0 - area.y0, self.x0 - area.x0, self.y1 - area.y0, self.x1 - area.x0)

    def contains(self, other: Box) -> bool:
        """Whether `other` lies inside."""
        return self.y0 <= other.y0 and self.x0 <= other.x0 and other.y1 <= self.y1 and other.x1 <= self.x1

    def overlaps(self, other: Box) -> bool:
        """Whether the two share a pixel."""
        return self.y0 < other.y1 and other.y0 < self.y1 and self.x0 < other.x1 and other.x0 < self.x1

    def joined(self, other: Box) -> Box:
        """The smallest box around both."""
        low, high = map(min, self[:2], other[:2]), map(max, self[2:], other[2:])
        return Box(*low, *high)

    def grown(self, margin: int, size: Size) -> Box:
        """The box with a margin on all sides, cut at the border of an image of `size`."""
        y0, x0, y1, x1 = self
        height, width = size
        return Box(
            y0 - margin if y0 > margin else 0,
            x0 - margin if x0 > margin else 0,
            y1 + margin if y1 + margin < height else height,
            x1 + margin if x1 + margin < width else width,
        )


def check_box(name: str, value: Any) -> Box:
    """Return `value` as a box, or raise unless it is one."""
    accepted = "a half-open box [y0, x0, y1, x1] with 0 <= y0 < y1 and 0 <= x0 < x1"
    y0, x0, y1, x1 = check_integers(name, value, 4, accepted)
    if not (y0 < y1 and x0 < x1):
        raise fail(ValueError, name, accepted, value)
    return Box(y0, x0, y1, x1)
