"""Batches of images and labels for PyTorch, from a folder of normal images (or from the embedded leather).

    python examples/pytorch_loader.py [FOLDER --preset NAME]    # a folder of PNG files

Needs the extras albumentations and torch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import albumentations as A
import cv2
import torch

from nsa_augment import NSA
from nsa_augment.samples import draw_sample


class WithAnomalies(torch.utils.data.Dataset):
    """Normal images, half of them with a synthetic anomaly, and the label of each pixel."""

    def __init__(self, images, preset):
        self.images = images
        steps = [NSA(preset, images, p=0.5), A.HorizontalFlip(), A.Normalize(), A.ToTensorV2()]
        self.transform = A.Compose(steps, seed=1)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        out = self.transform(image=self.images[index])
        return out["image"], out["mask"]


def seed_worker(worker_id):
    """Seed the other transforms of the pipeline differently in each worker, too."""
    info = torch.utils.data.get_worker_info()
    info.dataset.transform.set_random_seed(info.seed % 2**32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--preset", default="leather")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.folder is None:
        images = [draw_sample("hide", index, size=128).image for index in range(16)]
    else:
        files = sorted(Path(arguments.folder).glob("*.png"))
        images = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in files]
    torch.manual_seed(0)
    dataset = WithAnomalies(images, arguments.preset)
    loader = torch.utils.data.DataLoader(dataset, 8, num_workers=arguments.workers, worker_init_fn=seed_worker)
    for batch, labels in loader:
        anomalous = int((labels.flatten(1).amax(1) > 0).sum())
        print(f"images {tuple(batch.shape)}, labels {tuple(labels.shape)}, {anomalous} with an anomaly")


if __name__ == "__main__":
    main()
