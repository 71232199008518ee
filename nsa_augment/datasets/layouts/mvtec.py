"""The layout of MVTec AD, which anomaly detection libraries read."""

from __future__ import annotations

from collections.abc import Sequence

from nsa_augment.datasets.layouts.base import Layout, number

HELD_OUT = 5
"""One of this many normal images is held out for testing."""


class FirstMVTecLayout(Layout):
    """Edition 1: the dataset is the folder of one class of MVTec AD, with soft labels and contact sheet inside."""

    image = "test/{task}/{number}.png"
    mask = "ground_truth/{task}/{number}_mask.png"
    label = "labels/{task}/{number}.png"
    unchanged = "test/good/unchanged_{number}.png"
    train = "train/good/{number}.png"
    held_out = "test/good/{number}.png"
    min_images = 3
    item_split = "test"
    normals_of_its_own = True

    def pool(self, names: Sequence[str]) -> list[str]:
        """The held-out images."""
        return [names[index] for index in held_out(len(names))]

    def normals(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """All images: first the training images, then those held out."""
        chosen = self.pool(names)
        training = sorted(set(names) - set(chosen))
        return [
            (path.replace("{number}", number(index, len(group))), name)
            for path, group in ((self.train, training), (self.held_out, chosen))
            for index, name in enumerate(group)
        ]

    def normal_split(self, path: str) -> str:
        """The folder above that of the defect."""
        return path.split("/")[-3]


class MVTecLayout(FirstMVTecLayout):
    """A class folder of MVTec AD: normal training images and a test set; soft labels lie beside it.

    Images and sources of the anomalies are held-out images, so that the training set shares nothing with the test set.
    """

    name = "mvtec"
    image = "{category}/test/{task}/{number}.png"
    mask = "{category}/ground_truth/{task}/{number}_mask.png"
    unchanged = "{category}/test/good/unchanged_{number}.png"
    train = "{category}/train/good/{number}.png"
    held_out = "{category}/test/good/{number}.png"
    earlier = FirstMVTecLayout


def held_out(count: int) -> range:
    """Indices of the held-out images among `count`, sorted by name: the first, the sixth, and so on.

    Of fewer than ten images two are held out, as an anomaly needs an image and another one as its source.

    Examples
    --------
    >>> list(held_out(12)), list(held_out(4))
    ([0, 5, 10], [0, 2])
    """
    return range(0, count, min(HELD_OUT, -(-count // 2)))
