"""Noise as torch draws it: cases of (inputs, answer) for the table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F

from clevr_demo.generators.protocol import seeded_noise
from clevr_demo.generators.walk import WALKS, latent_path, walked
from clevr_demo.request import MAX_SEED, GenerationRequest

Case = tuple[list[Any], Any]


SHAPES = {"places": (24, 8), "looks": (24, 8), "light": (8,), "grain": (1, 64, 64)}


def draws() -> Iterator[Case]:
    pick = random.Random(0)
    edges = [0, 1, 2**31 - 1, 2**32 - 1]
    sequences = [
        [3 * 64 * 64, 24 * 2, 24 * 2], [24 * 8, 24 * 8, 8, 64 * 64, 24 * 8], list(range(40)), [1] * 20,
        [15, 16, 15, 17, 1, 33, 1], [624 * 4, 1, 16],
    ]  # fmt: skip
    seeds = [*edges, *(pick.randint(0, MAX_SEED) for _ in range(60))]
    for number, seed in enumerate(seeds):
        counts = sequences[number % len(sequences)]
        if number >= 24:
            counts = [pick.choice([pick.randint(1, 15), pick.randint(16, 200)]) for _ in range(12)]
        generator = torch.Generator().manual_seed(seed)
        yield [seed, counts], [torch.randn(count, generator=generator).tolist() for count in counts]


def paths() -> Iterator[Case]:
    generator = torch.Generator().manual_seed(1)
    for steps in (1, 2, 4, 20):
        for size in (1, 8, 192):
            start, end = torch.randn(2, size, generator=generator)
            for begin in (start, 1.5 * end):  # of opposite ends the arc is anybody's
                if size > 1 or begin is not start:
                    yield [begin.tolist(), end.tolist(), steps], latent_path(begin, end, steps).tolist()


def walks() -> Iterator[Case]:
    pick = random.Random(2)
    for number in range(12):
        seeds = {source: pick.randint(0, MAX_SEED) for source in SHAPES if pick.random() < 0.3}
        seed, steps, which = pick.randint(0, MAX_SEED), pick.choice([1, 2, 5]), list(WALKS)[number % 3]
        request = GenerationRequest.of([1], seed, seeds=seeds)
        frames = walked(SHAPES, request, steps, which)
        answer = [{name: part.flatten().tolist() for name, part in frame.items()} for frame in frames]
        yield [{name: list(shape) for name, shape in SHAPES.items()}, seeds, seed, steps, which], answer


def pixels() -> Iterator[Case]:
    for seed in (0, 7, MAX_SEED):
        noise, _ = seeded_noise([seed], (3, 64, 64))
        yield [seed], F.pixel_unshuffle(noise, 2).flatten().tolist()
