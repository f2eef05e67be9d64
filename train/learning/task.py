"""What a trainer brings to the loop: its networks, its optimizers, and one step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

from train.data.batches import Batch

if TYPE_CHECKING:
    from train.learning.loop import Run


class Task(Protocol):
    """What the loop trains. `networks` and `optimizers` are replaced by their prepared versions before training."""

    networks: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    averaged: str  # which network the EMA follows and the run exports

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        """One optimizer step on a batch of examples; returns scalars to log."""
        ...

    def sample(self, network: nn.Module) -> torch.Tensor | None:
        """(N, 3, 64, 64) pictures in [-1, 1] of the averaged network for the sample grid, or None."""
        ...

    def config(self) -> dict[str, Any]:
        """Everything that loading the network again takes; stored as config.json beside the weights."""
        ...


class OneNetwork:
    """A task of one network, which all of its optimizers descend at one rate, at most `rate`."""

    averaged = "network"

    def __init__(self, network: nn.Module, optimizers: dict[str, torch.optim.Optimizer], rate: float) -> None:
        self.networks: dict[str, nn.Module] = {self.averaged: network}
        self.optimizers, self.rate = optimizers, rate

    def descend(self, loss: torch.Tensor, run: Run, warmup: int, decay_from: float) -> None:
        """One step, at the rate of `learning_rate`."""
        rate = self.rate * learning_rate(run.position, run.settings.steps, warmup, decay_from)
        run.descend(loss, tuple(self.optimizers), self.averaged, rate)

    def sample(self, network: nn.Module) -> torch.Tensor | None:
        return None


def learning_rate(step: int, steps: int, warmup: int, decay_from: float) -> float:
    """Factor on the base rate: linear warm-up, flat, then a straight line to zero from `decay_from` of the run on."""
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    left = (steps - step) / (steps * (1 - decay_from)) if decay_from < 1 else 1.0
    return rise * max(0.0, min(1.0, left))


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Within, the network's weights take no gradient, but what it is given does."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
