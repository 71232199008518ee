"""The task in PyTorch: a dataset, its DataLoader workers, and the transform of tensors."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from nsa_augment.integrations.torch import AnomalyDataset, AnomalyTransform
from nsa_augment.tasks import bind_task

LARGE = {"height_range": (0.4, 0.6), "width_range": (0.4, 0.6), "size_gamma": None}


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_dataset_and_workers(start, images):
    dataset = AnomalyDataset(images, bind_task("dark_spots", arguments={**LARGE, "label": "percent"}), p=1.0)
    alone = [dataset[index] for index in range(len(dataset))]
    assert max(label.max() for _, label in alone) > 1
    loader = DataLoader(dataset, batch_size=2, num_workers=2, multiprocessing_context=start)
    changed, labels = (torch.cat(parts) for parts in zip(*loader, strict=True))
    assert torch.equal(changed, torch.stack([image for image, _ in alone]))
    assert torch.equal(labels, torch.stack([label for _, label in alone]))


def test_transform_of_a_batch(images):
    batch = torch.tensor(np.stack(images[:4]).transpose(0, 3, 1, 2))
    transform = AnomalyTransform("leather", task="dark_spots", p=1.0, label="percent", **LARGE)
    torch.manual_seed(1)
    changed, labels = transform(batch)
    assert changed.dtype == torch.uint8
    assert changed.shape == batch.shape
    assert labels.amax() > 1
    assert torch.equal((changed != batch).any(dim=1) & (labels > 1), labels > 1)
    torch.manual_seed(1)
    assert torch.equal(transform(batch)[0], changed)


def test_transform_of_one_image_needs_no_source(images):
    image = torch.tensor(images[0].transpose(2, 0, 1))
    task = bind_task("dark_spots", arguments=LARGE)
    _, label = AnomalyTransform(task=task, p=1.0)(image)
    assert label.any()


def test_a_mask_that_is_there_merges_with_shares_of_one_only(images):
    image, mask = torch.tensor(images[0].transpose(2, 0, 1)), torch.ones(images[0].shape[:2])
    assert AnomalyTransform(task="dark_spots", **LARGE)(image, mask)[1].min() == 1
    with pytest.raises(ValueError, match=r"mask .*label='percent'"):
        AnomalyTransform(task="dark_spots", label="percent", **LARGE)(image, mask)
