"""Distances between sets of pictures, by nobody's classifier.

**Sliced Wasserstein distance** of 7x7 patches, 128 a picture, on the levels of the Laplacian pyramid (Karras et al.
2017, arXiv:1710.10196, section 5), both sets normalised by the reference's statistics. **Density and coverage** (Naeem
et al. 2020, arXiv:2002.09797) on the features of a network with random weights of a fixed seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from train.data.windows import cut

PATCH, PATCHES = 7, 128  # side in pixels, patches a picture
DIRECTIONS, BLOCK = 128, 64  # random projections; so many at a time, to save memory
NEAREST = 5  # neighbours that make a picture's ball, of density and coverage


def generator_of(*words: Any) -> torch.Generator:
    """Randomness that only depends on the words."""
    return torch.Generator().manual_seed(
        sum(ord(letter) * 31**place for place, letter in enumerate(str(words))) % 2**31
    )


def smooth(pixels: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
    """The binomial 5x5 filter of the pyramid, mirrored at the edges."""
    line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = (gain * line.outer(line)).expand(pixels.shape[1], 1, 5, 5)
    return F.conv2d(F.pad(pixels, [2] * 4, mode="reflect"), kernel, groups=pixels.shape[1])


def pyramid(pixels: torch.Tensor, levels: int) -> list[torch.Tensor]:
    """The Laplacian pyramid of pictures (N, 3, H, W), finest level first; the last holds what is left, blurred."""
    found = [pixels]
    for _ in range(levels - 1):
        below = smooth(found[-1])[:, :, ::2, ::2]
        wide = torch.zeros_like(found[-1])
        wide[:, :, ::2, ::2] = below
        found[-1] = found[-1] - smooth(wide, gain=4.0)
        found.append(below)
    return found


def patches(level: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(N * 128, 3, 7, 7): patches at random places of one level (N, 3, S, S)."""
    number, _, side, _ = level.shape
    corners = torch.randint(0, side - PATCH + 1, (2, number * PATCHES), generator=generator).T
    return cut(level, corners, PATCH, torch.arange(number).repeat_interleave(PATCHES))


def directions() -> list[torch.Tensor]:
    """Blocks (64, 147) of random unit vectors, the same ones every time."""
    generator, shape = generator_of("directions"), (BLOCK, 3 * PATCH * PATCH)
    return [F.normalize(torch.randn(shape, generator=generator), dim=1) for _ in range(DIRECTIONS // BLOCK)]


def sorted_projections(block: torch.Tensor, points: torch.Tensor) -> np.ndarray:
    """(64, M): the points (M, 147) on every direction, in order."""
    return np.sort((block @ points.T).numpy(), axis=1)


def apart(reference: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of two sorted sets; of two sizes, at the smaller one's quantiles."""
    number = min(reference.shape[1], other.shape[1])
    at = (np.arange(number) + 0.5) / number
    one, two = (values[:, (at * values.shape[1]).astype(int)] for values in (reference, other))
    return float(np.abs(one - two).mean())


@torch.inference_mode()
def sliced_wasserstein(
    reference: torch.Tensor, others: Mapping[Any, torch.Tensor], levels: Sequence[int]
) -> dict[int, dict[Any, float]]:
    """Distances x 1,000, by level and set, of sets of pixels (M, 3, S, S) from the reference (N, 3, S, S); `levels` are
    the sides in pixels, S and its halves.

    A set's patches lie where its name in `others` says, so they are other ones than the reference's.
    """
    blocks = directions()
    found: dict[int, dict[Any, float]] = {}
    for place, level in enumerate(levels):

        def points(pixels: torch.Tensor, name: Any, place: int = place, level: int = level) -> torch.Tensor:
            return patches(pyramid(pixels, len(levels))[place], generator_of(name, level))

        base = points(reference, None)
        mean, deviation = base.mean(dim=(0, 2, 3), keepdim=True), base.std(dim=(0, 2, 3), keepdim=True)
        real = [sorted_projections(block, ((base - mean) / deviation).flatten(1)) for block in blocks]
        found[level] = {}
        for name, pixels in others.items():  # one set at a time: all sets' patches would fill the memory
            flat = ((points(pixels, name) - mean) / deviation).flatten(1)
            pairs = zip(real, blocks, strict=True)
            distances = [apart(known, sorted_projections(block, flat)) for known, block in pairs]
            found[level][name] = 1000 * float(np.mean(distances))
    return found


def random_network(side: int) -> nn.Module:
    """Convolutions with random weights of a fixed seed: pixels (N, 3, side, side) to (N, 256) features.

    Naeem et al. 2020 (section 4) measure so where an ImageNet network would look at the wrong things.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2)]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * (side // 8) ** 2, 256, bias=False))
    generator = generator_of("features")
    for weight in network.requires_grad_(False).parameters():
        scale = (2 / weight[0].numel()) ** 0.5 if weight.dim() > 1 else 0.0
        weight.copy_(scale * torch.randn(weight.shape, generator=generator))
    return network.eval()


@torch.inference_mode()
def features_of(pixels: torch.Tensor, empty: torch.Tensor) -> torch.Tensor:
    """(N, 256) random features of what differs from the mean picture `empty` in square pictures (N, 3, S, S)."""
    network = random_network(pixels.shape[-1])
    return torch.cat([network(part - empty) for part in pixels.split(256)])


def density_coverage(real: torch.Tensor, fake: torch.Tensor) -> tuple[float, float]:
    """Density and coverage of features `fake` (M, d) by the balls of `real` (N, d), equations 3 and 4 of the paper."""
    rank = min(NEAREST + 1, len(real))  # a picture is its own nearest
    radius = torch.cdist(real, real).kthvalue(rank, dim=1).values
    inside = torch.cdist(real, fake) < radius.unsqueeze(1)
    return float(inside.sum() / (NEAREST * fake.shape[0])), float(inside.any(dim=1).float().mean())
