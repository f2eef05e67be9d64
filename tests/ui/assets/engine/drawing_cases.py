"""Solvers, planned places and how they give way, around toy networks: cases of (inputs, answer) for the table.

The toys stand in adapters.js as well; theirs are the only lines that are there twice.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from clevr_demo.generators import ddpm
from clevr_demo.generators.ddpm import PLANNER_POWER, PLANNER_STEPS, fast_scheduler, painter_power
from clevr_demo.generators.protocol import WHERE_FRAMES
from clevr_demo.generators.sampling import ScheduleConfig, denoise, make_scheduler, set_steps
from clevr_demo.generators.walk import WALKS
from clevr_demo.places import GROUND, Places, by_object, on_ground, room
from clevr_demo.request import MAX_SEED, GenerationRequest
from tests.conftest import TINY, tiny_ddpm
from tests.generators.test_acgan import tiny_acgan

Case = tuple[list[Any], Any]
SCHEDULE = ScheduleConfig()


def rows_of(scheduler: Any) -> list[list[float]]:
    """[timestep, a, b, c] a step of a scheduler whose steps are set: its next state is a x + b x_0 + c (the last x_0).
    Read off by stepping with unit vectors in place of the three."""
    rows, (x, x_0, last) = [], torch.eye(3)
    for number, timestep in enumerate(scheduler.timesteps):
        if number:
            scheduler.model_outputs[-1] = last
        rows.append([int(timestep), *scheduler.step(x_0, timestep, x).prev_sample.tolist()])
    return rows


def scheduled(sampler: str, steps: int, power: float) -> Any:
    scheduler = make_scheduler(sampler, SCHEDULE)
    set_steps(scheduler, steps, power)
    return scheduler


def solvers() -> Iterator[Case]:
    """Every number of steps that a page shows, the distilled painter's and the planner's."""
    x = torch.randn(1, 24, generator=torch.Generator().manual_seed(0))
    target = torch.arange(24) / 50
    config = replace(TINY, fast_steps=4)
    made: list[tuple[Any, ...]] = [("dpm", steps, painter_power(steps, TINY)) for steps in (*range(1, 24), 40, 60)]
    made += [("dpm", PLANNER_STEPS, PLANNER_POWER), ("ddim", 4, config.time_power), ("ddim", 20, 2.0)]
    for sampler, steps, power in made:
        steps_of = denoise(
            lambda state, timestep: (0.3 + timestep / 3000) * state + target, scheduled(sampler, steps, power), x, []
        )
        found = [[timestep, state[0].tolist(), x_0[0].tolist()] for timestep, state, x_0 in steps_of]
        yield [rows_of(scheduled(sampler, steps, power)), x[0].tolist()], found
    assert rows_of(fast_scheduler(config)) == rows_of(scheduled("ddim", 4, config.time_power))


def toy_denoiser(planner: Any, objects: torch.Tensor, alphas_cumprod: torch.Tensor, given: Any = None) -> Any:
    """In place of the DDPM's planner: something that draws the objects together, so that they have to give way."""

    def denoiser(x: torch.Tensor, timestep: int) -> torch.Tensor:
        predicted = (0.2 + timestep / 4000) * x + objects[..., None] / 100 - 0.1
        return predicted if given is None else torch.where(given.isnan(), predicted, given)

    return denoiser


class ToyPlanner(nn.Module):
    """In place of the ACGAN's planner: the first two numbers of an object's noise, in a narrow region."""

    def forward(self, objects: torch.Tensor, noise: torch.Tensor, given: torch.Tensor | None = None) -> torch.Tensor:
        centres = torch.tensor([28.0, 31.5]) + torch.tensor([5.0, 6.0]) * noise[..., :2]
        return centres if given is None else torch.where(given.isnan(), centres, given)


def some_requests(count: int, start: int) -> Iterator[GenerationRequest]:
    """Requests of one to six objects, of which some or all have given places, and sources seeds of their own."""
    pick = random.Random(start)
    for number in range(count):
        objects = pick.sample(range(24), pick.randint(1, 6))
        given = pick.sample(objects, [0, 1, len(objects), pick.randint(0, len(objects))][number % 4])
        places = {one: (pick.randint(0, 126) / 2, pick.randint(0, 126) / 2) for one in given}
        if number % 3 == 0:  # in the middle of where the toys put the others
            places = {one: (28 + pick.randint(-9, 9), 32 + pick.randint(-9, 9)) for one in given}
        seeds = {"places": pick.randint(0, MAX_SEED)} if pick.random() < 0.3 else {}
        yield GenerationRequest.of(objects, pick.randint(0, MAX_SEED), places=places, seeds=seeds)


def plain(request: GenerationRequest) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(request).items()}


def told(request: GenerationRequest) -> dict[str, Any]:
    """What a generator is asked for a request's places."""
    return {"places": dict(request.given), "seeds": dict(request.seeds)}


def plans() -> Iterator[Case]:
    """The DDPM's places: free, around given ones by RePaint, and by a planner that was taught to."""
    scheduler = scheduled("dpm", PLANNER_STEPS, PLANNER_POWER)
    levels = scheduler.alphas_cumprod[scheduler.timesteps].tolist()
    rows, generator = rows_of(scheduler), tiny_ddpm()
    with patch.object(ddpm, "planner_denoiser", toy_denoiser):
        for number, request in enumerate(some_requests(90, 1)):
            taught = number % 3 == 1
            generator.config = replace(TINY, planner_given=taught)
            frames = generator.stream(request.objects, request.seed, 1, **told(request))
            answer = [frame.places.centres for frame in itertools.islice(frames, WHERE_FRAMES)]
            yield [plain(request), rows, None if taught else levels, taught], answer


def layouts() -> Iterator[Case]:
    """The ACGAN's noise and places, frame by frame."""
    generator = tiny_acgan()
    generator.network.planner = ToyPlanner()
    for number, request in enumerate(some_requests(24, 2)):
        steps, which = number % 3 + 1, list(WALKS)[number % 3]
        config = replace(generator.network.config, planner_given=number % 2 == 1)
        generator.config = generator.network.config = config
        path = generator._noise(request, steps, which)
        noise = [{name: part.flatten().tolist() for name, part in moment.items()} for moment in path]
        frames = generator.stream(request.objects, request.seed, steps, walk=which, **told(request))
        answer = [noise, [frame.places.centres for frame in frames]]
        yield [plain(request), asdict(config), steps, which], answer


def spreads() -> Iterator[Case]:
    for request in some_requests(20, 3):
        centres = [(index + 0.5, 2.25 * number) for number, index in enumerate(request.objects)]
        labels = [1 if index in request.objects else 0 for index in range(24)]
        found = by_object([Places(request.objects, tuple(centres))])
        yield [list(request.objects), centres], [found.flatten().tolist(), labels]


def rooms() -> Iterator[Case]:
    pick = random.Random(4)
    for _ in range(60):
        count = pick.randint(1, 6)
        centres = torch.tensor([[pick.uniform(0, 63), pick.uniform(0, 63)] for _ in range(count)])
        fixed = [False, *(pick.random() < 0.5 for _ in range(count - 1))]
        if count > 1:
            yield [centres.tolist(), fixed], room(centres, torch.tensor(fixed))


def grounds() -> Iterator[Case]:
    """Every half pixel of the picture."""
    centres = [[row / 2, column / 2] for row in range(127) for column in range(127)]
    yield [centres], [len(GROUND), on_ground(torch.tensor(centres)).tolist()]
