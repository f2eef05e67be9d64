"""The course report's networks, trainable and loadable as the reference: its UNet2DModel and its DCGAN pair.

A checkpoint folder of theirs says `"architecture": "report"` among the model's settings. They know of no places: they
get the objects as one vector, and nobody can tell where they mean them to stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import nn
from typing_extensions import TypedDict

from clevr_demo.checkpoints import Depth, Size, Sizes, fingerprint, folder_of, load_network, pick_device, read_config
from clevr_demo.generators.protocol import (
    Each,
    Frame,
    Generation,
    Generator,
    alone,
    generations,
    requests_of,
    seeded_noise,
)
from clevr_demo.generators.sampling import ScheduleConfig, denoise, denoiser_of, make_scheduler, set_steps
from clevr_demo.generators.walk import check_walk, walked
from clevr_demo.objects import ENCODINGS, OBJECTS, multi_hot
from clevr_demo.places import SIZE, Places
from clevr_demo.request import DEFAULT_STEPS, GenerationRequest

Steps = Iterator[tuple[int, torch.Tensor, torch.Tensor]]
"""(timestep, x_t, the estimate of x_0) of every step, both pictures (N, 3, 64, 64)."""


UNUSED = ("planner_width", "planner_layers", "widths", "blocks", "time_power", "fast_steps")
"""Settings of our own DDPM, which the first folders of the report's hold as well."""


class UNetArguments(TypedDict, total=False):
    """What a UNet2DModel is made with; diffusers' defaults stand for what is left out."""

    layers_per_block: Depth
    block_out_channels: Sizes
    down_block_types: tuple[Literal["DownBlock2D", "AttnDownBlock2D"], ...]
    up_block_types: tuple[Literal["UpBlock2D", "AttnUpBlock2D"], ...]
    norm_num_groups: Size


@dataclass(frozen=True)
class ReportDDPMConfig(ScheduleConfig):
    """The report's noise schedule, and the arguments of its UNet2DModel."""

    architecture: Literal["report"] = "report"
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = "linear"
    prediction_type: Literal["epsilon", "v_prediction"] = "epsilon"
    unet: UNetArguments = field(default_factory=UNetArguments)


class ReportUNet(nn.Module):
    """diffusers' UNet2DModel with one linear layer of the labels added to the time embedding; predicts the noise."""

    def __init__(self, arguments: UNetArguments) -> None:
        from diffusers import UNet2DModel  # here: it takes much memory, and ours does without

        super().__init__()
        fixed: dict[str, Any] = {"sample_size": 64, "in_channels": 3, "out_channels": 3, "class_embed_type": "identity"}
        self.unet = UNet2DModel(**arguments, **fixed)
        self.unet.class_embedding = nn.Linear(len(OBJECTS), self.unet.config["block_out_channels"][0] * 4)

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """x_t (N, 3, 64, 64), timesteps (N,) and multi-hot labels (N, 24) to the noise (N, 3, 64, 64)."""
        x = x.contiguous(memory_format=torch.channels_last)
        return self.unet(x, timesteps, class_labels=labels, return_dict=False)[0]


class ReportDDPM(nn.Module):
    """The report's DDPM, as a checkpoint holds it: one network of the pixels."""

    kind = "ddpm"

    def __init__(self, config: ReportDDPMConfig) -> None:
        super().__init__()
        self.config = config
        self.report = ReportUNet(config.unet)

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """x_t (N, 3, 64, 64), timesteps (N,) and labels (N, 24) to the noise (N, 3, 64, 64)."""
        return self.report(x, timesteps, labels)

    def steps(self, requests: list[GenerationRequest], labels: torch.Tensor) -> Steps:
        """Denoises the requests' noise, with labels (N, 24)."""
        scheduler = make_scheduler(requests[0].sampler, self.config)
        set_steps(scheduler, requests[0].steps, power=1.0)
        x, generators = seeded_noise([request.seed for request in requests], (3, SIZE, SIZE))
        denoiser = denoiser_of(
            lambda x, timesteps: self(x, timesteps, labels), scheduler.alphas_cumprod, self.config.prediction_type
        )
        return denoise(lambda x, t: denoiser(x, t).clamp(-1, 1), scheduler, x.to(labels.device), generators)


@dataclass(frozen=True)
class ReportGANConfig:
    """The DCGAN pair's settings. The report draws its noise as randn - 1, hence `noise_mean`."""

    architecture: Literal["report"] = "report"
    noise: Size = 512
    noise_mean: Annotated[float, Field(ge=-16, le=16)] = -1.0
    label_width: Size = 512
    encoding: Literal["multi-hot", "index"] = "multi-hot"


def encoded(labels: torch.Tensor, config: ReportGANConfig) -> torch.Tensor:
    """Multi-hot labels (N, 24) as the network takes them."""
    return ENCODINGS[config.encoding](labels)


def report_weights(module: nn.Module) -> None:
    """DCGAN's initialisation: N(0, 0.02) for convolutions, N(1, 0.02) for batch normalisation."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class ReportGAN(nn.Module):
    """Label embedding beside the noise, then five transposed convolutions."""

    kind = "acgan"

    def __init__(self, config: ReportGANConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Sequential(nn.Linear(len(OBJECTS), config.label_width), nn.LeakyReLU(0.2))
        widths = (config.noise + config.label_width, 512, 256, 128, 64)
        layers: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            stride, padding = (1, 0) if place == 0 else (2, 1)
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)]
            layers += [nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())
        self.apply(report_weights)

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Standard normal noise (N, noise) and labels (N, 24) to pictures (N, 3, 64, 64) in [-1, 1]."""
        z = z + self.config.noise_mean
        return self.body(torch.cat([z, self.embed(encoded(labels, self.config))], dim=1)[:, :, None, None])

    def steps(self, requests: list[GenerationRequest], labels: torch.Tensor, walk: str, number: int) -> Steps:
        """The last `number` pictures of a walk through the requests' noise, with labels (N, 24), a pass each."""
        shapes = {"looks": (self.config.noise,)}
        paths = [walked(shapes, request, number, walk) for request in requests]
        for left, moment in zip(reversed(range(number)), zip(*paths, strict=True), strict=True):
            z = torch.stack([noise["looks"] for noise in moment])
            pictures = self(z.to(labels.device), labels)
            yield left, pictures, pictures


class ReportDiscriminator(nn.Module):
    """The label as a fourth plane, then five convolutions; returns the logit of "real" (the sigmoid is in the loss)."""

    def __init__(self, config: ReportGANConfig) -> None:
        super().__init__()
        self.config = config
        self.plane = nn.Sequential(nn.Linear(len(OBJECTS), SIZE * SIZE), nn.LeakyReLU(0.2))
        widths = (4, 64, 128, 256, 512)
        layers: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(outputs)] if place else []
            layers += [nn.LeakyReLU(0.2, inplace=True)]
        self.body = nn.Sequential(*layers, nn.Conv2d(512, 1, 4, 1, 0, bias=False))
        self.apply(report_weights)

    def forward(self, pixels: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Pictures (N, 3, 64, 64) and labels (N, 24) to logits (N,)."""
        plane = self.plane(encoded(labels, self.config)).view(-1, 1, SIZE, SIZE)
        return self.body(torch.cat([pixels, plane], dim=1)).flatten()


class CourseGenerator:
    """Draws with one of the report's networks, `chunk` pictures at a time.

    Its frames are the steps of the DDPM, of the sampler `sampler`, or of a walk `walk` through the noise of the ACGAN.
    `places` and seeds of sources of noise are an InputError: it places nothing, and all its noise is one.
    """

    sources = ()

    def __init__(self, network: ReportDDPM | ReportGAN, name: str, device: torch.device, chunk: int = 1) -> None:
        self.network = network.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
        self.config, self.kind = network.config, network.kind
        self.name, self.device, self.chunk = name, device, chunk

    def generate(
        self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS, *, sampler: str = "dpm", walk: str = "both",
        places: Mapping[Any, Any] | None = None, seeds: Mapping[str, int] | None = None,
    ) -> Generation:  # fmt: skip
        """Draws one picture with its whole timeline.

        Raises:
            InputError: a ValueError that names the culprit.
        """
        return self.generate_batch([labels], [seed], steps, sampler=sampler, walk=walk, **alone(places, seeds))[0]

    def stream(
        self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS, *, sampler: str = "dpm", walk: str = "both",
        places: Mapping[Any, Any] | None = None, seeds: Mapping[str, int] | None = None,
    ) -> Iterator[Frame]:  # fmt: skip
        """The frames of `generate`, each as soon as it is made; closing the iterator cancels the rest."""
        check_walk(walk)
        requests = requests_of(
            [labels], [seed], steps, sampler, sources=self.sources, places=[places], source_seeds=[seeds]
        )
        return (frame for (frame,) in self._frames(requests, walk))

    def generate_batch(
        self, labels_list: Sequence[Any], seeds: Sequence[int], steps: int = DEFAULT_STEPS, *,
        timeline: bool = True, sampler: str = "dpm", walk: str = "both", places: Each = None,
        source_seeds: Each = None,
    ) -> list[Generation]:  # fmt: skip
        """Draws one picture per pair of labels and seed; `timeline=False` keeps only the last frame of each."""
        return generations(
            lambda chunk: self._frames(chunk, walk, timeline),
            requests_of(
                labels_list, seeds, steps, sampler, sources=self.sources, places=places, source_seeds=source_seeds
            ),
            self.name,
            lambda request: request.steps if timeline or self.kind == "ddpm" else 1,
            self.chunk,
        )

    def places(
        self, labels_list: Sequence[Any], seeds: Sequence[int], places: Each = None, source_seeds: Each = None
    ) -> list[Places]:
        """No place of any picture."""
        each: dict[str, Any] = {"places": places, "source_seeds": source_seeds}
        return [Places() for _ in requests_of(labels_list, seeds, sources=self.sources, **each)]

    @torch.inference_mode()
    def _frames(self, requests: list[GenerationRequest], walk: str, timeline: bool = True) -> Iterator[list[Frame]]:
        """One frame of every picture at a time, or the last ones alone. All requests share steps and sampler."""
        labels = multi_hot(request.objects for request in requests).to(self.device)
        number = requests[0].steps
        if isinstance(self.network, ReportDDPM):
            steps, first = self.network.steps(requests, labels), 0
        else:
            first = 0 if timeline else number - 1
            steps = self.network.steps(requests, labels, walk, number - first)
        for index, (timestep, noisy, predicted) in enumerate(steps, start=first):
            if timeline or index == number - 1:
                pictures = zip(noisy.cpu(), predicted.cpu(), strict=True)
                yield [Frame(index, timestep, *picture) for picture in pictures]


def load_course(kind: str, folder: Path, device: str = "auto") -> CourseGenerator:
    """Loads a checkpoint folder of one of the report's networks, of the kind "ddpm" or "acgan"."""
    network: ReportDDPM | ReportGAN
    if kind == "ddpm":
        network = load_network(ReportDDPM, ReportDDPMConfig, folder, UNUSED)
    else:
        network = load_network(ReportGAN, ReportGANConfig, folder)
    return CourseGenerator(network, f"{kind}@{fingerprint(folder)}", pick_device(device))


def or_course(kind: str, load: Callable[..., Generator]) -> Callable[..., Generator]:
    """A loader of both: of the report's network of that kind where a folder holds one, else `load`, ours."""

    def loaded(path: str | Path | None = None, device: str = "auto") -> Generator:
        folder = folder_of(kind, path)
        if read_config(folder).get("model", {}).get("architecture") == "report":
            return load_course(kind, folder, device)
        return load(folder, device)

    return loaded
