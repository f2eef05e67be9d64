"""What is no i-CLEVR object, made of one: blobs, halves and merges, which a judge must refuse.

pixels, opacity = spoiled(windows, masks, "ellipse", others, other_masks)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from train.data.masks import grown, soft

KINDS = ("filled", "ellipse", "half", "split", "ghost", "shaded")


def any_kind(n: int) -> torch.Tensor:
    """(n,) numbers of kinds of blobs."""
    return torch.randint(0, len(KINDS), (n,))


def chance(share: float, n: int) -> torch.Tensor:
    """(n,) booleans, so many of them true."""
    return torch.rand(n) < share


def median_colour(pixels: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(n, 3, 1, 1) median colour of windows (n, 3, H, W) under masks (n, H, W)."""
    hidden = pixels.masked_fill(~mask.unsqueeze(1), torch.nan).flatten(2)
    return hidden.nanmedian(dim=2).values.nan_to_num(0.0)[..., None, None]


def ellipses(mask: torch.Tensor, sharpness: torch.Tensor) -> torch.Tensor:
    """(n, H, W) soft ellipses as wide and high as the masks; `sharpness` (n,) of their edges."""
    n, side, _ = mask.shape
    along, weights = torch.arange(side, dtype=torch.float32), mask.float()
    size = weights.sum(dim=(1, 2)).clamp(min=1)
    radius = torch.zeros(n, side, side)
    for axis, shape in ((2, (1, side, 1)), (1, (1, 1, side))):
        counts = weights.sum(dim=axis)
        mean = (counts * along).sum(dim=1) / size
        spread = ((counts * (along - mean.unsqueeze(1)).square()).sum(dim=1) / size).sqrt().clamp(min=1)
        radius += ((along.view(shape) - mean.view(-1, 1, 1)) / (2 * spread.view(-1, 1, 1))).square()
    return torch.sigmoid(sharpness.view(-1, 1, 1) * (1 - radius.sqrt()))


def half_planes(mask: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """The mask's pixels on one side of a line of random direction, so many of them as `share` (n,) says."""
    angle = 2 * torch.pi * torch.rand(len(mask), 1, 1)
    along = torch.arange(mask.shape[1], dtype=torch.float32)
    height = angle.sin() * along.view(1, -1, 1) + angle.cos() * along.view(1, 1, -1)
    ranks = height.masked_fill(~mask, torch.inf).flatten(1).argsort(dim=1).argsort(dim=1).view(mask.shape)
    return mask & (ranks < share.view(-1, 1, 1) * mask.sum(dim=(1, 2)).view(-1, 1, 1))


def shades(n: int, side: int, strength: float) -> torch.Tensor:
    """(n, 1, side, side) slow changes of light within a blob: a slope, or the clouds of a coarse noise."""
    coarse = strength * torch.randn(n, 1, 4, 4)
    clouds = F.interpolate(coarse, side, mode="bilinear")
    slope = torch.linspace(-1, 1, side).view(1, 1, 1, -1) * strength * torch.randn(n, 1, 1, 1)
    upright = torch.where(chance(0.5, n).view(-1, 1, 1, 1), slope, slope.mT)
    return torch.where(chance(0.5, n).view(-1, 1, 1, 1), clouds, upright)


def spoiled(
    pixels: torch.Tensor, mask: torch.Tensor, kind: str, others: torch.Tensor, other_masks: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Objects in windows (n, 3, H, W) under masks (n, H, W), made into what is none, and their opacity (n, H, W).

    `others`, windows and masks of objects of other classes, are what "split" and "ghost" merge them with.
    """
    n, side = len(mask), mask.shape[-1]
    plain = median_colour(pixels, mask).expand_as(pixels)
    if kind in ("filled", "shaded"):
        by = torch.randint(-1, 2, (n,)).view(-1, 1, 1)
        shape = torch.where(by < 0, grown(mask, -1), torch.where(by > 0, grown(mask), mask))
        shape = torch.where((shape.sum(dim=(1, 2)) > 12).view(-1, 1, 1), shape, mask)
        edges = torch.where(chance(0.5, n).view(-1, 1, 1), soft(shape), soft(shape, 3))
        opacity = torch.where(chance(0.3, n).view(-1, 1, 1), shape.float(), edges)
        return (plain + shades(n, side, 0.06) if kind == "shaded" else plain), opacity
    if kind == "ellipse":
        shading = torch.where(chance(0.3, n).view(-1, 1, 1, 1), shades(n, side, 0.04), torch.zeros(()))
        return plain + shading, ellipses(mask, 2 + 10 * torch.rand(n))
    if kind == "half":
        return pixels, soft(half_planes(mask, 0.3 + 0.2 * torch.rand(n)))
    both = mask | other_masks
    if kind == "split":
        first = soft(half_planes(both, 0.35 + 0.3 * torch.rand(n))).unsqueeze(1)
        return pixels * first + others * (1 - first), soft(both)
    weight = (0.35 + 0.3 * torch.rand(n, 1, 1)) * torch.ones_like(mask, dtype=torch.float32)
    weight = torch.where(mask & ~other_masks, 1.0, torch.where(other_masks & ~mask, 0.0, weight)).unsqueeze(1)
    return pixels * weight + others * (1 - weight), soft(both)
