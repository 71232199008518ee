"""Anomaly maps and image scores of a trained detector."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from examples.train_detector.data import EVALUATION_SIZE
from examples.train_detector.files import Image
from examples.train_detector.network import AnomalyDetector
from examples.train_detector.training import normalise
from examples.train_detector.views import View
from nsa_augment.integrations.torch.tensors import to_tensor

BATCH = 32


@torch.inference_mode()
def detect(
    network: AnomalyDetector, images: list[Image], view: View, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Score test images as in the paper.

    Returns
    -------
    maps : (N, 256, 256) float32
        Maps of the centre crop, padded with zeros.
    scores : (N,) float32
        Mean of each map before padding.
    """
    network.eval()
    crops = [to_tensor(view.test(image)) for image in images]
    batches = [torch.stack(crops[start : start + BATCH]) for start in range(0, len(crops), BATCH)]
    seen = torch.cat([network.predict(normalise(batch, device)).float().cpu() for batch in batches]).numpy()
    scores = seen.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)
    maps = view.pad(seen, images[0].shape[0])
    size = (EVALUATION_SIZE, EVALUATION_SIZE)
    return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_LINEAR) for one in maps]), scores
