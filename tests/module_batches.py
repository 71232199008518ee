"""Batches for the tests of `AnomalyModule`, and what the task itself makes of them."""

import numpy as np
import pytest

from nsa_augment.blending import BLENDINGS
from nsa_augment.labelling import LABELS, AreaChange
from nsa_augment.labelling.change import change_mask, difference
from nsa_augment.planning.cutting import cut_patch
from nsa_augment.scenes.scene import build_scene

torch = pytest.importorskip("torch")


def as_batch(arrays):
    """(B, C, H, W) tensor of (H, W, C) arrays."""
    return torch.from_numpy(np.stack([np.atleast_3d(one) for one in arrays]).transpose(0, 3, 1, 2).copy())


def as_arrays(batch):
    """(H, W, C) arrays of a (B, C, H, W) tensor."""
    return [np.ascontiguousarray(one.transpose(1, 2, 0)) for one in batch.numpy()]


def label_of(task, image, source, plan, after, **masks):
    """Label of a change by the functions of the core, whose medians see the whole image at once."""
    scene = build_scene(image, source, task.object_model, masks.get("mask"), masks.get("source_mask"))
    blending = BLENDINGS[task.blending].bind(task)
    region, fine = np.zeros((2, *image.shape[:2]), np.uint8)
    factors = []
    for placement in plan.patches:
        patch = cut_patch(scene, placement, blending)
        if patch is None:
            continue
        for where in (region, fine) if patch.fine else (region,):
            placement.destination_box.of(where)[...] |= patch.region
        factors.append((placement.destination_box, plan.severity * patch.factor))
    change, fine = difference(image, after, task.scale), fine if fine.any() else None
    mask = change_mask(change, region, image.shape[2], fine)
    return LABELS[task.label].bind(task).compute(AreaChange(change, mask, image.shape[2], tuple(factors), fine))


def assert_as_task(module, images, sources, plans, masks=None, source_masks=None):
    """What the module makes of plans is what its task makes of them, within a grey level a patch."""
    task = module.task
    given = {"masks": masks, "source_masks": source_masks}
    changed, labels = module.apply(
        as_batch(images),
        as_batch(sources),
        plans,
        **{k: None if v is None else torch.from_numpy(v) for k, v in given.items()},
    )
    level = 1 if images[0].dtype == np.uint8 else 1 / 255
    exact = task.blending not in ("poisson", "silhouette") and images[0].dtype == np.uint8
    for number, (image, source, plan, after) in enumerate(zip(images, sources, plans, as_arrays(changed), strict=True)):
        own = {
            name: value[number] for name, value in (("mask", masks), ("source_mask", source_masks)) if value is not None
        }
        expected = task.apply(image, source, plan, **own)
        apart = np.abs(after.astype(float) - expected.image).max()
        if exact:
            assert apart == 0
        else:
            assert apart <= level * len(plan.patches) + 1e-9
        wanted = label_of(task, image, source, plan, after, **own)
        np.testing.assert_allclose(labels[number].numpy(), wanted, rtol=0, atol=1e-6 * max(1, wanted.max()))
    return changed, labels


@pytest.fixture(autouse=True)
def one_thread():
    """Beside other tests, threads of small operations wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
