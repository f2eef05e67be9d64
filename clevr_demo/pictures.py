"""Tensors to pictures: single ones, grids and film strips."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torchvision.utils import make_grid


def to_uint8(pixels: torch.Tensor) -> np.ndarray:
    """(..., 3, H, W) floats in [-1, 1] to (..., H, W, 3) uint8; values outside are clipped."""
    levels = pixels.detach().float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return levels.movedim(-3, -1).cpu().numpy()


def to_image(pixels: torch.Tensor) -> Image.Image:
    """(3, H, W) floats in [-1, 1] to an RGB picture."""
    return Image.fromarray(to_uint8(pixels))


def from_image(image: Image.Image, size: int = 64) -> torch.Tensor:
    """(3, size, size) floats in [-1, 1] of a picture, resized straight to that size."""
    image = image.convert("RGB")
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(image)).movedim(-1, 0).float().div_(127.5).sub_(1.0)


def grid(pixels: torch.Tensor, columns: int = 8) -> Image.Image:
    """One picture of (N, 3, H, W) floats in [-1, 1], `columns` side by side."""
    return to_image(make_grid(pixels.float().cpu().clamp(-1, 1), nrow=columns, padding=2, pad_value=1.0))
