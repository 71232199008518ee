"""Plans of a whole batch, drawn by the task on the CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nsa_augment.integrations.torch.device.material import Material
from nsa_augment.planning import SynthesisPlan
from nsa_augment.tasks import AnomalyTask


def draw_by_task(
    material: Material, rngs: Sequence[np.random.Generator | None], task: AnomalyTask
) -> list[SynthesisPlan | None]:
    """A plan for each image with a generator, exactly as the task draws it."""
    return [
        None if rng is None else task.plan(image, source, rng, **masks)
        for (image, source, masks), rng in zip(material.for_planning(task), rngs, strict=True)
    ]
