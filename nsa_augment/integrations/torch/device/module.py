"""A module that makes synthetic anomalies in whole batches, on the device of the images."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nsa_augment._shared.checks import check_choice, check_number, fail
from nsa_augment._shared.notices import warn_caller
from nsa_augment.integrations.torch.device.accepted import (
    check_images,
    check_masks,
    check_numbers,
    check_sources,
    check_task,
)
from nsa_augment.integrations.torch.device.bank import Bank, SourceBank
from nsa_augment.integrations.torch.device.by_task import apply_each, as_batch, calls_for, draw_and_apply
from nsa_augment.integrations.torch.device.drawing import check_drawable, draw_plans
from nsa_augment.integrations.torch.device.material import Given, gather
from nsa_augment.integrations.torch.device.planning import draw_by_task
from nsa_augment.integrations.torch.device.shown import shown
from nsa_augment.integrations.torch.device.synthesis import full_precision
from nsa_augment.integrations.torch.device.together import apply_together
from nsa_augment.planning import SynthesisPlan
from nsa_augment.sources import open_pool
from nsa_augment.tasks import PUBLISHED, AnomalyTask, bind_task
from nsa_augment.tasks.signature import spell_out

PLANNERS = {"processor": draw_by_task, "device": draw_plans}
"""Where plans are drawn."""
BLENDED_ON = ("auto", "processor", "device")
"""Where patches are blended and labelled."""


class AnomalyModule(nn.Module):
    """Put synthetic anomalies into the images of a batch, on their device.

    On a GPU, all patches of a batch are cut, resized, blended and labelled together, in plain PyTorch; a plan gives the
    image of the task itself within one grey level per patch. On a processor, the task itself is called for each image.

    Parameters
    ----------
    preset : str or path-like, optional
        A name in `PRESETS`, or a YAML file of arguments; None: the task's defaults.
    sources : folder, list, array or (M, C, H, W) tensor, optional
        Normal images to cut patches from, loaded once and kept on the device, at the size of the images. None: the
        other images of the batch (each image's source is the one before it), or those given with the call; tasks that
        need no source, such as CutPaste, cut from the image itself.
    task : str or AnomalyTask
        "nsa", "cutpaste", "fpi" or "pii"; or a task object of these classes, which excludes preset, ablation and
        parameters. With `blended_on="processor"`, any other, too.
    ablation : "A", "B", "C" or "D", optional
        An ablation of the paper.
    p : float
        Probability of an anomaly per image.
    plans_on : "processor" or "device"
        Where places are searched: on the processor, by the task itself, image by image, with object masks moved there;
        or on the device, for all images at once. The latter draws other plans from the same seed, of the same
        distribution, and only rectangles under the published conditions: no `shape`, `variant`, strips, `candidates`
        or `min_change`.
    blended_on : "auto", "processor" or "device"
        Where patches are blended and labelled: on the processor, by the task itself, image by image, which takes tasks,
        blendings and labels of every kind; or on the device of the images, all at once. "auto": on the processor for
        images in its memory, on the device for others.
    object_masks : folder or "alpha", optional
        Object masks of sources that are files: a folder with masks of the same names, or their alpha channel.
    **parameters
        Arguments of the task, which override the preset. The signature lists those of the published tasks;
        "preset" stands for the value of the preset.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.

    Notes
    -----
    It has no parameters and no gradient, and does the same in training and evaluation. Arithmetic is in float32 even
    within `torch.autocast`. `torch.compile` does not compile it, as the sizes of patches change with every call.

    Examples
    --------
    >>> from nsa_augment.integrations.torch.tensors import to_tensor
    >>> from nsa_augment.samples import draw_sample
    >>> images = torch.stack([to_tensor(draw_sample("bolt", index, size=96).image) for index in range(4)])
    >>> module = AnomalyModule("screw", p=1.0, label="logistic")
    >>> changed, labels = module(images, generator=torch.Generator().manual_seed(0))
    >>> changed.shape, changed.dtype, labels.shape, labels.dtype
    (torch.Size([4, 3, 96, 96]), torch.uint8, torch.Size([4, 96, 96]), torch.float32)
    >>> again, _ = module.apply(images, None, module.plans())
    >>> torch.equal(again, changed)
    True
    """

    @spell_out(PUBLISHED)
    def __init__(
        self,
        preset: str | PathLike[str] | None = None,
        sources: Any = None,
        *,
        task: str | AnomalyTask = "nsa",
        ablation: str | None = None,
        p: float = 0.5,
        plans_on: str = "processor",
        blended_on: str = "auto",
        object_masks: str | PathLike[str] | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__()
        self.task = bind_task(task, preset, ablation, parameters, owner=type(self))
        self.p = check_number("p", p, 0, 1)
        check_choice("plans_on", plans_on, PLANNERS)
        check_choice("blended_on", blended_on, BLENDED_ON)
        self.plans_on, self.blended_on = plans_on, blended_on
        if blended_on != "processor" or plans_on == "device":
            check_task(self.task)
        if plans_on == "device":
            check_drawable(self.task)
        pool = open_pool(sources, 0, self.task.max_value, object_masks=object_masks)
        if pool is not None and not pool.countable:
            accepted = "a folder, a list, an array or a tensor, which can be loaded once"
            raise fail(TypeError, "sources", accepted, sources)
        self._bank = None if pool is None else SourceBank(pool)
        self._plans: list[SynthesisPlan | None] = []
        self._numbers: Tensor | None = None
        self._warned = False

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(
        self,
        images: Tensor,
        sources: Tensor | None = None,
        generator: torch.Generator | None = None,
        *,
        masks: Tensor | None = None,
        source_masks: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Draw plans and apply them.

        Parameters
        ----------
        images : (B, C, H, W) tensor, uint8, or float in [0, 1] (or up to `max_value`), on any device
            Normal images, never modified.
        sources : (B, C, H', W') tensor of the same dtype, optional
            The source of each image, in place of the sources of the module.
        generator : torch.Generator, optional
            Source of randomness; None: PyTorch's default generator.
        masks, source_masks : (B, H, W) bool or integer tensor, optional
            Object masks of images and (given) sources, in place of the background model.

        Returns
        -------
        images : (B, C, H, W) tensor
            In the dtype, on the device and in the memory format of the images.
        labels : (B, H, W) float32 tensor
            Zero where nothing changed.
        """
        check_images("images", images, self.task)
        rngs = _generators(len(images), generator)
        bank = self._loaded(images) if sources is None else None
        numbers = None if bank is None else [int(rng.integers(len(bank.prepared))) for rng in rngs]
        self._numbers = None if numbers is None else torch.tensor(numbers)
        chosen = [rng.random() < self.p for rng in rngs]
        if sources is None and bank is None and self._is_alone(images):
            self._plans = [None]
            return images.detach().clone(), torch.zeros_like(images[:, 0], dtype=torch.float32)
        given = self._given(images, sources, masks, source_masks, bank, numbers)
        generators = [rng if chance else None for rng, chance in zip(rngs, chosen, strict=True)]
        if self.plans_on == "processor" and self._by_task(images):
            results = draw_and_apply(calls_for(given), generators, self.task)
            self._plans = [None if result is None else result.plan for result in results]
            return as_batch(given.images, results)
        with full_precision(images.device):
            material = gather(given)
            self._plans = PLANNERS[self.plans_on](material, generators, self.task)
            if not self._by_task(images):
                return apply_together(material, self._plans, self.task)
        return self._applied(given, self._plans)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def apply(  # type: ignore[override]
        self,
        images: Any,
        sources: Tensor | None = None,
        plans: Sequence[SynthesisPlan | None] = (),
        *,
        masks: Tensor | None = None,
        source_masks: Tensor | None = None,
    ) -> Any:
        """Apply plans: blend and label, deterministically.

        Parameters
        ----------
        images, masks, source_masks
            As for calling the module; masks given when the plans were drawn must be given again. (A function in place
            of the images is applied to the module, as in every `torch.nn.Module`.)
        sources : (B, C, H', W') tensor, or (B,) integer tensor, optional
            A source per image, or its index among the sources of the module, as returned by `drawn_sources`; None: the
            other images of the batch, or the images themselves, as in a call.
        plans : sequence of SynthesisPlan or None
            A plan per image; None leaves it unchanged.

        Returns
        -------
        images, labels
            As for calling the module.
        """
        if callable(images) and not isinstance(images, Tensor):
            return super().apply(images)
        check_images("images", images, self.task)
        accepted = f"a sequence with a SynthesisPlan or None for each image ({len(images)})"
        if not isinstance(plans, Sequence) or any(not isinstance(one, SynthesisPlan | None) for one in plans):
            raise fail(TypeError, "plans", accepted, plans)
        if len(plans) != len(images):
            raise fail(ValueError, "plans", accepted, plans)
        bank = numbers = None
        if self._bank is not None and (sources is None or sources.ndim == 1):
            bank, numbers, sources = self._loaded(images), check_numbers(sources, images, self._bank), None
        if sources is None and bank is None and self.task.needs_source and len(images) == 1 and plans[0] is not None:
            raise fail(ValueError, "sources", "given for a batch of one image", sources)
        return self._applied(self._given(images, sources, masks, source_masks, bank, numbers), plans)

    def plans(self) -> list[SynthesisPlan | None]:
        """The plans of the last call, one per image; None for images that `p` left unchanged."""
        return list(self._plans)

    def drawn_sources(self) -> Tensor | None:
        """(B,) int64 tensor: indices of the module's sources in the last call; None if it used others."""
        return self._numbers

    def extra_repr(self) -> str:
        """Arguments, for printing."""
        sources = "batch" if self._bank is None else len(self._bank)
        places = f"plans_on={self.plans_on!r}, blended_on={self.blended_on!r}"
        return f"task={self.task}, sources={sources}, p={self.p}, {places}"

    def _loaded(self, images: Tensor) -> Bank | None:
        if self._bank is None:
            return None
        return self._bank.bank(shown(images[0], self.task), images.dtype, images.device, self.task)

    def _is_alone(self, images: Tensor) -> bool:
        """Whether there is no other image to cut from; warns about it once."""
        if len(images) > 1 or not self.task.needs_source:
            return False
        if not self._warned:
            self._warned = True
            warn_caller(
                "a batch of one image has no other image to cut patches from, so it is left unchanged: give the module "
                "sources=, or larger batches (drop_last=True of the DataLoader)"
            )
        return True

    def _given(
        self,
        images: Tensor,
        sources: Tensor | None,
        masks: Tensor | None,
        source_masks: Tensor | None,
        bank: Bank | None,
        numbers: Sequence[int] | None,
    ) -> Given:
        if sources is not None:
            check_sources(sources, images, self.task)
        return Given(
            images.detach(), sources, *check_masks(images, sources, masks, source_masks), self.task, bank, numbers
        )

    def _by_task(self, images: Tensor) -> bool:
        """Whether the task itself blends and labels."""
        return self.blended_on == "processor" or (self.blended_on == "auto" and images.device.type == "cpu")

    def _applied(self, given: Given, plans: Sequence[SynthesisPlan | None]) -> tuple[Tensor, Tensor]:
        if self._by_task(given.images):
            return as_batch(given.images, apply_each(calls_for(given), plans, self.task))
        with full_precision(given.images.device):
            return apply_together(gather(given), plans, self.task)


def _generators(count: int, generator: torch.Generator | None) -> list[np.random.Generator]:
    """A generator per image, seeded by PyTorch."""
    device = "cpu" if generator is None else generator.device
    seeds = torch.randint(2**63 - 1, (count,), generator=generator, device=device)
    return [np.random.default_rng(seed) for seed in seeds.tolist()]
