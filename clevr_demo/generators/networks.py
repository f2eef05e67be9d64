"""The blocks both models are made of: a U-Net over pixels and a transformer over a set of objects.

Both are made for a processor without a GPU. Normalisation is a root mean square over the channels of each pixel (Zhang
& Sennrich 2019, arXiv:1910.07467): unlike group normalisation it needs no sum over the picture, so a compiler fuses it
with what stands around it, and a window of a picture is treated like the whole one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm2d(nn.Module):
    """x / sqrt(mean over the channels of x^2), times a learned weight a channel; (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = (x.float().square().mean(dim=1, keepdim=True) + 1e-6).rsqrt().to(x.dtype)
        return x * scale * self.weight.to(x.dtype)[:, None, None]


def zeroed(layer: nn.Conv2d | nn.Linear) -> nn.Conv2d | nn.Linear:
    """The layer with weights and bias of zero, so that a residual block starts as the identity."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a skip; a condition (N, D) scales and shifts the second norm (FiLM, Perez et al.
    2018, arXiv:1709.07871). Without one, `condition` is 0 and nothing is scaled."""

    def __init__(self, inputs: int, outputs: int, condition: int = 0) -> None:
        super().__init__()
        self.first_norm, self.second_norm = RMSNorm2d(inputs), RMSNorm2d(outputs)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = zeroed(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.film = zeroed(nn.Linear(condition, 2 * outputs)) if condition else None
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        h = self.second_norm(self.first(F.silu(self.first_norm(x))))
        if self.film is not None:
            scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + scale) + shift
        return self.skip(x) + self.second(F.silu(h))


class Attention2d(nn.Module):
    """Self-attention over the pixels of a small feature map, beside a skip."""

    def __init__(self, channels: int, head: int = 64) -> None:
        super().__init__()
        self.heads = channels // head
        self.norm = RMSNorm2d(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, channels, height, width = x.shape
        qkv = self.qkv(self.norm(x)).permute(0, 2, 3, 1).reshape(n, height * width, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(attended.transpose(1, 2).reshape(n, height, width, channels).permute(0, 3, 1, 2))


class UNet(nn.Module):
    """(N, inputs, H, W) and an optional condition (N, D) to (N, outputs, H, W); H and W divisible by 2^(levels - 1).

    `widths` are the channels of each level, `blocks` the residual blocks of each: on the way down and up again, at the
    lowest level once. `attention` puts one attention layer into the lowest level.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        widths: Sequence[int] = (64, 128, 256),
        blocks: Sequence[int] = (1, 2, 2),
        condition: int = 0,
        attention: bool = True,
    ) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, widths[0], 3, padding=1)
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for width, below, depth in zip(widths, widths[1:], blocks, strict=False):
            self.encoder.append(nn.ModuleList(ResidualBlock(width, width, condition) for _ in range(depth)))
            self.down.append(nn.Conv2d(width, below, 2, stride=2))
            self.up.append(nn.ConvTranspose2d(below, width, 2, stride=2))
            self.decoder.append(
                nn.ModuleList(
                    ResidualBlock((2 if place == 0 else 1) * width, width, condition) for place in range(depth)
                )
            )
        lowest = widths[-1]
        self.bottom = nn.ModuleList(ResidualBlock(lowest, lowest, condition) for _ in range(blocks[-1]))
        self.attention = Attention2d(lowest) if attention else nn.Identity()
        self.norm = RMSNorm2d(widths[0])
        self.last = zeroed(nn.Conv2d(widths[0], outputs, 3, padding=1))

    def features(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """(N, widths[0], H, W), what the last convolution reads."""
        x, skips = self.first(x), []
        for blocks, down in zip(self.encoder, self.down, strict=True):
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x, condition)
            skips.append(x)
            x = down(x)
        for place, block in enumerate(self.bottom):
            x = block(x, condition)
            if place == 0:
                x = self.attention(x)
        for blocks, up in zip(reversed(self.decoder), reversed(self.up), strict=True):
            x = torch.cat([up(x), skips.pop()], dim=1)
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x, condition)
        return F.silu(self.norm(x))

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        return self.last(self.features(x, condition))


class TimeEmbedding(nn.Module):
    """Times (...) in [0, 1] to (..., width): sines and cosines (Vaswani et al. 2017), then two layers."""

    def __init__(self, width: int, waves: int = 32) -> None:
        super().__init__()
        # Not by linspace: on the "meta" device, where a checkpoint's network is made first, it loads torch's compiler.
        frequencies = [2 * math.pi * 256 ** (wave / (waves - 1)) for wave in range(waves)]
        self.register_buffer("frequencies", torch.tensor(frequencies))
        self.layers = nn.Sequential(nn.Linear(2 * waves, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(self, times: torch.Tensor) -> torch.Tensor:
        angles = times[..., None] * self.frequencies  # type: ignore[operator]
        return self.layers(torch.cat([angles.sin(), angles.cos()], dim=-1))


class PairGeometry(nn.Module):
    """What attention learns of each pair of places: (N, K, 2) to biases (N, heads, K, K) and values (N, K, K, width).

    The pair's offset, its distance and exp(-distance^2), at two scales, with an optional condition (N, K, D), or (N, 1,
    D) for all; a pair is told the mean of those of its two.
    """

    def __init__(self, width: int, heads: int, condition: int = 0, hidden: int = 64) -> None:
        super().__init__()
        self.sizes = [heads, width]
        self.first = nn.Linear(6, hidden)
        self.condition = nn.Linear(condition, hidden) if condition else None
        self.last = nn.Linear(hidden, heads + width)

    def forward(self, places: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        offset = places.unsqueeze(1) - places.unsqueeze(2)
        square = offset.square().sum(dim=-1, keepdim=True)
        near = [square.add(1e-6).sqrt(), (-square).exp(), (-4 * square).exp(), 1 / (1 + square)]
        hidden = self.first(torch.cat([offset, *near], dim=-1))
        if self.condition is not None:
            told = self.condition(condition)
            hidden = hidden + (told.unsqueeze(1) + told.unsqueeze(2)) / 2
        bias, values = self.last(F.silu(hidden)).split(self.sizes, dim=-1)
        return bias.permute(0, 3, 1, 2), values


class SetBlock(nn.Module):
    """One layer of the transformer: attention among the objects with their pairs' geometry, then two linear layers."""

    def __init__(self, width: int, heads: int, condition: int) -> None:
        super().__init__()
        self.heads = heads
        self.geometry = PairGeometry(width, heads, condition)
        self.first_norm, self.second_norm = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), zeroed(nn.Linear(width, width))
        self.film = zeroed(nn.Linear(condition, 4 * width)) if condition else None
        self.layers = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), zeroed(nn.Linear(4 * width, width)))

    def forward(
        self, x: torch.Tensor, places: torch.Tensor, mask: torch.Tensor, condition: torch.Tensor | None
    ) -> torch.Tensor:
        """Features x (N, K, width), places (N, K, 2), mask (N, K), true where there is an object, and a condition
        (N, K, D) or (N, 1, D) to new features (N, K, width)."""
        n, k, width = x.shape
        scales = [x.new_zeros(())] * 4 if self.film is None else self.film(condition).chunk(4, dim=-1)
        bias, values = self.geometry(places, condition)
        h = self.first_norm(x) * (1 + scales[0]) + scales[1]
        q, key, v = self.qkv(h).view(n, k, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ key.transpose(2, 3) / math.sqrt(width // self.heads) + bias
        weights = scores.masked_fill(~mask[:, None, None], -1e4).softmax(dim=-1)
        pairs = values.view(n, k, k, self.heads, -1).permute(0, 3, 1, 2, 4)  # (N, heads, K, K, width / heads)
        attended = weights @ v + (weights.unsqueeze(-1) * pairs).sum(dim=3)
        x = x + self.out(attended.transpose(1, 2).reshape(n, k, width))
        return x + self.layers(self.second_norm(x) * (1 + scales[2]) + scales[3])


class SetTransformer(nn.Module):
    """Objects (N, K) as indices, -1 for none, and their places (N, K, 2) to (N, K, outputs), equivariant over the set.

    `classes` objects are told apart by an embedding; `extra` more numbers an object may come along (N, K, extra), and
    a condition (N, D) for all or (N, K, D) for each. Some objects may be `marked` (N, K), which adds what is learned of
    marked ones, at first nothing. Nothing tells one position in the list from another.
    """

    def __init__(
        self, classes: int, outputs: int, width: int = 128, layers: int = 4, heads: int = 4, condition: int = 0,
        extra: int = 0, marks: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.embed = nn.Embedding(classes + 1, width, padding_idx=0)
        self.mark = nn.Parameter(torch.zeros(width)) if marks else None
        self.place = nn.Linear(2 + extra, width)
        self.count = nn.Linear(1, width)
        self.blocks = nn.ModuleList(SetBlock(width, heads, condition) for _ in range(layers))
        self.norm = nn.RMSNorm(width)
        self.last = nn.Linear(width, outputs)

    def forward(
        self,
        objects: torch.Tensor,
        places: torch.Tensor,
        condition: torch.Tensor | None = None,
        extra: torch.Tensor | None = None,
        marked: torch.Tensor | None = None,
    ) -> torch.Tensor:
        mask = objects >= 0
        if condition is not None and condition.dim() == 2:
            condition = condition.unsqueeze(1)
        inputs = places if extra is None else torch.cat([places, extra], dim=-1)
        number = mask.sum(dim=1, keepdim=True).float()[:, None] / 3
        x = self.embed(objects + 1) + self.place(inputs) + self.count(number)
        if marked is not None and self.mark is not None:
            x = x + marked.unsqueeze(2) * self.mark
        for block in self.blocks:
            x = block(x, places, mask, condition)
        return self.last(self.norm(x))
