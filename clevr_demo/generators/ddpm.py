"""DDPM: first where, then what, both by denoising.

The planner denoises the centres of the ticked objects, a transformer over the set of them; the painter denoises the
pixels, a U-Net that is given attribute maps of those centres, clean. Splitting a scene so is what layout-to-image
generation does (Layout2Im, Zhao et al. 2019, arXiv:1811.11389). The painter works on space-to-depth pictures (2x2
pixels become 12 channels at 32x32), less the empty scene.

Samplers are diffusers' schedulers, one name each:

    dpm     DPM-Solver++ 2M (Lu et al. 2022, arXiv:2211.01095)
    unipc   UniPC, B2(h) (Zhao et al. 2023, arXiv:2302.04867)
    ddim    DDIM, eta 0 (Song et al. 2020, arXiv:2010.02502), which is DPM-Solver++ of order 1
    ddpm    ancestral sampling (Ho et al. 2020, arXiv:2006.11239); with 1,200 steps the exact loop of the report
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler
from torch import nn

from clevr_demo.checkpoints import configured, fingerprint, folder_of, load_network, pick_device, setting
from clevr_demo.generators.course import ReportUNet
from clevr_demo.generators.networks import SetTransformer, TimeEmbedding, UNet
from clevr_demo.generators.protocol import WHERE_FRAMES, Frame, Generation, Stopwatch, check_batch, seeded_noise
from clevr_demo.objects import ATTRIBUTES, OBJECTS, multi_hot
from clevr_demo.places import SIZE, Places, attribute_maps, by_object
from clevr_demo.request import DEFAULT_STEPS, MAX_STEPS, SAMPLERS, GenerationRequest

PATCH = 2  # pixels a side of a cell that space-to-depth makes channels of
CELLS = SIZE // PATCH
SPREAD = 0.5  # of pixels in [-1, 1] around the empty scene, by which they are divided
TIME_WIDTH = 256
PLANNER_STEPS, PLANNER_POWER = 12, 1.5  # as many as find the places; more move them no nearer to real ones
MANY = 16  # steps from which on the configured spacing does
TEACHER_STEPS = 20  # of the painter, that the distilled one takes several of at once
Denoiser = Callable[[torch.Tensor, int], torch.Tensor]
"""(x_t, timestep) to the estimate of x_0."""


@dataclass(frozen=True)
class DDPMConfig:
    """Everything that loading a DDPM takes; stored as config.json beside the weights.

    `architecture` "places" has a planner and a painter of the sizes given here; "report" is the course report's
    `UNet2DModel` with the arguments `unet`, no places and the labels as an embedding. `time_power` spaces the sampler's
    times: t falls as (1 - i / N)^power, so that the last steps are small and grain and edges are not averaged away; few
    steps need a higher power for that, see `painter_power`. `fast_steps` is the number of steps for which a checkpoint
    has a second painter, distilled from the first (`train.distil`); 0 for none.
    """

    architecture: Literal["places", "report"] = "places"
    planner_width: int = 128
    planner_layers: int = setting(4, 1, 64)
    widths: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = setting((1, 2, 2), 1, 64)
    timesteps: int = setting(1200, MAX_STEPS, 10_000)
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = "squaredcos_cap_v2"
    prediction_type: Literal["epsilon", "v_prediction"] = "v_prediction"
    time_power: float = setting(2.0, 0.1, 10)
    fast_steps: int = setting(0, 0, TEACHER_STEPS)
    unet: dict[str, Any] | None = None

    def schedule(self) -> dict[str, Any]:
        """The noise schedule's arguments, the same for every scheduler."""
        return {"num_train_timesteps": self.timesteps, "beta_schedule": self.beta_schedule}


class Planner(nn.Module):
    """Where: predicts v of the objects' centres. `mean` and `scale` (2,) standardise rows and columns in pixels."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, config: DDPMConfig) -> None:
        super().__init__()
        self.config = config
        self.time = TimeEmbedding(config.planner_width)
        self.set = SetTransformer(
            len(OBJECTS), 2, config.planner_width, config.planner_layers, condition=config.planner_width
        )
        self.register_buffer("mean", torch.tensor([28.0, 31.5]))
        self.register_buffer("scale", torch.tensor([10.0, 12.0]))

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, objects: torch.Tensor) -> torch.Tensor:
        """Noisy standardised centres (N, K, 2), timesteps (N,), objects (N, K), -1 for none, to v (N, K, 2)."""
        return self.set(objects, x, self.time((timesteps + 1) / self.config.timesteps))

    def standardised(self, centres: torch.Tensor) -> torch.Tensor:
        return (centres - self.mean) / self.scale

    def in_pixels(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.mean


class Painter(nn.Module):
    """What: predicts v of the packed pixels, given attribute maps. `empty` (3, 64, 64) is the empty scene."""

    empty: torch.Tensor

    def __init__(self, config: DDPMConfig) -> None:
        super().__init__()
        self.config = config
        channels = 3 * PATCH**2
        self.time = TimeEmbedding(TIME_WIDTH)
        self.unet = UNet(channels + ATTRIBUTES + 2, channels, config.widths, config.blocks, condition=TIME_WIDTH)
        self.register_buffer("empty", torch.zeros(3, SIZE, SIZE))

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """x_t (N, 12, S, S), timesteps (N,) and a condition (N, 13, S, S) to v (N, 12, S, S)."""
        times = self.time((timesteps + 1) / self.config.timesteps)
        x = torch.cat([x, condition.to(x.dtype)], dim=1).contiguous(memory_format=torch.channels_last)
        return self.unet(x, times)

    def compile(self, *arguments: Any, **named: Any) -> None:
        """torch.compile of the U-Net alone: on a CPU, a change of memory format inside the graph costs its speed."""
        self.unet.compile(*arguments, **named)

    def pack(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels (N, 3, 64, 64) in [-1, 1] to the state x_0 (N, 12, 32, 32)."""
        return F.pixel_unshuffle((pixels - self.empty) / SPREAD, PATCH)

    @property
    def black(self) -> torch.Tensor:
        """The state (1, 12, 32, 32) of the lowest pixels, -1."""
        return self.pack(torch.full_like(self.empty, -1.0)[None])

    def unpack(self, state: torch.Tensor) -> torch.Tensor:
        """The pixels (N, 3, 64, 64) of a state (N, 12, 32, 32)."""
        return F.pixel_shuffle(state, PATCH) * SPREAD + self.empty

    @staticmethod
    def condition(centres: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(N, 13, 32, 32): attribute maps of centres (N, 24, 2) and labels (N, 24), then each cell's row and column."""
        maps = attribute_maps(centres, labels, CELLS)
        line = torch.linspace(-1, 1, CELLS, device=maps.device).expand(len(maps), 1, CELLS, CELLS)
        return torch.cat([maps, line.mT, line], dim=1)


class DDPMNetwork(nn.Module):
    """Planner, painter and, where `fast_steps` says so, the distilled painter `fast`; or, of the architecture "report",
    the report's network alone."""

    def __init__(self, config: DDPMConfig) -> None:
        super().__init__()
        self.config = config
        if config.architecture not in ("places", "report"):
            raise ValueError(f"unknown architecture {config.architecture!r}; it is 'places' or 'report'")
        if config.architecture == "report":
            self.report = ReportUNet(config.unet or {})
        else:
            self.planner, self.painter = Planner(config), Painter(config)
            if config.fast_steps:
                self.fast = Painter(config)

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The report's network; planner and painter are called one by one."""
        return self.report(x, timesteps, labels)


def make_scheduler(sampler: str, config: DDPMConfig) -> Any:
    """diffusers' scheduler of that name, stepping with estimates of x_0."""
    schedule = config.schedule() | {"prediction_type": "sample"}
    if sampler in ("dpm", "ddim"):
        order = 2 if sampler == "dpm" else 1
        return DPMSolverMultistepScheduler(
            **schedule, algorithm_type="dpmsolver++", solver_order=order, final_sigmas_type="zero"
        )
    if sampler == "unipc":
        return UniPCMultistepScheduler(**schedule, solver_type="bh2", predict_x0=True, final_sigmas_type="zero")
    return DDPMScheduler(**schedule, clip_sample=False)


def spaced_timesteps(steps: int, total: int, power: float) -> torch.Tensor:
    """(steps,) whole timesteps: total (1 - i / steps)^power - 1, each at least one below the last."""
    left = torch.arange(steps, 0, -1)
    curve = (total * (left / steps).double() ** power - 1).round().long()
    return torch.maximum(curve, left - 1)


def painter_power(steps: int, config: DDPMConfig) -> float:
    """The power that spaces the painter's timesteps: the configured one from `MANY` steps on, up to 1.25 more for
    fewer, which makes the finest details of four and eight steps more real by a tenth and a third."""
    return config.time_power + 1.25 * max(0, MANY - steps) / MANY


def set_steps(scheduler: Any, steps: int, power: float) -> None:
    """Sets exactly `steps` timesteps, spaced by `power`. They stay on the CPU, so that reading one never waits for a
    GPU."""
    timesteps = spaced_timesteps(steps, scheduler.config.num_train_timesteps, power)
    if isinstance(scheduler, DDPMScheduler):
        scheduler.set_timesteps(timesteps=timesteps.tolist())
        return
    scheduler.set_timesteps(steps)
    alphas_cumprod = scheduler.alphas_cumprod[timesteps]
    scheduler.timesteps = timesteps
    scheduler.sigmas = torch.cat([((1 - alphas_cumprod) / alphas_cumprod).sqrt(), torch.zeros(1)])
    scheduler.num_inference_steps = steps


def fast_scheduler(config: DDPMConfig) -> Any:
    """The distilled painter's: DDIM at every fifth of the painter's twenty times, if it has four (`TEACHER_STEPS`)."""
    scheduler = make_scheduler("ddim", config)
    set_steps(scheduler, config.fast_steps, config.time_power)
    return scheduler


def estimate(x: torch.Tensor, output: torch.Tensor, alpha_cumprod: float, prediction_type: str) -> torch.Tensor:
    """x_0 from x_t and the network's output, v (Salimans & Ho 2022, arXiv:2202.00512) or noise;
    `alpha_cumprod` is that of x_t."""
    signal, spread = alpha_cumprod**0.5, (1 - alpha_cumprod) ** 0.5
    if prediction_type == "v_prediction":
        return signal * x - spread * output
    return (x - spread * output) / signal


def half_precision(device: torch.device) -> Any:
    """bf16 or fp16 on a GPU; full precision on a CPU, where a link's pixels should not depend on the processor."""
    if device.type != "cuda":
        return nullcontext()
    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast("cuda", torch.bfloat16 if bf16 else torch.float16)


def denoise(
    denoiser: Denoiser,
    scheduler: Any,
    x: torch.Tensor,
    generators: Sequence[torch.Generator],
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """(timestep, x_t, the estimate of x_0 at it) of every step of a scheduler whose steps are set."""
    ancestral: dict[str, Any] = {"generator": list(generators)} if isinstance(scheduler, DDPMScheduler) else {}
    for timestep in scheduler.timesteps:
        predicted = denoiser(x, int(timestep))
        yield int(timestep), x, predicted
        x = scheduler.step(predicted, timestep, x, **ancestral).prev_sample


def painter_denoiser(
    painter: Painter, condition: torch.Tensor, alphas_cumprod: torch.Tensor, black: torch.Tensor | None = None
) -> Denoiser:
    """The painter's estimate of x_0 from its condition (N, 13, 32, 32) and alphas_cumprod (timesteps,). With `black`,
    the state of the lowest pixels, the estimate stays within the range of pixels."""

    def denoiser(x: torch.Tensor, timestep: int) -> torch.Tensor:
        with half_precision(x.device):
            output = painter(x, torch.full((len(x),), timestep, device=x.device), condition).float()
        found = estimate(x, output, float(alphas_cumprod[timestep]), painter.config.prediction_type)
        return found if black is None else found.clamp(black, black + 2 / SPREAD)

    return denoiser


@dataclass(frozen=True)
class _Step:
    """One step of a batch: x_t and the estimate of x_0, (N, 3, 64, 64), still on the device."""

    timestep: int
    noisy: torch.Tensor
    predicted: torch.Tensor


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
        self._alphas_cumprod: torch.Tensor = make_scheduler("ddpm", self.config).alphas_cumprod

    def generate(self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS, *, sampler: str = "dpm") -> Generation:
        """Draws one picture with its whole timeline: `WHERE_FRAMES` frames of the places, then one a step.

        Args:
            labels: what `clevr_demo.objects.parse` takes: names, indices or a multi-hot vector.
            seed: 0 to 2^31 - 1.
            steps: 1 to 1,200, each one evaluation of the painter.
            sampler: "dpm", "unipc", "ddim" or "ddpm".

        Raises:
            InputError: a ValueError that names the culprit.
        """
        return self.generate_batch([labels], [seed], steps, sampler=sampler)[0]

    def stream(
        self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS, *, sampler: str = "dpm"
    ) -> Iterator[Frame]:
        """The frames of `generate`, each as soon as it is made; closing the iterator cancels the rest."""
        request = GenerationRequest.of(labels, seed, steps, sampler)
        return self._stream(request)

    def places(self, labels_list: Sequence[Any], seeds: Sequence[int]) -> list[Places]:
        """Where the objects of each picture will stand, without drawing it; the same as in its frames."""
        check_batch(labels_list, seeds)
        requests = [GenerationRequest.of(labels, seed) for labels, seed in zip(labels_list, seeds, strict=True)]
        return [path[-1] for path in self._plan(requests)]

    def generate_batch(
        self,
        labels_list: Sequence[Any],
        seeds: Sequence[int],
        steps: int = DEFAULT_STEPS,
        *,
        sampler: str = "dpm",
        timeline: bool = True,
    ) -> list[Generation]:
        """Draws one picture per pair of labels and seed; `timeline=False` keeps only the last frame of each.

        `seconds` of each is its share of the batch's time.
        """
        check_batch(labels_list, seeds)
        requests = [
            GenerationRequest.of(labels, seed, steps, sampler) for labels, seed in zip(labels_list, seeds, strict=True)
        ]
        done: list[Generation] = []
        for begin in range(0, len(requests), self.chunk):
            done += self._generate(requests[begin : begin + self.chunk], timeline)
        return done

    def _generate(self, requests: list[GenerationRequest], timeline: bool) -> list[Generation]:
        watch = Stopwatch()
        paths = self._plan(requests)
        first = WHERE_FRAMES if paths[0] else 0
        frames = [self._where(path) if timeline else [] for path in paths]
        ends = [path[-1] if path else Places() for path in paths]
        for index, step in enumerate(self._paint(requests, ends), start=first):
            if timeline or index == first + requests[0].steps - 1:
                for row, pictures in enumerate(zip(step.noisy.cpu(), step.predicted.cpu(), strict=True)):
                    frames[row].append(Frame(index, step.timestep, *pictures, ends[row], "what"))
        seconds = watch.seconds / len(requests)
        return [
            Generation(tuple(timeline_of), request, self.name, seconds, request.steps)
            for timeline_of, request in zip(frames, requests, strict=True)
        ]

    def _stream(self, request: GenerationRequest) -> Iterator[Frame]:
        path = self._plan([request])[0]
        yield from self._where(path)
        end, first = (path[-1], WHERE_FRAMES) if path else (Places(), 0)
        for index, step in enumerate(self._paint([request], [end]), start=first):
            yield Frame(index, step.timestep, step.noisy[0].cpu(), step.predicted[0].cpu(), end, "what")

    # where --------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _plan(self, requests: list[GenerationRequest]) -> list[list[Places]]:
        """The way of each picture's places from noise to where they stay, `WHERE_FRAMES` of them; the report's
        network has none."""
        if self.config.architecture == "report":
            return [[] for _ in requests]
        most = max(len(request.objects) for request in requests)
        objects = torch.full((len(requests), most), -1)
        x = torch.zeros(len(requests), most, 2)
        for row, request in enumerate(requests):
            objects[row, : len(request.objects)] = torch.tensor(request.objects)
            x[row, : len(request.objects)] = place_noise(request.seed)[list(request.objects)]
        steps = list(self._planned(x.to(self.device), objects.to(self.device)))
        shown = torch.linspace(0, len(steps) - 1, WHERE_FRAMES).round().long().tolist()
        return [
            [Places.of(request.objects, steps[number][row, : len(request.objects)]) for number in shown]
            for row, request in enumerate(requests)
        ]

    def _planned(self, x: torch.Tensor, objects: torch.Tensor) -> Iterator[torch.Tensor]:
        """Centres (N, K, 2) in pixels on the CPU before each step of the planner, and after the last one."""
        planner = self.network.planner
        scheduler = make_scheduler("dpm", self.config)
        set_steps(scheduler, PLANNER_STEPS, PLANNER_POWER)

        def denoiser(x: torch.Tensor, timestep: int) -> torch.Tensor:
            output = planner(x, torch.full((len(x),), timestep, device=x.device), objects)
            return estimate(x, output, float(scheduler.alphas_cumprod[timestep]), "v_prediction")

        last = x
        for _, noisy, predicted in denoise(denoiser, scheduler, x, []):
            yield planner.in_pixels(noisy).clamp(0, SIZE - 1).cpu()
            last = predicted
        yield planner.in_pixels(last).clamp(0, SIZE - 1).cpu()

    def _where(self, path: list[Places]) -> list[Frame]:
        """Frames of the first stage: the empty scene, with the places on their way."""
        if not path:
            return []
        empty = self.network.painter.empty.cpu()
        return [Frame(index, len(path) - index, empty, empty, places, "where") for index, places in enumerate(path)]

    # what ---------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _paint(self, requests: list[GenerationRequest], places: list[Places]) -> Iterator[_Step]:
        """One step of all pictures at a time. All requests share steps and sampler."""
        report = self.config.architecture == "report"
        steps = requests[0].steps
        if fast := self.is_fast(requests[0]):
            scheduler = fast_scheduler(self.config)
        else:
            scheduler = make_scheduler(requests[0].sampler, self.config)
            set_steps(scheduler, steps, 1.0 if report else painter_power(steps, self.config))
        pixels, generators = seeded_noise([request.seed for request in requests], (3, SIZE, SIZE))
        labels = multi_hot(request.objects for request in requests).to(self.device)
        denoiser, unpack = self._reporter(labels) if report else self._painter(labels, places, fast)
        x = pixels.to(self.device) if report else F.pixel_unshuffle(pixels.to(self.device), PATCH)
        for timestep, noisy, predicted in denoise(denoiser, scheduler, x, generators):
            yield _Step(timestep, unpack(noisy), unpack(predicted).clamp(-1, 1))

    def is_fast(self, request: GenerationRequest) -> bool:
        """Whether the distilled painter draws a request: one of its number of steps, with the default sampler."""
        has_one = self.config.architecture != "report"
        return has_one and request.steps == self.config.fast_steps and request.sampler == SAMPLERS[0]

    def _painter(
        self, labels: torch.Tensor, places: list[Places], fast: bool
    ) -> tuple[Denoiser, Callable[..., torch.Tensor]]:
        painter = self.network.fast if fast else self.network.painter
        condition = painter.condition(by_object(places).to(self.device), labels)
        return painter_denoiser(
            painter, condition, self._alphas_cumprod, None if fast else painter.black
        ), painter.unpack

    def _reporter(self, labels: torch.Tensor) -> tuple[Denoiser, Callable[..., torch.Tensor]]:
        def denoiser(x: torch.Tensor, timestep: int) -> torch.Tensor:
            with half_precision(x.device):
                output = self.network.report(x, torch.full((len(x),), timestep, device=x.device), labels).float()
            return estimate(x, output, float(self._alphas_cumprod[timestep]), self.config.prediction_type).clamp(-1, 1)

        return denoiser, lambda x: x


def place_noise(seed: int) -> torch.Tensor:
    """(24, 2) standard normal noise of a seed's places, a row an object, so that another object ticked leaves the
    others' as they were; drawn apart from the pixels' noise."""
    generator = torch.Generator().manual_seed(seed)
    torch.randn(3, SIZE, SIZE, generator=generator)
    return torch.randn(len(OBJECTS), 2, generator=generator)


def load_ddpm(path: str | Path | None = None, device: str = "auto") -> DiffusionGenerator:
    """Loads a DDPM checkpoint folder, by default the one that ships with the project."""
    folder = folder_of("ddpm", path)
    config = configured(DDPMConfig, folder)
    network = load_network(lambda: DDPMNetwork(config), folder)
    return DiffusionGenerator(network, f"ddpm@{fingerprint(folder)}", pick_device(device))
