"""Masks of objects, (n, H, W) of booleans: where pictures differ, and what is made of that."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def differing(pixels: torch.Tensor, others: torch.Tensor, threshold: float) -> torch.Tensor:
    """(n, H, W) where pixels (n, 3, H, W) differ from `others`, one picture for all or one each, in some channel."""
    return (pixels - others).abs().amax(dim=1) > threshold


def grown(mask: torch.Tensor, by: int = 1) -> torch.Tensor:
    """Masks (..., H, W), wider by so many pixels on all sides; a negative number makes them narrower."""
    flat = mask.flatten(0, -3).unsqueeze(1).float() if mask.dim() > 2 else mask[None, None].float()
    side = 2 * abs(by) + 1
    if by < 0:
        return (1 - F.max_pool2d(1 - flat, side, 1, abs(by))).bool().view(mask.shape)
    return F.max_pool2d(flat, side, 1, by).bool().view(mask.shape)


def soft(mask: torch.Tensor, rounds: int = 1) -> torch.Tensor:
    """Masks (n, H, W) as floats with edges that fade over so many pixels."""
    planes = mask.unsqueeze(1).float()
    for _ in range(rounds):
        planes = F.avg_pool2d(planes, 3, 1, 1)
    return planes.squeeze(1)


def lowest(mask: torch.Tensor) -> torch.Tensor:
    """(n,) lowest row that masks (n, H, W) touch, -1 for an empty one: what stands lower is nearer to the camera."""
    rows = torch.arange(mask.shape[1], device=mask.device).view(1, -1, 1)
    return torch.where(mask, rows, -1).amax(dim=(1, 2))
