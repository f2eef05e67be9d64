"""Places out of noise by tables of quantiles; on its way out, with the architecture that uses it."""

from __future__ import annotations

import math

import torch
from torch import nn

from clevr_demo.objects import OBJECTS

ROUNDS = 3
SHARPNESS = 30.0
NEAREST = 8.5
ANGLES, SECTORS, RADII = 64, 32, 16


def looked_up(table: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Values of a table (K + 1,) at places in [0, 1], in straight lines between its entries."""
    position = place.clamp(0, 1) * (len(table) - 1)
    low = position.floor().clamp(max=len(table) - 2).long()
    return torch.lerp(table[low], table[low + 1], position - low)


class Places(nn.Module):
    """Standard normal noise (N, 24, 3) and labels (N, 24) to centres (N, 24, 2): row and column in pixels.

    An object's first two numbers are its direction on the ring and its distance, or its shift in the middle; among the
    objects of a scene, the third number's largest stands in the middle. `fit` sets the tables.
    """

    noise = 3 * len(OBJECTS)
    middle: torch.Tensor  # (2, 2): mean and standard deviation of the middle object's centre
    angles: torch.Tensor  # (ANGLES + 1,): quantiles of the direction, in radians
    radii: torch.Tensor  # (SECTORS, RADII + 1): quantiles of the distance from the middle, a sector of equal share each
    apart: torch.Tensor  # (): the least distance between two objects on the ring, as a share of it

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("middle", torch.tensor([[27.0, 31.5], [1.0, 1.0]]))
        self.register_buffer("angles", torch.linspace(-math.pi, math.pi, ANGLES + 1))
        self.register_buffer("radii", torch.linspace(8, 24, RADII + 1).repeat(SECTORS, 1))
        self.register_buffer("apart", torch.tensor(0.1))

    def fit(self, middle: torch.Tensor, ring: torch.Tensor) -> None:
        """Sets the tables from centres (n, 2) of middle objects, and (m, 2, 2) of pairs on the ring."""
        self.middle.copy_(torch.stack([middle.mean(dim=0), middle.std(dim=0)]))
        towards = ring - self.middle[0]
        angle, radius = torch.atan2(towards[..., 0], towards[..., 1]), towards.norm(dim=-1)
        self.angles.copy_(angle.flatten().quantile(torch.linspace(0, 1, ANGLES + 1)))
        # A little noise parts the whole pixels that centres were found at, so that every sector gets its share.
        share = angle.flatten().add(1e-4 * torch.rand(angle.numel())).argsort().argsort() / angle.numel()
        for sector in range(SECTORS):
            inside = (share * SECTORS).long() == sector
            self.radii[sector].copy_(radius.flatten()[inside].quantile(torch.linspace(0, 1, RADII + 1)))
        shares = share.view(angle.shape)
        between = (shares[:, 0] - shares[:, 1] + 0.5) % 1 - 0.5
        self.apart.copy_(between.abs().quantile(0.02))

    def on_ring(self, share: torch.Tensor, far: torch.Tensor) -> torch.Tensor:
        """Centres (..., 2) on the ring: which share of it lies before them, and which share of distances is less."""
        angle = looked_up(self.angles, share)
        position = share * SECTORS - 0.5
        low = position.floor().long()
        tables = torch.lerp(self.radii[low % SECTORS], self.radii[(low + 1) % SECTORS], (position - low).unsqueeze(-1))
        step = far.clamp(0, 1) * RADII
        index = step.floor().clamp(max=RADII - 1).long().unsqueeze(-1)
        near, farther = tables.gather(-1, index).squeeze(-1), tables.gather(-1, index + 1).squeeze(-1)
        radius = torch.lerp(near, farther, step - index.squeeze(-1))
        return self.middle[0] + radius.unsqueeze(-1) * torch.stack([angle.sin(), angle.cos()], dim=-1)

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        ticked = labels > 0
        key = (SHARPNESS * z[..., 2]).masked_fill(~ticked, -torch.inf)
        central = key.softmax(dim=1)
        share = torch.atan2(z[..., 0], z[..., 1]) / (2 * math.pi) + 0.5
        others = 1 - torch.eye(len(OBJECTS), device=z.device)
        outside = (1 - central) * ticked
        both = outside.unsqueeze(1) * outside.unsqueeze(2) * others
        for _ in range(ROUNDS):
            between = (share.unsqueeze(2) - share.unsqueeze(1) + 0.5) % 1 - 0.5
            push = (self.apart - between.abs()).clamp(min=0) / 2 * between.sign()
            share = (share + (push * both).sum(dim=2)) % 1
        far = 1 - (-0.5 * z[..., :2].square().sum(dim=-1)).exp()  # uniform, and independent of the direction
        within = self.middle[0] + self.middle[1] * z[..., :2]
        centres = torch.lerp(self.on_ring(share, far), within, central.unsqueeze(-1))
        shown = (ticked.unsqueeze(1) & ticked.unsqueeze(2)) * others
        for _ in range(ROUNDS):
            centres = centres + pushed(centres, shown)
        return centres


def pushed(centres: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
    """How far centres (N, K, 2) move so that those of `pairs` (N, K, K) that are too near stand `NEAREST` apart."""
    away = centres.unsqueeze(2) - centres.unsqueeze(1)
    distance = away.norm(dim=-1, keepdim=True).clamp(min=1e-3)
    push = (NEAREST - distance).clamp(min=0) / 2 * away / distance
    return (push * pairs.unsqueeze(-1)).sum(dim=2)
