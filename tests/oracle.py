"""Foreground, regions, blending and labels of the method by brute force: judges the package, shares no code with it."""

import cv2
import numpy as np
from scipy import ndimage

RESOLUTION = 2.0**-14  # grey levels; float32 images do not tell less apart
DISK = np.hypot(*np.mgrid[-5:6, -5:6]) <= 5
FLAGS = {"source": cv2.NORMAL_CLONE, "mixed": cv2.MIXED_CLONE}


def grey_levels(image):
    scale = 1 if image.dtype == np.uint8 else 255
    return image.astype(np.float64).reshape(*image.shape[:2], -1) * scale


def exceeds(values, threshold, dtype):
    return values > threshold + (RESOLUTION if dtype == np.float32 else 0)


def square_median(binary, side):
    return ndimage.median_filter(binary.astype(np.uint8), size=side, mode="nearest")


def foreground(image, pairs):
    mean = grey_levels(image).mean(axis=2)
    far = [exceeds(np.abs(mean - brightness), tolerance, image.dtype) for brightness, tolerance in pairs]
    return square_median(np.logical_and.reduce(far), 7)


def view(array, box):
    return array[box[0] : box[2], box[1] : box[3]]


def resize(pixels, size):
    if pixels.shape[:2] == tuple(size):
        return pixels
    planes = pixels.reshape(*pixels.shape[:2], -1)
    resized = [
        cv2.resize(np.ascontiguousarray(planes[:, :, c]), size[::-1], interpolation=cv2.INTER_LINEAR)
        for c in range(planes.shape[2])
    ]
    return np.stack(resized, axis=2).reshape(*size, *pixels.shape[2:])


def ellipses(parameters, size):
    y, x = np.mgrid[: size[0], : size[1]]
    inside = np.zeros(size, bool)
    for centre_y, centre_x, semi_y, semi_x, angle in parameters:
        dy, dx = y - centre_y, x - centre_x
        first = (dy * np.cos(angle) + dx * np.sin(angle)) / semi_y
        second = (dx * np.cos(angle) - dy * np.sin(angle)) / semi_x
        inside |= first**2 + second**2 <= 1
    return inside.astype(np.uint8)


def strip(shape, size, slack=1e-9):
    """Pixels whose centres lie inside the polygon of a strip's four corners, in the middle of a box."""
    middle = np.array([(size[0] - 1) / 2, (size[1] - 1) / 2])
    along = np.array([np.cos(shape.angle), np.sin(shape.angle)]) * shape.length / 2
    across = np.array([-np.sin(shape.angle), np.cos(shape.angle)]) * shape.width / 2
    corners = [middle + a * along + b * across for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
    y, x = np.mgrid[: size[0], : size[1]]
    inside = np.ones(size, bool)
    for (y0, x0), (y1, x1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        outwards = np.array([-(x1 - x0), y1 - y0]) / np.hypot(y1 - y0, x1 - x0)
        inside &= (y - y0) * outwards[0] + (x - x0) * outwards[1] <= slack
    return inside.astype(np.uint8)


def outline(patch):
    """Shape of a patch in its source box."""
    size = (patch.source_box[2] - patch.source_box[0], patch.source_box[3] - patch.source_box[1])
    if patch.shape is None:
        return np.ones(size, np.uint8)
    if patch.shape.scalable:  # judged by test_fine_outlines.py
        return patch.shape.mask(size)
    return ellipses(patch.shape.parameters, size) if hasattr(patch.shape, "parameters") else strip(patch.shape, size)


def bitmap(patch):
    """Shape of a patch at the destination's size."""
    scalable = patch.shape is not None and patch.shape.scalable
    return patch.shape.mask(patch.size) if scalable else resize(outline(patch), patch.size)


def fine(patch):
    """Whether the outline may be thin: Poisson blending leaves it to a copy with a soft edge."""
    return patch.shape is not None and patch.shape.fine


def footprint(patch, blending="poisson"):
    """Patch mask at the destination's size; None where the patch has to be given up.

    For Poisson blending without its outermost ring, and given up below 5 pixels either way or 50 in all.
    """
    mask = bitmap(patch)
    if blending != "poisson" or fine(patch):
        return mask if mask.any() else None
    mask = np.pad(mask[1:-1, 1:-1], 1)[: patch.size[0], : patch.size[1]]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if mask.sum() < 50 or min(patch.size) < 5:
        return None
    return mask if min(np.ptp(rows), np.ptp(columns)) + 3 >= 5 else None


def patch_region(patch, mask, objects=None):
    """Part of the patch where source or image show the object, for objects = (of the source, of the image)."""
    if objects is None:
        return mask
    found = resize(view(objects[0], patch.source_box), patch.size)
    return mask & (found | view(objects[1], patch.destination_box))


def changed_region(shape, plan, objects=None, blending="poisson", keep=lambda patch: True):
    """R: union of the patches' regions."""
    region = np.zeros(shape, bool)
    for patch in filter(keep, plan.patches):
        mask = footprint(patch, blending)
        if mask is not None:
            view(region, patch.destination_box)[...] |= patch_region(patch, mask, objects) > 0
    return region


def change_mask(before, after, region, thin):
    """M, to which all changed pixels of patches with thin outlines belong."""
    changed = exceeds(np.abs(grey_levels(after) - grey_levels(before)).mean(axis=2), 1, before.dtype) & region
    return square_median(changed, 5) | (changed & thin)


def labels(before, after, region, midpoint=7, steepness=1 / 3, factor=1.0):
    """All labels of a change, by name, without thin outlines; the factor is that of the whole image."""
    change = np.abs(grey_levels(after) - grey_levels(before)).mean(axis=2)
    mask = change_mask(before, after, region, np.zeros_like(region))
    median = ndimage.median_filter(mask * change, footprint=DISK, mode="nearest")
    with np.errstate(over="ignore"):
        logistic = mask / (1 + np.exp(-steepness * (median - midpoint)))
    return {"binary": mask, "continuous": median, "logistic": logistic, "factor": mask * factor}


def blend(blending, image, source, plan, objects=None, gradient="mixed"):
    """Result of a plan; Poisson takes (H, W, 3) uint8 only, and clones the aligned source into the whole image."""
    result = image.copy()
    for patch in plan.patches:
        mask = footprint(patch, blending)
        if mask is None:
            continue
        pixels = resize(view(source, patch.source_box), patch.size)
        if blending == "poisson" and not fine(patch):
            result = _clone(result, pixels, mask, patch, patch.gradient or gradient)
            continue
        below = view(result, patch.destination_box)
        if blending == "linear":
            before, a = below.astype(np.float64), np.float64(patch.factor)
            pixels = (before - a * before) + a * pixels.astype(np.float64)
            pixels = np.floor(pixels) if image.dtype == np.uint8 else pixels
        inside = patch_region(patch, mask, objects) > 0
        if blending == "feather" or (blending == "poisson" and fine(patch)):
            around = ndimage.convolve(inside.astype(np.int64), np.ones((3, 3), np.int64), mode="constant")
            before = below.astype(np.float64)
            pixels = before + patch.factor * ((9 + around)[..., None] * (pixels - before)) / 18
            pixels = np.rint(pixels) if image.dtype == np.uint8 else pixels
        below[inside] = pixels[inside].astype(image.dtype)
    return result


def _clone(result, pixels, mask, patch, gradient):
    aligned, whole = result.copy(), np.zeros(result.shape[:2], np.uint8)
    view(aligned, patch.destination_box)[...] = pixels
    view(whole, patch.destination_box)[...] = mask * np.uint8(np.ceil(255 * patch.factor))
    if not whole.any():
        return result
    x, y, width, height = cv2.boundingRect(whole)
    return cv2.seamlessClone(aligned, result, whole, (x + width // 2, y + height // 2), FLAGS[gradient])


def silhouette(image, source, plan, objects, gradient="source"):
    """Result of blending along silhouettes, for (H, W, 3) uint8 images; objects = (of the source, of the image)."""
    result = image.copy()
    near = np.hypot(*np.mgrid[-2:3, -2:3]) <= 2
    for patch in plan.patches:
        mask = footprint(patch)
        if mask is None:
            continue
        mask = mask > 0
        pixels = resize(view(source, patch.source_box), patch.size)
        shown = resize(view(objects[0], patch.source_box), patch.size) > 0
        there = view(objects[1], patch.destination_box) > 0
        before = view(result, patch.destination_box).astype(np.float64)
        foreign = mask & (shown != there)
        agreed = mask & ~ndimage.binary_dilation(foreign, near)
        cloned = result
        rows, columns = np.flatnonzero(agreed.any(axis=1)), np.flatnonzero(agreed.any(axis=0))
        if agreed.sum() >= 50 and min(np.ptp(rows), np.ptp(columns)) + 3 >= 5:
            cloned = _clone(result, pixels, agreed.astype(np.uint8), patch, patch.gradient or gradient)
        both = np.concatenate([before, pixels]).reshape(-1, 3)
        value = np.clip(view(cloned, patch.destination_box), both.min(axis=0), both.max(axis=0)) - before
        value = before + (_feather(there) * mask)[..., None] * value
        inner = ndimage.binary_erosion(mask, np.ones((3, 3)))
        copied = inner & ndimage.binary_dilation(foreign & inner & _superellipse(mask), near)
        ground = [ndimage.binary_erosion(~part, near, border_value=1) for part in (there, shown)]
        lift = before[ground[0]].mean(axis=0) - pixels[ground[1]].mean(axis=0) if min(map(np.sum, ground)) >= 10 else 0
        pasted = np.clip(pixels + _feather(~shown)[..., None] * lift, 0, 255)
        value += (_feather(copied) * patch.factor)[..., None] * (pasted - value)
        view(result, patch.destination_box)[...] = np.rint(value)
    return result


def _feather(mask):
    return ndimage.uniform_filter(mask.astype(np.float64), 3, mode="mirror")


def _superellipse(mask):
    power = np.zeros(mask.shape)
    for axis in (0, 1):
        inside = np.flatnonzero(mask.any(axis=1 - axis))
        side = inside[-1] - inside[0] + 1
        offset = np.abs(np.arange(mask.shape[axis]) - (inside[0] + inside[-1]) / 2) / max(side / 2 - 3, side / 4)
        power += np.expand_dims(offset**3, 1 - axis)
    return power <= 1
