"""Trains the ACGAN's two stages, each a generator against an adversary of its own.

    python -m train.acgan --data data/iclevr --preset where --compile    # noise and ticked objects to their centres
    python -m train.acgan --data data/iclevr --preset what --compile     # centres, as maps, and noise to pixels
    python -m train.acgan --data data/iclevr --preset anywhere --start runs/acgan-what --compile    # objects anywhere
    python -m train.acgan --data data/iclevr --preset where-given --start runs/acgan-where --compile    # places given
    python -m train.join acgan --where runs/acgan-where --what runs/acgan-what --out checkpoints/acgan
    python -m train.acgan --data data/iclevr --preset report             # see train.learning.course

On processors without a GPU, one process a core is fastest: OMP_NUM_THREADS=1 taskset -c 0 python -m train.acgan ...
Resumable: run the same command again and it goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from clevr_demo.generators.acgan import CLASSES, PATCH, ACGANConfig, Painter, Planner
from clevr_demo.objects import MAX_TRAINED
from clevr_demo.places import SIZE
from train.data.batches import Batch, Examples
from train.data.given import planners_layouts, some_given
from train.data.iclevr import Pictures, to_unit
from train.data.layout import Layout
from train.data.teaching import anywhere, as_they_are
from train.learning.course import PRESETS as REPORT_PRESETS
from train.learning.course import ReportPreset, ReportTask, load_teacher
from train.learning.discriminators import (
    LayoutDiscriminator,
    Opinion,
    WindowDiscriminator,
    WindowDiscriminatorConfig,
    Windows,
    distance,
    named_loss,
    windows_of,
)
from train.learning.loop import LoopSettings, Run
from train.learning.options import arguments, clear_errors, train
from train.learning.task import Duel, Players, Task, frozen, gradient_penalty, relativistic


@dataclass(frozen=True)
class WherePreset:
    """Layout generator against layout discriminator: the paired relativistic loss with R1 and R2 and nothing else."""

    model: ACGANConfig
    loop: LoopSettings
    players: Players
    critic_width: int = 96
    critic_layers: int = 3


@dataclass(frozen=True)
class WhatPreset:
    """Painter against window discriminator.

    The generator minimises `adversary` x the relativistic losses of window and patches + `classifier` x the
    cross-entropy of the discriminator's name for the object in focus and, on the share `pulled` of the batch, where of
    `drawings` noises the one was taken whose drawing is nearest to the training window (implicit maximum likelihood, Li
    & Malik 2018, arXiv:1809.09087), `matching` x the distance of the discriminator's features + a weight x the
    distance of the pixels, which falls from `pull_from` to `pull_to` over the first `pull_until` of the run. From
    `whole_from` of the run on, whole pictures are drawn instead of windows, a quarter as many.
    """

    model: ACGANConfig
    loop: LoopSettings
    players: Players
    critic: WindowDiscriminatorConfig = field(default_factory=WindowDiscriminatorConfig)
    adversary: float = 1.0
    classifier: float = 0.5
    matching: float = 1.0
    pull_from: float = 6.0
    pull_to: float = 0.2
    pull_until: float = 0.5
    pulled: float = 0.5
    drawings: int = 4
    whole_from: float = 0.86
    window: int = 32  # pixels a side
    anywhere: bool = False  # whether lifted and composed pictures are learnt from beside the real ones
    beside: float = 0.0  # share of the composed ones with an object beside the middle


WHERE = WherePreset(
    ACGANConfig(),
    LoopSettings(pictures=1_200_000, batch=128, ema=0.998, clip=0.0, log_every=100, sample_every=10**9),
    Players(4e-4, 4e-4, betas=(0.0, 0.99), warmup=100, decay_from=0.5, gamma=0.03, penalty_every=4),
)
WHAT = WhatPreset(
    ACGANConfig(),
    LoopSettings(pictures=1_000_000, batch=128, ema=0.998, clip=0.0, log_every=25, sample_every=1000),
    Players(),
)
TINY = ACGANConfig(planner_width=8, planner_layers=1, planner_heads=2, widths=(8, 64), blocks=(1, 1))
TINY_WHERE = dataclasses.replace(
    WHERE,
    model=TINY,
    loop=LoopSettings(pictures=16, batch=4, ema=0.9, clip=0.0, log_every=1, sample_every=1000),
    critic_width=8,
    critic_layers=1,
)
PRESETS: dict[str, Any] = {  # how the weights that ship score: checkpoints/acgan/metrics.json
    "where": WHERE,
    "where-given": dataclasses.replace(  # goes on from the weights of "where", with a new discriminator
        WHERE,
        model=ACGANConfig(planner_given=True),
        loop=dataclasses.replace(WHERE.loop, pictures=400_000, seed=1),
        players=dataclasses.replace(WHERE.players, generator_from=0.05, decay_from=0.4),
    ),
    "what": WHAT,
    # Without the adversary, to see what it is worth: after 60,000 windows 0.031 / 0.013, with it 0.138 / 0.119.
    "what-alone": dataclasses.replace(WHAT, adversary=0.0),
    "anywhere": dataclasses.replace(  # goes on from the weights of "what", with a new discriminator
        WHAT,
        loop=dataclasses.replace(WHAT.loop, pictures=160_000, seed=1),
        players=Players(generator_from=0.04, decay_from=0.4),
        pull_from=0.6,
        whole_from=0.9,
        anywhere=True,
        beside=0.3,
    ),
    "tiny-where": TINY_WHERE,
    "tiny-where-given": dataclasses.replace(TINY_WHERE, model=dataclasses.replace(TINY, planner_given=True)),
    "tiny-what": dataclasses.replace(
        WHAT,
        model=TINY,
        loop=LoopSettings(pictures=32, batch=8, ema=0.9, clip=0.0, log_every=1, sample_every=1000),
        players=Players(penalty_every=2),
        critic=WindowDiscriminatorConfig((4, 8, 8)),
        whole_from=0.5,
    ),
} | REPORT_PRESETS  # fmt: skip


class WhereTask(Duel):
    """One discriminator step and one generator step a batch of layouts, the first `real` of which are real ones, see
    `train.data.given`."""

    stage = "where"

    def __init__(self, preset: WherePreset, layouts: Layout, real: int = 0) -> None:
        model, self.real = preset.model, real
        self.added = ("rough.mark", "fine.mark") if model.planner_given else ()
        generator = Planner(model)
        critic = LayoutDiscriminator(
            preset.critic_width, preset.critic_layers, model.planner_heads, marks=model.planner_given
        )
        centres = layouts.centres[layouts.objects >= 0]
        for network in (generator, critic):
            network.mean.copy_(centres.mean(dim=0))
            network.scale.copy_(centres.std(dim=0))
        super().__init__(preset, preset.players, generator, critic)

    def penalty(
        self, objects: torch.Tensor, centres: torch.Tensor, marked: torch.Tensor | None, run: Run
    ) -> torch.Tensor:
        """Penalty on centres (N, K, 2) of objects (N, K), in units of the standardised ones; outside the compiler,
        which takes no second derivative."""
        critic: Any = run.plain["discriminator"]
        standardised = ((centres - critic.mean) / critic.scale).detach().requires_grad_()
        logits = critic.forward(objects, critic.mean + critic.scale * standardised, marked)
        return gradient_penalty(logits, standardised)

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        """The discriminator compares real centres (N, K, 2) with those that the generator makes of noise (N, K, n) for
        the same objects (N, K), around the same given places, then the generator is compared with the real ones
        again."""
        real, given, marked = batch.layout.jittered(), None, None
        if self.preset.model.planner_given:
            real, marked = some_given(real, batch.pictures >= self.real)
            given = real.centres.masked_fill(~marked.unsqueeze(2), torch.nan)
        else:
            real = real.shuffled()
        objects = real.objects
        noise = torch.randn(*objects.shape, self.preset.model.layout_noise, device=objects.device)
        centres = self.networks["generator"](objects, noise, given)
        both, twice = torch.cat([real.centres, centres.detach()]), None if marked is None else marked.repeat(2, 1)
        good, bad = self.networks["discriminator"](objects.repeat(2, 1), both, twice).chunk(2)
        loss = relativistic(good, bad)
        logged = {"d_loss": loss, "gap": (good - bad).mean()}
        if self.penalty_is_due(run):
            loss = loss + self.players.gamma * sum(
                self.penalty(objects, x, marked, run) for x in (real.centres, centres)
            )
        self.descend("discriminator", loss, run)
        with frozen(self.networks["discriminator"]):
            logged["g_loss"] = relativistic(self.networks["discriminator"](objects, centres, marked), good.detach())
            self.descend("generator", logged["g_loss"], run)
        return logged


class WhatTask(Duel):
    """One discriminator step and one generator step a batch of windows."""

    stage, from_data = "what", ("mean", "empty")

    def __init__(self, preset: WhatPreset, data: Pictures) -> None:
        self.painter = Painter(preset.model)
        taught = anywhere(data, beside=preset.beside) if preset.anywhere else as_they_are(data)
        self.examples = taught.examples
        self.painter.mean.copy_(to_unit(data.pixels[:: max(1, len(data) // 4000)]).mean(dim=0))
        self.painter.empty.copy_(taught.empty)
        super().__init__(preset, preset.players, self.painter, WindowDiscriminator(preset.critic))
        full = (taught.layout.objects >= 0).sum(dim=1) == MAX_TRAINED
        shown = taught.layout.take(full.nonzero().flatten()[:32])
        self.shown = (shown.by_object(), shown.ticked())

    def noise(self, n: int, canvas: torch.Tensor, generator: torch.Generator | None = None) -> list[torch.Tensor]:
        """Noise of the objects (n, 24, o), the picture (n, p) and the pixels (n, 1, H, W), for n drawings on a canvas
        (..., H/2, W/2)."""
        model, (height, width) = self.preset.model, canvas.shape[2:]
        shapes = [(n, CLASSES, model.object_noise), (n, model.picture_noise), (n, 1, PATCH * height, PATCH * width)]
        return [torch.randn(shape, device=canvas.device, generator=generator) for shape in shapes]

    @torch.no_grad()
    def nearest(self, real: Windows, n: int, run: Run) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
        """For each of the first n windows, of several noises the one whose drawing is nearest: parts (n, ...) as those
        of `noise`, and how much farther off the farthest is, to log."""
        times = self.preset.drawings
        canvas, pixels, weight = (
            x[:n].repeat_interleave(times, dim=0) for x in (real.canvas, real.pixels, real.weight)
        )
        noise = self.noise(n * times, canvas)
        with run.autocast():
            drawn = self.networks["generator"](canvas, *noise).float()
        apart = distance(drawn, pixels, weight).view(n, times)
        best = apart.argmin(dim=1) + times * torch.arange(n, device=apart.device)
        return [part[best] for part in noise], {"spread": (apart.amax(dim=1) / apart.amin(dim=1)).mean()}

    def discriminator_step(
        self, real: Windows, drawn: torch.Tensor, run: Run
    ) -> tuple[Opinion, dict[str, torch.Tensor]]:
        """Tells real windows (N, 3, H, W) from drawn ones of the same condition, as a whole and by their patches, and
        names the object in focus of the real ones. Returns what it says of these, without gradient, and scalars to
        log."""
        condition = [torch.cat([x, x]) for x in real.condition()]
        with run.autocast():
            said = self.networks["discriminator"](torch.cat([real.pixels, drawn.detach()]), *condition)
        good, bad = (Opinion(*parts) for parts in zip(*(part.chunk(2) for part in said), strict=True))
        adversarial = relativistic(good.window, bad.window) + relativistic(good.patch, bad.patch)
        naming = named_loss(good.named, real.name)
        logged = {
            "d_loss": adversarial,
            "gap_window": (good.window - bad.window).mean(),
            "gap_patch": (good.patch - bad.patch).mean(),
            "d_named": naming,
        }
        loss = adversarial + naming
        if self.penalty_is_due(run):
            loss = loss + self.players.gamma * sum(self.penalty(x, real, run) for x in (real.pixels, drawn))
        self.descend("discriminator", loss, run)
        return Opinion(*(part.detach() for part in good)), logged

    def penalty(self, pixels: torch.Tensor, real: Windows, run: Run) -> torch.Tensor:
        """Penalty on pixels (N, 3, H, W), real or drawn, of half of the batch; outside the compiler, which takes no
        second derivative."""
        half = max(1, len(pixels) // 2)
        seen = pixels[:half].detach().requires_grad_()
        with run.autocast():
            said = run.plain["discriminator"].forward(seen, *(x[:half] for x in real.condition()))
        return gradient_penalty(said.window + said.patch, seen)

    def generator_step(
        self, real: Windows, drawn: torch.Tensor, n: int, good: Opinion, run: Run
    ) -> dict[str, torch.Tensor]:
        """Makes drawn windows (N, 3, H, W) more real than the discriminator holds the real ones, `good`, and their
        object nameable; the first n are also drawn to theirs. Returns scalars to log."""
        preset = self.preset
        with run.autocast():
            said = self.networks["discriminator"](drawn, *real.condition())
        adversarial = relativistic(said.window, good.window) + relativistic(said.patch, good.patch)
        naming = named_loss(said.named, real.name)
        matching = (said.features[:n] - good.features[:n]).abs().mean()
        apart = distance(drawn[:n], real.pixels[:n], real.weight[:n]).mean()
        fallen = min(1.0, run.progress / preset.pull_until)
        pull = preset.pull_from + fallen * (preset.pull_to - preset.pull_from)
        loss = preset.adversary * adversarial + preset.classifier * naming + preset.matching * matching + pull * apart
        self.descend("generator", loss, run)
        return {"g_loss": adversarial, "g_named": naming, "g_matching": matching, "g_distance": apart}

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        """A step of each player on the batch's windows, or on fewer whole pictures at the run's end: what they compare
        is drawn once, by the generator as it was before."""
        window = self.preset.window
        if run.progress >= self.preset.whole_from:
            batch = batch.take(slice(0, max(1, len(batch.slots) * window**2 // SIZE**2)))
            window = 0
        real = windows_of(batch, self.painter, window)
        n = max(1, round(self.preset.pulled * len(real.pixels)))
        chosen, logged = self.nearest(real, n, run)
        others = self.noise(len(real.pixels) - n, real.canvas)
        noise = [torch.cat(parts) for parts in zip(chosen, others, strict=True)]
        with run.autocast():
            drawn = self.networks["generator"](real.canvas, *noise).float()
        good, found = self.discriminator_step(real, drawn, run)
        with frozen(self.networks["discriminator"]):
            return logged | found | self.generator_step(real, drawn, n, good, run)

    def sample(self, network: nn.Module) -> torch.Tensor:
        device = next(network.parameters()).device
        canvas = network.canvas(*(x.to(device) for x in self.shown))  # type: ignore[operator]
        noise = self.noise(len(canvas), canvas, torch.Generator(device).manual_seed(0))
        return network.forward(canvas, *noise).float().clamp(-1, 1)


def make_task(preset: Any, data: Pictures, options: argparse.Namespace) -> tuple[Task, Examples]:
    """The task of a preset, and the examples that it trains on."""
    if isinstance(preset, ReportPreset):
        return ReportTask(preset, data, load_teacher(options.teacher)), Examples(data)
    if isinstance(preset, WherePreset):
        layouts, real = planners_layouts(data, preset.model.planner_given)
        return WhereTask(preset, layouts, real), Examples(None, layouts)
    task = WhatTask(preset, data)
    return task, task.examples


@clear_errors
def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__ or "", PRESETS, "what")
    parser.add_argument(
        "--teacher", type=Path, help="the report's teacher's checkpoint folder (default: the shipped one)"
    )
    train("acgan", PRESETS, make_task, parser.parse_args(argv))


if __name__ == "__main__":
    main()
