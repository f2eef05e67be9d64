"""DDPM: the network, the noise schedule, the samplers and the generator.

The network is diffusers' `UNet2DModel` with the objects' embedding added to the time embedding. Optionally it works
on space-to-depth pictures (2x2 pixels become 12 channels at 32x32), which draws several times faster on a CPU, and
denoises attribute maps together with them: one plane a colour and one a shape, bright where such an object stands.
Nobody hands the maps in when a picture is drawn; they start from noise like the pixels, settle a little earlier, and
give the network a place to plan the scene (joint image-feature diffusion, Kouzelis et al. 2025, arXiv:2504.16064).

Space-to-depth has a price. Averaged over a picture, the pixels of even and of odd rows and columns are alike (standard
deviation of the difference 0.0007 over the training pictures), but group normalisation takes such averages out of the
network's sight, and so some of the noise's stay in the picture: a chequer pattern all over it. `even_phases` projects
every estimate of x_0 to where they are alike, as clipping projects it to the range of pixels.

Samplers are diffusers' schedulers, one name each:

    dpm     DPM-Solver++ 2M (Lu et al. 2022, arXiv:2211.01095)
    unipc   UniPC, B2(h) (Zhao et al. 2023, arXiv:2302.04867)
    ddim    DDIM, eta 0 (Song et al. 2020, arXiv:2010.02502)
    ddpm    ancestral sampling (Ho et al. 2020, arXiv:2006.11239); with 1,200 steps the exact loop of the report
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    UNet2DModel,
    UniPCMultistepScheduler,
)
from torch import nn

from clevr_demo.checkpoints import configured, fingerprint, folder_of, load_weights, pick_device
from clevr_demo.generator import Frame, Generation, Stopwatch, check_batch, noise
from clevr_demo.objects import ATTRIBUTES, ENCODINGS, OBJECTS, multi_hot
from clevr_demo.request import DEFAULT_STEPS, GenerationRequest

SIZE = 64


@dataclass(frozen=True)
class DiffusionConfig:
    """Everything that loading a DDPM takes; stored as config.json beside the weights.

    `unet` are UNet2DModel's own arguments. `label_embedding` is "linear" (the report's, one layer) or "mlp", which
    has a learned null besides and so can be guided. `maps` adds the 11 attribute maps. `guidance` is the default scale
    (1: none) and applies between the fractions `guidance_from` and `guidance_to` of the noise schedule, 1 being pure
    noise (Kynkäänniemi et al. 2024, arXiv:2404.07724). `even_phases` keeps space-to-depth pictures free of a chequer
    pattern.
    """

    unet: dict[str, Any]
    patch: int = 1
    label_embedding: str = "mlp"
    encoding: str = "multi-hot"
    timesteps: int = 1200
    beta_schedule: str = "squaredcos_cap_v2"
    prediction_type: str = "v_prediction"
    maps: bool = False
    guidance: float = 1.0
    guidance_from: float = 0.0
    guidance_to: float = 1.0
    even_phases: bool = False

    @property
    def state_shape(self) -> tuple[int, int, int]:
        """(C, S, S) of x_t: the packed picture's channels, then the attribute maps'."""
        side = SIZE // self.patch
        return 3 * self.patch**2 + (ATTRIBUTES if self.maps else 0), side, side

    @property
    def guidable(self) -> bool:
        return self.label_embedding == "mlp"

    def schedule(self) -> dict[str, Any]:
        """The noise schedule's arguments, the same for every scheduler."""
        return {
            "num_train_timesteps": self.timesteps,
            "beta_schedule": self.beta_schedule,
            "prediction_type": self.prediction_type,
        }


def label_mlp(width: int) -> nn.Sequential:
    """(N, 25), 24 multi-hot entries and the null flag, to (N, width).

    The first layer starts as N(0, 1), as an embedding table does: with the small default of a linear layer the
    labels are drowned by the time embedding and stay ignored for tens of thousands of pictures.
    """
    first = nn.Linear(len(OBJECTS) + 1, width)
    nn.init.normal_(first.weight)
    nn.init.zeros_(first.bias)
    return nn.Sequential(first, nn.SiLU(), nn.Linear(width, width))


class DDPMNetwork(nn.Module):
    """UNet2DModel conditioned on objects; its output is what `prediction_type` says (noise or v)."""

    def __init__(self, config: DiffusionConfig) -> None:
        super().__init__()
        self.config = config
        channels, side, _ = config.state_shape
        arguments = {"sample_size": side, "in_channels": channels, "out_channels": channels}
        self.unet = UNet2DModel(**(arguments | config.unet | {"class_embed_type": "identity"}))
        width = self.unet.config["block_out_channels"][0] * 4
        linear = config.label_embedding == "linear"
        self.unet.class_embedding = nn.Linear(len(OBJECTS), width) if linear else label_mlp(width)

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """x_t (N, *state_shape), timesteps (N,), condition (N, 25: multi-hot and null flag) to (N, *state_shape)."""
        if self.config.label_embedding == "linear":
            condition = ENCODINGS[self.config.encoding](condition[:, : len(OBJECTS)])
        x = x.contiguous(memory_format=torch.channels_last)
        return self.unet(x, timesteps, class_labels=condition, return_dict=False)[0]

    def compile(self, *arguments: Any, **named: Any) -> None:
        """torch.compile of the UNet alone: on a CPU, a change of memory format inside the graph costs its speed."""
        self.unet.compile(*arguments, **named)

    def pack(self, pixels: torch.Tensor, maps: torch.Tensor | None = None) -> torch.Tensor:
        """Pixels (N, 3, 64, 64) and, with `maps`, attribute maps (N, 11, S, S) to the state (N, *state_shape)."""
        packed = F.pixel_unshuffle(pixels, self.config.patch)
        return packed if maps is None else torch.cat([packed, maps], dim=1)

    def unpack(self, state: torch.Tensor) -> torch.Tensor:
        """The pixels (N, 3, 64, 64) of a state (N, *state_shape)."""
        return F.pixel_shuffle(state[:, : 3 * self.config.patch**2], self.config.patch)

    def uneven(self, state: torch.Tensor) -> torch.Tensor:
        """How far the mean of each pixel phase is from its colour's, (N, C, 1, 1); zero for the maps."""
        squares = self.config.patch**2
        means = state.mean(dim=(2, 3), keepdim=True)
        phases = means[:, : 3 * squares].unflatten(1, (3, squares))
        means[:, : 3 * squares] = (phases - phases.mean(dim=2, keepdim=True)).flatten(1, 2)
        means[:, 3 * squares :] = 0
        return means

    def evened(self, x: torch.Tensor, output: torch.Tensor, kept: float) -> torch.Tensor:
        """The output (N, *state_shape) whose estimate of x_0 is that of `output` with even phases; `kept` is the
        cumulative alpha of x_t."""
        signal, noise = kept**0.5, (1 - kept) ** 0.5
        if self.config.prediction_type == "v_prediction":
            return output + self.uneven(signal * x - noise * output) / noise
        return output + self.uneven(x - noise * output) / noise


def with_null(labels: torch.Tensor, dropped: torch.Tensor | None = None) -> torch.Tensor:
    """(N, 24) multi-hot to the network's (N, 25) condition; where `dropped` (N,) is true, the null alone."""
    if dropped is None:
        dropped = torch.zeros(len(labels), dtype=torch.bool, device=labels.device)
    null = dropped.to(labels.dtype).unsqueeze(1)
    return torch.cat([labels * (1 - null), null], dim=1)


def make_scheduler(sampler: str, config: DiffusionConfig) -> Any:
    """diffusers' scheduler of that name; each clips its estimate of x_0 to the pixels' range [-1, 1]."""
    schedule = config.schedule() | {"timestep_spacing": "trailing"}
    clip = {"thresholding": True, "sample_max_value": 1.0}  # a largest value of 1 makes thresholding a plain clip
    if sampler == "dpm":
        solver = {"algorithm_type": "dpmsolver++", "solver_order": 2, "final_sigmas_type": "zero"}
        return DPMSolverMultistepScheduler(**schedule, **clip, **solver)
    if sampler == "unipc":
        return UniPCMultistepScheduler(**schedule, **clip, solver_type="bh2", final_sigmas_type="zero")
    if sampler == "ddim":
        return DDIMScheduler(**schedule, clip_sample=True)
    return DDPMScheduler(**schedule, clip_sample=True)


def set_steps(scheduler: Any, steps: int) -> None:
    """Sets exactly `steps` timesteps. For some numbers (7, 14, 28, ...) a rounding error makes diffusers append one
    more, timestep -1, which would be read as pure noise; it is dropped. The timesteps stay on the CPU, so that reading
    one never waits for a GPU."""
    scheduler.set_timesteps(steps)
    scheduler.timesteps = scheduler.timesteps[:steps]
    if hasattr(scheduler, "sigmas"):  # the multistep solvers keep noise levels, ending in zero
        scheduler.sigmas = torch.cat([scheduler.sigmas[:steps], scheduler.sigmas[-1:]])
        scheduler.num_inference_steps = steps


def half_precision(device: torch.device) -> Any:
    """bf16 or fp16 on a GPU; full precision on a CPU, where a link's pixels should not depend on the processor."""
    if device.type != "cuda":
        return nullcontext()
    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast("cuda", torch.bfloat16 if bf16 else torch.float16)


@dataclass
class _Pass:
    """The network for one batch: conditions, guidance, and how many evaluations it took so far."""

    network: DDPMNetwork
    condition: torch.Tensor
    guidance: float
    chunk: int
    evaluations: int = 0
    null: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.null = with_null(torch.zeros_like(self.condition[:, :-1]), torch.ones_like(self.condition[:, 0]) > 0)

    @torch.inference_mode()
    def __call__(self, x: torch.Tensor, timestep: int) -> torch.Tensor:
        config = self.network.config
        at = (timestep + 1) / config.timesteps
        guided = self.guidance != 1.0 and config.guidance_from < at <= config.guidance_to
        self.evaluations += 2 if guided else 1
        parts = zip(x.split(self.chunk), self.condition.split(self.chunk), self.null.split(self.chunk), strict=True)
        return torch.cat([self._part(x, timestep, condition, null, guided) for x, condition, null in parts])

    def _part(
        self, x: torch.Tensor, timestep: int, condition: torch.Tensor, null: torch.Tensor, guided: bool
    ) -> torch.Tensor:
        if guided:
            x, condition = torch.cat([x, x]), torch.cat([condition, null])
        timesteps = torch.full((len(x),), timestep, device=x.device)
        with half_precision(x.device):
            output = self.network(x, timesteps, condition).float()
        if not guided:
            return output
        wanted, free = output.chunk(2)
        return free + self.guidance * (wanted - free)  # Ho & Salimans 2022, arXiv:2207.12598


@dataclass(frozen=True)
class _Step:
    """One step of a batch: x_t and the estimate of x_0, (N, 3, 64, 64), still on the device."""

    index: int
    timestep: int
    noisy: torch.Tensor
    predicted: torch.Tensor

    def frames(self) -> list[Frame]:
        """A frame a picture, on the CPU; the only place where drawing waits for a GPU."""
        pairs = zip(self.noisy.cpu(), self.predicted.cpu(), strict=True)
        return [Frame(self.index, self.timestep, noisy, predicted) for noisy, predicted in pairs]


class DiffusionGenerator:
    """Draws with a DDPM. Make it with `clevr_demo.load("ddpm")`.

    `chunk` pictures go through the network at a time. One at a time keeps a picture's pixels independent of its
    batch to the last bit, since kernels round differently at different batch sizes.
    """

    kind = "ddpm"

    def __init__(self, network: DDPMNetwork, name: str, device: torch.device, chunk: int = 1) -> None:
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.eval().requires_grad_(False)
        self.config, self.name, self.device, self.chunk = network.config, name, device, chunk

    def configure(self, **changes: Any) -> None:
        """Other settings than the weights' own: `guidance`, `guidance_from`, `guidance_to`, `even_phases`."""
        self.config = self.network.config = replace(self.config, **changes)

    def generate(
        self,
        labels: Any,
        seed: int = 0,
        steps: int = DEFAULT_STEPS,
        *,
        sampler: str = "dpm",
        guidance: float | None = None,
    ) -> Generation:
        """Draws one picture with its whole timeline.

        Args:
            labels: what `clevr_demo.objects.parse` takes: names, indices or a multi-hot vector.
            seed: 0 to 2^31 - 1.
            steps: 1 to 1,200; a guided step costs two network evaluations.
            sampler: "dpm", "unipc", "ddim" or "ddpm".
            guidance: 0 to 10, 1 being none; None for the weights' default.

        Raises:
            InputError: a ValueError that names the culprit.
        """
        return self.generate_batch([labels], [seed], steps, sampler=sampler, guidance=guidance)[0]

    def stream(
        self,
        labels: Any,
        seed: int = 0,
        steps: int = DEFAULT_STEPS,
        *,
        sampler: str = "dpm",
        guidance: float | None = None,
    ) -> Iterator[Frame]:
        """The frames of `generate`, each as soon as it is made; closing the iterator cancels the rest."""
        request = GenerationRequest.of(labels, seed, steps, sampler, guidance)
        return (step.frames()[0] for step in self._steps([request], self._pass([request])))

    def generate_batch(
        self,
        labels_list: Sequence[Any],
        seeds: Sequence[int],
        steps: int = DEFAULT_STEPS,
        *,
        sampler: str = "dpm",
        guidance: float | None = None,
        timeline: bool = True,
    ) -> list[Generation]:
        """Draws one picture per pair of labels and seed; `timeline=False` keeps only the last frame of each."""
        check_batch(labels_list, seeds)
        requests = [
            GenerationRequest.of(labels, seed, steps, sampler, guidance)
            for labels, seed in zip(labels_list, seeds, strict=True)
        ]
        if not requests:
            return []
        watch, model = Stopwatch(), self._pass(requests)
        kept: list[_Step] = []
        for step in self._steps(requests, model):
            kept = [*kept, step] if timeline else [step]
        per_picture = zip(requests, zip(*(step.frames() for step in kept), strict=True), strict=True)
        return [Generation(tuple(f), r, self.name, watch.seconds, model.evaluations) for r, f in per_picture]

    def _pass(self, requests: list[GenerationRequest]) -> _Pass:
        guidance = requests[0].guidance
        if guidance is None or not self.config.guidable:
            guidance = self.config.guidance
        condition = with_null(multi_hot(request.objects for request in requests)).to(self.device)
        return _Pass(self.network, condition, guidance, self.chunk)

    def _start(self, seeds: Sequence[int]) -> tuple[torch.Tensor, list[torch.Generator]]:
        """x_T and the generators it came from; a seed's first draw is its picture's noise, whatever the network."""
        pixels, generators = noise(seeds, (3, SIZE, SIZE))
        maps = None
        if self.config.maps:
            shape = (ATTRIBUTES, *self.config.state_shape[1:])
            maps = torch.stack([torch.randn(shape, generator=generator) for generator in generators])
        return self.network.pack(pixels, maps).to(self.device), generators

    def _steps(self, requests: list[GenerationRequest], model: _Pass) -> Iterator[_Step]:
        """One step of all pictures at a time. All requests share steps and sampler."""
        scheduler = make_scheduler(requests[0].sampler, self.config)
        set_steps(scheduler, requests[0].steps)
        x, generators = self._start([request.seed for request in requests])
        extra: dict[str, Any] = {"generator": generators} if requests[0].sampler == "ddpm" else {}
        if requests[0].sampler == "ddim":
            # The noise must fit the clipped x_0: the network's own would, under strong guidance, add up to saturation.
            extra = {"use_clipped_model_output": True}
        for index, timestep in enumerate(scheduler.timesteps):
            output = model(x, int(timestep))
            if self.config.even_phases:
                output = self.network.evened(x, output, float(scheduler.alphas_cumprod[timestep]))
            step = scheduler.step(output, timestep, x, **extra)
            estimate = getattr(step, "pred_original_sample", None)
            if estimate is None:  # the multistep solvers keep it among their past outputs
                estimate = scheduler.model_outputs[-1]
            predicted = self.network.unpack(estimate).clamp(-1, 1)
            yield _Step(index, int(timestep), self.network.unpack(x), predicted)
            x = step.prev_sample


def load_ddpm(path: str | Path | None = None, device: str = "auto") -> DiffusionGenerator:
    """Loads a DDPM checkpoint folder, by default the one that ships with the project."""
    folder = folder_of("ddpm", path)
    network = DDPMNetwork(configured(DiffusionConfig, folder))
    load_weights(network, folder)
    return DiffusionGenerator(network, f"ddpm@{fingerprint(folder)}", pick_device(device))
