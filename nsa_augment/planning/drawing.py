"""Drawing a plan: number, source boxes, sizes, destinations, interpolation factor and colour jitter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nsa_augment._shared.boxes import Box
from nsa_augment._shared.checks import check_choice, check_number, unchecked
from nsa_augment._shared.randomness import uniform
from nsa_augment._shared.types import BinaryMap, Size, cube
from nsa_augment.blending.base import Blending
from nsa_augment.planning._draws import DRAWS as DRAWS
from nsa_augment.planning.arguments import RESIZE_LIMITS, PlanArguments
from nsa_augment.planning.border import Border
from nsa_augment.planning.cutting import is_fine, largest_change, patch_bitmap
from nsa_augment.planning.filling import Filling
from nsa_augment.planning.given_up import GivenUp, Reason
from nsa_augment.planning.jitter import Jitter
from nsa_augment.planning.placement import allowed_positions, draw_destination
from nsa_augment.planning.plan import GRADIENTS, PatchPlacement, SynthesisPlan
from nsa_augment.planning.selection import SourcePatch, draw_source_patch
from nsa_augment.planning.sizes import half_sizes, resized_size
from nsa_augment.scenes.scene import Scene

CHANGE_DRAWS = 20
"""Attempts at a patch that changes the image enough for `min_change`."""


def draw_plan(
    scene: Scene,
    arguments: PlanArguments,
    blending: Blending,
    rng: np.random.Generator,
    *,
    shift: bool = True,
    factor_range: tuple[float, float] | None = None,
    jitter: float = 0.0,
    fill: Callable[[np.random.Generator], Filling] | None = None,
) -> SynthesisPlan:
    """Draw everything that is random.

    Parameters
    ----------
    scene : Scene
    arguments : PlanArguments
    blending : Blending
        Decides which patches are large enough.
    rng : numpy.random.Generator
    shift : bool
        Whether patches move; otherwise the destination is the source box.
    factor_range : (low, high), optional
        Range of the interpolation factor, uniform, one draw per image; None: 1.
    jitter : float
        Strength of the colour jitter of each patch; 0: none.
    fill : callable, optional
        Draws the filling of a patch; None: the source.
    """
    factor = 1.0 if factor_range is None else check_number("factor", uniform(rng, *factor_range), 0, 1)
    count = 1 + int(rng.binomial(arguments.max_patches - 1, 0.5))

    draw_boxes = _draw_boxes if shift or scene.allowed is None else _draw_allowed_boxes
    check_choice("gradient", blending.gradient, GRADIENTS)

    def draw() -> PatchPlacement | GivenUp:
        found = draw_boxes(scene, arguments, blending, rng, shift)
        if isinstance(found, GivenUp):
            return found
        source, destination = found
        patch = unchecked(
            PatchPlacement,
            source_box=source.box,
            destination_box=destination,
            factor=factor,
            gradient=blending.gradient,
            shape=source.outline,
            jitter=Jitter.draw(rng, jitter) if jitter > 0 else None,
            filling=None,
        )
        return patch if fill is None else replace(patch, filling=fill(rng))

    return plan_patches(scene, arguments, blending, draw, count)


def plan_patches(
    scene: Scene,
    arguments: PlanArguments,
    blending: Blending,
    draw: Callable[[], PatchPlacement | GivenUp],
    count: int = 1,
) -> SynthesisPlan:
    """Plan `count` patches; each has up to 20 draws to change the image enough for `min_change`."""
    least = arguments.min_change * arguments.logistic_midpoint
    drawn = [draw() if least == 0 else _draw_visible(scene, blending, draw, least) for _ in range(count)]
    return unchecked(
        SynthesisPlan,
        image_shape=scene.size,
        source_shape=scene.source.given_shape,
        patches=tuple(patch for patch in drawn if isinstance(patch, PatchPlacement)),
        given_up=tuple(patch for patch in drawn if isinstance(patch, GivenUp)),
        source_fit=arguments.source_fit,
        task=None,
        severity=1.0,
    )


def _draw_visible(
    scene: Scene, blending: Blending, draw: Callable[[], PatchPlacement | GivenUp], least: float
) -> PatchPlacement | GivenUp:
    """A patch whose label exceeds `least`."""
    given_up: GivenUp | None = None
    for _ in range(CHANGE_DRAWS):
        patch = draw()
        if isinstance(patch, GivenUp):
            if given_up is None:
                return patch
            continue
        if largest_change(scene, patch, blending) > least:
            return patch
        given_up = GivenUp(Reason.TOO_FAINT, patch.size)
    assert given_up is not None
    return given_up


def _draw_allowed_boxes(
    scene: Scene, arguments: PlanArguments, blending: Blending, rng: np.random.Generator, shift: bool
) -> tuple[SourcePatch, Box] | GivenUp:
    """Boxes of a patch that does not move, drawn until the patch lies in the allowed region."""
    found = _draw_boxes(scene, arguments, blending, rng, shift)
    for _ in range(DRAWS - 1):
        if not isinstance(found, GivenUp):
            break
        again = _draw_boxes(scene, arguments, blending, rng, shift)
        if not isinstance(again, GivenUp) or again.reason is Reason.NOT_ALLOWED:
            found = again
    return found


def _draw_boxes(
    scene: Scene, arguments: PlanArguments, blending: Blending, rng: np.random.Generator, shift: bool
) -> tuple[SourcePatch, Box] | GivenUp:
    foreground = scene.source.foreground
    height, width = scene.source.image.shape[:2]
    source = draw_source_patch(rng, scene.size, arguments, foreground, blending.min_side, (height, width))
    if isinstance(source, GivenUp):
        return source
    size = draw_size(scene.size, source.box.size, arguments, rng)
    if min(size) < 1:
        return GivenUp(Reason.EMPTY, size)
    blending = blending.joining(is_fine(source.outline))
    bitmap = footprint = None
    if not (source.outline is None and scene.allowed is None and arguments.candidates == 1):
        bitmap = patch_bitmap(source.outline, source.box, size)
        footprint = blending.footprint(bitmap)
    if not (blending.fits_rectangle(size) if footprint is None else blending.fits(footprint)):
        return GivenUp(Reason.TOO_SMALL, size, blending.needs)
    if not shift:
        if scene.allowed is not None and footprint is not None and (footprint > source.box.of(scene.allowed)).any():
            return GivenUp(Reason.NOT_ALLOWED, size)
        return source, source.box
    source_object = image_object = None
    if foreground is not None and scene.foreground is not None:
        source_object, image_object = foreground.mask, scene.foreground.mask
    destination = draw_destination(
        rng,
        scene.size,
        size,
        source_object=source_object,
        source_box=source.box,
        bitmap=bitmap,
        only_inside=source.outline is not None and source.outline.scalable,
        image_object=image_object,
        min_object=arguments.min_object,
        min_overlap=arguments.min_overlap,
        candidates=arguments.candidates,
        border=None if arguments.candidates == 1 or bitmap is None else _border(scene, source.box, bitmap),
        positions=None if footprint is None or scene.allowed is None else allowed_positions(scene.allowed, footprint),
    )
    return GivenUp(destination, size) if isinstance(destination, Reason) else (source, destination)


def _border(scene: Scene, box: Box, bitmap: BinaryMap) -> Border:
    image, source = cube(scene.image), cube(scene.source.image)
    return Border.of(image, box.of(source), bitmap)


def draw_size(image_size: Size, size: Size, arguments: PlanArguments, rng: np.random.Generator) -> Size:
    """Size of a patch at its destination."""
    if arguments.scale_range is None:
        return size
    multiple = RESIZE_LIMITS[arguments.resize_limits]
    limits = half_sizes(image_size, arguments.height_range, arguments.width_range, multiple)
    return resized_size(rng, size, arguments.scale_range, limits)
