"""A batch on the device: all images at once."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from nsa_augment.blending import BLENDINGS
from nsa_augment.integrations.torch.device.material import Material
from nsa_augment.integrations.torch.device.synthesis import apply_plans
from nsa_augment.labelling import LABELS
from nsa_augment.planning import SynthesisPlan
from nsa_augment.tasks import AnomalyTask


def apply_together(
    material: Material, plans: Sequence[SynthesisPlan | None], task: AnomalyTask
) -> tuple[Tensor, Tensor]:
    """(B, C, H, W) images and (B, H, W) float32 labels of plans; images without one are unchanged."""
    for number, plan in enumerate(plans):
        if plan is not None:
            plan.check(material.size, material.given_size(number))
    return apply_plans(
        material.images,
        material.sources,
        plans,
        BLENDINGS[task.blending].bind(task),
        LABELS[task.label].bind(task),
        material.maximum,
        material.objects,
    )
