"""Draws what is measured, in batches, and cuts the objects out of pictures."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tqdm.auto import tqdm

from clevr_demo.generators.protocol import Generator
from clevr_demo.judge.evaluator import Evaluator
from clevr_demo.objects import INDEX
from clevr_demo.places import SIZE, Places
from train.data.layout import Layout
from train.data.windows import cut
from train.learning.counting import detected

BATCH = 32  # pictures that are drawn in one pass here; the page draws one, for the same pixels everywhere
CROP = 24  # pixels: an object and the ground around it
SEED_STRIDE = 10_000  # prompt i of run s is drawn from seed s * 10,000 + i: no two share their noise

Spot = tuple[int, float, float]
"""One object of a picture: its index, and its centre's row and column in pixels."""


@dataclass(frozen=True)
class Drawn:
    """Pictures: pixels (N, 3, 64, 64), where the model meant each one's objects to stand (None where it does not say),
    passes of the pixel network a picture, seconds a picture."""

    pixels: torch.Tensor
    spots: list[list[Spot]] | None
    evaluations: int
    seconds: float


def quantised(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels in [-1, 1] rounded to the 256 levels that a picture file holds: what people see is what is measured."""
    return pixels.clamp(-1, 1).add(1).mul(127.5).round().div(127.5).sub(1)


def seeds_of(run: int, number: int) -> list[int]:
    """The seeds of one run over `number` prompts."""
    return [run * SEED_STRIDE + place for place in range(number)]


def draw(model: Generator, prompts: Sequence[Sequence[int]], run: int = 0, what: str = "", **settings: Any) -> Drawn:
    """Draws one picture a prompt, `BATCH` at a time, from the seeds of a run; `what` names the progress bar, "" for
    none."""
    seeds = seeds_of(run, len(prompts))
    pixels, spots, evaluations, seconds = [], [], 0, 0.0
    for start in tqdm(range(0, len(prompts), BATCH), desc=what, unit="batch", disable=not what):
        part = slice(start, start + BATCH)
        started = time.perf_counter()
        results = model.generate_batch(prompts[part], seeds[part], timeline=False, **settings)
        seconds += time.perf_counter() - started
        pixels += [result.frames[-1].predicted_pixels for result in results]
        spots += [spots_of(result.places) for result in results]
        evaluations = results[0].evaluations
    told = all(len(found) == len(prompt) for found, prompt in zip(spots, prompts, strict=True))
    return Drawn(quantised(torch.stack(pixels)), spots if told else None, evaluations, seconds / len(prompts))


def spots_of(places: Places) -> list[Spot]:
    """A picture's spots by the model's own places."""
    return [(index, *centre) for index, centre in zip(places.objects, places.centres, strict=True)]


def real_spots(layout: Layout) -> list[list[Spot]]:
    """The spots of real pictures."""
    pairs = zip(layout.objects.tolist(), layout.centres.tolist(), strict=True)
    return [[(o, *c) for o, c in zip(objects, centres, strict=True) if o >= 0] for objects, centres in pairs]


def seen_spots(judge: Evaluator, pixels: torch.Tensor) -> list[list[Spot]]:
    """The spots that the detector sees."""
    return [[(INDEX[one.name], one.row, one.column) for one in found] for found in detected(judge, pixels)]


def crops(pixels: torch.Tensor, spots: Iterable[Sequence[Spot]]) -> torch.Tensor:
    """(M, 3, 24, 24): every object of the pictures (N, 3, 64, 64), in their order; where a crop would reach over a
    picture's edge, it is moved inside."""
    where = [(number, row, column) for number, objects in enumerate(spots) for _, row, column in objects]
    found = torch.tensor(where, dtype=torch.float64).reshape(len(where), 3)
    corners = (found[:, 1:].round().long() - CROP // 2).clamp(0, SIZE - CROP)
    return cut(pixels, corners, CROP, found[:, 0].long()).contiguous()
