"""Steps 2 and 3 of the pipeline: a plan is applied, and the change is labelled."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.checks import fail
from nsa_augment._shared.types import BinaryMap, Corner, Image, cube
from nsa_augment.blending import Blending, Patch, UncutPatch
from nsa_augment.labelling import AreaChange, Label
from nsa_augment.labelling.change import label_areas, visible_change
from nsa_augment.planning import SynthesisPlan
from nsa_augment.planning.cutting import prepare_patch
from nsa_augment.scenes import Scene


@dataclass(frozen=True, eq=False)
class LabelledArea:
    """Mask and label inside a box of the image; both are zero outside all areas."""

    box: Box
    mask: BinaryMap
    label: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SynthesisResult:
    """A synthetic anomaly.

    Parameters
    ----------
    image : array
        The image, with shape and dtype of the normal image.
    plan : SynthesisPlan
        The plan that was applied.
    areas : sequence of LabelledArea
        The only areas where labels may be nonzero; `label` and `mask` are assembled from them on first use.
    """

    image: Image
    plan: SynthesisPlan
    areas: tuple[LabelledArea, ...]

    @cached_property
    def label(self) -> NDArray[np.float32]:
        """(H, W) float32 array: the requested label, zero where nothing changed."""
        label = np.zeros(self.image.shape[:2], np.float32)
        for area in self.areas:
            area.box.of(label)[...] = area.label
        return label

    @cached_property
    def mask(self) -> BinaryMap:
        """(H, W) uint8 array, 1 where the image changed visibly (M), for any kind of label."""
        mask = np.zeros(self.image.shape[:2], np.uint8)
        for area in self.areas:
            area.box.of(mask)[...] = area.mask
        return mask


_MADE = threading.local()


@contextmanager
def made_before(image: Image) -> Iterator[None]:
    """Let `apply_plan` label this result instead of its own, in this thread inside the block."""
    _MADE.image = image
    try:
        yield
    finally:
        del _MADE.image


def apply_plan(
    scene: Scene, plan: SynthesisPlan, blending: Blending, label: Label, out: Image | None = None
) -> SynthesisResult:
    """Blend the patches of a plan in order, and label the change.

    Parameters
    ----------
    scene : Scene
    plan : SynthesisPlan
        Patches too small for the blending are skipped.
    blending : Blending
    label : Label
    out : array, optional
        Receives the result; may be the image itself.
    """
    plan.check(scene.size, scene.source.given_shape)
    placed = [
        (placement.destination_box, patch)
        for placement in plan.patches
        if (patch := prepare_patch(scene, placement, blending, uncut=out is None)) is not None
    ]
    areas = label_areas([box for box, _ in placed], scene.size)
    result, before = _open_result(scene.image, out, areas)
    canvas = cube(result)
    inside = [[(box, patch) for box, patch in placed if area.contains(box)] for area in areas]
    marked = [_blend(canvas, area, patches, blending) for area, patches in zip(areas, inside, strict=True)]
    if plan.severity != 1:
        for area, (original, corner) in zip(areas, before, strict=True):
            _attenuate(area.of(canvas), Box.at(*corner, area.size).of(original), plan.severity)
    if (made := getattr(_MADE, "image", None)) is not None:
        np.copyto(result, made)
    labelled = []
    for area, patches, (region, fine), (original, corner) in zip(areas, inside, marked, before, strict=True):
        change, mask = visible_change(original, corner, canvas, area, region, fine, scene.scale)
        factors = tuple((box.relative_to(area), plan.severity * patch.factor) for box, patch in patches)
        values = label.compute(AreaChange(change, mask, canvas.shape[2], factors, fine))
        labelled.append(LabelledArea(area, mask, values))
    return SynthesisResult(result, plan, tuple(labelled))


def _blend(
    canvas: Image, area: Box, patches: Sequence[tuple[Box, Patch | UncutPatch]], blending: Blending
) -> tuple[BinaryMap, BinaryMap | None]:
    """Blend the patches of an area; return where in it their change is labelled, and where fine ones lie, if any."""
    region = np.zeros(area.size, np.uint8)
    fine = region.copy() if any(patch.fine for _, patch in patches) else None
    for box, patch in patches:
        place = box.relative_to(area)
        blending.blend_at(canvas, box, patch, region, place)
        if fine is not None and isinstance(patch, Patch) and patch.fine:
            place.of(fine)[...] |= patch.region
    return region, fine


def _open_result(image: Image, out: Image | None, areas: Sequence[Box]) -> tuple[Image, list[tuple[Image, Corner]]]:
    """A copy of the image to blend into, and arrays with the unchanged pixels of the areas, from a corner on."""
    if out is None:
        return np.array(image, order="C"), [(cube(image), area[:2]) for area in areas]
    accepted = f"a writable array of the image's shape {image.shape} and dtype {image.dtype}"
    if not isinstance(out, np.ndarray) or out.dtype != image.dtype:
        raise fail(TypeError, "out", accepted, out)
    if out.shape != image.shape or not out.flags.writeable:
        raise fail(ValueError, "out", accepted, out)
    before: list[tuple[Image, Corner]] = [(area.of(cube(image)).copy(), (0, 0)) for area in areas]
    if out is not image:
        np.copyto(out, image)
    return out, before


def _attenuate(after: Image, before: Image, severity: float) -> None:
    """Scale a change by `severity`, in place; integers are rounded."""
    kept = before + severity * (after.astype(np.float64) - before)
    after[...] = np.rint(kept) if after.dtype.kind == "u" else kept
