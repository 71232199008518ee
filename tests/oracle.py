"""Foreground, regions, cloning and labels of the method by brute force: judges the package, shares no code with it."""

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


def poisson_mask(patch):
    """Patch mask at the destination's size without its outermost ring; None where the patch has to be given up."""
    box = patch.source_box
    size = box[2] - box[0], box[3] - box[1]
    mask = np.ones(size, np.uint8) if patch.shape is None else ellipses(patch.shape.parameters, size)
    mask = np.pad(resize(mask, patch.size)[1:-1, 1:-1], 1)[: patch.size[0], : patch.size[1]]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if mask.sum() < 50 or min(patch.size) < 5:
        return None
    return mask if min(np.ptp(rows), np.ptp(columns)) + 3 >= 5 else None


def changed_region(shape, plan, source_object=None, image_object=None):
    """R: union of the patches, under constraints where source or image show the object."""
    region = np.zeros(shape, bool)
    for patch in plan.patches:
        mask = poisson_mask(patch)
        if mask is None:
            continue
        if source_object is not None:
            mask = mask & (
                resize(view(source_object, patch.source_box), patch.size) | view(image_object, patch.destination_box)
            )
        view(region, patch.destination_box)[...] |= mask > 0
    return region


def labels(before, after, region, midpoint=7, steepness=1 / 3):
    """All labels of a change, by name."""
    change = np.abs(grey_levels(after) - grey_levels(before)).mean(axis=2)
    mask = square_median(exceeds(change, 1, before.dtype) & region, 5)
    median = ndimage.median_filter(mask * change, footprint=DISK, mode="nearest")
    with np.errstate(over="ignore"):
        logistic = mask / (1 + np.exp(-steepness * (median - midpoint)))
    return {"binary": mask, "continuous": median, "logistic": logistic}


def clone(image, source, plan):
    """Result of a plan for (H, W, 3) uint8: the aligned source is cloned into the whole image, patch by patch."""
    result = image.copy()
    for patch in plan.patches:
        mask = poisson_mask(patch)
        if mask is None:
            continue
        aligned, whole = result.copy(), np.zeros(image.shape[:2], np.uint8)
        view(aligned, patch.destination_box)[...] = resize(view(source, patch.source_box), patch.size)
        view(whole, patch.destination_box)[...] = mask * np.uint8(np.ceil(255 * patch.factor))
        x, y, width, height = cv2.boundingRect(whole)
        centre = x + width // 2, y + height // 2
        if whole.any():
            result = cv2.seamlessClone(aligned, result, whole, centre, FLAGS[patch.gradient])
    return result
