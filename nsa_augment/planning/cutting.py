"""Cutting patches: from the placement in a plan to a patch at its destination size, ready to be blended."""

from __future__ import annotations

import numpy as np

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.resizing import is_resized_in_place, resize, resize_map
from nsa_augment._shared.types import BinaryMap, Size, cube
from nsa_augment.blending.base import Blending, ObjectMaps, Patch
from nsa_augment.blending.uncut import NO_OBJECTS, UncutPatch
from nsa_augment.labelling.change import MARGIN, change_mask, difference
from nsa_augment.labelling.labels import largest_level
from nsa_augment.planning.outlines import Outline
from nsa_augment.planning.patterns import Material
from nsa_augment.planning.plan import PatchPlacement
from nsa_augment.scenes.scene import Scene


def patch_bitmap(outline: Outline | None, box: Box, size: Size) -> BinaryMap:
    """0/1 map of a patch cut from `box` and resized to `size`: 1 inside its outline."""
    if outline is None:
        return np.ones(size, np.uint8)
    return outline.mask(size) if outline.scalable else resize_map(outline.mask(box.size), size)


def is_fine(outline: Outline | None) -> bool:
    """Whether an outline may be only a few pixels wide."""
    return outline is not None and outline.fine


def cut_patch(scene: Scene, placement: PatchPlacement, blending: Blending) -> Patch | None:
    """Cut a patch and resize it to its destination size; None if it is too small to be blended."""
    size = placement.size
    fine = is_fine(placement.shape)
    blending = blending.joining(fine)
    footprint = blending.footprint(patch_bitmap(placement.shape, placement.source_box, size))
    if not (blending.fits_rectangle(size) if placement.shape is None else blending.fits(footprint)):
        return None
    source = placement.source_box.of(cube(scene.source.image))
    if placement.filling is None:
        pixels = resize(blending.precision(source), size)
    else:
        material = Material(cube(scene.image), source, size, scene.scale)
        pixels = blending.precision(placement.filling.pixels(material))
    if placement.jitter is not None:
        pixels = placement.jitter.apply(pixels, scene.scale)
    objects = None
    if scene.foreground is not None and scene.source.foreground is not None:
        image_object = source_object = scene.foreground.crop(placement.destination_box)
        if placement.filling is None:
            source_object = resize_map(scene.source.foreground.crop(placement.source_box), size)
        objects = ObjectMaps(source_object, image_object)
    region = blending.region(footprint, objects)
    return Patch(pixels, footprint, region, placement.factor, placement.gradient, objects, fine)


def prepare_patch(
    scene: Scene, placement: PatchPlacement, blending: Blending, *, uncut: bool
) -> Patch | UncutPatch | None:
    """As `cut_patch`; with `uncut`, rectangles of the source stay uncut for blendings that take them so."""
    rectangle = placement.shape is None and placement.filling is None and placement.jitter is None
    if not (uncut and rectangle and blending.takes_uncut):
        return cut_patch(scene, placement, blending)
    size, box = placement.size, placement.source_box
    if not blending.fits_rectangle(size):
        return None
    source = cube(scene.source.image)
    if not is_resized_in_place(source):
        source, box = resize(blending.precision(box.of(source)), size), Box(0, 0, *size)
    objects = NO_OBJECTS
    if scene.foreground is not None and scene.source.foreground is not None:
        own, above = scene.source.foreground.around(placement.source_box)
        theirs, below = scene.foreground.around(placement.destination_box)
        objects = own, (*above,), theirs, (*below,)
    return UncutPatch(source, (*box,), objects, placement.factor, placement.gradient)


def largest_change(scene: Scene, placement: PatchPlacement, blending: Blending) -> float:
    """Largest continuous label, grey levels, of a patch on its own."""
    patch = prepare_patch(scene, placement, blending, uncut=True)
    if patch is None:
        return 0.0
    area = placement.destination_box.grown(MARGIN, scene.size)
    inside = placement.destination_box.relative_to(area)
    before = area.of(cube(scene.image))
    after = np.array(before, order="C")
    region = np.zeros(before.shape[:2], np.uint8)
    blending.blend_at(after, inside, patch, region, inside)
    change, channels = difference(before, after, scene.scale), before.shape[2]
    fine = region if patch.fine else None
    return largest_level(change, change_mask(change, region, channels, fine), channels, fine)
