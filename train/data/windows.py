"""Windows around objects: what the second stage of both models is trained on.

Objects cover 3 % of a picture. A window around one costs a fraction of a picture and shows an object in
full (Patch Diffusion, Wang et al. 2023, arXiv:2304.12526). Windows begin at even pixels, as the networks work on
space-to-depth pictures.
"""

from __future__ import annotations

import torch

from clevr_demo.places import SIZE
from train.data.layout import Layout

SHIFT = 3 / 16  # of a window's side, by which an object may stand off its middle
ANYWHERE = 0.12  # share of windows that are put anywhere


def window_items(found: Layout) -> tuple[torch.Tensor, torch.Tensor]:
    """(pictures, slots), each (M,): one entry a window of an epoch.

    Every picture has an object in the middle, which never varies in size; drawn evenly, it would take 60 % of the
    windows. Objects around it count three times, so that it takes a quarter of them.
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


def cut(planes: torch.Tensor, origin: torch.Tensor, side: int) -> torch.Tensor:
    """(N, C, side, side) of planes (N, C, H, W), beginning at origin (N, 2); laid out channels last."""
    steps = torch.arange(side, device=planes.device)
    rows, columns = origin[:, :1] + steps, origin[:, 1:] + steps
    number = torch.arange(len(planes), device=planes.device)[:, None, None]
    return planes.permute(0, 2, 3, 1)[number, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
