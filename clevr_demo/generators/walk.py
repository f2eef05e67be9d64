"""A walk through a GAN's noise, from other noise to a request's own: what its frames show, as it has no timeline."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from clevr_demo.objects import InputError
from clevr_demo.request import GenerationRequest

WALKS = {  # which noise a walk moves through; the rest stays at the seed's own
    "both": ("places", "looks", "light"),
    "places": ("places",),
    "looks": ("looks", "light"),
}


def latent_path(start: torch.Tensor, end: torch.Tensor, steps: int) -> torch.Tensor:
    """(steps, ...) points from `start` to `end` along the arc between them; the last one is `end` itself.

    Noise of many dimensions lies near a sphere, which a straight line would leave for its middle, where the
    generator never trained; hence the spherical interpolation (White 2016, arXiv:1609.04468).
    """
    if steps == 1:
        return end.unsqueeze(0)
    cosine = (start * end).sum() / (start.norm() * end.norm())
    angle = math.acos(max(-1.0, min(1.0, float(cosine))))
    places = torch.linspace(0, 1, steps)[:-1].view(-1, *[1] * end.dim())
    if math.sin(angle) < 1e-4:
        path = (1 - places) * start + places * end
    else:
        path = (torch.sin((1 - places) * angle) * start + torch.sin(places * angle) * end) / math.sin(angle)
    return torch.cat([path, end.unsqueeze(0)])


def check_walk(walk: str) -> None:
    if walk not in WALKS:
        raise InputError("walk", f"unknown walk {walk!r}; choose one of {', '.join(WALKS)}")


Noise = dict[str, torch.Tensor]
"""The noise of a picture, by its sources."""
Shapes = Mapping[str, tuple[int, ...]]


def noise_of(shapes: Shapes, generator: torch.Generator) -> Noise:
    """Noise of these shapes, drawn in their order."""
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def ends(shapes: Shapes, seed: int) -> tuple[Noise, Noise, torch.Generator]:
    """A seed's own noise, where a walk ends, the noise that it starts from, and the generator that drew both."""
    generator = torch.Generator().manual_seed(seed)
    return noise_of(shapes, generator), noise_of(shapes, generator), generator


def walked(
    shapes: Shapes, request: GenerationRequest, steps: int, walk: str, settled: Mapping[str, torch.Tensor] | None = None
) -> list[Noise]:
    """The noise of each frame, of these shapes by name; the last is the request's own, or what is `settled` instead,
    which does not depend on the walk. Each source's is drawn from its own seed. Grain, which means nothing, stays the
    same all along, so that it does not flicker."""
    check_walk(walk)
    seeds = {name: request.seed_of(name) for name in shapes}
    drawn = {seed: ends(shapes, seed) for seed in set(seeds.values())}
    end = {name: drawn[seed][0][name] for name, seed in seeds.items()} | dict(settled or {})
    start = {name: drawn[seed][1][name] for name, seed in seeds.items()}
    moving = {name: latent_path(start[name], end[name], steps) for name in WALKS[walk] if name in shapes}
    return [end | {name: path[index] for name, path in moving.items()} for index in range(steps)]
