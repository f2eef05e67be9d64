"""The teacher: a small convolutional classifier for the ACGAN to learn from. Never the judge."""

from __future__ import annotations

import torch
from torch import nn

from clevr_demo.objects import OBJECTS


def block(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions at one resolution, then a halving."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
        nn.AvgPool2d(2),
    )


class TeacherNetwork(nn.Module):
    """A plain stack of convolutions, unlike the judge's ResNet18 in depth, pooling and width; returns logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(block(3, 24), block(24, 64), block(64, 128), block(128, 256))
        self.head = nn.Linear(256, len(OBJECTS))

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] to (N, 256): each map's maximum, wherever the object stands."""
        maps: torch.Tensor = self.body(pixels)
        return maps.amax(dim=(2, 3))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] to (N, 24) logits."""
        logits: torch.Tensor = self.head(self.features(pixels))
        return logits
