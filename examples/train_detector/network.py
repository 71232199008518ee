"""The encoder-decoder of the paper: a ResNet-18 encoder, trained from scratch, and a light decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTH = 64
"""Channels of the first stage in the paper."""


class Residual(nn.Module):
    """Two 3 x 3 convolutions with a shortcut; `stride` 2 halves the size, `grow` doubles it."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 1, grow: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _resize(channels_in, channels_out, 3, stride, grow),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        same = channels_in == channels_out and stride == 1 and not grow
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(_resize(channels_in, channels_out, 1, stride, grow), nn.BatchNorm2d(channels_out))
        )

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(self.body(features) + self.shortcut(features))


def _resize(channels_in: int, channels_out: int, kernel: int, stride: int, grow: bool) -> nn.Module:
    padding = kernel // 2
    if grow:
        return nn.ConvTranspose2d(
            channels_in, channels_out, kernel, stride=2, padding=padding, output_padding=1, bias=False
        )
    return nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=padding, bias=False)


class AnomalyDetector(nn.Module):
    """Map (N, C, H, W) images to (N, H, W) scores before the last nonlinearity; keeps sides divisible by 32.

    `predict` applies that nonlinearity: a sigmoid, or a ReLU if labels are grey levels (`continuous`). `width` is the
    number of channels of the first stage; the others are in proportion.
    """

    def __init__(self, channels: int = 3, *, continuous: bool = False, width: int = WIDTH) -> None:
        super().__init__()
        self.continuous = continuous
        stages: list[nn.Module] = [
            nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        ]
        reached = width
        for wider in (width, 2 * width, 4 * width, 8 * width):
            stages += [Residual(reached, wider, stride=wider // reached), Residual(wider, wider)]
            reached = wider
        self.encoder = nn.Sequential(*stages)
        self.bottleneck = nn.Sequential(
            nn.Conv2d(8 * width, 4 * width, 1, bias=False),
            nn.BatchNorm2d(4 * width),
            nn.ReLU(inplace=True),
            nn.Conv2d(4 * width, 2 * width, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(inplace=True),
        )
        self.decoder = nn.Sequential(
            *(Residual(wide, wide // 2, grow=True) for wide in (2 * width, width, width // 2)),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.ConvTranspose2d(width // 4, 1, 7, stride=2, padding=3, output_padding=1),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        scores = self.decoder(self.bottleneck(self.encoder(images)))
        return scores[:, 0, :height, :width]

    def predict(self, images: Tensor) -> Tensor:
        scores = self(images)
        return torch.relu(scores) if self.continuous else torch.sigmoid(scores)
