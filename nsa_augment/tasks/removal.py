"""Cut-outs: parts of the image replaced by a colour or by noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nsa_augment._shared.checks import channels, check_choice, check_number, fail, set_field
from nsa_augment.planning import Filling, SynthesisPlan, draw_plan
from nsa_augment.planning.patterns import Constant, Mean, Static
from nsa_augment.scenes import PreparedSource, Scene
from nsa_augment.tasks.base import AnomalyTask

FILLS = ("mean", "noise")


@dataclass(frozen=True, kw_only=True)
class CutOutAnomaly(AnomalyTask):
    """Cut-outs: patches of the image are replaced by a colour, or by noise [1]_.

    It uses no source. Other arguments are those of `NaturalSyntheticAnomaly`, without `gradient` and `solver`; patches
    stay in place: no `min_overlap`, `scale_range`, `resize_limits`, `candidates` and `source_fit`. Under constraints,
    only object pixels change.

    Parameters
    ----------
    fill : float, tuple of float, "mean" or "noise"
        A grey level (0..255) of all channels, or one for each; the mean of the image; or random pixels.

    References
    ----------
    .. [1] DeVries, Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017,
       arXiv:1708.04552.

    Examples
    --------
    >>> image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    >>> result = CutOutAnomaly(fill=(255, 0, 0), max_patches=1)(image, rng=0)
    >>> np.unique(result.image[result.image != image].reshape(-1)).tolist()
    [0, 255]
    """

    fill: float | tuple[float, ...] | str = "mean"

    name: ClassVar[str] = "cutout"
    title: ClassVar[str] = "CutOut"
    needs_source: ClassVar[bool] = False
    shift: ClassVar[bool] = False
    unused: ClassVar[frozenset[str]] = frozenset(
        {"min_overlap", "scale_range", "resize_limits", "candidates", "source_fit"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        set_field(self, "fill", _check_fill(self.fill))

    def draw(self, scene: Scene, rng: np.random.Generator) -> SynthesisPlan:
        """Draw patches of the image itself, and the filling of each."""
        if isinstance(self.fill, tuple) and len(self.fill) not in (1, count := channels(scene.image)):
            raise fail(ValueError, "fill", f"one level, or one for each channel of the image ({count})", self.fill)
        own = replace(scene, source=PreparedSource(scene.image, scene.source.given_shape, scene.foreground))
        return draw_plan(own, self, self._bound_blending, rng, shift=False, fill=self._draw_filling)

    def _draw_filling(self, rng: np.random.Generator) -> Filling:
        if isinstance(self.fill, str):
            return Filling(Mean() if self.fill == "mean" else Static.draw(rng))
        return Filling(Constant(self.fill if isinstance(self.fill, tuple) else (self.fill,)))


def _check_fill(value: Any) -> float | tuple[float, ...] | str:
    if isinstance(value, str):
        check_choice("fill", value, FILLS)
        return value
    if not isinstance(value, Iterable):
        return check_number("fill", value, 0, 255)
    levels = tuple(value)
    if not levels:
        raise fail(ValueError, "fill", "a grey level in [0, 255], a level for each channel, 'mean' or 'noise'", value)
    return tuple(check_number("fill", level, 0, 255) for level in levels)
