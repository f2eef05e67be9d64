"""DDPM: first where, then what, both by denoising.

The planner denoises the centres of the ticked objects, a transformer over the set of them; the painter denoises the
pixels, a U-Net that also sees attribute maps of those centres, clean. Splitting a scene so is what layout-to-image
generation does (Layout2Im, Zhao et al. 2019, arXiv:1811.11389). The painter works on space-to-depth pictures (2x2
pixels become 12 channels at 32x32), less the empty scene. How both are sampled is in `sampling`.

Where places are given, the planner denoises the others around them, which it need not have been trained for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from clevr_demo.checkpoints import (
    Depth,
    Depths,
    Size,
    Sizes,
    configured,
    fingerprint,
    folder_of,
    load_network,
    pick_device,
)
from clevr_demo.engine import NO_GRAPHS, Graph, Graphs, open_graphs, without_weights
from clevr_demo.generators.networks import SetTransformer, TimeEmbedding, UNet
from clevr_demo.generators.protocol import (
    WHERE_FRAMES,
    Each,
    Frame,
    Generation,
    alone,
    generations,
    requests_of,
    seeded_noise,
)
from clevr_demo.generators.sampling import (
    Denoiser,
    ScheduleConfig,
    TabledScheduler,
    denoise,
    denoise_around,
    denoiser_of,
    estimate,
    level,
    make_scheduler,
    set_steps,
    times_of,
)
from clevr_demo.objects import ATTRIBUTES, OBJECTS, multi_hot
from clevr_demo.places import SIZE, Places, attribute_maps, by_object, giving_way
from clevr_demo.request import DEFAULT_STEPS, SAMPLERS, GenerationRequest

PATCH = 2  # pixels a side of a cell that space-to-depth makes channels of
CELLS = SIZE // PATCH
SPREAD = 0.5  # of pixels in [-1, 1] around the empty scene, by which they are divided
TIME_WIDTH = 256
PLANNER_STEPS, PLANNER_POWER = 12, 1.5  # as many as find the places; more move them no nearer to real ones
# Around one or two given places, 11 % of sets of 2 to 6 objects have a pair too near at the first try, 2 % at the last.
RESAMPLINGS, TRIES = 2, 4
MANY = 16  # steps from which on the configured spacing does
TEACHER_STEPS = 20  # of the painter, that the distilled one takes several of at once


@dataclass(frozen=True)
class DDPMConfig(ScheduleConfig):
    """Everything that loading a DDPM takes; stored as "model" in config.json.

    `time_power` spaces the sampler's times: t falls as (1 - i / N)^power, so that the last steps are small and grain
    and edges are not averaged away; few steps need a higher power for that, see `painter_power`. `fast_steps` is the
    number of steps for which a checkpoint has a second painter, distilled from the first (`train.distil`); 0 for none.
    `planner_given` says whether the planner was taught to place objects around others whose places are given.
    `architecture` and `unet` tell the folders of the course report's network apart, see `course`.
    """

    architecture: Literal["places"] = "places"
    planner_width: Size = 128
    planner_layers: Depth = 4
    planner_given: bool = False
    widths: Sizes = (48, 96, 192)
    blocks: Depths = (1, 2, 2)
    time_power: Annotated[float, Field(ge=0.1, le=10)] = 2.0
    fast_steps: Annotated[int, Field(ge=0, le=TEACHER_STEPS)] = 0
    unet: None = None


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
        """Noisy standardised centres (N, K, 2), timesteps (N,), or (N, K) of each, -1 for no noise, and objects (N, K),
        -1 for none, to v (N, K, 2)."""
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
    """Planner, painter and, where `fast_steps` says so, the distilled painter `fast`."""

    def __init__(self, config: DDPMConfig) -> None:
        super().__init__()
        self.config = config
        self.planner, self.painter = Planner(config), Painter(config)
        if config.fast_steps:
            self.fast = Painter(config)


def graph_names(config: DDPMConfig) -> tuple[str, ...]:
    """Of the networks' steps, as graphs."""
    return ("planner", "painter", "fast") if config.fast_steps else ("planner", "painter")


def painter_power(steps: int, config: DDPMConfig) -> float:
    """The power that spaces the painter's timesteps: the configured one from `MANY` steps on, up to 1.25 more for
    fewer, which spends few steps on the little noise at which edges and grain are decided."""
    return config.time_power + 1.25 * max(0, MANY - steps) / MANY


def planner_scheduler(config: DDPMConfig) -> Any:
    scheduler = make_scheduler("dpm", config)
    set_steps(scheduler, PLANNER_STEPS, PLANNER_POWER)
    return scheduler


def painter_scheduler(sampler: str, steps: int, config: DDPMConfig) -> Any:
    scheduler = make_scheduler(sampler, config)
    set_steps(scheduler, steps, painter_power(steps, config))
    return scheduler


def fast_scheduler(config: DDPMConfig) -> Any:
    """The distilled painter's: DDIM at every fifth of the painter's twenty times, if it has four (`TEACHER_STEPS`)."""
    scheduler = make_scheduler("ddim", config)
    set_steps(scheduler, config.fast_steps, config.time_power)
    return scheduler


def planner_denoiser(
    planner: Planner, objects: torch.Tensor, alphas_cumprod: torch.Tensor, given: torch.Tensor | None = None
) -> Denoiser:
    """The planner's estimate of clean standardised centres (N, K, 2) of objects (N, K). Those that are `given`
    (N, K, 2), nan for the others, stay where they are, and the planner is told that they are without noise."""

    def denoiser(x: torch.Tensor, timestep: Any) -> torch.Tensor:
        times = times_of(timestep, x)
        if given is not None:
            x = torch.where(given.isnan(), x, given)
            times = torch.where(given.isnan()[..., 0], times.unsqueeze(1), -1)
        predicted = estimate(x, planner(x, times, objects), level(alphas_cumprod, timestep), "v_prediction")
        return predicted if given is None else torch.where(given.isnan(), predicted, given)

    return denoiser


def painter_denoiser(
    painter: Painter, condition: torch.Tensor, alphas_cumprod: torch.Tensor, black: torch.Tensor | None = None
) -> Denoiser:
    """The painter's estimate of x_0 from its condition (N, 13, S, S) and alphas_cumprod (timesteps,). With `black`, the
    state of the lowest pixels, the estimate stays within the range of pixels."""
    kind = painter.config.prediction_type
    denoiser = denoiser_of(lambda x, timesteps: painter(x, timesteps, condition), alphas_cumprod, kind)
    return denoiser if black is None else lambda x, timestep: denoiser(x, timestep).clamp(black, black + 2 / SPREAD)


def graph_denoiser(graph: Graph, **told: torch.Tensor) -> Denoiser:
    """The estimate of x_0 by a step that is a graph, with what it is told besides."""
    return lambda x, timestep: graph(x=x, timestep=times_of(timestep, x), **told)


class DiffusionGenerator:
    """Draws with a DDPM. Make it with `clevr_demo.load("ddpm")`.

    `chunk` pictures go through the network at a time. One at a time keeps a picture's pixels independent of its
    batch to the last bit, since kernels round differently at different batch sizes. With `graphs`, those run the
    networks, of which only the buffers are left.
    """

    kind = "ddpm"
    sources = ("places", "pixels")

    def __init__(
        self, network: DDPMNetwork, name: str, device: torch.device, chunk: int = 1, graphs: Graphs = NO_GRAPHS
    ) -> None:
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.eval().requires_grad_(False)
        self.config, self.name, self.device, self.chunk = network.config, name, device, chunk
        self.graphs = graphs
        if graphs:
            without_weights(network)

    def generate(
        self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS, *, sampler: str = "dpm",
        places: Mapping[Any, Any] | None = None, seeds: Mapping[str, int] | None = None,
    ) -> Generation:  # fmt: skip
        """Draws one picture with its whole timeline: `WHERE_FRAMES` frames of the places, then one a step.

        Args:
            labels: what `clevr_demo.objects.parse` takes: names, indices or a multi-hot vector.
            seed: 0 to 2^31 - 1.
            steps: 1 to 1,200, each one evaluation of the painter.
            sampler: "dpm", "unipc", "ddim" or "ddpm".
            places: {object: (row, column)} in pixels of the picture, of some or all objects; the others are placed
                around them.
            seeds: {"places" or "pixels": seed} of the noise that is not to come from `seed`.

        Raises:
            InputError: a ValueError that names the culprit.
        """
        return self.generate_batch([labels], [seed], steps, sampler=sampler, **alone(places, seeds))[0]

    def stream(
        self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS, *, sampler: str = "dpm",
        places: Mapping[Any, Any] | None = None, seeds: Mapping[str, int] | None = None,
    ) -> Iterator[Frame]:  # fmt: skip
        """The frames of `generate`, each as soon as it is made; closing the iterator cancels the rest."""
        requests = requests_of([labels], [seed], steps, sampler, sources=self.sources, **alone(places, seeds))
        return (frames[0] for frames in self._frames(requests))

    def places(
        self, labels_list: Sequence[Any], seeds: Sequence[int], places: Each = None, source_seeds: Each = None
    ) -> list[Places]:
        """Where the objects of each picture will stand, without drawing it; the same as in its frames."""
        each: dict[str, Any] = {"places": places, "source_seeds": source_seeds}
        return self._plan(requests_of(labels_list, seeds, sources=self.sources, **each))[-1]

    def generate_batch(
        self, labels_list: Sequence[Any], seeds: Sequence[int], steps: int = DEFAULT_STEPS, *,
        sampler: str = "dpm", timeline: bool = True, places: Each = None, source_seeds: Each = None,
    ) -> list[Generation]:  # fmt: skip
        """Draws one picture per pair of labels and seed; `timeline=False` keeps only the last frame of each.

        `seconds` of each is its share of the time of its chunk.
        """
        return generations(
            lambda chunk: self._frames(chunk, timeline),
            requests_of(
                labels_list, seeds, steps, sampler, sources=self.sources, places=places, source_seeds=source_seeds
            ),
            self.name,
            lambda request: request.steps,
            self.chunk,
        )

    def _frames(self, requests: list[GenerationRequest], timeline: bool = True) -> Iterator[list[Frame]]:
        """One frame of every picture at a time, or the last ones alone. All requests share steps and sampler."""
        path = self._plan(requests)
        if timeline:
            empty = self.network.painter.empty.cpu()
            for index, moment in enumerate(path):
                yield [Frame(index, len(path) - index, empty, empty, places, "where") for places in moment]
        last = len(path) + requests[0].steps - 1
        for index, (timestep, noisy, predicted) in enumerate(self._paint(requests, path[-1]), start=len(path)):
            if timeline or index == last:
                pictures = zip(noisy.cpu(), predicted.cpu(), path[-1], strict=True)
                yield [Frame(index, timestep, *picture, "what") for picture in pictures]

    # where --------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _plan(self, requests: list[GenerationRequest]) -> list[list[Places]]:
        """The pictures' places at `WHERE_FRAMES` moments on their way from noise to where they stay."""
        chosen = [request for request in requests if not request.places]
        together = [[request] for request in chosen] if self.graphs else [chosen]  # a graph rounds by what is beside
        free = (centres for some in together for centres in self._free(some))
        steps = [self._around(request) if request.places else next(free) for request in requests]
        shown = torch.linspace(0, PLANNER_STEPS, WHERE_FRAMES).round().long().tolist()
        return [
            [
                Places.of(request.objects, centres[number], request.given)
                for request, centres in zip(requests, steps, strict=True)
            ]
            for number in shown
        ]

    def _free(self, requests: list[GenerationRequest]) -> Iterator[list[torch.Tensor]]:
        """For each request the centres (K, 2) in pixels of its objects before each step of the planner, and after the
        last one."""
        most = max((len(request.objects) for request in requests), default=0)
        objects = torch.full((len(requests), most), -1)
        x = torch.zeros(len(requests), most, 2)
        for row, request in enumerate(requests):
            objects[row, : len(request.objects)] = torch.tensor(request.objects)
            x[row, : len(request.objects)] = place_noise(request.seed_of("places"))[list(request.objects)]
        scheduler, denoiser = self._planning(objects.to(self.device))
        steps = self._moments(denoise(denoiser, scheduler, x.to(self.device), [])) if requests else []
        for row, request in enumerate(requests):
            yield [centres[row, : len(request.objects)] for centres in steps]

    def _around(self, request: GenerationRequest) -> list[torch.Tensor]:
        """The same for one request, around the places that it gives: of a few tries the first in which the objects keep
        off each other."""
        objects = torch.tensor([request.objects])
        fixed = torch.tensor([index in request.given for index in request.objects])
        wanted = torch.tensor([request.given.get(index, (0.0, 0.0)) for index in request.objects])
        if fixed.all():
            return [wanted] * (PLANNER_STEPS + 1)
        known = self.network.planner.standardised(wanted.to(self.device))[None]
        generator = place_generator(request.seed_of("places"))

        def noise() -> torch.Tensor:
            return torch.randn(len(OBJECTS), 2, generator=generator)[objects].to(self.device)

        def tries() -> Iterator[tuple[torch.Tensor, list[torch.Tensor]]]:
            mask = fixed[None, :, None].to(self.device)
            given = torch.where(mask, wanted.to(self.device), torch.nan) if self.config.planner_given else None
            for _ in range(TRIES):
                scheduler, denoiser = self._planning(objects.to(self.device), given)
                if given is None:
                    scheduler = planner_scheduler(self.config)
                    steps = denoise_around(denoiser, scheduler, noise(), known, mask, noise, RESAMPLINGS)
                else:
                    steps = denoise(denoiser, scheduler, noise(), [])
                centres = [torch.where(fixed[:, None], wanted, moment[0]) for moment in self._moments(steps)]
                yield centres[-1], centres

        return giving_way(tries(), fixed)

    def _planning(self, objects: torch.Tensor, given: torch.Tensor | None = None) -> tuple[Any, Denoiser]:
        """The planner's scheduler, and its estimate of the standardised centres (N, K, 2) of objects (N, K) beside
        those that are `given` (N, K, 2) in pixels, nan for the others."""
        scheduler, planner = self._scheduler("planner", PLANNER_STEPS), self.network.planner
        if self.graphs:
            told = torch.full((*objects.shape, 2), torch.nan) if given is None else given
            return scheduler, graph_denoiser(self.graphs["planner"], objects=objects, given=told)
        known = None if given is None else planner.standardised(given)
        return scheduler, planner_denoiser(planner, objects, scheduler.alphas_cumprod, known)

    def _moments(self, steps: Iterator[tuple[int, torch.Tensor, torch.Tensor]]) -> list[torch.Tensor]:
        """Centres (N, K, 2) in pixels on the CPU before each step, and after the last one."""
        found = list(steps)
        states = [*(noisy for _, noisy, _ in found), found[-1][2]]
        return [self.network.planner.in_pixels(x).clamp(0, SIZE - 1).cpu() for x in states]

    # what ---------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _paint(
        self, requests: list[GenerationRequest], places: list[Places]
    ) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        """(timestep, x_t, the estimate of x_0) of every step, both pictures (N, 3, 64, 64) on the device."""
        fast = self.is_fast(requests[0])
        name, steps = "fast" if fast else "painter", requests[0].steps
        scheduler = self._scheduler(name, steps, requests[0].sampler)
        pixels, generators = seeded_noise([request.seed_of("pixels") for request in requests], (3, SIZE, SIZE))
        labels = multi_hot(request.objects for request in requests).to(self.device)
        painter, centres = getattr(self.network, name), by_object(places).to(self.device)
        if self.graphs:
            denoiser = graph_denoiser(self.graphs[name], centres=centres, labels=labels)
        else:
            black = None if fast else painter.black()
            denoiser = painter_denoiser(painter, painter.condition(centres, labels), scheduler.alphas_cumprod, black)
        x = F.pixel_unshuffle(pixels.to(self.device), PATCH)
        for timestep, noisy, predicted in denoise(denoiser, scheduler, x, generators):
            yield timestep, painter.unpack(noisy), painter.unpack(predicted).clamp(-1, 1)

    def _scheduler(self, name: str, steps: int, sampler: str = SAMPLERS[0]) -> Any:
        """What steps a network: the table of its graph, where there is one with that number of steps."""
        if self.graphs and sampler == SAMPLERS[0] and (rows := self.graphs[name].steps(steps)):
            return TabledScheduler(rows)
        if name == "planner":
            return planner_scheduler(self.config)
        return fast_scheduler(self.config) if name == "fast" else painter_scheduler(sampler, steps, self.config)

    def is_fast(self, request: GenerationRequest) -> bool:
        """Whether the distilled painter draws a request: one of its number of steps, with the default sampler."""
        return request.steps == self.config.fast_steps and request.sampler == SAMPLERS[0]


def place_generator(seed: int) -> torch.Generator:
    """What draws the noise of a seed's places, behind the pixels' noise."""
    generator = torch.Generator().manual_seed(seed)
    torch.randn(3, SIZE, SIZE, generator=generator)
    return generator


def place_noise(seed: int) -> torch.Tensor:
    """(24, 2) standard normal noise of a seed's places, a row an object, so that another object ticked leaves the
    others' as they were."""
    return torch.randn(len(OBJECTS), 2, generator=place_generator(seed))


def load_ddpm(path: str | Path | None = None, device: str = "auto") -> DiffusionGenerator:
    """Loads a DDPM checkpoint folder, by default the one that ships with the project."""
    folder = folder_of("ddpm", path)
    place, name = pick_device(device), f"ddpm@{fingerprint(folder)}"
    graphs = open_graphs(folder, graph_names(configured(DDPMConfig, folder)), place)
    return DiffusionGenerator(load_network(DDPMNetwork, DDPMConfig, folder), name, place, graphs=graphs)
