"""Muon: momentum whose update is made orthogonal (Jordan et al. 2024), for the matrices of convolutions.

torch.optim.Muon takes plain matrices alone; here a convolution's weight (O, I, h, w) is the matrix (O, I h w).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from train.learning.loop import bf16_pays

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Matrices (..., a, b) with their singular values brought near 1, by Newton-Schulz steps: in bf16, which is enough,
    where that is fast; a processor that lacks it takes ten times as long in it."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = (matrices.mT if tall else matrices).to(torch.bfloat16 if bf16_pays() else torch.float32)
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).to(matrices.dtype)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, times 0.2 sqrt(larger side): the size of AdamW's usual step (Liu et al. 2025,
    arXiv:2502.16982), so both can share a rate."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[nn.Parameter]] = {}  # by shape: one product for all is quick on a GPU
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike.setdefault((len(parameter), parameter[0].numel()), []).append(parameter)
            for shape, parameters in alike.items():
                ahead = torch.stack([self._ahead(parameter, group["momentum"]) for parameter in parameters])
                size = 0.2 * max(shape) ** 0.5
                for parameter, update in zip(parameters, orthogonalised(ahead), strict=True):
                    parameter.add_(update.view_as(parameter), alpha=-size * group["lr"])
        return None

    def _ahead(self, parameter: nn.Parameter, momentum: float) -> torch.Tensor:
        """The gradient gathered so far, a step ahead (Nesterov), as a matrix."""
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        gathered = state["momentum"].lerp_(parameter.grad, 1 - momentum)
        assert parameter.grad is not None
        return parameter.grad.lerp(gathered, momentum).flatten(1)


def split_parameters(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(for Muon, for AdamW): the matrices inside a network of convolutions, and all else with its first and last."""
    names = [name for name, p in network.named_parameters() if p.ndim == 4 and min(p.shape[0], p[0].numel()) >= 32]
    inner = [name for name in names if not name.endswith(("unet.first.weight", "unet.last.weight"))]
    chosen = set(inner)
    rest = [p for name, p in network.named_parameters() if name not in chosen]
    return [p for name, p in network.named_parameters() if name in chosen], rest
