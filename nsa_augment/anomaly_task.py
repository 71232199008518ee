"""What all tasks share: their arguments, and calling, planning and applying."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from os import PathLike
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from nsa_augment.blending import Blending
from nsa_augment.checks import check_choice, check_generator, check_image, check_number, check_pair, fail
from nsa_augment.foreground import Foreground
from nsa_augment.geometry import Geometry
from nsa_augment.plan import SynthesisPlan
from nsa_augment.presets import ABLATIONS, preset_arguments
from nsa_augment.scene import PreparedSource, Scene, prepare_source
from nsa_augment.synthesis import LabelSettings, SynthesisResult, apply_plan, draw_plan
from nsa_augment.types import Image, LabelKind, Shape

Task = TypeVar("Task", bound="AnomalyTask")

LABELS = ("binary", "continuous", "logistic", "factor")


@dataclass(frozen=True, kw_only=True)
class AnomalyTask(Geometry):
    """What all tasks share: calling, planning, applying. See `NaturalSyntheticAnomaly` for the arguments."""

    label: LabelKind = "binary"
    logistic_midpoint: float = 7.0
    logistic_steepness: float = 1 / 3

    needs_source: ClassVar[bool] = True
    shift: ClassVar[bool] = True
    factor_range: ClassVar[tuple[float, float] | None] = None
    no_preset_columns: ClassVar[frozenset[str]] = frozenset({"scale_range"})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("label", self.label, LABELS)
        if self.label == "factor" and self.factor_range is None:
            raise ValueError(
                f"label must be one of 'binary', 'continuous', 'logistic' for {type(self).__name__}, got 'factor': "
                "only FPI and PII interpolate, so only they have a factor"
            )
        if not self.shift and self.scale_range is not None:
            raise TypeError(
                f"scale_range must be None for {type(self).__name__}, got {self.scale_range!r}: "
                "its patches stay where they are cut, so they cannot change size"
            )
        self._set("logistic_midpoint", check_number("logistic_midpoint", self.logistic_midpoint, 0, 255))
        self._set("logistic_steepness", check_number("logistic_steepness", self.logistic_steepness, 0))

    @classmethod
    def from_preset(
        cls: type[Task], preset: str | PathLike[str], *, ablation: str | None = None, **overrides: Any
    ) -> Task:
        """Bind the parameters of a row of Table 4, or of a preset file.

        Parameters
        ----------
        preset : str or path-like
            One of `PRESETS`, or a YAML file of arguments as `nsa-augment calibrate` writes it. Columns that the task
            does not have are ignored.
        ablation : "A", "B", "C" or "D", optional
            One of `ABLATIONS`: A no foreground constraints, B a single patch, C patches as CutPaste's, D patches
            shaped as unions of ellipses.
        **overrides
            Keyword arguments of the task that replace those of the preset.

        Examples
        --------
        >>> from nsa_augment import NaturalSyntheticAnomaly
        >>> NaturalSyntheticAnomaly.from_preset("screw", label="binary").height_range
        (0.06, 0.24)
        >>> NaturalSyntheticAnomaly.from_preset("screw", ablation="B").max_patches
        1
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(overrides) - known):
            raise TypeError(f"{cls.__name__} has no argument {unknown[0]!r}, accepted are {', '.join(sorted(known))}")
        columns = known - cls.no_preset_columns
        arguments = {name: value for name, value in preset_arguments(preset).items() if name in columns}
        if ablation is not None:
            check_choice("ablation", ablation, ABLATIONS)
            arguments |= ABLATIONS[ablation]
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
        image : (H, W) or (H, W, C) array, uint8, uint16, or float32 and float64 in [0, 1] (or up to `max_value`)
            The normal image; never modified.
        source : array of the same dtype and channels
            Another normal image, brought to the size of `image` if it has another; never modified. CutPaste cuts from
            the image itself where none is given.
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
            As for calling the task; masks that were given when the plan was drawn must be given again.
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
            Accepted as `source` by `plan`, `apply` and the task itself; it belongs to tasks of this background model.
        """
        return prepare_source(source, shape, self.background, source_mask, max_value=self.max_value)

    def _scene(
        self,
        image: Image,
        source: Image | PreparedSource | None,
        mask: NDArray[Any] | None,
        source_mask: NDArray[Any] | None,
    ) -> Scene:
        self._check_image("image", image)
        if source is None and self.needs_source:
            raise fail(ValueError, "source", "another normal image", source)
        height, width = image.shape[:2]
        constrained = any(item is not None for item in (self.background, mask, source_mask))
        foreground = Foreground(image, self.background, mask, max_value=self.max_value) if constrained else None
        if source is None:
            source = image if source_mask is not None else PreparedSource(image, (height, width), foreground)
        if not isinstance(source, PreparedSource):
            source = prepare_source(
                source,
                (height, width),
                self.background,
                source_mask,
                constrained=constrained,
                max_value=self.max_value,
            )
        elif source.image.shape[:2] != (height, width):
            raise fail(ValueError, "source", f"prepared for images of {height} x {width} pixels", source.image)
        elif source_mask is not None:
            raise fail(ValueError, "source_mask", "None beside a prepared source, which has its own", source_mask)
        elif constrained and source.foreground is None:
            source = replace(source, foreground=Foreground(source.image, self.background, max_value=self.max_value))
        if foreground is None and source.foreground is not None:
            foreground = Foreground(image, None)
        check_pair(image, source.image)
        return Scene(image, source, foreground, self.max_value)

    def _check_image(self, name: str, image: Any) -> None:
        check_image(name, image, self.max_value, self.blending.dtypes)

    def _plan(self, scene: Scene, rng: np.random.Generator) -> SynthesisPlan:
        return draw_plan(scene, self, self.blending, rng, shift=self.shift, factor_range=self.factor_range)

    def _apply(self, scene: Scene, plan: SynthesisPlan, out: Image | None = None) -> SynthesisResult:
        labels = LabelSettings(self.label, self.logistic_midpoint, self.logistic_steepness)
        return apply_plan(scene, plan, self.blending, labels, out)
