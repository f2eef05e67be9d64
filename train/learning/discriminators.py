"""The adversaries of the ACGAN's two generators: what they are told, what they see, and what they say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from clevr_demo.generators.acgan import CLASSES, PATCH, Painter
from clevr_demo.generators.networks import SetTransformer
from clevr_demo.objects import ATTRIBUTES
from train.data.batches import Batch
from train.data.windows import cut, origins

STRIDE = 4  # pixels a patch: where features are named, matched and judged
CENTRE = 0.8  # height of an object's spot: where a window holds none so high, it misses the object


class LayoutDiscriminator(nn.Module):
    """Objects (N, K) and their centres (N, K, 2) in pixels, some marked (N, K) as given, to logits (N,) of "a real
    layout": the mean of what a transformer with the pairs' geometry says of each object."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, width: int, layers: int, heads: int, marks: bool = False) -> None:
        super().__init__()
        self.body = SetTransformer(CLASSES, 1, width, layers, heads, marks=marks)
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("scale", torch.ones(2))

    def forward(self, objects: torch.Tensor, centres: torch.Tensor, marked: torch.Tensor | None = None) -> torch.Tensor:
        logits = self.body(objects, (centres - self.mean) / self.scale, marked=marked)[..., 0]
        mask = (objects >= 0).to(logits.dtype)
        return (logits * mask).sum(dim=1) / mask.sum(dim=1)


class Opinion(NamedTuple):
    """What a `WindowDiscriminator` says of N windows or pictures."""

    window: torch.Tensor  # (N,) logits of "real", of the whole
    patch: torch.Tensor  # (N,) logits of "real", of the patches where objects are
    named: torch.Tensor  # (N, 24) logits of the object in focus
    features: torch.Tensor  # (N, C, H/4, W/4), before they meet the maps


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

    def forward(self, pixels: torch.Tensor, maps: torch.Tensor, mask: torch.Tensor, focus: torch.Tensor) -> Opinion:
        """Pixels (N, 3, H, W); attribute maps with row and column (N, 13, H/4, W/4); weights (N, 1, H/4, W/4) that sum
        to one, of where objects are and of where the one to name is."""
        x = F.pixel_unshuffle(torch.cat([pixels, edges(pixels)], dim=1), 2)
        features = self.trunk(x.contiguous(memory_format=torch.channels_last))
        named = (self.name(F.leaky_relu(features, 0.2)) * focus).sum(dim=(2, 3))
        x = self.judge(self.fuse(torch.cat([F.leaky_relu(features, 0.2), maps.to(features.dtype)], dim=1)))
        patch = (self.patch(F.leaky_relu(x, 0.2)) * mask).sum(dim=(1, 2, 3))
        window = self.window(F.leaky_relu(self.lower(F.leaky_relu(x, 0.2)), 0.2).mean(dim=(2, 3)))
        return Opinion(window[:, 0].float(), patch.float(), named.float(), features.float())


@dataclass(frozen=True)
class Windows:
    """Training windows, or whole pictures, of H x W pixels, with all that the players are told of them.

    `pixels` (N, 3, H, W) in [-1, 1]; `canvas` (N, 49, H/2, W/2), see `Painter`; `maps` (N, 13, H/4, W/4), `mask` and
    `focus` (N, 1, H/4, W/4), see `WindowDiscriminator`; `weight` (N, 1, H, W) of the pixels' distances, heavy on
    objects; `name` (N,) the index of the object in focus, -1 where the window misses it.
    """

    pixels: torch.Tensor
    canvas: torch.Tensor
    maps: torch.Tensor
    mask: torch.Tensor
    focus: torch.Tensor
    weight: torch.Tensor
    name: torch.Tensor

    def condition(self) -> tuple[torch.Tensor, ...]:
        """What the discriminator is told beside the pixels."""
        return self.maps, self.mask, self.focus


def windows_of(batch: Batch, painter: Painter, window: int) -> Windows:
    """The window of so many pixels around each example's object; 0 for the whole picture."""
    found = batch.layout.jittered()
    pixels, canvas = batch.pixels, painter.canvas(found.by_object(), found.ticked())
    if window:
        origin = origins(found, batch.slots, window)
        pixels = cut(pixels, origin, window)
        canvas = cut(canvas, origin // PATCH, window // PATCH)
    objects = found.objects.gather(1, batch.slots[:, None])
    spots = canvas[:, :CLASSES]
    present = spots.amax(dim=1, keepdim=True)
    focused = spots.gather(1, objects.clamp(min=0)[:, :, None, None].expand(-1, -1, *spots.shape[2:]))
    focused = focused * (objects >= 0)[..., None, None]
    mask, focus = (F.avg_pool2d(x, STRIDE // PATCH) + 1e-6 for x in (present, focused))
    return Windows(
        pixels,
        canvas,
        F.avg_pool2d(canvas[:, CLASSES : CLASSES + ATTRIBUTES + 2], STRIDE // PATCH),
        mask / mask.sum(dim=(2, 3), keepdim=True),
        focus / focus.sum(dim=(2, 3), keepdim=True),
        (0.1 + present.sqrt()).repeat_interleave(PATCH, dim=2).repeat_interleave(PATCH, dim=3),
        torch.where(focused.amax(dim=(1, 2, 3)) > CENTRE, objects[:, 0], -1),
    )


def distance(drawn: torch.Tensor, pixels: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(N,) mean absolute difference of pixels (N, 3, H, W) plus twice that of edges, weighted by (N, 1, H, W)."""
    apart = (drawn - pixels).abs() + 2 * (edges(drawn) - edges(pixels)).abs() / 4
    return (apart.mean(dim=1, keepdim=True) * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3))


def named_loss(named: torch.Tensor, name: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of logits (N, 24) of the object in focus (N,); windows that miss theirs, -1, do not count."""
    return F.cross_entropy(named, name, ignore_index=-1, reduction="sum") / (name >= 0).sum().clamp(min=1)
