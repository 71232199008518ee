"""Base class of all tasks: arguments, calling, planning and applying."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.checks import check_generator, check_names, fail
from nsa_augment._shared.registry import Registry
from nsa_augment._shared.types import Image, Size
from nsa_augment.blending import BLENDINGS, Blending
from nsa_augment.labelling import LABELS, Label
from nsa_augment.planning import SynthesisPlan, draw_plan
from nsa_augment.planning.silence import listen
from nsa_augment.scenes.scene import ObjectModel, PreparedSource, Scene, build_scene, prepare_source
from nsa_augment.synthesis import SynthesisResult, apply_plan
from nsa_augment.tasks.arguments import TaskArguments, check_in_place
from nsa_augment.tasks.batches import run_batch

TASKS: Registry[AnomalyTask] = Registry("tasks")
"""The tasks by name."""


@dataclass(frozen=True, kw_only=True)
class AnomalyTask(TaskArguments):
    """Base class of all tasks. See `NaturalSyntheticAnomaly` for the arguments.

    Subclasses are frozen dataclasses with keyword arguments only. One that sets `name` registers itself, and every
    entry point accepts it. It may add arguments, set the attributes below and those of `TaskArguments`, and override
    `draw`.

    Attributes
    ----------
    name : str
        The value of `task=` and `--task` that selects it.
    title : str
        Name in pictures.
    needs_source : bool
        Whether patches come from another image; if not, from the image itself unless a source is given.
    shift : bool
        Whether patches move.
    factor_range : (low, high) or None
        Range of the interpolation factor, uniform; None: patches are blended fully.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    needs_source: ClassVar[bool] = True
    shift: ClassVar[bool] = True
    factor_range: ClassVar[tuple[float, float] | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls) and "title" not in vars(cls):
            cls.title = cls.name
        TASKS.register(cls)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unused:
            given = [item.name for item in fields(self) if getattr(self, item.name) != item.default]
            check_names(type(self).__name__, self.unused.intersection(given), self.argument_names())
        if not self.shift:
            check_in_place(self)
        BLENDINGS.check("blending", self.blending).bind(self)

    @classmethod
    def known_arguments(cls) -> frozenset[str]:
        """All keyword arguments of all tasks."""
        return frozenset().union(*(task.argument_names() for task in TASKS.values()))

    def __getstate__(self) -> dict[str, Any]:
        """Only the arguments, as bound objects are made from them."""
        return self.given_arguments(self.argument_names())

    @property
    def source_key(self) -> Hashable:
        """What a prepared source depends on, apart from the source and the size of the images."""
        return self.object_model, self.source_fit

    @cached_property
    def object_model(self) -> ObjectModel:
        """Model that distinguishes object pixels from the background."""
        return ObjectModel(self.background, self.scale)

    def __call__(
        self,
        image: Image,
        source: Image | PreparedSource | None = None,
        rng: np.random.Generator | int | None = None,
        *,
        mask: NDArray[Any] | None = None,
        source_mask: NDArray[Any] | None = None,
        allowed: NDArray[Any] | None = None,
    ) -> SynthesisResult:
        """Draw a plan and apply it.

        Parameters
        ----------
        image : (H, W) or (H, W, C) array, uint8, uint16, or float32 and float64 in [0, 1] (or up to `max_value`)
            The normal image; never modified.
        source : array of the same dtype and channels
            Another normal image, never modified; resized to the size of `image`, unless `source_fit` is native.
            CutPaste cuts from the image itself if none is given.
        rng : numpy.random.Generator, int or None
            Source of randomness, a seed, or None (fresh).
        mask, source_mask : (H, W) bool or integer array, optional
            Object masks of image and source (pixels > 0 are object) that replace the background model.
        allowed : (H, W) bool or integer array, optional
            Region of the image for patches: no pixel changes where it is 0. Not needed to apply the plan again.

        Returns
        -------
        SynthesisResult
            When no patch fits: the image unchanged, with a zero label. 20 such calls in a row cause a warning with the
            reason.

        Raises
        ------
        TypeError, ValueError
            The message names the argument, what is accepted and what was received.
        """
        scene = self._scene(image, source, mask, source_mask, allowed=allowed)
        return self._apply(scene, self._draw(scene, rng))

    def batch(
        self,
        images: Sequence[Image] | NDArray[Any],
        sources: Sequence[Image | PreparedSource | None] | NDArray[Any] | None = None,
        rng: np.random.Generator | int | None = None,
        *,
        masks: Sequence[NDArray[Any] | None] | NDArray[Any] | None = None,
        source_masks: Sequence[NDArray[Any] | None] | NDArray[Any] | None = None,
        allowed: Sequence[NDArray[Any] | None] | NDArray[Any] | None = None,
        threads: int | None = None,
    ) -> list[SynthesisResult]:
        """Call the task for many images, in several threads.

        Item ``i`` is, byte for byte, ``task(images[i], sources[i], rng.spawn(len(images))[i])``, for any number of
        threads. `Generator.spawn` depends on the seed of `rng` and on earlier spawns, not on numbers drawn.

        Parameters
        ----------
        images : sequence of images, or (N, H, W) or (N, H, W, C) array
            As for calling the task; in a sequence they may differ in size. Never modified.
        sources : sequence of sources, or array, optional
            One for each image, as for calling the task; None for tasks that need none.
        rng : numpy.random.Generator, int or None
            Generator, which spawns one for each image, a seed, or None (fresh).
        masks, source_masks, allowed : sequence, or (N, H, W) array, optional
            `mask`, `source_mask` and `allowed` of each call; items of a sequence may be None.
        threads : int, optional
            Number of images processed in parallel; 1: no threads. None: the number of processors of this process if
            all images have at least 512 x 512 pixels, else 1: on smaller ones threads wait for one another.

        Returns
        -------
        list of SynthesisResult
            In the order of the images. Warnings are emitted afterwards, as by single calls in this order.

        Raises
        ------
        TypeError, ValueError
            As from a single call, with the number of the first image that fails; no results are returned then.

        Examples
        --------
        >>> from nsa_augment import NaturalSyntheticAnomaly
        >>> images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
        >>> task = NaturalSyntheticAnomaly()
        >>> results = task.batch(images, images[::-1], rng=1)
        >>> alone = task(images[2], images[1], np.random.default_rng(1).spawn(4)[2])
        >>> len(results), np.array_equal(results[2].image, alone.image)
        (4, True)
        """
        given = {"source": sources, "mask": masks, "source_mask": source_masks, "allowed": allowed}
        return run_batch(self, images, given, rng, threads)

    def plan(
        self,
        image: Image,
        source: Image | PreparedSource | None = None,
        rng: np.random.Generator | int | None = None,
        *,
        mask: NDArray[Any] | None = None,
        source_mask: NDArray[Any] | None = None,
        allowed: NDArray[Any] | None = None,
    ) -> SynthesisPlan:
        """Draw everything that is random. Parameters as for calling the task."""
        return self._draw(self._scene(image, source, mask, source_mask, allowed=allowed), rng)

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
        """Blend the patches of a plan and label the change; deterministic.

        Parameters
        ----------
        image, source, mask, source_mask
            As for calling the task; masks given for drawing the plan must be given again.
        plan : SynthesisPlan
            Drawn for images of these sizes. It determines geometry, factor and gradient; the task determines blending
            and label. Patches too small to be blended are skipped.
        out : array of the shape and dtype of `image`, optional
            Receives the resulting image; may be `image` itself.
        """
        if not isinstance(plan, SynthesisPlan):
            raise fail(TypeError, "plan", "a SynthesisPlan", plan)
        return self._apply(self._scene(image, source, mask, source_mask, plan.source_fit), plan, out)

    def prepare_source(self, source: Image, shape: Size, source_mask: NDArray[Any] | None = None) -> PreparedSource:
        """Do in advance the work on a source that every call for images of `shape` would repeat.

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
            Accepted as `source` by `plan`, `apply` and the task itself, and by other tasks with the same
            `background`, `max_value` and `source_fit`.
        """
        return prepare_source(source, shape, self.object_model, source_mask, source_fit=self.source_fit)

    def draw(self, scene: Scene, rng: np.random.Generator) -> SynthesisPlan:
        """Draw everything that is random, for checked images; used by `plan` and calls."""
        return draw_plan(scene, self, self._bound_blending, rng, shift=self.shift, factor_range=self.factor_range)

    def _draw(self, scene: Scene, rng: np.random.Generator | int | None) -> SynthesisPlan:
        generator = check_generator(rng)
        plan = self.draw(scene, generator).of_severity(self.draw_severity(generator))
        listen(self, plan)
        return plan

    @cached_property
    def _bound_blending(self) -> Blending:
        return BLENDINGS[self.blending].bind(self)

    @cached_property
    def _bound_label(self) -> Label:
        return LABELS[self.label].bind(self)

    def _scene(
        self,
        image: Image,
        source: Image | PreparedSource | None,
        mask: NDArray[Any] | None,
        source_mask: NDArray[Any] | None,
        source_fit: str | None = None,
        allowed: NDArray[Any] | None = None,
    ) -> Scene:
        if source is None and self.needs_source:
            raise fail(ValueError, "source", "another normal image", source)
        scene = build_scene(
            image,
            source,
            self.object_model,
            mask,
            source_mask,
            self._bound_blending.dtypes,
            source_fit=source_fit or self.source_fit,
            allowed=allowed,
        )
        if self._bound_blending.needs_objects and scene.foreground is None:
            accepted = f"given, or mask= and source_mask=, for blending={self.blending!r}, which needs object masks"
            raise fail(ValueError, "background", accepted, self.background)
        return scene

    def _apply(self, scene: Scene, plan: SynthesisPlan, out: Image | None = None) -> SynthesisResult:
        return apply_plan(scene, plan, self._bound_blending, self._bound_label, out)
