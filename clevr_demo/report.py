"""The course report's networks, trainable and loadable as the reference."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import UNet2DModel
from torch import nn

from clevr_demo.objects import OBJECTS


class ReportUNet(nn.Module):
    """diffusers' UNet2DModel with one linear layer of the labels added to the time embedding; predicts the noise."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        super().__init__()
        fixed = {"sample_size": 64, "in_channels": 3, "out_channels": 3, "class_embed_type": "identity"}
        self.unet = UNet2DModel(**(arguments | fixed))
        self.unet.class_embedding = nn.Linear(len(OBJECTS), self.unet.config["block_out_channels"][0] * 4)

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """x_t (N, 3, 64, 64), timesteps (N,) and multi-hot labels (N, 24) to the noise (N, 3, 64, 64)."""
        x = x.contiguous(memory_format=torch.channels_last)
        return self.unet(x, timesteps, class_labels=labels, return_dict=False)[0]
