"""A small convolutional classifier, trained twice: the judge's, for the course's measure, and the teacher.

The teacher may choose settings, and the report's ACGAN learns from it; the judge's may do neither, so a folder of the
one is refused where the other is asked for.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from clevr_demo.checkpoints import CheckpointError, load_weights, read_config
from clevr_demo.objects import OBJECTS

GRAPHS = ("classifier",)


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


class ClassifierNetwork(nn.Module):
    """A plain stack of convolutions; returns logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(block(3, 24), block(24, 64), block(64, 128), block(128, 256))
        self.head = nn.Linear(256, len(OBJECTS))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] to (N, 24) logits, of each map's maximum, wherever the object stands."""
        logits: torch.Tensor = self.head(self.body(pixels).amax(dim=(2, 3)))
        return logits


def load_classifier(folder: Path, kind: str) -> ClassifierNetwork:
    """The network of a checkpoint folder that holds a "classifier", which judges, or a "teacher".

    Raises:
        CheckpointError: if the folder holds the other one or anything else.
    """
    if (found := read_config(folder).get("kind", kind)) != kind:
        raise CheckpointError(f"{folder}: does not fit, it holds a {found} and no {kind}")
    network = ClassifierNetwork()
    load_weights(network, folder)
    return network
