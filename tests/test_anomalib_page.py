"""docs/tutorials/anomalib.md runs as it stands, on small images and small models, without weights from a hub."""

import math
import re
from functools import partial
from pathlib import Path

import anomalib_stack
import pytest
import yaml

nsa = anomalib_stack.load()

import timm  # noqa: E402
from anomalib import engine, models  # noqa: E402
from anomalib.cli import AnomalibCLI  # noqa: E402
from anomalib.engine import Engine  # noqa: E402
from anomalib.models import Draem, Glass, Supersimplenet  # noqa: E402
from anomalib.models.image.draem.torch_model import (  # noqa: E402
    DiscriminativeSubNetwork,
    ReconstructiveSubNetwork,
)
from lightning.pytorch import Callback, seed_everything  # noqa: E402

from nsa_augment import samples  # noqa: E402

PAGE = (Path(__file__).parent.parent / "docs" / "tutorials" / "anomalib.md").read_text(encoding="utf-8")
SIZE = (64, 64)
LARGER = (128, 128)  # the noise that SuperSimpleNet adds to features fails on smaller images
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # those of anomalib, Lightning and timm


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def small_draem(**arguments):
    model = Draem(pre_processor=Draem.configure_pre_processor(SIZE), visualizer=False, **arguments)
    model.model.reconstructive_subnetwork = ReconstructiveSubNetwork(base_width=8)
    model.model.discriminative_subnetwork = DiscriminativeSubNetwork(in_channels=6, out_channels=2, base_width=8)
    return model


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Work in a folder, where the names that the page imports make things small; models and losses of steps."""
    steps = []

    class Record(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            steps.append((type(pl_module), float(outputs["loss"])))

    def small_engine(callbacks=(), **arguments):
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        return Engine(accelerator="cpu", callbacks=[*callbacks, Record()], **quiet, **arguments)

    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, **more: create("resnet18", **{**more, "pretrained": False}))
    glass = {"input_shape": SIZE, "pretrain_embed_dim": 64, "target_embed_dim": 64, "discriminator_hidden": 64}
    glass |= {"step": 2, "pre_processor": Glass.configure_pre_processor(SIZE), "visualizer": False}
    simple = {"pre_processor": Supersimplenet.configure_pre_processor(LARGER), "visualizer": False}
    monkeypatch.setattr(models, "Draem", small_draem)
    monkeypatch.setattr(models, "Glass", partial(Glass, **glass))
    monkeypatch.setattr(models, "Supersimplenet", partial(Supersimplenet, **simple))
    monkeypatch.setattr(engine, "Engine", small_engine)
    few = {"size": 64, "train": 8, "good": 4, "defective": 2}
    monkeypatch.setattr(samples, "write_samples", partial(samples.write_samples, **few))
    monkeypatch.chdir(tmp_path)
    seed_everything(0)
    return steps


def test_the_python(trained):
    """The trainings, then what the datamodules give that the page makes last."""
    introduction, draem, glass, callback, augmentation, splits = blocks("python")
    page = {}
    for block in (introduction, draem, glass, callback, augmentation):
        exec(block, page)
    assert [kind for kind, _ in trained] == [Draem, Glass, Supersimplenet]
    assert all(math.isfinite(loss) for _, loss in trained)
    page["datamodule"].setup()
    items = [page["datamodule"].train_data[index] for _ in range(4) for index in range(8)]
    assert {bool(item.gt_label) for item in items} == {True, False}
    assert all(bool(item.gt_label) == bool(item.gt_mask.any()) for item in items)
    exec(splits, page)
    page["datamodule"].setup()
    assert isinstance(page["datamodule"].val_data, nsa.SyntheticDataset)
    assert page["datamodule"].val_data.has_anomalous


@pytest.mark.parametrize("splits", [False, True])
def test_the_configuration(trained, splits):
    """As anomalib's own command line reads it, with what the page says below it."""
    (block,) = blocks("yaml")
    config = yaml.safe_load(block)
    chosen = config["data"]["init_args"]["train_augmentations"]
    if splits:
        config["data"]["init_args"]["val_split_mode"] = "synthetic"
        arguments = {"datamodule": config["data"], "preset": "leather"}
        config["data"] = {"class_path": "nsa_augment.integrations.anomalib.synthetic_splits", "init_args": arguments}
    callback = {"class_path": "nsa_augment.integrations.anomalib.NSACallback", "init_args": chosen["init_args"]}
    config |= {"model": {"class_path": "anomalib.models.Padim"}, "trainer": {"callbacks": [callback]}}
    exec(blocks("python")[0], {})
    Path("config.yaml").write_text(yaml.safe_dump(config))
    made = AnomalibCLI(["fit", "--config", "config.yaml"], run=False)
    made.datamodule.setup()
    assert isinstance(made.datamodule.val_data, nsa.SyntheticDataset) == splits
    found = [made.datamodule.train_augmentations]
    found += [one for one in made.engine._cache.args["callbacks"] if isinstance(one, nsa.NSACallback)]
    assert [type(one) for one in found] == [nsa.NSAAugmentation, nsa.NSACallback]
    assert [one.task.max_patches for one in found] == [2, 2]
