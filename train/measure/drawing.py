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
from clevr_demo.places import SIZE
from train.data.layout import Layout
from train.measure.job import PASS

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


def draw(
    model: Generator, prompts: Sequence[Sequence[int]], seeds: Sequence[int], what: str = "", **settings: Any
) -> Drawn:
    """Draws one picture per pair of prompt and seed, `PASS` at a time; `what` names the progress bar, "" for none."""
    pixels, spots, evaluations, seconds = [], [], 0, 0.0
    for start in tqdm(range(0, len(prompts), PASS), desc=what, unit="batch", disable=not what):
        part = slice(start, start + PASS)
        started = time.perf_counter()
        results = model.generate_batch(prompts[part], seeds[part], timeline=False, **settings)
        seconds += time.perf_counter() - started
        pixels += [result.frames[-1].predicted_pixels for result in results]
        spots += [spots_of(getattr(result, "places", None)) for result in results]
        evaluations = results[0].evaluations
    told = all(len(found) == len(prompt) for found, prompt in zip(spots, prompts, strict=True))
    return Drawn(quantised(torch.stack(pixels)), spots if told else None, evaluations, seconds / len(prompts))


def spots_of(places: Any) -> list[Spot]:
    """A picture's spots by the model's own `Places`."""
    if places is None:
        return []
    return [(index, *centre) for index, centre in zip(places.objects, places.centres, strict=True)]


def real_spots(layout: Layout) -> list[list[Spot]]:
    """The spots of real pictures."""
    pairs = zip(layout.objects.tolist(), layout.centres.tolist(), strict=True)
    return [[(o, *c) for o, c in zip(objects, centres, strict=True) if o >= 0] for objects, centres in pairs]


def seen_spots(judge: Evaluator, pixels: torch.Tensor, batch: int = 128) -> list[list[Spot]]:
    """The spots that the detector sees."""
    found = [seen for part in pixels.split(batch) for seen in judge.detect(part)]
    return [[(INDEX[one.name], one.row, one.column) for one in seen] for seen in found]


def window(centre: float) -> int:
    """First row or column of the crop around a centre, moved into the picture where it would reach over its edge."""
    return min(max(round(centre) - CROP // 2, 0), SIZE - CROP)


def crops(pixels: torch.Tensor, spots: Iterable[Sequence[Spot]]) -> torch.Tensor:
    """(M, 3, 24, 24): every object of the pictures (N, 3, 64, 64), in their order."""
    found = []
    for picture, objects in zip(pixels, spots, strict=True):
        for _, row, column in objects:
            top, left = window(row), window(column)
            found.append(picture[:, top : top + CROP, left : left + CROP])
    return torch.stack(found) if found else pixels.new_zeros(0, 3, CROP, CROP)
