"""Windows of pictures, and around which objects: what the second stage of both models is trained on.

Objects cover little of a picture. A window around one costs a fraction of a picture and shows an object in
full (Patch Diffusion, Wang et al. 2023, arXiv:2304.12526). Windows begin at even pixels, as the networks work on
space-to-depth pictures.
"""

from __future__ import annotations

import torch

from clevr_demo.places import SIZE
from train.data.layout import Layout

SHIFT = 3 / 16  # of a window's side, by which an object may stand off its middle
ANYWHERE = 0.12  # share of windows that are put anywhere


def window_index(
    corners: torch.Tensor, side: int, pictures: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The pictures (n, 1, 1), rows (n, side, 1) and columns (n, 1, side) of the windows that begin at corners (n, 2),
    row and column, each in a picture of its own or in that of `pictures` (n,)."""
    along = torch.arange(side, device=corners.device)
    if pictures is None:
        pictures = torch.arange(len(corners), device=corners.device)
    return pictures.view(-1, 1, 1), (corners[:, :1] + along).unsqueeze(2), (corners[:, 1:] + along).unsqueeze(1)


def cut(planes: torch.Tensor, corners: torch.Tensor, side: int, pictures: torch.Tensor | None = None) -> torch.Tensor:
    """(n, C, side, side) of planes (N, C, H, W): the windows of `window_index`, laid out channels last."""
    picture, rows, columns = window_index(corners, side, pictures)
    return planes[picture, :, rows, columns].movedim(-1, 1)


def window_items(found: Layout) -> tuple[torch.Tensor, torch.Tensor]:
    """(pictures, slots), each (M,): one entry a window of an epoch.

    Every picture has an object in the middle, which never varies in size; drawn evenly, it would take most
    of the windows, so objects around it count three times.
    """
    pictures, slots = (found.objects >= 0).nonzero(as_tuple=True)
    times = torch.where(slots > 0, 3, 1)
    return pictures.repeat_interleave(times), slots.repeat_interleave(times)


def origins(found: Layout, slots: torch.Tensor, side: int) -> torch.Tensor:
    """(N, 2) even row and column where a window begins that shows the object in slot `slots` (N,) of each picture."""
    centres = found.centres[torch.arange(len(slots), device=slots.device), slots]
    shifted = centres + (2 * torch.rand_like(centres) - 1) * SHIFT * side - side / 2
    anywhere = torch.rand(len(slots), 1, device=slots.device) < ANYWHERE
    shifted = torch.where(anywhere, torch.rand_like(centres) * (SIZE - side), shifted)
    return 2 * (shifted / 2).round().clamp(0, (SIZE - side) // 2).long()
