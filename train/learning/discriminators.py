"""The adversaries of the ACGAN's two generators: what they see, and what they say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from clevr_demo.generators.networks import SetTransformer
from clevr_demo.objects import ATTRIBUTES, OBJECTS

CLASSES = len(OBJECTS)
STRIDE = 4  # pixels a patch: where features are named, matched and judged


class LayoutDiscriminator(nn.Module):
    """Objects (N, K) and their centres (N, K, 2) in pixels to logits (N,) of "a real layout": the mean of what a
    transformer with the pairs' geometry says of each object."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.body = SetTransformer(CLASSES, 1, width, layers, heads)
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("scale", torch.ones(2))

    def forward(self, objects: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
        logits = self.body(objects, (centres - self.mean) / self.scale)[..., 0]
        there = (objects >= 0).to(logits.dtype)
        return (logits * there).sum(dim=1) / there.sum(dim=1)


class Opinion(NamedTuple):
    """What a `WindowDiscriminator` says of N windows or pictures."""

    window: torch.Tensor  # (N,) logits of "real", of the whole
    patch: torch.Tensor  # (N,) logits of "real", of the patches where objects are
    named: torch.Tensor  # (N, 24) logits of the object in focus
    features: torch.Tensor  # (N, C, h, w)


def he(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """He's initialisation for leaky ReLUs (arXiv:1502.01852); torch's own would shrink the signal layer by layer."""
    nn.init.kaiming_normal_(layer.weight, 0.2)
    layer.weight.data.mul_(gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    """Two 3x3 convolutions beside a skip, without normalisation, which would hide how strong a signal is."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = he(nn.Conv2d(channels, channels, 3, padding=1))
        self.second = he(nn.Conv2d(channels, channels, 3, padding=1), 0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(F.leaky_relu(self.first(F.leaky_relu(x, 0.2)), 0.2))


def edges(pixels: torch.Tensor) -> torch.Tensor:
    """Four times what a 3x3 mean takes away: the scale of edges, which is faint in the pixels themselves."""
    return 4 * (pixels - F.avg_pool2d(pixels, 3, 1, 1, count_include_pad=False))


@dataclass(frozen=True)
class WindowDiscriminatorConfig:
    """Channels at strides of 2, 4 and 8 pixels."""

    widths: tuple[int, ...] = (64, 128, 192)


class WindowDiscriminator(nn.Module):
    """Pixels and maps to an `Opinion`.

    Up to patches of 4x4 pixels it sees pixels and edges alone: there it names the object in focus, which the maps would
    give away. Then come the maps, to judge whether what is drawn is what was asked for: a logit a patch, weighted by
    where objects are, and one for the whole window.
    """

    def __init__(self, config: WindowDiscriminatorConfig) -> None:
        super().__init__()
        fine, coarse, lowest = config.widths
        self.trunk = nn.Sequential(
            he(nn.Conv2d(6 * 4, fine, 3, padding=1)), Block(fine),
            he(nn.Conv2d(fine, coarse, 2, stride=2)), Block(coarse),
        )  # fmt: skip
        self.name = nn.Conv2d(coarse, CLASSES, 1)
        self.fuse = he(nn.Conv2d(coarse + ATTRIBUTES + 2, coarse, 1))
        self.judge = Block(coarse)
        self.patch = nn.Conv2d(coarse, 1, 1)
        self.lower = nn.Sequential(he(nn.Conv2d(coarse, lowest, 2, stride=2)), Block(lowest))
        self.window = nn.Linear(lowest, 1)

    def forward(self, pixels: torch.Tensor, maps: torch.Tensor, there: torch.Tensor, focus: torch.Tensor) -> Opinion:
        """Pixels (N, 3, H, W); attribute maps with row and column (N, 13, H/4, W/4); weights (N, 1, H/4, W/4) that sum
        to one, of where objects are and of where the one to name is."""
        x = F.pixel_unshuffle(torch.cat([pixels, edges(pixels)], dim=1), 2)
        features = self.trunk(x.contiguous(memory_format=torch.channels_last))
        named = (self.name(F.leaky_relu(features, 0.2)) * focus).sum(dim=(2, 3))
        x = self.judge(self.fuse(torch.cat([F.leaky_relu(features, 0.2), maps.to(features.dtype)], dim=1)))
        patch = (self.patch(F.leaky_relu(x, 0.2)) * there).sum(dim=(1, 2, 3))
        window = self.window(F.leaky_relu(self.lower(F.leaky_relu(x, 0.2)), 0.2).mean(dim=(2, 3)))
        return Opinion(window[:, 0].float(), patch.float(), named.float(), features.float())
