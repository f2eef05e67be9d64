"""Trains the DDPM, one stage at a time, then puts the stages together.

    python -m train.ddpm --data DIR --preset where --compile     # the planner: denoises centres, minutes of one core
    python -m train.ddpm --data DIR --preset what --compile      # the painter: denoises windows, then whole pictures
    python -m train.ddpm --data DIR --preset anywhere --start runs/ddpm-what --compile    # objects anywhere, after that
    python -m train.ddpm --data DIR --preset where-given --start runs/ddpm-where --compile    # around given places
    python -m train.join ddpm --where runs/ddpm-where --what runs/ddpm-what --out checkpoints/ddpm
    python -m train.ddpm --data DIR --preset report              # the course report's model and settings

`--start checkpoints/ddpm` begins with the weights of an earlier run instead of random ones.
Trains on the training scenes only; held-out scenes are for choosing presets. `--max-minutes 30` trains a slice; the
same command goes on. On two CPU cores one thread on one core is fastest: `OMP_NUM_THREADS=1 taskset -c 1 python ...`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from torch import nn

from clevr_demo.generators.ddpm import PATCH, DDPMConfig, Painter, Planner, painter_denoiser, painter_power
from clevr_demo.generators.sampling import denoise, make_scheduler, set_steps
from clevr_demo.places import SIZE
from train.data.batches import Batch, Examples
from train.data.given import planners_layouts, some_given
from train.data.iclevr import Pictures
from train.data.teaching import anywhere, as_they_are
from train.data.windows import cut, origins
from train.learning.course import DDPM_PRESETS as REPORT_PRESETS
from train.learning.course import ReportDDPMPreset, ReportDDPMTask
from train.learning.loop import LoopSettings, Run
from train.learning.muon import Muon, split_parameters
from train.learning.options import arguments, clear_errors, train
from train.learning.task import OneNetwork, Task

EXAMPLES = 16  # pictures of a sample grid
SAMPLE_STEPS = 16


@dataclass(frozen=True)
class DDPMPreset:
    """Stage, network and recipe. `whole_from` is the fraction of the painter's run from which it sees whole pictures,
    as many as cost what a batch of windows does. `object_weight` is the extra weight of the error where the maps show
    an object; as it depends on the condition alone, it moves effort, not the optimum. `low_noise` is the power by which
    timesteps are spread, see `spread_timesteps`."""

    stage: str
    loop: LoopSettings
    rate: float
    model: DDPMConfig = field(default_factory=DDPMConfig)
    warmup: int = 0  # steps
    decay_from: float = 1.0  # fraction of the run after which the rate falls to zero
    betas: tuple[float, float] = (0.9, 0.999)
    muon: bool = False
    object_weight: float = 0.0
    low_noise: float = 1.0
    window: int = 32  # pixels a side
    whole_from: float = 1.0
    anywhere: bool = False  # whether lifted and composed pictures are learnt from beside the real ones
    beside: float = 0.0  # share of the composed ones with an object beside the middle


TINY = DDPMConfig(planner_width=16, planner_layers=1, widths=(16, 64), blocks=(1, 1))
TINY_LOOP = LoopSettings(pictures=16, batch=4, ema=0.9, log_every=1, sample_every=1000)

PRESETS: dict[str, Any] = {  # how the weights that ship score: checkpoints/ddpm/metrics.json
    "where": DDPMPreset(
        "where", LoopSettings(pictures=3_000_000, batch=256, ema=0.999, log_every=200, sample_every=10**9),
        rate=1e-3, warmup=300, decay_from=0.5, betas=(0.9, 0.99),
    ),
    "where-given": DDPMPreset(  # goes on from the weights of "where"
        "where", LoopSettings(pictures=600_000, batch=256, seed=1, ema=0.999, log_every=50, sample_every=10**9),
        rate=5e-4, model=DDPMConfig(planner_given=True), warmup=100, decay_from=0.3, betas=(0.9, 0.99),
    ),
    "what": DDPMPreset(
        "what", LoopSettings(pictures=7_000_000, batch=512, ema=0.999, sample_every=2000),
        rate=2e-3, warmup=300, decay_from=0.5, betas=(0.9, 0.99), muon=True, object_weight=4.0, whole_from=0.85,
    ),
    "anywhere": DDPMPreset(  # goes on from the weights of "what"
        "what", LoopSettings(pictures=1_500_000, batch=256, seed=2, ema=0.999, log_every=50, sample_every=10**9),
        rate=1e-3, warmup=200, decay_from=0.3, betas=(0.9, 0.99), muon=True, object_weight=4.0, whole_from=0.93,
        anywhere=True, beside=0.3,
    ),
    "tiny-where": DDPMPreset("where", TINY_LOOP, rate=1e-3, model=TINY),  # for tests: two steps in a second
    "tiny-where-given": DDPMPreset("where", TINY_LOOP, rate=1e-3, model=replace(TINY, planner_given=True)),
    "tiny-what": DDPMPreset(
        "what", TINY_LOOP, rate=1e-3, model=TINY, muon=True, object_weight=4.0, whole_from=0.5
    ),
} | REPORT_PRESETS  # fmt: skip


def spread_timesteps(n: int, total: int, device: torch.device, power: float = 1.0) -> torch.Tensor:
    """(n,) timesteps, stratified: total u^power for one u from each of n equal parts of [0, 1], in random order. A
    power above 1 favours low noise."""
    places = (torch.randperm(n, device=device) + torch.rand(n, device=device)) / n
    return (places**power * total).long().clamp(max=total - 1)


class StageTask(OneNetwork):
    """What the stages share: one network, its optimizers, the noise schedule, one descent a step."""

    kind = "ddpm"

    def __init__(self, preset: DDPMPreset, network: nn.Module) -> None:
        self.stage = preset.stage
        inner, rest = split_parameters(network) if preset.muon else ([], list(network.parameters()))
        optimizers: dict[str, torch.optim.Optimizer] = {
            "adamw": torch.optim.AdamW(rest, lr=preset.rate, betas=preset.betas)
        }
        if inner:
            optimizers["muon"] = Muon(inner, lr=preset.rate)
        super().__init__(preset, network, optimizers)
        self.schedule = DDPMScheduler(**preset.model.schedule())

    def noised(self, clean: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(x_t (B, ...), timesteps (B,), v (B, ...)) for clean states (B, ...)."""
        timesteps = spread_timesteps(len(clean), self.preset.model.timesteps, clean.device, self.preset.low_noise)
        noise = torch.randn_like(clean)
        x = self.schedule.add_noise(clean, noise, timesteps)
        return x, timesteps, self.schedule.get_velocity(clean, noise, timesteps)

    def learn(self, loss: torch.Tensor, run: Run) -> None:
        self.descend(loss, run, self.preset.warmup, self.preset.decay_from)


class PlannerTask(StageTask):
    """Where: mean squared error of v, centres (B, K, 2) and objects (B, K), over the objects that are there and whose
    places are not given. Of the layouts the first `real` are real ones, see `train.data.given`."""

    def __init__(self, preset: DDPMPreset, real: int = 0) -> None:
        self.planner, self.real = Planner(preset.model), real
        super().__init__(preset, self.planner)

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        found = batch.layout.jittered()
        if self.preset.model.planner_given:
            found, given = some_given(found, batch.pictures >= self.real)
        else:
            found, given = found.shuffled(), None
        clean = self.planner.standardised(found.centres)
        x, timesteps, target = self.noised(clean)
        mask = (found.objects >= 0).unsqueeze(2)
        if given is not None:
            x = torch.where(given.unsqueeze(2), clean, x)
            timesteps = torch.where(given, -1, timesteps.unsqueeze(1))
            mask = mask & ~given.unsqueeze(2)
        output = self.networks["network"](x, timesteps, found.objects)
        loss = ((output - target).square() * mask).sum() / (2 * mask.sum())
        self.learn(loss, run)
        return {"loss": loss}


class PainterTask(StageTask):
    """What: weighted squared error of v (B, 12, S, S), on windows around objects and then on whole pictures."""

    from_data = ("empty",)

    def __init__(self, preset: DDPMPreset, data: Pictures) -> None:
        self.painter = Painter(preset.model)
        super().__init__(preset, self.painter)
        taught = anywhere(data, beside=preset.beside) if preset.anywhere else as_they_are(data)
        self.painter.empty.copy_(taught.empty)
        self.examples = taught.examples
        few = torch.arange(0, len(data), max(1, len(data) // EXAMPLES))[:EXAMPLES]
        self.shown = (taught.layout.take(few).by_object(), data.labels[few])

    def windows(self, batch: Batch, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        """(states (B, 12, S, S), conditions (B, 13, S, S)) of windows; of fewer whole pictures at the run's end."""
        whole = progress >= self.preset.whole_from
        side = self.preset.window
        number = max(1, len(batch.pixels) * side**2 // SIZE**2) if whole else len(batch.pixels)
        found = batch.layout.take(slice(0, number)).jittered()
        states = self.painter.pack(batch.pixels[:number])
        condition = Painter.condition(found.by_object(), found.ticked())
        if whole:
            return states, condition
        origin = origins(found, batch.slots, side) // PATCH
        return cut(states, origin, side // PATCH), cut(condition, origin, side // PATCH)

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        clean, condition = self.windows(batch, run.progress)
        x, timesteps, target = self.noised(clean)
        with run.autocast():
            output = self.networks["network"](x, timesteps, condition)
        error = (output.float() - target).square()
        loss = (error * self.weight(condition)).mean()
        self.learn(loss, run)
        errors, quarters = error.detach().mean(dim=(1, 2, 3)), 4 * timesteps // self.preset.model.timesteps
        share = F.one_hot(quarters, 4).float()
        by_noise = errors @ share / share.sum(dim=0).clamp(min=1)  # a batch of fewer than four leaves some at zero
        return {"loss": loss} | {f"mse_{quarter + 1}": by_noise[quarter] for quarter in range(4)}

    def weight(self, condition: torch.Tensor) -> torch.Tensor:
        """(B, 1, S, S): what an error counts a cell, more where the condition's maps (B, 13, S, S) show objects."""
        spots = (condition[:, :-2].amax(dim=1, keepdim=True) + 1) / 2
        return 1 + self.preset.object_weight * spots

    def sample(self, network: nn.Module) -> torch.Tensor:
        """The examples painted anew, at their own places."""
        painter: Painter = network  # type: ignore[assignment]
        device = painter.empty.device
        shown = [part.to(device) for part in self.shown]
        condition = painter.condition(*shown)
        scheduler = make_scheduler("dpm", self.preset.model)
        set_steps(scheduler, SAMPLE_STEPS, painter_power(SAMPLE_STEPS, self.preset.model))
        x = torch.randn(len(condition), *condition.shape[2:], 12, generator=torch.Generator().manual_seed(0))
        denoiser = painter_denoiser(painter, condition, scheduler.alphas_cumprod, painter.black())
        *_, (_, _, predicted) = denoise(denoiser, scheduler, x.movedim(-1, 1).to(device), [])
        return painter.unpack(predicted)


def make_task(preset: Any, data: Pictures, _: argparse.Namespace) -> tuple[Task, Examples]:
    """The task of a preset's stage, and the examples that it trains on."""
    if isinstance(preset, ReportDDPMPreset):
        return ReportDDPMTask(preset, data), Examples(data)
    if preset.stage == "where":
        layouts, real = planners_layouts(data, preset.model.planner_given)
        return PlannerTask(preset, real), Examples(None, layouts)
    painter = PainterTask(preset, data)
    return painter, painter.examples


@clear_errors
def main(argv: list[str] | None = None) -> None:
    train("ddpm", PRESETS, make_task, arguments(__doc__ or "", PRESETS, "what").parse_args(argv))


if __name__ == "__main__":
    main()
