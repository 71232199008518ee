"""The one pipeline: a plan is drawn, the plan is applied, the change is labelled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsa_augment.blending import Blending, Patch
from nsa_augment.checks import fail
from nsa_augment.geometry import Geometry
from nsa_augment.jitter import Jitter
from nsa_augment.labels import (
    Change,
    change_mask,
    continuous_label,
    difference,
    factor_label,
    label_areas,
    logistic_label,
)
from nsa_augment.placement import draw_destination, resized_size
from nsa_augment.plan import PatchPlacement, SynthesisPlan
from nsa_augment.resizing import resize, resize_map
from nsa_augment.scene import Scene
from nsa_augment.selection import HalfSizes, SourcePatch, draw_source_patch
from nsa_augment.shapes import PatchShape
from nsa_augment.types import BinaryMap, Box, Image, LabelKind, Shape


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
        Shape and dtype of the normal image.
    plan : SynthesisPlan
        What was done.
    areas : sequence of LabelledArea
        Where the labels are not zero; `label` and `mask` are put together from them when they are asked for.
    """

    image: Image
    plan: SynthesisPlan
    areas: tuple[LabelledArea, ...]

    @cached_property
    def label(self) -> NDArray[np.float32]:
        """(H, W) float32 array: the label asked for, zero where nothing changed."""
        label = np.zeros(self.image.shape[:2], np.float32)
        for area in self.areas:
            _view(label, area.box)[...] = area.label
        return label

    @cached_property
    def mask(self) -> BinaryMap:
        """(H, W) uint8 array, 1 where the image changed visibly (M), whatever the label."""
        mask = np.zeros(self.image.shape[:2], np.uint8)
        for area in self.areas:
            _view(mask, area.box)[...] = area.mask
        return mask


@dataclass(frozen=True)
class LabelSettings:
    """Which label is made of a change, and the parameters of the logistic one."""

    kind: LabelKind
    midpoint: float
    steepness: float


def draw_plan(
    scene: Scene,
    geometry: Geometry,
    blending: Blending,
    rng: np.random.Generator,
    *,
    shift: bool = True,
    factor_range: tuple[float, float] | None = None,
    jitter: float = 0.0,
) -> SynthesisPlan:
    """Draw everything that is random: number, source boxes, sizes, destinations and interpolation factor.

    Parameters
    ----------
    scene : Scene
    geometry : Geometry
    blending : Blending
    rng : numpy.random.Generator
    shift : bool
        Whether the destination differs from the place in the source.
    factor_range : (low, high), optional
        The interpolation factor is uniform in it, one draw per image; None: 1.
    jitter : float
        Strength of the colour jitter of each patch; 0: none.
    """
    factor = 1.0 if factor_range is None else float(rng.uniform(*factor_range))
    count = 1 + int(rng.binomial(geometry.max_patches - 1, 0.5))
    drawn = (_draw_patch(scene, geometry, blending, rng, shift) for _ in range(count))
    patches = tuple(
        PatchPlacement(
            source.box,
            destination,
            factor,
            blending.gradient,
            source.shape,
            Jitter.draw(rng, jitter) if jitter > 0 else None,
        )
        for source, destination in filter(None, drawn)
    )
    return SynthesisPlan(scene.shape, scene.source.given_shape, patches)


def _draw_patch(
    scene: Scene, geometry: Geometry, blending: Blending, rng: np.random.Generator, shift: bool
) -> tuple[SourcePatch, Box] | None:
    source = draw_source_patch(rng, scene.shape, geometry, scene.source.foreground, blending.min_side)
    if source is None:
        return None
    y0, x0, y1, x1 = source.box
    size = y1 - y0, x1 - x0
    if geometry.scale_range is not None:
        whole = 2 if geometry.resize_limits == "full" else 1
        ranges = [(whole * low, whole * high) for low, high in (geometry.height_range, geometry.width_range)]
        limits = HalfSizes.of(scene.shape, *ranges)
        size = resized_size(rng, size, geometry.scale_range, limits)
    if min(size) < 1:
        return None
    shape = _patch_shape(source.shape, source.box, size)
    if not blending.fits(blending.footprint(shape)):
        return None
    if not shift:
        return source, source.box
    source_object = image_object = None
    if scene.source.foreground is not None and scene.foreground is not None:
        source_object = resize_map(scene.source.foreground.crop(source.box), size)
        image_object = scene.foreground.mask
    destination = draw_destination(
        rng,
        scene.shape,
        size,
        source_object=source_object,
        patch_shape=shape,
        image_object=image_object,
        min_object=geometry.min_object,
        min_overlap=geometry.min_overlap,
    )
    return None if destination is None else (source, destination)


def _patch_shape(shape: PatchShape | None, box: Box, size: Shape) -> BinaryMap:
    """Shape of a patch of the source box after resizing."""
    if shape is None:
        return np.ones(size, np.uint8)
    return resize_map(shape.mask((box[2] - box[0], box[3] - box[1])), size)


def apply_plan(
    scene: Scene, plan: SynthesisPlan, blending: Blending, labels: LabelSettings, out: Image | None = None
) -> SynthesisResult:
    """Blend the patches of a plan one after the other, and label the change.

    Parameters
    ----------
    scene : Scene
    plan : SynthesisPlan
        Patches that are too small for the blending are left out.
    blending : Blending
    labels : LabelSettings
    out : array, optional
        Receives the result; may be the image itself.
    """
    plan.check(scene.shape, scene.source.given_shape)
    placed = [
        (placement.destination_box, patch)
        for placement in plan.patches
        if (patch := _cut_patch(scene, placement, blending)) is not None
    ]
    areas = label_areas([box for box, _ in placed], scene.shape)
    result, before = _open_result(scene.image, out, areas)
    canvas = _cube(result)
    for box, patch in placed:
        blending.blend(_view(canvas, box), patch)
    labelled = []
    for area, original in zip(areas, before, strict=True):
        inside = [(_relative(box, area), patch) for box, patch in placed if _contains(area, box)]
        change = difference(original, _view(canvas, area), scene.max_value)
        labelled.append(LabelledArea(area, *_label_area(labels, change, inside, canvas.shape[2])))
    return SynthesisResult(result, plan, tuple(labelled))


def _cut_patch(scene: Scene, placement: PatchPlacement, blending: Blending) -> Patch | None:
    """Bring a patch of the source to its destination size; None if it is too small to be blended."""
    size = placement.size
    footprint = blending.footprint(_patch_shape(placement.shape, placement.source_box, size))
    if not blending.fits(footprint):
        return None
    pixels = resize(blending.precision(_view(_cube(scene.source.image), placement.source_box)), size)
    if placement.jitter is not None:
        pixels = placement.jitter.apply(pixels, scene.max_value)
    region = footprint
    if scene.foreground is not None and scene.source.foreground is not None:
        source_object = resize_map(scene.source.foreground.crop(placement.source_box), size)
        region = footprint & (source_object | scene.foreground.crop(placement.destination_box))
    return Patch(pixels, footprint, region, placement.factor, placement.gradient)


def _open_result(image: Image, out: Image | None, areas: list[Box]) -> tuple[Image, list[Image]]:
    """Array to blend into, holding the image, and the unchanged pixels of the areas."""
    if out is None:
        return np.array(image, order="C"), [_view(_cube(image), area) for area in areas]
    accepted = f"a writable array of the image's shape {image.shape} and dtype {image.dtype}"
    if not isinstance(out, np.ndarray) or out.dtype != image.dtype:
        raise fail(TypeError, "out", accepted, out)
    if out.shape != image.shape or not out.flags.writeable:
        raise fail(ValueError, "out", accepted, out)
    before = [_view(_cube(image), area).copy() for area in areas]
    if out is not image:
        np.copyto(out, image)
    return out, before


def _label_area(
    labels: LabelSettings, change: Change, patches: list[tuple[Box, Patch]], count: int
) -> tuple[BinaryMap, NDArray[np.float32]]:
    region = np.zeros(change.shape, np.uint8)
    for box, patch in patches:
        _view(region, box)[...] |= patch.region
    mask = change_mask(change, region, count)
    if labels.kind == "continuous":
        return mask, continuous_label(change, mask, count)
    if labels.kind == "logistic":
        return mask, logistic_label(change, mask, count, labels.midpoint, labels.steepness)
    if labels.kind == "factor":
        return mask, factor_label(mask, [(box, patch.factor) for box, patch in patches])
    return mask, mask.astype(np.float32)


def _cube(image: Image) -> Image:
    """(H, W, C) view of an (H, W) or (H, W, C) image."""
    return image[:, :, np.newaxis] if image.ndim == 2 else image


def _view(array: NDArray[Any], box: Box) -> NDArray[Any]:
    return array[box[0] : box[2], box[1] : box[3]]


def _relative(box: Box, area: Box) -> Box:
    return box[0] - area[0], box[1] - area[1], box[2] - area[0], box[3] - area[1]


def _contains(area: Box, box: Box) -> bool:
    return area[0] <= box[0] and area[1] <= box[1] and box[2] <= area[2] and box[3] <= area[3]
