"""A short use of every installed integration, printed as the Markdown table of docs/how_to/frameworks.md.

    python benchmarks/check_frameworks.py [PYTHON ...]

No environment holds all frameworks. The interpreters of other environments run the same checks; the first with a
framework gives its row. The exit code is 1 if a check fails.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import warnings
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np

from nsa_augment import CutPasteAnomaly
from nsa_augment.samples import draw_sample

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from torchvision_stubs import declare_operators

SIZE = 64
LARGE = {"height_range": (0.3, 0.6), "width_range": (0.3, 0.6)}


def normals(count=6):
    return [draw_sample("hide", index, size=SIZE).image for index in range(count)]


def batch_of(images):
    import torch

    return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).copy()).float() / 255


def write_images(folder):
    for index, image in enumerate(normals()):
        cv2.imwrite(str(Path(folder) / f"{index}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return str(folder)


def check_albumentations(folder):
    import albumentations as A

    from nsa_augment import NSA

    pipeline = A.Compose([NSA("leather", folder, p=1.0, **LARGE), A.HorizontalFlip(p=0.5)], seed=1)
    found = [pipeline(image=image) for image in normals()]
    changed = sum(bool(out["mask"].any()) for out in found)
    assert changed, "no image was changed"
    assert all(out["mask"].shape[:2] == (SIZE, SIZE) for out in found), "masks have another size"
    return f"{changed} of {len(found)} images changed, with masks"


def check_torch(folder):
    from torch.utils.data import DataLoader

    from nsa_augment.integrations.torch import AnomalyDataset

    def run(workers):
        dataset = AnomalyDataset(normals(), CutPasteAnomaly(**LARGE))
        seen = []
        for epoch in range(2):
            dataset.set_epoch(epoch)
            seen.append([images.numpy().tobytes() for images, _ in DataLoader(dataset, 2, num_workers=workers)])
        return seen

    alone = run(0)
    assert alone[0] != alone[1], "both epochs are the same"
    assert run(2) == alone, "workers change the run"
    return "two epochs differ, and are the same with 0 and 2 workers"


def check_torchvision(folder):
    import torch
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    from nsa_augment.integrations.torch import NSATransform

    steps = [NSATransform("leather", folder, p=1.0, **LARGE), v2.RandomHorizontalFlip(1.0), v2.RandomCrop(48)]
    image, mask = v2.Compose(steps)(tv_tensors.Image(torch.from_numpy(normals()[0].transpose(2, 0, 1).copy())))
    assert image.shape == (3, 48, 48), image.shape
    assert mask.shape[-2:] == (48, 48), mask.shape
    return f"image {tuple(image.shape)}, mask {tuple(mask.shape)}, moved together"


def check_anomalib(folder):
    from anomalib.models.image.draem.lightning_model import Draem

    from nsa_augment.integrations.anomalib import NSAGenerator

    model = Draem(dtd_dir=folder)
    model.augmenter = NSAGenerator("leather", folder, p=1.0, **LARGE)
    batch = batch_of(normals(2))
    augmented, mask = model.augmenter(batch)
    loss = model.loss(batch, *_first_and(model.model(augmented), mask))
    loss.backward()
    assert mask.any(), "no image was changed"
    return f"loss of a DRAEM step {float(loss):.2f}, mask {tuple(mask.shape)}"


def _first_and(outputs, mask):
    reconstruction, prediction = outputs
    return reconstruction, mask, prediction


def check_lightning(package):
    def check(folder):
        from importlib import import_module

        import torch
        from torch.utils.data import DataLoader, Subset

        from nsa_augment.integrations.lightning import EpochCallback
        from nsa_augment.integrations.torch import AnomalyDataset

        pl = import_module(package)
        seen = []

        class Model(pl.LightningModule):
            def __init__(self):
                super().__init__()
                self.layer = torch.nn.Conv2d(3, 1, 1)

            def training_step(self, batch, index):
                images, labels = batch
                seen.append(images.numpy().tobytes())
                logits = self.layer(images / 255)[:, 0]
                return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels.clamp(0, 1))

            def configure_optimizers(self):
                return torch.optim.Adam(self.parameters())

        dataset = Subset(AnomalyDataset(normals(), CutPasteAnomaly(**LARGE)), range(4))
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        options = {"accelerator": "cpu", "enable_checkpointing": False, "default_root_dir": folder}
        pl.Trainer(max_epochs=3, callbacks=[EpochCallback()], **quiet, **options).fit(Model(), DataLoader(dataset, 4))
        assert len({*seen}) == 3, "epochs are the same"
        return "three epochs of a training, each with different anomalies"

    return check


def check_kornia(folder):
    import kornia.augmentation as K
    import torch

    from nsa_augment.integrations.kornia import RandomNSA

    steps = [RandomNSA("leather", folder, p=0.5, **LARGE), K.RandomAffine(10.0, p=1.0)]
    pipeline = K.AugmentationSequential(*steps, data_keys=["input", "mask"])
    batch, zeros = batch_of(normals()), torch.zeros(6, 1, SIZE, SIZE)
    torch.manual_seed(0)
    images, masks = pipeline(batch, zeros)
    again = pipeline(batch, zeros, params=pipeline._params)
    assert masks.any(), "no image was changed"
    assert torch.equal(again[0], images), "the replay differs"
    return f"{int(masks.flatten(1).any(1).sum())} of 6 samples changed at p=0.5, replayed exactly"


def check_monai(folder):
    from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, RandFlipd, ScaleIntensityRanged

    from nsa_augment.integrations.monai import NSAd

    load = [LoadImaged("image"), EnsureChannelFirstd("image"), ScaleIntensityRanged("image", 0, 255, 0, 1)]
    anomaly = NSAd("image", "label", "leather", folder, prob=1.0, **LARGE)
    pipeline = Compose([*load, anomaly, RandFlipd(["image", "label"])])
    runs = [pipeline.set_random_state(0)({"image": f"{folder}/0.png"}) for _ in range(2)]
    assert runs[0]["label"].any(), "no image was changed"
    assert (runs[0]["image"] == runs[1]["image"]).all(), "the random state does not repeat the run"
    return f"image {tuple(runs[0]['image'].shape)}, label {tuple(runs[0]['label'].shape)}, repeated by its random state"


def check_hydra(folder):
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    ranges = {name: list(bounds) for name, bounds in LARGE.items()}
    config = {"_target_": "nsa_augment.NSA", "preset": "leather", "sources": folder, "p": 1.0, **ranges}
    transform = instantiate(OmegaConf.create(config))
    changed = sum(bool(transform(image=image)["mask"].any()) for image in normals())
    assert changed, "no image was changed"
    return f"{changed} of 6 images changed, as configured"


def check_jsonargparse(folder):
    from jsonargparse import ArgumentParser

    from nsa_augment import NSA

    parser = ArgumentParser()
    parser.add_class_arguments(NSA, "nsa", skip={"source_transform"})
    text = ["--nsa.preset=leather", f"--nsa.sources={folder}", "--nsa.height_range=[0.3, 0.6]", "--nsa.p=1"]
    transform = parser.instantiate_classes(parser.parse_args(text)).nsa
    assert transform.task.height_range == (0.3, 0.6), "the arguments did not arrive"
    changed = sum(bool(transform(image=image)["mask"].any()) for image in normals())
    return f"{changed} of 6 images changed, as the options say"


CHECKS = {
    "albumentations": ("`NSA` and a flip in `A.Compose`, sources from a folder", check_albumentations),
    "AlbumentationsX": ("`NSA` and a flip in `A.Compose`, sources from a folder", check_albumentations),
    "torch": ("`AnomalyDataset` in a `DataLoader`", check_torch),
    "torchvision": ("`NSATransform`, a flip and a crop in `v2.Compose`", check_torchvision),
    "anomalib": ("`NSAGenerator` as DRAEM's augmenter: forward, loss, backward", check_anomalib),
    "lightning": ("`Trainer.fit` with `EpochCallback`", check_lightning("lightning.pytorch")),
    "pytorch-lightning": ("`Trainer.fit` with `EpochCallback`", check_lightning("pytorch_lightning")),
    "kornia": ("`RandomNSA` and an affine map in `AugmentationSequential`", check_kornia),
    "monai": ("`NSAd` between `LoadImaged` and a flip in `Compose`", check_monai),
    "hydra-core": ("`NSA` from a configuration, with lists and a folder", check_hydra),
    "jsonargparse": ("`NSA` from options, as LightningCLI makes them", check_jsonargparse),
}
"""Description and function of each check, by the name of the framework's distribution."""


def run_checks():
    """Version and result of every installed framework."""
    rows = {}
    stubbed = declare_operators()
    with tempfile.TemporaryDirectory() as folder:
        write_images(folder)
        for name, (_, check) in CHECKS.items():
            try:
                version = metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
            try:
                result, passed = check(folder), True
            except Exception as error:
                result, passed = f"failed: {type(error).__name__}: {str(error).splitlines()[0][:160]}", False
            note = " (its compiled operators stubbed)" if stubbed and name == "torchvision" else ""
            rows[name] = {"version": version + note, "result": result, "passed": passed}
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pythons", nargs="*", metavar="PYTHON", help="interpreters of other environments")
    parser.add_argument("--json", action="store_true", help="print the rows of this environment as JSON")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = run_checks()
    if options.json:
        print(json.dumps(rows))
        return 0
    for python in options.pythons:
        command = [python, "-W", "ignore", __file__, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows = json.loads(done.stdout.splitlines()[-1]) | rows
    print("| framework | version | what was run | result |\n|---|---|---|---|")
    for name, (what, _) in CHECKS.items():
        row = rows.get(name, {"version": "-", "result": "not installed"})
        print(f"| {name} | {row['version']} | {what} | {row['result']} |")
    print(f"\nPython {platform.python_version()}, NumPy {np.__version__}, {platform.system()}.")
    return 0 if all(row["passed"] for row in rows.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
