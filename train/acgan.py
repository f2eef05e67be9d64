"""Trains the ACGAN's two stages, each a generator against an adversary of its own.

    python -m train.acgan --data data/iclevr --preset where --compile    # noise and ticked objects to their centres
    python -m train.acgan --data data/iclevr --preset what --compile     # centres, as maps, and noise to pixels
    python -m train.acgan --data data/iclevr --preset anywhere --start runs/acgan-what --compile    # objects anywhere
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
import torch.nn.functional as F
from torch import nn

from clevr_demo.generators.acgan import CLASSES, PATCH, ACGANConfig, Painter, Planner
from clevr_demo.objects import ATTRIBUTES, MAX_TRAINED
from clevr_demo.places import SIZE
from train.data.batches import Batch, Examples, LayoutExamples, PictureExamples
from train.data.iclevr import Pictures, to_unit
from train.data.layout import Layout, teaching_layouts
from train.data.teaching import anywhere, as_they_are
from train.data.windows import cut, origins
from train.learning.course import PRESETS as REPORT_PRESETS
from train.learning.course import ReportPreset, ReportTask, load_teacher
from train.learning.discriminators import (
    STRIDE,
    LayoutDiscriminator,
    Opinion,
    WindowDiscriminator,
    WindowDiscriminatorConfig,
    edges,
)
from train.learning.loop import LoopSettings, Run
from train.learning.options import arguments, clear_errors, train
from train.learning.task import Task, frozen, learning_rate


@dataclass(frozen=True)
class Players:
    """How generator and discriminator learn: Adam's rates and betas, warm-up in steps, the fraction of the run after
    which both rates fall to zero, and the gradient penalties' weight and the steps from one to the next."""

    generator_rate: float = 2e-4
    discriminator_rate: float = 6e-4
    betas: tuple[float, float] = (0.5, 0.99)
    warmup: int = 200
    decay_from: float = 0.6
    gamma: float = 0.2
    penalty_every: int = 12


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
PRESETS: dict[str, Any] = {
    "where": WHERE,
    "what": WHAT,
    "what-alone": dataclasses.replace(WHAT, adversary=0.0),  # without the adversary, to see what it is worth
    "anywhere": dataclasses.replace(  # goes on from the weights of "what", with a new discriminator
        WHAT,
        loop=dataclasses.replace(WHAT.loop, pictures=240_000, seed=1),
        players=Players(decay_from=0.4),
        pull_from=0.6,
        whole_from=0.9,
        anywhere=True,
    ),
    "tiny-where": dataclasses.replace(
        WHERE,
        model=TINY,
        loop=LoopSettings(pictures=16, batch=4, ema=0.9, clip=0.0, log_every=1, sample_every=1000),
        critic_width=8, critic_layers=1,
    ),
    "tiny-what": dataclasses.replace(
        WHAT,
        model=TINY,
        loop=LoopSettings(pictures=32, batch=8, ema=0.9, clip=0.0, log_every=1, sample_every=1000),
        players=Players(penalty_every=2),
        critic=WindowDiscriminatorConfig((4, 8, 8)),
        whole_from=0.5,
    ),
} | REPORT_PRESETS  # fmt: skip


def relativistic(better: torch.Tensor, worse: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of "better is more real than worse", pair by pair (arXiv:1807.00734): both show the same objects at
    the same places, so that only how they are drawn tells them apart."""
    return F.softplus(worse - better).mean()


def gradient_penalty(logits: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Half the mean over examples of the squared gradient of their logits (Mescheder et al. 2018, arXiv:1801.04406)."""
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1).mean() / 2


def adam(networks: dict[str, nn.Module], players: Players) -> dict[str, torch.optim.Optimizer]:
    rates = {"generator": players.generator_rate, "discriminator": players.discriminator_rate}
    return {
        name: torch.optim.Adam(network.parameters(), lr=rates[name], betas=players.betas)
        for name, network in networks.items()
    }


class Duel:
    """What both stages' tasks share: two players, their rates, and whose turn it is."""

    averaged = "generator"
    networks: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    players: Players

    def descend(self, name: str, loss: torch.Tensor, run: Run) -> None:
        players = self.players
        rate = players.generator_rate if name == "generator" else players.discriminator_rate
        factor = learning_rate(run.position, run.settings.steps, players.warmup, players.decay_from)
        run.descend(loss, name, name, rate * factor)

    def penalty_is_due(self, run: Run) -> bool:
        return bool(self.players.gamma) and run.position % self.players.penalty_every == 0


class WhereTask(Duel):
    """One discriminator step and one generator step a batch of layouts."""

    def __init__(self, preset: WherePreset, layouts: Layout) -> None:
        self.preset, self.players = preset, preset.players
        generator = Planner(preset.model)
        critic = LayoutDiscriminator(preset.critic_width, preset.critic_layers, preset.model.planner_heads)
        centres = layouts.centres[layouts.objects >= 0]
        for network in (generator, critic):
            network.mean.copy_(centres.mean(dim=0))
            network.scale.copy_(centres.std(dim=0))
        self.networks = {"generator": generator, "discriminator": critic}
        self.optimizers = adam(self.networks, self.players)

    def penalty(self, objects: torch.Tensor, centres: torch.Tensor, run: Run) -> torch.Tensor:
        """Penalty in units of the standardised centres; outside the compiler, which takes no second derivative."""
        critic: Any = run.plain["discriminator"]
        given = ((centres - critic.mean) / critic.scale).detach().requires_grad_()
        return gradient_penalty(critic.forward(objects, critic.mean + critic.scale * given), given)

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        real = batch.layout.jittered().shuffled()
        objects = real.objects
        noise = torch.randn(*objects.shape, self.preset.model.layout_noise, device=objects.device)
        centres = self.networks["generator"](objects, noise)
        both = torch.cat([real.centres, centres.detach()])
        good, bad = self.networks["discriminator"](objects.repeat(2, 1), both).chunk(2)
        loss = relativistic(good, bad)
        logged = {"d_loss": loss, "gap": (good - bad).mean()}
        if self.penalty_is_due(run):
            loss = loss + self.players.gamma * sum(self.penalty(objects, x, run) for x in (real.centres, centres))
        self.descend("discriminator", loss, run)
        with frozen(self.networks["discriminator"]):
            logged["g_loss"] = relativistic(self.networks["discriminator"](objects, centres), good.detach())
            self.descend("generator", logged["g_loss"], run)
        return logged

    def sample(self, network: nn.Module) -> None:
        return None

    def config(self) -> dict[str, Any]:
        preset = dataclasses.asdict(self.preset)
        return {"kind": "acgan", "stage": "where", "model": preset["model"], "preset": preset}


@dataclass(frozen=True)
class Scene:
    """Training windows, or whole pictures, with all that the players are told of them.

    `pixels` (N, 3, H, W); `canvas` (N, 49, H/2, W/2), see `Painter`; `maps`, `there`, `focus` at patches of 4x4 pixels,
    see `WindowDiscriminator`; `weight` (N, 1, H, W) of the pixels' distances, heavy on objects; `name` (N,) the object
    in focus, -1 where the window misses it.
    """

    pixels: torch.Tensor
    canvas: torch.Tensor
    maps: torch.Tensor
    there: torch.Tensor
    focus: torch.Tensor
    weight: torch.Tensor
    name: torch.Tensor

    def told(self) -> tuple[torch.Tensor, ...]:
        return self.maps, self.there, self.focus


def scene(batch: Batch, painter: Painter, window: int) -> Scene:
    """The window of so many pixels around each example's object; 0 for the whole picture."""
    found = batch.layout.jittered()
    pixels, canvas = batch.pixels, painter.canvas(found.by_object(), found.ticked())
    if window:
        origin = origins(found, batch.slots, window)
        pixels = cut(pixels, origin, window)
        canvas = cut(canvas, origin // PATCH, window // PATCH)
    objects = found.objects.gather(1, batch.slots[:, None])
    spots = canvas[:, :CLASSES]
    present = spots.amax(dim=1, keepdim=True)
    focused = spots.gather(1, objects.clamp(min=0)[:, :, None, None].expand(-1, -1, *spots.shape[2:]))
    focused = focused * (objects >= 0)[..., None, None]
    there, focus = (F.avg_pool2d(x, STRIDE // PATCH) + 1e-6 for x in (present, focused))
    return Scene(
        pixels,
        canvas,
        F.avg_pool2d(canvas[:, CLASSES : CLASSES + ATTRIBUTES + 2], STRIDE // PATCH),
        there / there.sum(dim=(2, 3), keepdim=True),
        focus / focus.sum(dim=(2, 3), keepdim=True),
        (0.1 + present.sqrt()).repeat_interleave(PATCH, dim=2).repeat_interleave(PATCH, dim=3),
        torch.where(focused.amax(dim=(1, 2, 3)) > 0.8, objects[:, 0], -1),
    )


def distance(drawn: torch.Tensor, pixels: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(N,) mean absolute difference of pixels plus twice that of edges, weighted."""
    apart = (drawn - pixels).abs() + 2 * (edges(drawn) - edges(pixels)).abs() / 4
    return (apart.mean(dim=1, keepdim=True) * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3))


def named_loss(named: torch.Tensor, name: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the object in focus; windows that miss theirs do not count."""
    return F.cross_entropy(named, name, ignore_index=-1, reduction="sum") / (name >= 0).sum().clamp(min=1)


class WhatTask(Duel):
    """One discriminator step and one generator step a batch of windows."""

    from_data = ("mean",)

    def __init__(self, preset: WhatPreset, data: Pictures) -> None:
        self.preset, self.players = preset, preset.players
        self.painter = Painter(preset.model)
        taught = (anywhere if preset.anywhere else as_they_are)(data)
        self.taught = PictureExamples(taught.pictures, taught.layout, taught.items)
        usual = to_unit(data.pixels[:: max(1, len(data) // 4000)]).mean(dim=0)
        self.painter.mean.copy_(taught.empty if preset.anywhere else usual)
        self.networks = {"generator": self.painter, "discriminator": WindowDiscriminator(preset.critic)}
        self.optimizers = adam(self.networks, self.players)
        full = (taught.layout.objects >= 0).sum(dim=1) == MAX_TRAINED
        shown = taught.layout.take(full.nonzero().flatten()[:32])
        self.examples = (shown.by_object(), shown.ticked())

    def noise(self, n: int, canvas: torch.Tensor) -> list[torch.Tensor]:
        """Noise of the objects, the picture and the pixels, for n drawings on such a canvas."""
        model, (height, width) = self.preset.model, canvas.shape[2:]
        shapes = [(n, CLASSES, model.object_noise), (n, model.picture_noise), (n, 1, PATCH * height, PATCH * width)]
        return [torch.randn(shape, device=canvas.device) for shape in shapes]

    @torch.no_grad()
    def nearest(self, given: Scene, n: int, run: Run) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
        """For the first n, of several noises the one whose drawing is nearest to the training window."""
        times = self.preset.drawings
        canvas, pixels, weight = (
            x[:n].repeat_interleave(times, dim=0) for x in (given.canvas, given.pixels, given.weight)
        )
        noise = self.noise(n * times, canvas)
        with run.autocast():
            drawn = self.networks["generator"](canvas, *noise).float()
        apart = distance(drawn, pixels, weight).view(n, times)
        best = apart.argmin(dim=1) + times * torch.arange(n, device=apart.device)
        return [part[best] for part in noise], {"spread": (apart.amax(dim=1) / apart.amin(dim=1)).mean()}

    def discriminator_step(
        self, given: Scene, drawn: torch.Tensor, run: Run
    ) -> tuple[Opinion, dict[str, torch.Tensor]]:
        both = [torch.cat([x, x]) for x in given.told()]
        with run.autocast():
            found = self.networks["discriminator"](torch.cat([given.pixels, drawn.detach()]), *both)
        real, fake = (Opinion(*parts) for parts in zip(*(part.chunk(2) for part in found), strict=True))
        adversarial = relativistic(real.window, fake.window) + relativistic(real.patch, fake.patch)
        naming = named_loss(real.named, given.name)
        logged = {
            "d_loss": adversarial,
            "gap_window": (real.window - fake.window).mean(),
            "gap_patch": (real.patch - fake.patch).mean(),
            "d_named": naming,
        }
        loss = adversarial + naming
        if self.penalty_is_due(run):
            loss = loss + self.players.gamma * sum(self.penalty(x, given, run) for x in (given.pixels, drawn))
        self.descend("discriminator", loss, run)
        return Opinion(*(part.detach() for part in real)), logged

    def penalty(self, pixels: torch.Tensor, given: Scene, run: Run) -> torch.Tensor:
        """Outside the compiler, which takes no second derivative; on half of the batch."""
        half = max(1, len(pixels) // 2)
        seen = pixels[:half].detach().requires_grad_()
        with run.autocast():
            found = run.plain["discriminator"].forward(seen, *(x[:half] for x in given.told()))
        return gradient_penalty(found.window + found.patch, seen)

    def generator_step(
        self, given: Scene, drawn: torch.Tensor, n: int, real: Opinion, run: Run
    ) -> dict[str, torch.Tensor]:
        preset = self.preset
        with run.autocast():
            fake = self.networks["discriminator"](drawn, *given.told())
        adversarial = relativistic(fake.window, real.window) + relativistic(fake.patch, real.patch)
        naming = named_loss(fake.named, given.name)
        matching = (fake.features[:n] - real.features[:n]).abs().mean()
        apart = distance(drawn[:n], given.pixels[:n], given.weight[:n]).mean()
        fallen = min(1.0, run.progress / preset.pull_until)
        pull = preset.pull_from + fallen * (preset.pull_to - preset.pull_from)
        loss = preset.adversary * adversarial + preset.classifier * naming + preset.matching * matching + pull * apart
        self.descend("generator", loss, run)
        return {"g_loss": adversarial, "g_named": naming, "g_matching": matching, "g_distance": apart}

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        window = self.preset.window
        if run.progress >= self.preset.whole_from:
            few = slice(0, max(1, len(batch.slots) * window**2 // SIZE**2))
            batch = batch.take(few)
            window = 0
        given = scene(batch, self.painter, window)
        n = max(1, round(self.preset.pulled * len(given.pixels)))
        chosen, logged = self.nearest(given, n, run)
        others = self.noise(len(given.pixels) - n, given.canvas)
        noise = [torch.cat(parts) for parts in zip(chosen, others, strict=True)]
        with run.autocast():
            drawn = self.networks["generator"](given.canvas, *noise).float()
        real, found = self.discriminator_step(given, drawn, run)
        with frozen(self.networks["discriminator"]):
            return logged | found | self.generator_step(given, drawn, n, real, run)

    def sample(self, network: nn.Module) -> torch.Tensor:
        device = next(network.parameters()).device
        canvas = network.canvas(*(x.to(device) for x in self.examples))  # type: ignore[operator]
        with torch.random.fork_rng():
            torch.manual_seed(0)
            noise = self.noise(len(canvas), canvas)
        return network.forward(canvas, *noise).float().clamp(-1, 1)

    def config(self) -> dict[str, Any]:
        preset = dataclasses.asdict(self.preset)
        return {"kind": "acgan", "stage": "what", "model": preset["model"], "preset": preset}


def make_task(preset: Any, data: Pictures, options: argparse.Namespace) -> tuple[Task, Pictures | Examples]:
    """The task of a preset, and the examples that it trains on."""
    if isinstance(preset, ReportPreset):
        return ReportTask(preset, data, load_teacher(options.teacher)), data
    if isinstance(preset, WherePreset):
        layouts = teaching_layouts(data)
        return WhereTask(preset, layouts), LayoutExamples(layouts)
    task = WhatTask(preset, data)
    return task, task.taught


@clear_errors
def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__ or "", PRESETS, "what")
    parser.add_argument(
        "--teacher", type=Path, help="the report's teacher's checkpoint folder (default: the shipped one)"
    )
    train("acgan", PRESETS, make_task, parser.parse_args(argv))


if __name__ == "__main__":
    main()
