"""Synthetic anomalies in normal image files, written as new files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nsa_augment._shared.checks import fail
from nsa_augment._shared.files import write_file
from nsa_augment._shared.images import encode_png, read_image
from nsa_augment._shared.mask_files import MaskFiles
from nsa_augment._shared.notices import warn_caller
from nsa_augment._shared.wording import counted
from nsa_augment.planning.silence import silence_expected
from nsa_augment.sources import SourcePool
from nsa_augment.synthesis import SynthesisResult
from nsa_augment.tasks import AnomalyTask

ATTEMPTS = 10
"""Plans drawn for an image before trying another one."""


def write_anomalies(
    paths: Sequence[Path],
    masks: MaskFiles | None,
    count: int,
    task: AnomalyTask,
    sources: SourcePool,
    seed: int,
    folder: Path,
) -> dict[int, tuple[Path, Path]]:
    """Write images with visible anomalies, made from images drawn from `paths`, and their masks of 0 and 255.

    Parameters
    ----------
    paths : sequence of Path
        Normal images.
    masks : MaskFiles or None
        Their object masks.
    count : int
        Number of images to change.
    task : AnomalyTask
    sources : SourcePool
        Where patches come from; an image is its own source only if there is no other.
    seed : int
    folder : Path
        Gets two subfolders, ``abnormal`` and ``ground_truth``.

    Returns
    -------
    dict
        Files of image and mask by index of the image in `paths`. Fewer than `count` are a warning.

    Raises
    ------
    ValueError
        If no anomaly fits any image.
    """
    images, truth = (folder / name for name in ("abnormal", "ground_truth"))
    images.mkdir()
    truth.mkdir()
    written: dict[int, tuple[Path, Path]] = {}
    for index in np.random.default_rng(seed).permutation(len(paths)).tolist():
        if len(written) == count:
            break
        result = _visible(paths[index], masks, task, sources, np.random.default_rng([seed, index]))
        if result is not None:
            name = f"{index:05d}_{paths[index].stem}.png"
            write_file(images / name, (encode_png(result.image),))
            write_file(truth / name, (encode_png(result.mask * np.uint8(255)),))
            written[index] = images / name, truth / name
    if not written:
        accepted = f"one whose patches fit the images: none of {len(paths)} could be changed"
        raise fail(ValueError, "task", accepted, task)
    if len(written) < count:
        warn_caller(f"{len(written)} of {counted(count, 'image')} got a synthetic anomaly: no patch fits the others")
    return written


def _visible(
    path: Path, masks: MaskFiles | None, task: AnomalyTask, sources: SourcePool, rng: np.random.Generator
) -> SynthesisResult | None:
    image = read_image(path)
    mask = None if masks is None else masks.read(path, image.shape[:2])
    for _ in range(ATTEMPTS):
        source = sources.draw(rng)
        while isinstance(source, Path) and source == path and len(sources) > 1:
            source = sources.draw(rng)
        with silence_expected():
            result = task(image, sources.prepare(source, image, task), rng, mask=mask)
        if result.mask.any():
            return result
    return None
