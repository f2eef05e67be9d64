"""The course report's models: its DDPM, and its GAN with the teacher whose gradient reaches the generator.

    python -m train.ddpm --data data/iclevr --preset report            # its DDPM
    python -m train.acgan --data data/iclevr --preset report           # its GAN; report-growing, report-cut
    python -m train.experiments width --data data/iclevr --epochs 60   # its experiments

The GAN needs the teacher (`python -m train.classifier --preset teacher`): a classifier of its own, never the judge.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from torch import nn

from clevr_demo.checkpoints import folder_of
from clevr_demo.generators.course import (
    CourseGenerator,
    ReportDDPM,
    ReportDDPMConfig,
    ReportDiscriminator,
    ReportGAN,
    ReportGANConfig,
    UNetArguments,
)
from clevr_demo.judge.classifier import ClassifierNetwork, load_classifier
from train.data.batches import Batch
from train.data.iclevr import Pictures, label_sets
from train.learning.counting import accuracy
from train.learning.loop import LoopSettings, Run
from train.learning.task import Duel, OneNetwork, Players, frozen

EXAMPLES = 32  # pictures of a sample grid
DDPM_EXAMPLES = 16


@dataclass(frozen=True)
class ReportDDPMPreset:
    """Network and recipe: AdamW at one rate on the mean squared error of the noise."""

    loop: LoopSettings
    model: ReportDDPMConfig
    rate: float = 5e-5


REPORT_UNET: UNetArguments = {
    "layers_per_block": 2,
    "block_out_channels": (128, 128, 256, 256, 512, 512),
    "down_block_types": ("DownBlock2D",) * 4 + ("AttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "AttnUpBlock2D") + ("UpBlock2D",) * 4,
}
TINY_UNET: UNetArguments = {
    "layers_per_block": 1,
    "block_out_channels": (8, 16),
    "down_block_types": ("DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D"),
    "norm_num_groups": 4,
}
DDPM_PRESETS = {
    "report": ReportDDPMPreset(  # claims 0.847 / 0.869
        LoopSettings(pictures=100 * 18009, batch=20, clip=0.0), ReportDDPMConfig(unet=REPORT_UNET)
    ),
    "tiny-report": ReportDDPMPreset(
        LoopSettings(pictures=16, batch=4, ema=0.9, log_every=1, sample_every=1000), ReportDDPMConfig(unet=TINY_UNET)
    ),
}


class ReportDDPMTask(OneNetwork):
    """Mean squared error of the noise, uniform timesteps."""

    kind, stage = "ddpm", "report"

    def __init__(self, preset: ReportDDPMPreset, data: Pictures) -> None:
        network = ReportDDPM(preset.model)
        super().__init__(preset, network, {"adamw": torch.optim.AdamW(network.parameters(), lr=preset.rate)})
        self.schedule = DDPMScheduler(**preset.model.schedule())
        self.shown = label_sets(data.labels[:DDPM_EXAMPLES])

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        n, device = len(batch.pixels), batch.pixels.device
        timesteps = torch.randint(0, self.preset.model.timesteps, (n,), device=device)
        noise = torch.randn_like(batch.pixels)
        x = self.schedule.add_noise(batch.pixels, noise, timesteps)
        with run.autocast():
            output = self.networks["network"](x, timesteps, batch.labels)
        loss = (output.float() - noise).square().mean()
        self.descend(loss, run, warmup=0, decay_from=1.0)
        return {"loss": loss}

    def sample(self, network: nn.Module) -> torch.Tensor:
        device = next(network.parameters()).device
        generator = CourseGenerator(network, "training", device, chunk=DDPM_EXAMPLES)  # type: ignore[arg-type]
        drawn = generator.generate_batch(self.shown, range(len(self.shown)), steps=12, timeline=False)
        return torch.stack([result.frames[-1].predicted_pixels for result in drawn])


@dataclass(frozen=True)
class ReportPreset:
    """Network and recipe. The generator minimises `adversarial` x its adversarial loss + lambda x the teacher's loss;
    lambda goes from `lambda_from` to `lambda_to` in a straight line over the run. `cut_teacher` withholds the teacher's
    gradient from the generator, as the report's code did."""

    model: ReportGANConfig
    loop: LoopSettings
    rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    adversarial: float = 0.8
    lambda_from: float = 0.2
    lambda_to: float = 0.2
    cut_teacher: bool = False


REPORT = ReportPreset(
    ReportGANConfig(), LoopSettings(pictures=3000 * 18009, batch=512, clip=0.0, log_every=36, sample_every=3600)
)
PRESETS = {  # accuracy on test.json / new_test.json at the end of 60 epochs of 3,000: checkpoints/acgan/experiments
    "report": REPORT,  # 0.183 / 0.181; the report claims 0.611 / 0.631
    "report-growing": dataclasses.replace(REPORT, lambda_to=0.5),  # 0.194 / 0.167
    "report-cut": dataclasses.replace(REPORT, cut_teacher=True),  # 0.128 / 0.191
    "tiny-report": dataclasses.replace(
        REPORT,
        model=ReportGANConfig(noise=8, label_width=8),
        loop=LoopSettings(pictures=16, batch=4, clip=0.0, log_every=1, sample_every=1000),
    ),
}


def teacher_loss(teacher: nn.Module, drawn: torch.Tensor, labels: torch.Tensor, cut: bool) -> tuple[torch.Tensor, ...]:
    """(loss, hits' share) of the teacher on drawn pictures. The loss's gradient reaches the pictures, and so the
    generator, unless `cut`."""
    logits = teacher(drawn.detach() if cut else drawn).float()
    return F.binary_cross_entropy_with_logits(logits, labels), accuracy(logits.detach(), labels)


class ReportTask(Duel):
    """One discriminator step and one generator step a batch: binary cross-entropy on what is real, and the teacher."""

    def __init__(self, preset: ReportPreset, data: Pictures, teacher: nn.Module) -> None:
        players = Players(preset.rate, preset.rate, preset.betas, warmup=0, decay_from=1.0)
        super().__init__(preset, players, ReportGAN(preset.model), ReportDiscriminator(preset.model))
        self.teacher = teacher.eval().requires_grad_(False)
        self.example_labels = data.labels[:EXAMPLES]
        noise = torch.Generator().manual_seed(0)
        self.example_noise = torch.randn(len(self.example_labels), preset.model.noise, generator=noise)

    def discriminator_step(
        self, pixels: torch.Tensor, labels: torch.Tensor, drawn: torch.Tensor, run: Run
    ) -> dict[str, torch.Tensor]:
        """Tells pixels (B, 3, 64, 64) from drawn ones of the same labels (B, 24); returns scalars to log."""
        with run.autocast():
            real, fake = (self.networks["discriminator"](x, labels).float() for x in (pixels, drawn.detach()))
        loss = F.softplus(-real).mean() + F.softplus(fake).mean()  # binary cross-entropy, the sigmoid inside
        self.descend("discriminator", loss, run)
        return {"d_adversarial": loss, "d_real": real.mean(), "d_fake": fake.mean()}

    def generator_step(self, labels: torch.Tensor, drawn: torch.Tensor, run: Run) -> dict[str, torch.Tensor]:
        """Makes drawn pixels (B, 3, 64, 64) real to the discriminator and of labels (B, 24) to the teacher."""
        preset = self.preset
        weight = preset.lambda_from + run.progress * (preset.lambda_to - preset.lambda_from)
        with run.autocast():
            fake = self.networks["discriminator"](drawn, labels).float()
            taught, right = teacher_loss(self.teacher, drawn, labels, preset.cut_teacher)
        adversarial = F.softplus(-fake).mean()
        self.descend("generator", preset.adversarial * adversarial + weight * taught, run)
        return {"g_adversarial": adversarial, "g_teacher": taught, "teacher_accuracy": right}

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        pixels, labels = batch.pixels, batch.labels
        self.teacher.to(pixels.device)
        z = torch.randn(len(pixels), self.preset.model.noise, device=pixels.device)
        with run.autocast():
            drawn = self.networks["generator"](z, labels).float()
        logged = self.discriminator_step(pixels, labels, drawn, run)
        with frozen(self.networks["discriminator"]):
            return logged | self.generator_step(labels, drawn, run)

    def sample(self, network: nn.Module) -> torch.Tensor:
        device = next(network.parameters()).device
        return network(self.example_noise.to(device), self.example_labels.to(device))


def load_teacher(path: Path | None = None) -> ClassifierNetwork:
    """The classifier that the generator learns from."""
    return load_classifier(folder_of("teacher", path), "teacher")
