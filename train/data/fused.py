"""Neighbours of one shape that are blended into one, as generators do it: what a judge must not call two objects.

    added, names = with_fused(given.added, 3000, seed=0)

Seen in pictures of the DDPM: two spheres a few pixels apart share one outline, and one colour turns into the other.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from clevr_demo.objects import COLOURS, OBJECTS
from train.data.masks import grown
from train.data.scenes import NOTHING, SIDE, Additions, donors
from train.data.windows import cut

NEAR, FAR = 4.0, 8.0  # pixels between two that are fused
OVERLAP = 0.15  # share of the smaller that both cover, at least: less are only neighbours
SAME = 0.2  # share of the pairs of one colour


def moved(planes: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    """Planes (n, C, SIDE, SIDE), each moved by whole rows and columns (n, 2); what comes in is zero."""
    most = int(FAR)
    return cut(F.pad(planes, [most] * 4), most - by, SIDE)


def spread(levels: torch.Tensor, mask: torch.Tensor, rounds: int = 8) -> torch.Tensor:
    """Levels (n, 3, H, W) under masks (n, H, W), and around them the colour of the nearest pixels under them."""
    known = mask.unsqueeze(1).float()
    found = levels * known
    for _ in range(rounds):
        weight = F.avg_pool2d(known, 3, 1, 1)
        near = F.avg_pool2d(found, 3, 1, 1) / weight.clamp(min=1e-6)
        found = torch.where(known > 0, found, near * (weight > 0))
        known = ((known > 0) | (weight > 0)).float()
    return found


def pairs(added: Additions, number: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Numbers (n,) of the nearer and of the farther object of pairs of one shape, and the way (n, 2) in whole pixels
    from the farther to the nearer."""
    angle = torch.pi * torch.rand(number, generator=generator)
    far = NEAR + (FAR - NEAR) * torch.rand(number, 1, generator=generator)
    way = (far * torch.stack([angle.sin(), angle.cos()], dim=1)).round().long()
    one = torch.randint(len(added.rows), (number,), generator=generator)
    colours = torch.randint(len(COLOURS), (number,), generator=generator)
    same = torch.rand(number, generator=generator) < SAME
    shapes = added.objects[one] // len(COLOURS)
    names = torch.where(same, added.objects[one], shapes * len(COLOURS) + colours)
    other = donors(added, names, added.rows[one] - way[:, 0], generator)
    there = (other >= 0) & (added.objects[one] < len(OBJECTS))
    return one[there], other[there], way[there]


def fused(added: Additions, number: int, seed: int) -> tuple[Additions, torch.Tensor]:
    """At most `number` fused pairs, their objects `NOTHING`, and (n, 2) the objects that each was made of."""
    generator = torch.Generator().manual_seed(seed)
    one, other, way = pairs(added, number, generator)
    half = way // 2
    colours, masks = [], []
    for which, by in ((one, way - half), (other, -half)):
        planes = torch.cat([added.levels[which].float(), added.masks[which].unsqueeze(1).float()], dim=1)
        planes = moved(planes, by)
        colours.append(planes[:, :3])
        masks.append(planes[:, 3] > 0)
    blend, outline = shared(masks, way, generator)
    inside = blend * spread(colours[0], masks[0]) + (1 - blend) * spread(colours[1], masks[1])
    shade = sum(part * ~mask.unsqueeze(1) for part, mask in zip(colours, masks, strict=True))
    levels = torch.where(outline.unsqueeze(1), inside, shade).round().to(torch.int16)
    sizes = torch.stack([mask.sum(dim=(1, 2)) for mask in masks])
    both = (masks[0] & masks[1]).sum(dim=(1, 2))
    apart = sizes.sum(dim=0) - 2 * both
    right = (both >= OVERLAP * sizes.amin(dim=0)) & (apart > 0.2 * sizes.amax(dim=0))
    rows = added.rows[one] - (way - half)[:, 0]
    names = torch.stack([added.objects[one], added.objects[other]], dim=1)
    nothing = torch.full((int(right.sum()),), NOTHING)
    return Additions(levels[right], outline[right], nothing, rows[right]), names[right]


def shared(
    masks: list[torch.Tensor], way: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, 1, SIDE, SIDE) the nearer one's share of the colour in [0, 1], and (n, SIDE, SIDE) the outline of both.

    Half of them change their colour along the line between them, half at the nearer one's softened edge.
    """
    n = len(way)
    unit = way / way.float().norm(dim=1, keepdim=True)
    forth = heights(unit)
    middle = 3 * torch.rand(n, 1, 1, generator=generator) - 1.5
    width = 0.6 + 1.2 * torch.rand(n, 1, 1, generator=generator)
    line = ((forth - middle) / width).sigmoid()
    edge = F.avg_pool2d(masks[0].unsqueeze(1).float(), 5, 1, 2).squeeze(1)
    blend = torch.where(torch.rand(n, 1, 1, generator=generator) < 0.5, line, edge)
    return blend.unsqueeze(1), hull(grown(grown(masks[0] | masks[1], -1)))


def heights(directions: torch.Tensor) -> torch.Tensor:
    """(n, SIDE, SIDE) how far each pixel lies from the middle in its picture's direction (n, 2)."""
    along = torch.arange(SIDE) - (SIDE - 1) / 2
    return directions[:, :1, None] * along.view(1, -1, 1) + directions[:, 1:, None] * along.view(1, 1, -1)


def hull(masks: torch.Tensor, sides: int = 24) -> torch.Tensor:
    """(n, SIDE, SIDE) the convex hulls of masks, as polygons of so many sides."""
    inside = torch.ones_like(masks)
    for angle in (torch.arange(sides) * 2 * torch.pi / sides).tolist():
        height = heights(torch.tensor([[math.sin(angle), math.cos(angle)]]))
        inside &= height <= height.masked_fill(~masks, -torch.inf).amax(dim=(1, 2), keepdim=True) + 0.01
    return inside


def with_fused(added: Additions, number: int, seed: int) -> tuple[Additions, torch.Tensor]:
    """The additions and, after them, fused pairs of them; (n, 2) the objects that each pair was made of."""
    more, names = fused(added, number, seed)
    return Additions.together([added, more]), names
