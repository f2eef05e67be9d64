"""Muon: momentum whose update is made orthogonal (Jordan et al. 2024), for the matrices of convolutions.

torch.optim.Muon takes plain matrices alone; here a convolution's weight (O, I, h, w) is the matrix (O, I h w).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrix: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """The matrix with its singular values brought near 1, by Newton-Schulz steps in bf16."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).to(torch.bfloat16)
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, times 0.2 sqrt(larger side): the size of AdamW's usual step (Liu et al. 2025,
    arXiv:2502.16982), so both can share a rate."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                gathered = state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                ahead = parameter.grad.lerp(gathered, group["momentum"]).flatten(1)
                size = 0.2 * max(ahead.shape) ** 0.5
                parameter.add_(orthogonalised(ahead).view_as(parameter), alpha=-size * group["lr"])
        return None


def split_parameters(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(for Muon, for AdamW): the matrices inside a network of convolutions, and all else with its first and last."""
    names = [name for name, p in network.named_parameters() if p.ndim == 4 and min(p.shape[0], p[0].numel()) >= 32]
    inner = [name for name in names if not name.endswith(("unet.first.weight", "unet.last.weight"))]
    chosen = set(inner)
    rest = [p for name, p in network.named_parameters() if name not in chosen]
    return [p for name, p in network.named_parameters() if name in chosen], rest
