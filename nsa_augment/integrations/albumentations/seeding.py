"""Seeds of transforms: each, on every rank, draws different numbers from the seed that a pipeline gives to all."""

from __future__ import annotations

import os
import sys
import zlib

from nsa_augment.tasks import AnomalyTask

ALWAYS_COUNTED = frozenset(
    {
        "background",
        "gradient",
        "height_range",
        "jitter",
        "label",
        "logistic_midpoint",
        "logistic_steepness",
        "max_patches",
        "max_value",
        "min_object",
        "min_overlap",
        "resize_limits",
        "scale_range",
        "selection",
        "shape",
        "size_gamma",
        "solver",
        "variant",
        "width_range",
    }
)
"""Arguments of tasks in version 0.1.

Others count only if they differ from their default, so that a task that gains an argument draws the same as before.
"""


def seed_tag(owner: str, task: AnomalyTask | None) -> int:
    """Number that differs between transforms of different classes or arguments.

    Examples
    --------
    >>> from nsa_augment import NaturalSyntheticAnomaly
    >>> seed_tag("NSA", NaturalSyntheticAnomaly()) == seed_tag("NSA", NaturalSyntheticAnomaly(blending="poisson"))
    True
    >>> seed_tag("NSA", NaturalSyntheticAnomaly()) == seed_tag("NSA", NaturalSyntheticAnomaly(blending="linear"))
    False
    """
    names = () if task is None else sorted(task.argument_names())
    arguments = [(name, getattr(task, name)) for name in names]
    counted = [
        (name, value)
        for name, value in arguments
        if not callable(value) and (name in ALWAYS_COUNTED or value != getattr(type(task), name, None))
    ]
    return zlib.crc32(repr((owner, counted)).encode())


def rank_of(remembered: int | None = None) -> int | None:
    """Rank of this process in distributed training; None if unknown.

    Parameters
    ----------
    remembered : int, optional
        Rank known in the parent process.

    Notes
    -----
    Comes from `torch.distributed` if in use, else from the variable RANK, which `torchrun` sets.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    variable = os.environ.get("RANK", "")
    return int(variable) if variable.isdecimal() else remembered
