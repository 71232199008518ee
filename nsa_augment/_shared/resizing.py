"""Resizing of images with any number of channels, and of 0/1 maps.

Images of 8 bits become what `cv2.resize` makes of them, others differ from that by rounding. OpenCV's own code chooses
instructions, and libraries, by processor; here the order of all sums is fixed.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nsa_augment._shared.compiled import compiled
from nsa_augment._shared.types import BinaryMap, Corners, Image, Size

Places: TypeAlias = NDArray[np.uint32]
Weights: TypeAlias = NDArray[np.int32]

RESIZE_CHANNELS = 4
"""Channels that are resized together."""


def resize(pixels: Image, size: Size, flags: int = cv2.INTER_LINEAR) -> Image:
    """Resized copy of an (h, w, C) array with any number of channels, uint8, uint16, float32 or float64.

    With ``flags=cv2.INTER_AREA``, which takes sizes that are not larger either way, each new pixel is the mean over its
    area; otherwise values are interpolated bilinearly.
    """
    if pixels.shape[:2] == size:
        return np.array(pixels, order="C")
    if pixels.shape[2] > RESIZE_CHANNELS:
        groups = np.array_split(pixels, range(RESIZE_CHANNELS, pixels.shape[2], RESIZE_CHANNELS), axis=2)
        return np.concatenate([resize(group, size, flags) for group in groups], axis=2)
    pixels = np.ascontiguousarray(pixels)
    resized = np.empty((*size, pixels.shape[2]), pixels.dtype)
    work = np.dtype(np.float64 if pixels.dtype == np.float64 else np.float32)
    halved = pixels.shape[:2] == (2 * size[0], 2 * size[1])
    if halved and pixels.dtype.kind == "u" and pixels.shape[2] != 2:
        _halve(pixels, resized)
    elif flags == cv2.INTER_AREA or halved:
        _average(pixels, resized, np.empty((2, size[1] * pixels.shape[2]), work))
    elif pixels.dtype == np.uint8:
        _interpolate_bytes(pixels, resized)
    else:
        _interpolate(pixels, resized, np.empty((2, size[1] * pixels.shape[2]), work))
    return resized


def is_resized_in_place(pixels: Image) -> bool:
    """Whether `resized_pixels` resizes parts of an (h, w, C) array as `resize` does."""
    return pixels.dtype == np.uint8 and pixels.shape[2] in (1, 3, 4) and pixels.flags.carray


def resize_map(binary: BinaryMap, size: Size) -> BinaryMap:
    """Resize a 0/1 map in 8 bits, which rounds it back to 0 and 1."""
    return binary.copy() if binary.shape == size else resized_map(np.ascontiguousarray(binary), size)


@compiled
def resized_map(binary: BinaryMap, size: Size) -> BinaryMap:
    """As `resize_map`, for compiled functions, from another size."""
    height, width = size
    if _is_uniform(binary):
        return np.full((height, width), binary[0, 0])
    resized = np.empty((height, width, 1), np.uint8)
    pixels = binary.reshape(binary.shape[0], binary.shape[1], 1)
    if binary.shape == (2 * height, 2 * width):
        _halve(pixels, resized)
    else:
        _interpolate_bytes(pixels, resized)
    return resized.reshape(height, width)


@compiled
def resized_part(binary: BinaryMap, box: Corners, size: Size) -> BinaryMap:
    """A copy of the part of a map inside a box, resized."""
    part = binary[box[0] : box[2], box[1] : box[3]].copy()
    return part if part.shape == size else resized_map(part, size)


@compiled
def resized_pixels(pixels: Image, box: Corners, size: Size) -> Image:
    """The part of an image inside a box, resized; only if `is_resized_in_place`, or if the box has this size."""
    channels = pixels.shape[2]
    rows = pixels.reshape(pixels.shape[0], pixels.shape[1] * channels)
    part = np.empty((box[2] - box[0], box[3] - box[1], channels), pixels.dtype)
    values = part.reshape(part.shape[0], part.shape[1] * channels)
    for y in range(part.shape[0]):
        row, given = values[y], rows[box[0] + y, box[1] * channels :]
        for x in range(row.size):
            row[x] = given[x]
    if part.shape[:2] == size:
        return part
    resized = np.empty((size[0], size[1], channels), pixels.dtype)
    if part.shape[:2] == (2 * size[0], 2 * size[1]):
        _halve(part, resized)
    else:
        _interpolate_bytes(part, resized)
    return resized


@compiled
def _is_uniform(binary: BinaryMap) -> bool:
    for row in binary:
        total = np.int64(0)
        for value in row:
            total += value
        if total != np.int64(binary[0, 0]) * row.size:
            return False
    return True


@compiled
def _places(given: int, wanted: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Between which pixel and the next each new one lies, and how far on."""
    first, shares = np.empty(wanted, np.int64), np.empty(wanted, np.float32)
    scale = given / wanted
    for index in range(wanted):
        at = np.float32((index + 0.5) * scale - 0.5)
        first[index] = np.int64(np.floor(at))
        shares[index] = at - np.float32(first[index])
    return first, shares


@compiled
def _neighbours(
    given: int, wanted: int, channels: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float32]]:
    """For each value of a new row, those before and after it in the given row, and how far on it lies.

    Beyond the border, it is the outermost one alone.
    """
    first, shares = _places(given, wanted)
    size = wanted * channels
    before, after, parts = np.empty(size, np.uint32), np.empty(size, np.uint32), np.empty(size, np.float32)
    for index in range(wanted):
        inside = 0 <= first[index] < given - 1
        left = min(max(first[index], 0), given - 1)
        for c in range(index * channels, (index + 1) * channels):
            before[c] = left * channels + c - index * channels
            after[c] = before[c] + channels if inside else before[c]
            parts[c] = shares[index] if inside else 0
    return before, after, parts


@compiled
def _interpolate_bytes(pixels: Image, resized: Image) -> None:
    """Bilinear interpolation of (h, w, C) pixels in whole numbers; weights have 11 bits."""
    given, across, channels = pixels.shape
    height, width, _ = resized.shape
    flat, target = pixels.reshape(given, across * channels), resized.reshape(height, width * channels)
    rows, row_shares = _places(given, height)
    before, after, shares = _neighbours(across, width, channels)
    unit = np.float32(2048)
    ahead = np.rint(shares * unit).astype(np.int32)
    behind = np.rint((np.float32(1) - shares) * unit).astype(np.int32)
    lines, known = np.empty((2, width * channels), np.int32), np.full(2, -1)
    for y in range(height):
        lower = np.int32(np.rint(row_shares[y] * unit))
        upper = np.int32(np.rint((np.float32(1) - row_shares[y]) * unit))
        top, bottom = min(max(rows[y], 0), given - 1), min(max(rows[y] + 1, 0), given - 1)
        for row in (top, bottom):
            if known[row % 2] != row:
                known[row % 2] = row
                if channels == 3:
                    _interpolate_colours(flat[row], before, after, behind, ahead, lines[row % 2])
                else:
                    _interpolate_row(flat[row], before, after, behind, ahead, lines[row % 2])
        above, below, wanted = lines[top % 2], lines[bottom % 2], target[y]
        for x in range(wanted.size):
            wanted[x] = (((upper * above[x]) >> 16) + ((lower * below[x]) >> 16) + 2) >> 2


@compiled
def _interpolate_row(
    values: Image, before: Places, after: Places, behind: Weights, ahead: Weights, line: NDArray[np.int32]
) -> None:
    for x in range(line.size):
        line[x] = (np.int32(values[before[x]]) * behind[x] + np.int32(values[after[x]]) * ahead[x]) >> 4


@compiled
def _interpolate_colours(
    values: Image, before: Places, after: Places, behind: Weights, ahead: Weights, line: NDArray[np.int32]
) -> None:
    """As `_interpolate_row`, for three channels with the same weights."""
    one, two = np.uint32(1), np.uint32(2)
    for x in range(line.size // 3):
        left, right, lower, upper = before[3 * x], after[3 * x], behind[3 * x], ahead[3 * x]
        line[3 * x] = (np.int32(values[left]) * lower + np.int32(values[right]) * upper) >> 4
        line[3 * x + 1] = (np.int32(values[left + one]) * lower + np.int32(values[right + one]) * upper) >> 4
        line[3 * x + 2] = (np.int32(values[left + two]) * lower + np.int32(values[right + two]) * upper) >> 4


@compiled
def _interpolate(pixels: Image, resized: Image, lines: NDArray[np.floating]) -> None:
    """Bilinear interpolation of (h, w, C) pixels in the precision of `lines`."""
    given, across, channels = pixels.shape
    height, width, _ = resized.shape
    flat, target = pixels.reshape(given, across * channels), resized.reshape(height, width * channels)
    rows, row_shares = _places(given, height)
    before, after, shares = _neighbours(across, width, channels)
    known, one = np.full(2, -1), np.float32(1)
    whole = resized.dtype.kind != "f"
    for y in range(height):
        top, bottom = min(max(rows[y], 0), given - 1), min(max(rows[y] + 1, 0), given - 1)
        for row in (top, bottom):
            if known[row % 2] != row:
                known[row % 2] = row
                values, line = flat[row], lines[row % 2]
                for x in range(line.size):
                    first, second = lines.dtype.type(values[before[x]]), lines.dtype.type(values[after[x]])
                    line[x] = first * (one - shares[x]) + second * shares[x]
        lower, upper = row_shares[y], one - row_shares[y]
        above, below, wanted = lines[top % 2], lines[bottom % 2], target[y]
        for x in range(wanted.size):
            value = above[x] * upper + below[x] * lower
            wanted[x] = np.rint(value) if whole else value


@compiled
def _cover(given: int, wanted: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Pixels under each new one, and their weights: those of new pixel i are numbers starts[i] to starts[i + 1]."""
    scale = given / wanted
    starts = np.zeros(wanted + 1, np.int64)
    pixels = np.empty(2 * given + 2 * wanted, np.int64)
    weights = np.empty(2 * given + 2 * wanted, np.float32)
    count = 0
    for index in range(wanted):
        begin = index * scale
        end = begin + scale
        cell = min(scale, given - begin)
        low, high = int(np.ceil(begin)), min(int(np.floor(end)), given - 1)
        low = min(low, high)
        if low - begin > 1e-3:
            pixels[count], weights[count] = low - 1, (low - begin) / cell
            count += 1
        for pixel in range(low, high):
            pixels[count], weights[count] = pixel, 1 / cell
            count += 1
        if end - high > 1e-3:
            pixels[count], weights[count] = high, min(min(end - high, 1.0), cell) / cell
            count += 1
        starts[index + 1] = count
    return starts, pixels, weights


@compiled
def _halve(pixels: Image, resized: Image) -> None:
    """Mean of 2 x 2 pixels each, in whole numbers."""
    height, width, channels = resized.shape
    for y in range(height):
        above, below, wanted = pixels[2 * y], pixels[2 * y + 1], resized[y]
        for x in range(width):
            left, right = 2 * x, 2 * x + 1
            for c in range(channels):
                total = np.int64(above[left, c]) + np.int64(above[right, c])
                total += np.int64(below[left, c]) + np.int64(below[right, c])
                wanted[x, c] = (total + 2) >> 2


@compiled
def _average(pixels: Image, resized: Image, lines: NDArray[np.floating]) -> None:
    """Mean over the area of each new pixel in the precision of `lines`."""
    given, across, channels = pixels.shape
    height, width, _ = resized.shape
    whole = resized.dtype.kind != "f"
    if given % height == 0 and across % width == 0:
        down, right = given // height, across // width
        share = lines.dtype.type(1) / lines.dtype.type(down * right)
        for y in range(height):
            for x in range(width):
                for c in range(channels):
                    total = lines.dtype.type(0)
                    for row in range(y * down, (y + 1) * down):
                        for column in range(x * right, (x + 1) * right):
                            total += lines.dtype.type(pixels[row, column, c])
                    resized[y, x, c] = np.rint(total * share) if whole else total * share
        return
    row_starts, rows, row_weights = _cover(given, height)
    starts, columns, weights = _cover(across, width)
    line, sums = lines[0], lines[1]
    for y in range(height):
        sums[:] = 0
        for entry in range(row_starts[y], row_starts[y + 1]):
            values, row_weight = pixels[rows[entry]], row_weights[entry]
            line[:] = 0
            for x in range(width):
                for place in range(starts[x], starts[x + 1]):
                    for c in range(channels):
                        line[x * channels + c] += lines.dtype.type(values[columns[place], c]) * weights[place]
            for x in range(line.size):
                sums[x] += line[x] * row_weight
        for x in range(width):
            for c in range(channels):
                value = sums[x * channels + c]
                resized[y, x, c] = np.rint(value) if whole else value
