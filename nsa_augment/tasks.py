"""The self-supervised tasks: each a row of Table 5, bound to its parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from nsa_augment.blending import SOLVERS, Blending, Poisson
from nsa_augment.checks import check_choice, check_generator, check_image, check_number, check_pair, fail
from nsa_augment.foreground import Foreground
from nsa_augment.geometry import Geometry
from nsa_augment.plan import SynthesisPlan
from nsa_augment.presets import preset_arguments
from nsa_augment.synthesis import (
    LabelSettings,
    PreparedSource,
    Scene,
    SynthesisResult,
    apply_plan,
    draw_plan,
    prepare_source,
)
from nsa_augment.types import Gradient, Image, LabelKind, Shape

Task = TypeVar("Task", bound="AnomalyTask")


@dataclass(frozen=True, kw_only=True)
class AnomalyTask(Geometry):
    """What all tasks share: calling, planning, applying."""

    label: LabelKind = "binary"
    logistic_midpoint: float = 7.0
    logistic_steepness: float = 1 / 3

    labels: ClassVar[tuple[LabelKind, ...]]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("label", self.label, self.labels)
        self._set("logistic_midpoint", check_number("logistic_midpoint", self.logistic_midpoint, 0, 255))
        self._set("logistic_steepness", check_number("logistic_steepness", self.logistic_steepness, 0))

    @classmethod
    def from_preset(cls: type[Task], preset: str, **overrides: Any) -> Task:
        """Bind the parameters of a row of Table 4.

        Parameters
        ----------
        preset : str
            One of `PRESETS`. Columns that the task does not have are ignored.
        **overrides
            Keyword arguments of the task that replace those of the preset.

        Examples
        --------
        >>> NaturalSyntheticAnomaly.from_preset("screw", label="binary").height_range
        (0.06, 0.24)
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(overrides) - known):
            raise TypeError(f"{cls.__name__} has no argument {unknown[0]!r}, accepted are {', '.join(sorted(known))}")
        arguments = {name: value for name, value in preset_arguments(preset).items() if name in known}
        return cls(**{**arguments, **overrides})

    @property
    def blending(self) -> Blending:
        """How the task joins a patch to the image."""
        raise NotImplementedError

    def __call__(
        self,
        image: Image,
        source: Image | PreparedSource | None = None,
        rng: np.random.Generator | int | None = None,
        *,
        mask: NDArray[Any] | None = None,
        source_mask: NDArray[Any] | None = None,
    ) -> SynthesisResult:
        """Draw a plan and apply it.

        Parameters
        ----------
        image : (H, W) or (H, W, C) array, uint8 or float32 in [0, 1]
            The normal image; never modified.
        source : array of the same dtype and channels
            Another normal image, brought to the size of `image` if it has another; never modified.
        rng : numpy.random.Generator, int or None
            Source of randomness, a seed, or None (fresh).
        mask, source_mask : (H, W) bool or integer array, optional
            Object masks of image and source (pixels > 0 are object) that replace the background model.

        Returns
        -------
        SynthesisResult
            When no patch fits, the image unchanged with a zero label.

        Raises
        ------
        TypeError, ValueError
            The message names the argument, what is accepted and what was received.
        """
        scene = self._scene(image, source, mask, source_mask)
        return self._apply(scene, self._plan(scene, check_generator(rng)))

    def plan(
        self,
        image: Image,
        source: Image | PreparedSource | None = None,
        rng: np.random.Generator | int | None = None,
        *,
        mask: NDArray[Any] | None = None,
        source_mask: NDArray[Any] | None = None,
    ) -> SynthesisPlan:
        """Draw everything that is random. Parameters as for calling the task."""
        return self._plan(self._scene(image, source, mask, source_mask), check_generator(rng))

    def apply(
        self,
        image: Image,
        source: Image | PreparedSource | None,
        plan: SynthesisPlan,
        *,
        mask: NDArray[Any] | None = None,
        source_mask: NDArray[Any] | None = None,
        out: Image | None = None,
    ) -> SynthesisResult:
        """Blend and label what a plan says; deterministic.

        Parameters
        ----------
        image, source, mask, source_mask
            As for calling the task.
        plan : SynthesisPlan
            Drawn for images of these sizes. It brings geometry, factor and gradient; blending and label are the
            task's. Patches too small to be blended are left out.
        out : array of the shape and dtype of `image`, optional
            Receives the resulting image; may be `image` itself.
        """
        if not isinstance(plan, SynthesisPlan):
            raise fail(TypeError, "plan", "a SynthesisPlan", plan)
        return self._apply(self._scene(image, source, mask, source_mask), plan, out)

    def prepare_source(self, source: Image, shape: Shape, source_mask: NDArray[Any] | None = None) -> PreparedSource:
        """Do the work on a source once that every call for images of `shape` would repeat.

        Parameters
        ----------
        source : array
            As for calling the task.
        shape : (height, width)
            Size of the images, pixels.
        source_mask : array, optional
            As for calling the task.

        Returns
        -------
        PreparedSource
            Accepted as `source` by `plan`, `apply` and the task itself.
        """
        return prepare_source(source, shape, self.background, source_mask)

    def _scene(
        self,
        image: Image,
        source: Image | PreparedSource | None,
        mask: NDArray[Any] | None,
        source_mask: NDArray[Any] | None,
    ) -> Scene:
        check_image("image", image)
        if source is None:
            raise fail(ValueError, "source", "another normal image", source)
        height, width = image.shape[:2]
        constrained = any(item is not None for item in (self.background, mask, source_mask))
        foreground = Foreground(image, self.background, mask) if constrained else None
        if not isinstance(source, PreparedSource):
            source = prepare_source(source, (height, width), self.background, source_mask, constrained=constrained)
        elif source.image.shape[:2] != (height, width):
            raise fail(ValueError, "source", f"prepared for images of {height} x {width} pixels", source.image)
        elif source_mask is not None:
            raise fail(ValueError, "source_mask", "None beside a prepared source, which has its own", source_mask)
        elif constrained and source.foreground is None:
            source = replace(source, foreground=Foreground(source.image, None))
        if foreground is None and source.foreground is not None:
            foreground = Foreground(image, None)
        check_pair(image, source.image)
        return Scene(image, source, foreground)

    def _plan(self, scene: Scene, rng: np.random.Generator) -> SynthesisPlan:
        return draw_plan(scene, self, self.blending, rng)

    def _apply(self, scene: Scene, plan: SynthesisPlan, out: Image | None = None) -> SynthesisResult:
        labels = LabelSettings(self.label, self.logistic_midpoint, self.logistic_steepness)
        return apply_plan(scene, plan, self.blending, labels, out)


@dataclass(frozen=True, kw_only=True)
class NaturalSyntheticAnomaly(AnomalyTask):
    """Natural synthetic anomalies: patches of one normal image, resized, moved and blended into another by Poisson.

    The defaults are the preset of tile; `from_preset` binds any row of Table 4 [1]_.

    Parameters
    ----------
    max_patches : int
        n_max: the first patch is always tried, each further one with probability 1/2.
    height_range, width_range : (minimum, maximum)
        Size of a patch as a fraction of the image, in [0, 1].
    background : None, (b, t), sequence of (b, t), or callable
        Object pixels differ from brightness b by more than t grey levels (0..255), under every pair; or a
        callable image -> (H, W) bool object mask; None: no constraints.
    min_object : float in [0, 1]
        The object must fill more than this fraction of a patch.
    min_overlap : float in [0, 1]
        More than this fraction of the patch's object must land on the object of the image.
    scale_range : (minimum, maximum) or None
        Limits of the random resizing; None: patches are not resized.
    gradient : "source" or "mixed"
        Guidance field of the blending: the source's gradients, or the stronger of both images.
    label : "binary", "continuous" or "logistic"
        0/1, the change in grey levels, or the change squashed to [0, 1].
    logistic_midpoint : float
        y0: change at which the logistic label is 1/2, grey levels (0..255).
    logistic_steepness : float
        k, per grey level.
    selection : "natural"
        How size and place in the source are drawn.
    shape : None or "ellipses"
        Patches are rectangles, or unions of five random ellipses (ablation D).
    size_gamma : (shape, scale, offset) or None
        The half-size of a patch is offset + Gamma(shape, scale) of the image, clipped to the ranges; None: uniform.
    resize_limits : "half" or "full"
        Whether the ranges bound the resized patch as half-sizes (published code) or as sizes (the paper's words).
    solver : "opencv"
        Implementation of Poisson blending.

    References
    ----------
    .. [1] Schlüter, Tan, Hou, Kainz, "Natural Synthetic Anomalies for Self-Supervised Anomaly Detection and
       Localization", ECCV 2022, arXiv:2109.15222.

    Examples
    --------
    >>> image, source = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    >>> task = NaturalSyntheticAnomaly.from_preset("leather", label="logistic")
    >>> result = task(image, source, rng=1)
    >>> result.image.shape, result.label.dtype.name, int(result.mask.max())
    ((128, 128, 3), 'float32', 1)
    >>> plan = SynthesisPlan.from_dict(result.plan.to_dict())
    >>> bool((task.apply(image, source, plan).label == result.label).all())
    True
    """

    scale_range: tuple[float, float] | None = (0.5, 2.0)
    gradient: Gradient = "mixed"
    label: LabelKind = "logistic"
    solver: Literal["opencv"] = "opencv"

    labels: ClassVar[tuple[LabelKind, ...]] = ("binary", "continuous", "logistic")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("gradient", self.gradient, ("source", "mixed"))
        check_choice("solver", self.solver, SOLVERS)

    @property
    def blending(self) -> Poisson:
        """Poisson blending with the task's gradient and solver."""
        return Poisson(self.solver, self.gradient)
