"""What every generator is: the `Generator` protocol, a `Frame` of its timeline and a finished `Generation`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import torch
from PIL import Image

from clevr_demo.objects import InputError
from clevr_demo.pictures import to_image
from clevr_demo.places import Places
from clevr_demo.request import DEFAULT_STEPS, GenerationRequest

WHERE_FRAMES = 8
"""How many frames of a DDPM's timeline show its places on their way, before the pixels'."""


@dataclass(frozen=True)
class Frame:
    """One step of a picture's making, index from 0.

    `noisy_pixels` is x_t before the step, `predicted_pixels` the model's estimate of x_0 at it, both (3, 64, 64) on
    the CPU in [-1, 1] (x_t may lie outside); `noisy` and `predicted` are the same as pictures. For the ACGAN, which
    has no noise to remove, both show the picture at that point of the latent path and `timestep` counts down to 0.
    `places` is where the model means the objects to stand at that moment. In the stage "where" they still move and
    both pictures are the empty scene; in the stage "what" the pixels come.
    """

    index: int
    timestep: int
    noisy_pixels: torch.Tensor
    predicted_pixels: torch.Tensor
    places: Places = Places()
    stage: str = "what"

    @cached_property
    def noisy(self) -> Image.Image:
        return to_image(self.noisy_pixels)

    @cached_property
    def predicted(self) -> Image.Image:
        return to_image(self.predicted_pixels)


@dataclass(frozen=True)
class Generation:
    """A finished picture: its timeline, what was asked, which weights drew it, and what it cost."""

    frames: tuple[Frame, ...]
    request: GenerationRequest
    model: str  # name@fingerprint
    seconds: float  # of this picture: its share of its batch's time
    evaluations: int  # passes through the network of the pixels

    @property
    def image(self) -> Image.Image:
        return self.frames[-1].predicted

    @property
    def places(self) -> Places:
        """Where the model meant each object to stand, and which of these places the request gave."""
        return self.frames[-1].places


class Generator(Protocol):
    """What `clevr_demo.load` returns, and all that the app, the measures and the tests ask of a model.

    Every method takes labels, seed and steps, and the model's own settings as keyword arguments with defaults (see
    `clevr_demo.models.Model.settings`). A picture's timeline has `steps` frames of the stage "what", the last of which
    is the picture; there may be others of the stage "where" before them.

    A model that has sources of noise (see `clevr_demo.models.Model.sources`) also takes `places`, a mapping of some or
    all of the objects to (row, column) in pixels, and `seeds`, one of sources of noise to their seeds; `generate_batch`
    and `places` take a list of `places` and of `source_seeds`, a mapping or None a picture.
    """

    @property
    def name(self) -> str:
        """The model's kind and the fingerprint of its weights, "ddpm@1a2b3c4d"."""
        ...

    @property
    def kind(self) -> str: ...

    @property
    def device(self) -> torch.device: ...

    def generate(self, *arguments: Any, **settings: Any) -> Generation:
        """(labels, seed, steps, **settings): a picture with its whole timeline."""
        ...

    def stream(self, labels: Any, /, *arguments: Any, **settings: Any) -> Iterator[Frame]:
        """(labels, seed, steps, **settings): the frames of `generate` as they are made; closing it cancels the rest."""
        ...

    def generate_batch(self, labels_list: Sequence[Any], /, *arguments: Any, **settings: Any) -> list[Generation]:
        """(labels_list, seeds, steps, timeline=True, **settings): a picture a pair of labels and seed; without its
        timeline, only the last frame of each."""
        ...

    def places(self, labels_list: Sequence[Any], /, *arguments: Any, **settings: Any) -> list[Places]:
        """(labels_list, seeds, **settings): where the objects of each picture will stand, without drawing it."""
        ...


@runtime_checkable
class Batched(Protocol):
    """A generator that can put `chunk` pictures through its network at a time."""

    chunk: int


def seeded_noise(seeds: Sequence[int], shape: tuple[int, ...]) -> tuple[torch.Tensor, list[torch.Generator]]:
    """((N, *shape) standard normal noise, the generators it came from): one CPU generator a seed.

    A picture's noise thus depends on its own seed alone: not on the batch, not on the device.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.stack([torch.randn(shape, generator=generator) for generator in generators]), generators


Each = Sequence[Mapping[Any, Any] | None] | None
"""A mapping or None for each picture of a batch; None for none."""


def alone(places: Mapping[Any, Any] | None, seeds: Mapping[str, int] | None) -> dict[str, Any]:
    """One picture's places and its sources' seeds, as a batch of one takes them."""
    return {"places": [places], "source_seeds": [seeds]}


def requests_of(
    labels_list: Sequence[Any], seeds: Sequence[int], steps: int = DEFAULT_STEPS, sampler: str = "dpm", *,
    sources: Collection[str], places: Each = None, source_seeds: Each = None,
) -> list[GenerationRequest]:  # fmt: skip
    """The checked requests of a batch, one a picture, to a model that has these sources of noise.

    Raises:
        ValueError: as many seeds as label sets are needed, and as many of what else is given; of these an InputError
            names the culprit.
    """
    each = {"seeds": seeds, "places": places, "source_seeds": source_seeds}
    for name, values in each.items():
        if values is not None and len(values) != len(labels_list):
            one = {"seeds": "one seed"}.get(name, "a mapping or None")
            raise ValueError(f"{len(labels_list)} label sets but {len(values)} {name}; a batch needs {one} a picture")
    nothing = [None] * len(labels_list)
    found = [
        GenerationRequest.of(labels, seed, steps, sampler, places=given, seeds=noise)
        for labels, seed, given, noise in zip(
            labels_list, seeds, places or nothing, source_seeds or nothing, strict=True
        )
    ]
    for request in found:
        check_sources(request, sources)
    return found


def check_sources(request: GenerationRequest, sources: Collection[str]) -> None:
    """An InputError if a request asks for what a model with these sources of noise cannot do."""
    if request.places and "places" not in sources:
        raise InputError("places", "this model places nothing: it knows of no places, so none can be given")
    if strangers := [name for name, _ in request.seeds if name not in sources]:
        told = f"it has {', '.join(sources)}" if sources else "all of its noise has one seed"
        raise InputError("seeds", f"this model has no source of noise {strangers[0]!r}; {told}")


def generations(
    frames: Callable[[list[GenerationRequest]], Iterator[list[Frame]]],
    requests: list[GenerationRequest],
    name: str,
    evaluations: Callable[[GenerationRequest], int],
    chunk: int = 1,
) -> list[Generation]:
    """The finished pictures of a batch that is drawn in chunks of so many.

    `frames` gives one frame of every picture of a chunk at a time; `seconds` is a picture's share of its chunk's time.
    """
    done: list[Generation] = []
    for begin in range(0, len(requests), chunk):
        some, started = requests[begin : begin + chunk], time.perf_counter()
        timelines = list(zip(*frames(some), strict=True))
        seconds = (time.perf_counter() - started) / len(some)
        done += [
            Generation(timeline, request, name, seconds, evaluations(request))
            for timeline, request in zip(timelines, some, strict=True)
        ]
    return done
