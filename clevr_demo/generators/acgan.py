"""ACGAN: where the objects stand and what the picture looks like, each in one pass of a generator.

`Planner` turns noise and the set of ticked objects into their centres; `Painter` turns the centres, as attribute
maps, and more noise into pixels. Noise has four sources, each with a meaning of its own: "places", layout noise
(24, 8), an object's place; "looks", object noise (24, 8), its turn and its shade, spread over its spot; "light",
picture noise (8,); and "grain" (1, 64, 64), a number a pixel. All come from one CPU generator a seed, in this order,
so that an object more or less leaves the others' noise alone; a source with a seed of its own takes what that seed has
at its place. Training, with the discriminators, is in `train.acgan`.

One pass cannot be asked for what it was not trained for: where places are given, a planner that was not taught so
(`planner_given`) knows nothing of them. The objects that it places take further layout noise until they stand clear.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from clevr_demo.checkpoints import (
    LONGEST,
    Depth,
    Depths,
    Size,
    Sizes,
    fingerprint,
    folder_of,
    load_network,
    pick_device,
)
from clevr_demo.engine import NO_GRAPHS, Graphs, open_graphs, without_weights
from clevr_demo.generators.networks import SetTransformer, UNet
from clevr_demo.generators.protocol import Each, Frame, Generation, alone, generations, requests_of
from clevr_demo.generators.walk import Noise, check_walk, ends, walked
from clevr_demo.objects import ATTRIBUTES, OBJECTS, multi_hot
from clevr_demo.places import SIZE, Places, by_object, giving_way, ground, maps_of, spots
from clevr_demo.request import DEFAULT_STEPS, GenerationRequest

PATCH = 2  # pixels a cell, along one side: the painter works on space-to-depth pictures
IN_MIDDLE = 4.0  # pixels, see `places.ground`: some of the planner's middle objects stand so far off
CLASSES = len(OBJECTS)
CHANNELS = 3 * PATCH**2  # of a packed picture
GRAPHS = ("planner", "painter")
Number = Annotated[float, Field(allow_inf_nan=False)]
TRIES = 16  # layouts around given places, at most: the first that has room is taken


@dataclass(frozen=True)
class ACGANConfig:
    """Everything that loading an ACGAN takes; stored as "model" in config.json.

    The planner's transformers have `planner_layers` each; `planner_given` says whether it was taught to place objects
    around others whose places are given. `widths` and `blocks` are the painter's U-Net's. Noise is
    counted in numbers: `layout_noise` and `object_noise` an object, `picture_noise` a picture. `light_edge`, a number
    for each of a picture's, bounds that noise, see `mirrored`: beyond it the ground is smeared (`train.light` finds
    it). Empty for no such bound.
    """

    planner_width: Size = 96
    planner_layers: Depth = 2
    planner_heads: Size = 4
    planner_given: bool = False
    widths: Sizes = (48, 96, 192)
    blocks: Depths = (1, 2, 2)
    layout_noise: Annotated[int, Field(ge=2, le=1024)] = 8
    object_noise: Annotated[int, Field(ge=1, le=1024)] = 8
    picture_noise: Annotated[int, Field(ge=1, le=1024)] = 8
    light_edge: Annotated[tuple[Number, ...], Field(max_length=LONGEST)] = ()


class Planner(nn.Module):
    """Objects (N, K), -1 for none, and noise (N, K, n) to centres (N, K, 2) in pixels, equivariant over the set.

    The first half moves the objects from the noise's places to rough ones, the second sees where all of them came to
    stand and moves them apart. `mean` and `scale` are those of the training pictures' centres.
    """

    mean: torch.Tensor  # (2,) row and column in pixels
    scale: torch.Tensor

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        self.rough, self.fine = (
            SetTransformer(
                CLASSES,
                2,
                config.planner_width,
                config.planner_layers,
                config.planner_heads,
                extra=config.layout_noise,
                marks=config.planner_given,
            )  # fmt: skip
            for _ in range(2)
        )
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("scale", torch.ones(2))

    def forward(self, objects: torch.Tensor, noise: torch.Tensor, given: torch.Tensor | None = None) -> torch.Tensor:
        """With places that are `given` (N, K, 2) in pixels, nan for the others: those stay, in their noise's stead."""
        if given is None:
            given, marked = noise.new_full((), torch.nan), None
        else:
            marked = ~given[..., 0].isnan()
        free, fixed = given.isnan(), (given - self.mean) / self.scale
        places = torch.where(free, noise[..., :2], fixed)
        noise = torch.cat([places, noise[..., 2:]], dim=-1)
        for half in (self.rough, self.fine):
            places = places + half(objects, places, extra=noise, marked=marked) * free
        return torch.where(free, self.mean + self.scale * places, given)


class Painter(nn.Module):
    """Draws whole pictures, or windows of them, of objects at given places in one pass.

    `canvas` says what is to be drawn: for each cell the objects' spots, the attribute maps, row and column, and the
    ground, to which the U-Net's output is added: the training pictures' `mean` (3, 64, 64), which has a trace of their
    middle objects, or the `empty` scene, see `places.ground`. It may be cut; `forward` adds the noise and draws.
    """

    mean: torch.Tensor
    empty: torch.Tensor

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        inputs = ATTRIBUTES + 2 + CHANNELS + config.object_noise + config.picture_noise + PATCH**2
        self.unet = UNet(inputs, CHANNELS, config.widths, config.blocks)
        for name in ("mean", "empty"):
            self.register_buffer(name, torch.zeros(3, SIZE, SIZE))

    def canvas(self, centres: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(N, 49, 32, 32) for centres (N, 24, 2) in pixels and labels (N, 24)."""
        side = SIZE // PATCH
        found = spots(centres, labels, side)
        line = torch.linspace(-1, 1, side, device=centres.device).expand(len(centres), 1, side, side)
        beneath = F.pixel_unshuffle(ground(self.empty, self.mean, centres, labels, IN_MIDDLE), PATCH)
        return torch.cat([found, maps_of(found), line.mT, line, beneath], dim=1)

    def forward(
        self, canvas: torch.Tensor, objects: torch.Tensor, picture: torch.Tensor, grain: torch.Tensor
    ) -> torch.Tensor:
        """Canvas (N, 49, h, w) and noise of objects (N, 24, o), picture (N, p) and pixels (N, 1, 2h, 2w) to pixels
        (N, 3, 2h, 2w) in about [-1, 1]."""
        found, rest = canvas[:, :CLASSES], canvas[:, CLASSES:]
        spread = torch.einsum("nkhw,nkc->nchw", found, objects)
        light = picture[..., None, None].expand(-1, -1, *canvas.shape[2:])
        planes = torch.cat([rest, spread, light, F.pixel_unshuffle(grain, PATCH)], dim=1)
        drawn = self.unet(planes.contiguous(memory_format=torch.channels_last))
        return F.pixel_shuffle(rest[:, -CHANNELS:] + 0.5 * drawn, PATCH)


def mirrored(noise: torch.Tensor, edge: torch.Tensor) -> torch.Tensor:
    """Noise (N, n) of which what lies beyond a plane, where its product with `edge` (n,) is more than 1, is mirrored at
    the plane. It bounds noise in one direction alone, and so keeps more variety than the truncation trick (BigGAN,
    Brock et al. 2019, arXiv:1809.11096). An edge of zeros is none."""
    beyond = torch.relu(noise @ edge - 1)
    return noise - 2 * beyond[:, None] * edge / edge.square().sum().clamp(min=1e-9)


class ACGANNetwork(nn.Module):
    """Both generators, as a checkpoint holds them; where there are `graphs` of them, those run."""

    graphs: Graphs = NO_GRAPHS
    edge: torch.Tensor

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        self.config = config
        self.planner, self.painter = Planner(config), Painter(config)
        if len(config.light_edge) not in (0, config.picture_noise):
            raise ValueError(
                f"light_edge has {len(config.light_edge)} numbers, picture_noise is {config.picture_noise}"
            )
        edge = torch.tensor(config.light_edge or (0.0,) * config.picture_noise)
        self.register_buffer("edge", edge, persistent=False)

    @property
    def noise_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the noise of one picture, in the order in which it is drawn."""
        config = self.config
        return {
            "places": (CLASSES, config.layout_noise),
            "looks": (CLASSES, config.object_noise),
            "light": (config.picture_noise,),
            "grain": (1, SIZE, SIZE),
        }

    def paint(
        self, centres: torch.Tensor, labels: torch.Tensor, looks: torch.Tensor, light: torch.Tensor, grain: torch.Tensor
    ) -> torch.Tensor:
        """Pixels (N, 3, 64, 64) in [-1, 1] of centres (N, 24, 2) in pixels, labels (N, 24) and noise as it is drawn."""
        canvas = self.painter.canvas(centres, labels)
        return self.painter(canvas, looks, mirrored(light, self.edge), grain).clamp(-1, 1)

    def plan(self, request: GenerationRequest, layout: torch.Tensor) -> Places:
        """Where the objects of one picture will stand, given their layout noise (24, n)."""
        ticked = torch.tensor(request.objects, device=layout.device)
        given, nowhere = request.given if self.config.planner_given else {}, (torch.nan, torch.nan)
        told = {
            "objects": ticked[None],
            "noise": layout[ticked][None],
            "given": layout.new_tensor([given.get(index, nowhere) for index in request.objects])[None],
        }
        centres = self.graphs["planner"](**told) if self.graphs else self.planner(*told.values())
        return Places.of(request.objects, centres[0].cpu(), request.given)

    def draw(self, request: GenerationRequest, noise: Noise) -> tuple[torch.Tensor, Places]:
        """One picture (3, 64, 64) and where its objects are meant to stand."""
        places, device = self.plan(request, noise["places"]), noise["places"].device
        told = {name: noise[name][None] for name in ("looks", "light", "grain")}
        told |= {"centres": by_object([places]).to(device), "labels": multi_hot([request.objects]).to(device)}
        return (self.graphs["painter"] if self.graphs else self.paint)(**told)[0], places


class ACGANGenerator:
    """Draws with an ACGAN, in one pass. Make it with `clevr_demo.load("acgan")`.

    A GAN has no denoising timeline, so its `steps` frames are a walk through its noise that ends in the seed's own:
    they show how the same request looks from other noise, at one pass of the painter a frame. `walk` "places" moves
    through the layout noise alone, "looks" through the objects' and the picture's, "both" through all of it.
    """

    kind = "acgan"
    sources = ("places", "looks", "light", "grain")

    def __init__(self, network: ACGANNetwork, name: str, device: torch.device, graphs: Graphs = NO_GRAPHS) -> None:
        self.network = network.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
        self.config, self.name, self.device = network.config, name, device
        network.graphs = graphs
        if graphs:
            without_weights(network)

    def generate(
        self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS, *, walk: str = "both",
        places: Mapping[Any, Any] | None = None, seeds: Mapping[str, int] | None = None,
    ) -> Generation:  # fmt: skip
        """Draws one picture, and `steps` frames on the way to it.

        Args:
            labels: what `clevr_demo.objects.parse` takes: names, indices or a multi-hot vector.
            seed: 0 to 2^31 - 1.
            steps: 1 to 1,200 frames; the picture is the last one, whatever their number.
            walk: "both", "places" or "looks".
            places: {object: (row, column)} in pixels of the picture, of some or all objects; the others give way.
            seeds: {"places", "looks", "light" or "grain": seed} of the noise that is not to come from `seed`.

        Raises:
            InputError: a ValueError that names the culprit.
        """
        return self.generate_batch([labels], [seed], steps, walk=walk, **alone(places, seeds))[0]

    def stream(
        self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS, *, walk: str = "both",
        places: Mapping[Any, Any] | None = None, seeds: Mapping[str, int] | None = None,
    ) -> Iterator[Frame]:  # fmt: skip
        """The frames of `generate`, each as soon as it is made; closing the iterator cancels the rest."""
        check_walk(walk)
        return self._frames(requests_of([labels], [seed], steps, sources=self.sources, **alone(places, seeds))[0], walk)

    def generate_batch(
        self, labels_list: Sequence[Any], seeds: Sequence[int], steps: int = DEFAULT_STEPS, *,
        timeline: bool = True, walk: str = "both", places: Each = None, source_seeds: Each = None,
    ) -> list[Generation]:  # fmt: skip
        """Draws one picture per pair of labels and seed; `timeline=False` draws only the last frame of each.

        One at a time: in a batch of another size sums may round otherwise, and one picture fills a core anyway.
        """
        return generations(
            lambda chunk: ([frame] for frame in self._frames(chunk[0], walk, timeline)),
            requests_of(labels_list, seeds, steps, sources=self.sources, places=places, source_seeds=source_seeds),
            self.name,
            lambda request: request.steps if timeline else 1,
        )

    def places(
        self, labels_list: Sequence[Any], seeds: Sequence[int], places: Each = None, source_seeds: Each = None
    ) -> list[Places]:
        """Where the objects of each picture will stand, without drawing it."""
        each: dict[str, Any] = {"places": places, "source_seeds": source_seeds}
        with torch.inference_mode():
            return [
                self.network.plan(request, self._noise(request, 1, "both")[0]["places"])
                for request in requests_of(labels_list, seeds, sources=self.sources, **each)
            ]

    def _noise(self, request: GenerationRequest, steps: int, walk: str) -> list[Noise]:
        settled = {"places": self._layout(request)} if request.places else {}
        path = walked(self.network.noise_shapes, request, steps, walk, settled)
        return [{name: part.to(self.device) for name, part in noise.items()} for noise in path]

    def _layout(self, request: GenerationRequest) -> torch.Tensor:
        """Layout noise (24, n) from which the chosen objects stand clear of the given ones: the seed's own or, where
        they would not, what its generator has next."""
        shapes = self.network.noise_shapes
        own, _, generator = ends(shapes, request.seed_of("places"))
        more = (torch.randn(shapes["places"], generator=generator) for _ in range(TRIES - 1))
        tries = (
            (torch.tensor(self.network.plan(request, layout.to(self.device)).centres), layout)
            for layout in itertools.chain([own["places"]], more)
        )
        return giving_way(tries, torch.tensor([index in request.given for index in request.objects]))

    @torch.inference_mode()
    def _frames(self, request: GenerationRequest, walk: str, timeline: bool = True) -> Iterator[Frame]:
        path = self._noise(request, request.steps if timeline else 1, walk)
        for index, noise in enumerate(path, start=request.steps - len(path)):
            drawn, places = self.network.draw(request, noise)
            picture = drawn.cpu()
            yield Frame(index, request.steps - 1 - index, picture, picture, places, "what")


def load_acgan(path: str | Path | None = None, device: str = "auto") -> ACGANGenerator:
    """Loads an ACGAN checkpoint folder, by default the one that ships with the project."""
    folder = folder_of("acgan", path)
    place, name = pick_device(device), f"acgan@{fingerprint(folder)}"
    graphs = open_graphs(folder, GRAPHS, place)
    return ACGANGenerator(load_network(ACGANNetwork, ACGANConfig, folder), name, place, graphs)


@functools.cache
def noise_told(path: str | Path | None = None) -> dict[str, Any]:
    """What it takes to see the noise of one picture, for a checkpoint folder: its `shapes` by source, in the order in
    which it is drawn; the first two numbers of an object's layout noise, times `scale` and plus `mean`, are the row and
    column in pixels that the planner moves it from.

    Raises:
        CheckpointError: the folder holds no such ACGAN.
    """
    network = load_network(ACGANNetwork, ACGANConfig, folder_of("acgan", path))
    planner = network.planner
    shapes = {name: list(shape) for name, shape in network.noise_shapes.items()}
    return {"shapes": shapes, "mean": planner.mean.tolist(), "scale": planner.scale.tolist()}
