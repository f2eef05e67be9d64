"""The detector: which objects stand where in a picture, each seen by itself, so that doubles are two.

    detector = load_detector()                    # checkpoints/detector
    for seen in detector.detect(pixels)[0]:       # pixels (N, 3, 64, 64) in [-1, 1]
        seen.name, seen.row, seen.column, seen.confidence

A small fully convolutional network in the manner of CenterNet (Zhou et al. 2019, arXiv:1904.07850): 24 heat maps at
half the picture's resolution, whose peaks are objects, and two maps that say how far a peak is from its object's
centre. The detector never teaches, guides or selects a generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from clevr_demo.checkpoints import Size, fingerprint, folder_of, load_network, pick_device
from clevr_demo.engine import NO_GRAPHS, Graphs, open_graphs, without_weights
from clevr_demo.objects import OBJECTS

STRIDE = 2  # pixels of a picture to a cell of a heat map
GRAPHS = ("detector",)
MOST = 24  # peaks of one picture that are looked at
BACKGROUND = -4.6  # the heat maps' first logit: one cell in a hundred


@dataclass(frozen=True)
class Found:
    """One object that the detector sees: its centre in pixels of the 64x64 picture, its confidence in [0, 1]."""

    name: str
    row: float
    column: float
    confidence: float


@dataclass(frozen=True)
class DetectorConfig:
    """`widths` of the three resolutions; peaks above `threshold` count, `apart` pixels from any stronger one."""

    widths: tuple[Size, Size, Size] = (32, 64, 128)
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.4
    apart: Annotated[float, Field(ge=0, le=64)] = 3.0


class Convolution(nn.Module):
    """A convolution and its batch normalisation, which `fold` makes one once the weights are final."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.norm(self.conv(x))
        return y

    def fold(self) -> None:
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), nn.Identity()


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(width, width), Convolution(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class DetectorNetwork(nn.Module):
    """Pixels (N, 3, 64, 64) in [-1, 1] to (N, 26, 32, 32): logits of 24 heat maps, then row and column offsets.

    An hourglass: 32, 16 and 8 cells a side, and back with the finer levels added.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        fine, middle, coarse = config.widths
        self.stem = nn.Sequential(Convolution(3 * STRIDE**2, fine), nn.ReLU(), Residual(fine))
        self.down = nn.Sequential(Convolution(fine, middle, stride=2), nn.ReLU(), Residual(middle), Residual(middle))
        self.deep = nn.Sequential(Convolution(middle, coarse, stride=2), nn.ReLU(), Residual(coarse), Residual(coarse))
        self.lift, self.up = nn.Conv2d(coarse, middle, 1), Residual(middle)
        self.raise_, self.top = nn.Conv2d(middle, fine, 1), Residual(fine)
        self.head = nn.Conv2d(fine, len(OBJECTS) + 2, 1)
        with torch.no_grad():
            self.head.bias[: len(OBJECTS)] = BACKGROUND  # type: ignore[index]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        fine = self.stem(F.pixel_unshuffle(pixels, STRIDE))
        middle = self.down(fine)
        deep = self.deep(middle)
        middle = self.up(middle + F.interpolate(self.lift(deep), scale_factor=2.0))
        outputs: torch.Tensor = self.head(self.top(fine + F.interpolate(self.raise_(middle), scale_factor=2.0)))
        return outputs


def peaks(outputs: torch.Tensor, config: DetectorConfig) -> list[tuple[Found, ...]]:
    """The objects that the network's outputs (N, 26, H, W) show, the surest first.

    A place holds one object: of all classes, colours and shapes alike, the likeliest. A peak is the highest of its
    3x3 cells, above the threshold, and no nearer to a higher one than two objects can stand.
    """
    return [chosen(picture, config) for picture in candidates(outputs).tolist()]


def candidates(outputs: torch.Tensor) -> torch.Tensor:
    """(N, 24, 4) confidence, row, column and class of the highest cells of the network's outputs (N, 26, H, W) that are
    the highest of their 3x3, the surest first."""
    logits, classes = outputs[:, : len(OBJECTS)].float().max(dim=1)
    highest = logits == F.max_pool2d(logits.unsqueeze(1), 3, stride=1, padding=1).squeeze(1)
    heights = logits.masked_fill(~highest, -torch.inf).flatten(1)
    best, cells = heights.topk(min(MOST, heights.shape[1]), dim=1)
    width = logits.shape[2]
    offsets = outputs[:, len(OBJECTS) :].float().flatten(2)
    moved = offsets.gather(2, cells.unsqueeze(1).expand(-1, 2, -1))
    rows = (cells // width + 0.5) * STRIDE - 0.5 + moved[:, 0]
    columns = (cells % width + 0.5) * STRIDE - 0.5 + moved[:, 1]
    named = classes.flatten(1).gather(1, cells)
    return torch.stack([best.sigmoid(), rows, columns, named.float()], dim=2)


def chosen(candidates: list[list[float]], config: DetectorConfig) -> tuple[Found, ...]:
    """Of one picture's peaks (confidence, row, column, class), the highest first, those that count."""
    kept: list[Found] = []
    for confidence, row, column, index in candidates:
        if confidence < config.threshold:
            break
        if all((row - seen.row) ** 2 + (column - seen.column) ** 2 >= config.apart**2 for seen in kept):
            kept.append(Found(OBJECTS[int(index)], row, column, confidence))
    return tuple(kept)


class Detector:
    """Finds objects; made by `load_detector`. Where there are `graphs`, those run."""

    def __init__(
        self, network: DetectorNetwork, config: DetectorConfig, device: torch.device, name: str,
        graphs: Graphs = NO_GRAPHS,
    ) -> None:  # fmt: skip
        self.config, self.device, self.name, self.graphs = config, device, name, graphs
        network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = network.eval().requires_grad_(False)
        for module in network.modules():
            if isinstance(module, Convolution):
                module.fold()
        if graphs:
            without_weights(network)

    @torch.inference_mode()
    def detect(self, pixels: torch.Tensor) -> list[tuple[Found, ...]]:
        """The objects of each picture of pixels (N, 3, 64, 64) in [-1, 1], the surest first."""
        if self.graphs:
            found = self.graphs["detector"](pixels=pixels)
        else:
            found = candidates(self.network(pixels.to(self.device, memory_format=torch.channels_last)).cpu())
        return [chosen(picture, self.config) for picture in found.tolist()]


def load_detector(path: str | Path | None = None, device: str = "auto") -> Detector:
    """The detector that ships with the project, or that of another checkpoint folder.

    Raises:
        CheckpointError: names the file that is missing or does not fit.
    """
    folder = folder_of("detector", path)
    network, place = load_network(DetectorNetwork, DetectorConfig, folder), pick_device(device)
    graphs = open_graphs(folder, GRAPHS, place)
    return Detector(network, network.config, place, f"detector@{fingerprint(folder)}", graphs)
