"""The course report's networks, trainable and loadable as the reference: its UNet2DModel and its DCGAN pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from diffusers import UNet2DModel
from torch import nn

from clevr_demo.objects import ENCODINGS, OBJECTS, multi_hot
from clevr_demo.places import SIZE, Places


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


@dataclass(frozen=True)
class ReportGANConfig:
    """The DCGAN pair's settings. The report draws its noise as randn - 1, hence `noise_mean`."""

    architecture: Literal["report"] = "report"
    noise: int = 512
    noise_mean: float = -1.0
    label_width: int = 512
    encoding: Literal["multi-hot", "index"] = "multi-hot"


def encoded(labels: torch.Tensor, config: ReportGANConfig) -> torch.Tensor:
    """Multi-hot labels (N, 24) as the network takes them."""
    return ENCODINGS[config.encoding](labels)


def report_weights(module: nn.Module) -> None:
    """DCGAN's initialisation: N(0, 0.02) for convolutions, N(1, 0.02) for batch normalisation."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class ReportGAN(nn.Module):
    """Label embedding beside the noise, then five transposed convolutions."""

    def __init__(self, config: ReportGANConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Sequential(nn.Linear(len(OBJECTS), config.label_width), nn.LeakyReLU(0.2))
        widths = (config.noise + config.label_width, 512, 256, 128, 64)
        layers: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            stride, padding = (1, 0) if place == 0 else (2, 1)
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)]
            layers += [nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())
        self.apply(report_weights)

    @property
    def noise_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the noise of one picture, by what it decides; see `clevr_demo.generators.acgan`."""
        return {"picture": (self.config.noise,)}

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Standard normal noise (N, noise) and labels (N, 24) to pictures (N, 3, 64, 64) in [-1, 1]."""
        z = z + self.config.noise_mean
        return self.body(torch.cat([z, self.embed(encoded(labels, self.config))], dim=1)[:, :, None, None])

    def draw(self, objects: tuple[int, ...], noise: dict[str, torch.Tensor]) -> tuple[torch.Tensor, Places]:
        """One picture (3, 64, 64), of which nobody knows where its objects are meant to stand."""
        z = noise["picture"][None]
        return self(z, multi_hot([objects]).to(z.device))[0], Places()


class ReportDiscriminator(nn.Module):
    """The label as a fourth plane, then five convolutions; returns the logit of "real" (the sigmoid is in the loss)."""

    def __init__(self, config: ReportGANConfig) -> None:
        super().__init__()
        self.config = config
        self.plane = nn.Sequential(nn.Linear(len(OBJECTS), SIZE * SIZE), nn.LeakyReLU(0.2))
        widths = (4, 64, 128, 256, 512)
        layers: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(outputs)] if place else []
            layers += [nn.LeakyReLU(0.2, inplace=True)]
        self.body = nn.Sequential(*layers, nn.Conv2d(512, 1, 4, 1, 0, bias=False))
        self.apply(report_weights)

    def forward(self, pixels: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Pictures (N, 3, 64, 64) and labels (N, 24) to logits (N,)."""
        plane = self.plane(encoded(labels, self.config)).view(-1, 1, SIZE, SIZE)
        return self.body(torch.cat([pixels, plane], dim=1)).flatten()
