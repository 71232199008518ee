"""Short trainings of anomalib's own models: losses, labels and masks of real steps."""

import anomalib_stack
import pytest
from anomalib_stack import LARGE, datamodule, write_product

nsa = anomalib_stack.load()

import timm  # noqa: E402
import torch  # noqa: E402
from anomalib.engine import Engine  # noqa: E402
from anomalib.models import Draem, Glass, Supersimplenet  # noqa: E402
from anomalib.models.image.draem.torch_model import (  # noqa: E402
    DiscriminativeSubNetwork,
    ReconstructiveSubNetwork,
)
from anomalib.models.image.dsr.torch_model import DsrModel  # noqa: E402
from lightning.pytorch import Callback, seed_everything  # noqa: E402

SIZE = (64, 64)
LARGER = (128, 128)  # the noise that SuperSimpleNet adds to features fails on smaller images
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # those of anomalib, Lightning and timm


class Record(Callback):
    """Losses of every step, and what the batches say."""

    def __init__(self):
        self.losses, self.labels, self.masks, self.images = [], [], [], []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.losses.append(float(outputs["loss"]))
        self.labels += batch.gt_label.tolist()
        self.masks += batch.gt_mask.flatten(1).sum(1).tolist()
        self.images.append(batch.image)


@pytest.fixture
def product(tmp_path, monkeypatch):
    """Images, and backbones without weights from a hub."""
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, **more: create("resnet18", **{**more, "pretrained": False}))
    seed_everything(0)
    return write_product(tmp_path)


def train(model, product, callbacks=(), **arguments):
    record = Record()
    engine = Engine(max_epochs=1, accelerator="cpu", logger=False, enable_progress_bar=False,
                    default_root_dir=product[0].parent, callbacks=[*callbacks, record])  # fmt: skip
    engine.fit(model, datamodule=datamodule(product[0], **arguments))
    print(type(model).__name__, record.losses, record.labels, record.masks)
    assert len(record.losses) == 2
    assert torch.isfinite(torch.tensor(record.losses)).all()
    return record


def recorded(model_part):
    """The masks that a generator hands to the model from now on."""
    masks = []
    model_part.register_forward_hook(lambda _, inputs, outputs: masks.append(outputs[1]))
    return masks


def test_draem(product):
    model = Draem(dtd_dir=product[1], pre_processor=Draem.configure_pre_processor(SIZE), visualizer=False)
    model.model.reconstructive_subnetwork = ReconstructiveSubNetwork(base_width=8)
    model.model.discriminative_subnetwork = DiscriminativeSubNetwork(in_channels=6, out_channels=2, base_width=8)
    model.augmenter = nsa.NSAGenerator(sources=product[1], p=1.0, **LARGE)
    masks = recorded(model.augmenter)
    train(model, product)
    assert [mask.shape for mask in masks] == [(4, 1, *SIZE)] * 2
    assert all(mask.flatten(1).any(1).all() for mask in masks)


def test_glass(product):
    model = Glass(input_shape=SIZE, backbone="resnet18", pretrain_embed_dim=64, target_embed_dim=64,
                  discriminator_hidden=64, step=2, pre_processor=Glass.configure_pre_processor(SIZE),
                  visualizer=False)  # fmt: skip
    model.model.augmentor = nsa.NSAGenerator(sources=product[1], p=1.0, **LARGE)
    masks = recorded(model.model.augmentor)
    train(model, product)
    assert [mask.shape for mask in masks] == [(4, 1, *SIZE)] * 2
    assert all(mask.any() for mask in masks)


@pytest.mark.parametrize("door", ["callback", "augmentation"])
def test_supersimplenet(product, door):
    model = Supersimplenet(supervised=True, backbone="resnet18", visualizer=False,
                           pre_processor=Supersimplenet.configure_pre_processor(LARGER))  # fmt: skip
    arguments = {"sources": product[1], "p": 0.5, **LARGE}
    if door == "callback":
        record = train(model, product, [nsa.NSACallback(**arguments)])
    else:
        record = train(model, product, train_augmentations=nsa.NSAAugmentation(**arguments))
    assert record.labels == [mask > 0 for mask in record.masks]
    assert {True, False} == set(record.labels)
    assert min(float(image.min()) for image in record.images) < 0  # normalised, after the anomalies were made


def test_dsr_learns_its_upsampling_from_the_masks():
    from anomalib.models.image.dsr.loss import DsrThirdStageLoss

    model, images = DsrModel(), torch.rand(1, 3, 128, 128)
    changed, masks = nsa.NSAGenerator(task="cutpaste", p=1.0)(images)
    loss = DsrThirdStageLoss()(model(changed)["anomaly_map"], masks)
    loss.backward()
    assert torch.isfinite(loss)


def test_synthetic_validation_is_used(product):
    model = Supersimplenet(backbone="resnet18", visualizer=False,
                           pre_processor=Supersimplenet.configure_pre_processor(LARGER))  # fmt: skip
    data = nsa.synthetic_splits(datamodule(product[0], val_split_mode="synthetic"), **LARGE)
    engine = Engine(max_epochs=1, accelerator="cpu", logger=False, default_root_dir=product[0].parent)
    engine.fit(model, datamodule=data)
    assert isinstance(data.val_data, nsa.SyntheticDataset)
    assert data.val_data.has_anomalous
    assert torch.isfinite(model.post_processor.image_threshold).all()
