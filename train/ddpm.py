"""Trains the DDPM.

    python -m train.ddpm --data data/iclevr                     # the default: draws fast on two CPU cores
    python -m train.ddpm --data data/iclevr --preset pixels     # the same without attribute maps, to compare
    python -m train.ddpm --data data/iclevr --preset report     # the course report's model and settings
    python -m train.ddpm --data data/iclevr --max-minutes 30    # a slice; run it again to go on

Trains on the training scenes only; held-out scenes are for choosing presets. The run's folder then holds
model.safetensors, config.json, log.csv and sample grids; copy the first three to checkpoints/ddpm to use them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from torch import nn

from clevr_demo.diffusion import DDPMNetwork, DiffusionConfig, DiffusionGenerator, with_null
from clevr_demo.objects import ATTRIBUTES
from train.data import Pictures, background, object_mask
from train.layout import layout
from train.loop import LoopSettings, Run, learning_rate
from train.options import arguments, chosen, clear_errors, train_task, training_pictures


@dataclass(frozen=True)
class DDPMPreset:
    """Network and recipe. `snr_cap` c weighs the v-loss by min(1, c / (SNR + 1)), so x_0's error by min(SNR + 1, c).

    `object_weight` is the extra weight of the pixels that objects cover. It makes the labels take hold early, but
    biases the estimate towards objects (a pixel's weight depends on the answer), hence extra copies; so it fades out
    between the fractions `fade` of the run.
    """

    model: DiffusionConfig
    loop: LoopSettings
    rate: float
    warmup: int = 0  # steps
    decay_from: float = 1.0  # fraction of the run after which the rate falls to zero
    betas: tuple[float, float] = (0.9, 0.999)
    label_drop: float = 0.0
    snr_cap: float = 0.0  # 0: uniform weight
    object_weight: float = 0.0
    fade: tuple[float, float] = (0.4, 0.7)
    stratified: bool = False  # timesteps spread evenly over a batch


REPORT_UNET: dict[str, Any] = {
    "layers_per_block": 2,
    "block_out_channels": (128, 128, 256, 256, 512, 512),
    "down_block_types": ("DownBlock2D",) * 4 + ("AttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "AttnUpBlock2D") + ("UpBlock2D",) * 4,
}
SMALL_UNET: dict[str, Any] = {
    "layers_per_block": 1,
    "block_out_channels": (64, 128, 256),
    "down_block_types": ("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    "attention_head_dim": 64,
    "resnet_time_scale_shift": "scale_shift",
}
TINY_UNET: dict[str, Any] = {
    "layers_per_block": 1,
    "block_out_channels": (8, 16),
    "down_block_types": ("DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D"),
    "norm_num_groups": 4,
}

DEFAULT = DDPMPreset(
    DiffusionConfig(SMALL_UNET, patch=2, maps=True, guidance=7.0, guidance_from=0.75, even_phases=True),
    LoopSettings(pictures=250_000, batch=32, ema=0.998, sample_every=1000),
    rate=6e-4, warmup=300, decay_from=0.6, betas=(0.9, 0.99), label_drop=0.1, snr_cap=5.0, object_weight=8.0,
    fade=(0.1, 0.3), stratified=True,
)  # fmt: skip

PRESETS = {
    "default": DEFAULT,
    "pixels": dataclasses.replace(  # without the attribute maps, and so with a longer look at the objects
        DEFAULT, model=dataclasses.replace(DEFAULT.model, maps=False), fade=(0.4, 0.7)
    ),
    "report": DDPMPreset(  # claims 0.847 / 0.869
        DiffusionConfig(
            REPORT_UNET, label_embedding="linear", beta_schedule="linear", prediction_type="epsilon"
        ),
        LoopSettings(pictures=100 * 18009, batch=20, clip=0.0),
        rate=5e-5,
    ),
    "tiny": DDPMPreset(  # for tests: two steps in a second
        DiffusionConfig(TINY_UNET, patch=4, maps=True, guidance=2.0),
        LoopSettings(pictures=16, batch=4, ema=0.9, log_every=1, sample_every=1000),
        rate=1e-3, label_drop=0.1, snr_cap=5.0, object_weight=8.0, stratified=True,
    ),
}  # fmt: skip


class DDPMTask:
    """Mean squared error of the predicted noise or v."""

    averaged = "unet"

    def __init__(self, preset: DDPMPreset, data: Pictures) -> None:
        self.preset = preset
        self.plain = network = DDPMNetwork(preset.model)
        self.places = layout(data) if preset.model.maps else None
        self.networks: dict[str, nn.Module] = {"unet": network}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "adamw": torch.optim.AdamW(network.parameters(), lr=preset.rate, betas=preset.betas)
        }
        self.schedule = DDPMScheduler(**preset.model.schedule())
        self.empty = background(data)
        self.examples = [tuple(row.nonzero().flatten().tolist()) for row in data.labels[:16]]

    def timesteps(self, n: int, device: torch.device) -> torch.Tensor:
        """(n,) uniform timesteps; stratified, one from each of n equal parts in random order."""
        total = self.preset.model.timesteps
        if not self.preset.stratified:
            return torch.randint(0, total, (n,), device=device)
        places = (torch.randperm(n, device=device) + torch.rand(n, device=device)) / n
        return (places * total).long().clamp(max=total - 1)

    def weights(self, pixels: torch.Tensor, timesteps: torch.Tensor, progress: float) -> torch.Tensor:
        """(N, C, S, S) or (N, 1, 1, 1) weights of the state's squared error."""
        preset = self.preset
        weight = torch.ones(len(pixels), 1, 1, 1, device=pixels.device)
        if preset.snr_cap:
            kept = self.schedule.alphas_cumprod.to(pixels.device)[timesteps].view(-1, 1, 1, 1)
            weight = (preset.snr_cap * (1 - kept)).clamp(max=1.0)  # SNR + 1 = 1 / (1 - alpha_cumprod)
        begin, end = preset.fade
        extra = preset.object_weight * min(1.0, max(0.0, (end - progress) / (end - begin)))
        if extra:
            there = object_mask(pixels, self.empty.to(pixels.device))
            pooled = F.avg_pool2d(there, preset.model.patch).expand(-1, ATTRIBUTES, -1, -1)
            packed = self.plain.pack(there.expand(-1, 3, -1, -1), pooled if preset.model.maps else None)
            on_objects = 1 + extra * packed
            weight = weight * on_objects / on_objects.mean()
        return weight

    def state(self, pixels: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """What is denoised: the pixels of the training pictures `chosen`, with their attribute maps if so set."""
        if self.places is None:
            return self.plain.pack(pixels)
        self.places = self.places.to(pixels.device)
        return self.plain.pack(pixels, self.places.take(chosen).maps(self.preset.model.state_shape[1]))

    def step(self, pixels: torch.Tensor, labels: torch.Tensor, run: Run) -> dict[str, torch.Tensor]:
        preset = self.preset
        timesteps = self.timesteps(len(pixels), pixels.device)
        clean = self.state(pixels, run.chosen)
        noise = torch.randn_like(clean)
        x = self.schedule.add_noise(clean, noise, timesteps)
        dropped = torch.rand(len(pixels), device=pixels.device) < preset.label_drop
        if preset.model.prediction_type == "v_prediction":
            target = self.schedule.get_velocity(clean, noise, timesteps)
        else:
            target = noise
        with run.autocast():
            output = self.networks["unet"](x, timesteps, with_null(labels, dropped))
        error = (output.float() - target).square()
        loss = (error * self.weights(pixels, timesteps, run.progress)).mean()
        rate = preset.rate * learning_rate(run.position, run.settings.steps, preset.warmup, preset.decay_from)
        run.descend(loss, "adamw", "unet", rate)
        packed = 3 * preset.model.patch**2
        logged = {"loss": loss, "mse": error[:, :packed].mean()}
        return logged | ({"maps_mse": error[:, packed:].mean()} if preset.model.maps else {})

    def sample(self, network: nn.Module) -> torch.Tensor:
        generator = DiffusionGenerator(network, "training", next(network.parameters()).device, chunk=16)  # type: ignore[arg-type]
        drawn = generator.generate_batch(self.examples, range(len(self.examples)), steps=12, timeline=False)
        return torch.stack([result.frames[-1].predicted_pixels for result in drawn])

    def config(self) -> dict[str, Any]:
        return {
            "kind": "ddpm",
            "model": dataclasses.asdict(self.preset.model),
            "preset": dataclasses.asdict(self.preset),
        }


@clear_errors
def main(argv: list[str] | None = None) -> None:
    options = arguments(__doc__ or "", PRESETS).parse_args(argv)
    preset: DDPMPreset = chosen(PRESETS, options)
    if not options.dry_run:
        training = training_pictures(options)
        train_task("ddpm", options, DDPMTask(preset, training), training, preset.loop)


if __name__ == "__main__":
    main()
