"""What a trainer brings to the loop: its networks, its optimizers, and one step; of one network, or of a generator and
a discriminator.

The losses of two players are R3GAN's (Huang et al. 2024, arXiv:2501.05441): relativistic, pair by pair, with gradient
penalties on real and drawn alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import nn

from train.data.batches import Batch

if TYPE_CHECKING:
    from train.learning.loop import Run


class Task:
    """What the loop trains. `networks` and `optimizers` are replaced by their prepared versions before training;
    `averaged` is the network that the EMA follows and the run exports; `from_data` are those of its buffers that a
    run's own pictures decide, whatever weights it starts from, and `added` those of its weights that these may lack.
    `kind` and `stage` say in config.json what it is."""

    networks: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    averaged: str
    from_data: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    kind: str
    stage: str = ""
    preset: Any

    def begun(self, start: Path) -> None:
        """Told, once the averaged network has the weights of `start`, the only folder that it starts from."""

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        """One optimizer step on a batch of examples; returns scalars to log."""
        raise NotImplementedError

    def sample(self, network: nn.Module) -> torch.Tensor | None:
        """(N, 3, 64, 64) pictures in [-1, 1] of the averaged network for the sample grid, or None."""
        return None

    def config(self) -> dict[str, Any]:
        """Everything that loading the network again takes; stored as config.json beside the weights."""
        preset = dataclasses.asdict(self.preset)
        stage = {"stage": self.stage} if self.stage else {}
        return {"kind": self.kind, **stage, "model": preset["model"], "preset": preset}


class OneNetwork(Task):
    """One network, which all of its optimizers descend at one rate, at most the preset's."""

    averaged = "network"

    def __init__(self, preset: Any, network: nn.Module, optimizers: dict[str, torch.optim.Optimizer]) -> None:
        self.preset, self.networks, self.optimizers = preset, {self.averaged: network}, optimizers

    def descend(self, loss: torch.Tensor, run: Run, warmup: int, decay_from: float) -> None:
        """One step, at the rate of `learning_rate`."""
        rate = self.preset.rate * learning_rate(run.position, run.settings.steps, warmup, decay_from)
        run.descend(loss, self.optimizers, self.averaged, rate)


@dataclass(frozen=True)
class Players:
    """How generator and discriminator learn: Adam's rates and betas, warm-up in steps, the fractions of the run from
    which the generator learns and after which both rates fall to zero, and the gradient penalties' weight and the steps
    from one to the next."""

    generator_rate: float = 2e-4
    discriminator_rate: float = 6e-4
    betas: tuple[float, float] = (0.5, 0.99)
    warmup: int = 200
    generator_from: float = 0.0  # a new discriminator for a generator that has learned may learn alone at first
    decay_from: float = 0.6
    gamma: float = 0.2
    penalty_every: int = 12


class Duel(Task):
    """Two players, their rates, and whose turn it is."""

    kind = "acgan"
    averaged = "generator"

    def __init__(self, preset: Any, players: Players, generator: nn.Module, discriminator: nn.Module) -> None:
        self.preset, self.players = preset, players
        self.networks = {"generator": generator, "discriminator": discriminator}
        self.rates = {"generator": players.generator_rate, "discriminator": players.discriminator_rate}
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), lr=self.rates[name], betas=players.betas)
            for name, network in self.networks.items()
        }

    def descend(self, name: str, loss: torch.Tensor, run: Run) -> None:
        """One step of the player of that name."""
        factor = learning_rate(run.position, run.settings.steps, self.players.warmup, self.players.decay_from)
        waits = name == self.averaged and run.progress < self.players.generator_from
        run.descend(loss, [name], name, 0.0 if waits else self.rates[name] * factor)

    def penalty_is_due(self, run: Run) -> bool:
        return bool(self.players.gamma) and run.position % self.players.penalty_every == 0


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


def relativistic(better: torch.Tensor, worse: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of "better is more real than worse" for logits (N,), pair by pair (Jolicoeur-Martineau 2018,
    arXiv:1807.00734): both show the same objects at the same places, so that only how they are drawn tells them apart.
    """
    return F.softplus(worse - better).mean()


def gradient_penalty(logits: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Half the mean over examples of the squared gradient of their logits (N,) by the inputs (N, ...) that they were
    computed of: R1 on real ones, R2 on drawn ones (Mescheder et al. 2018, arXiv:1801.04406)."""
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1).mean() / 2
