"""Draws what is measured, in batches, and cuts the objects out of pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tqdm.auto import tqdm

from clevr_demo.generators.protocol import Generator
from clevr_demo.judge.evaluator import Evaluator
from clevr_demo.objects import INDEX
from clevr_demo.places import SIZE
from train.data.layout import Layout
from train.data.windows import cut
from train.learning.counting import detected

BATCH = 32  # pictures that are drawn in one pass here; the page draws one, for the same pixels everywhere
CROP = 24  # pixels: an object and the ground around it
SEED_STRIDE = 10_000  # prompt i of pass s is drawn from seed s * 10,000 + i: no two share their noise


@dataclass(frozen=True)
class Drawn:
    """Pictures: pixels (N, 3, 64, 64), where the model meant their objects to stand (None where it does not say),
    passes of the pixel network a picture, seconds a picture."""

    pixels: torch.Tensor
    layout: Layout | None
    evaluations: int
    seconds: float


def quantised(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels in [-1, 1] rounded to the 256 levels that a picture file holds: what people see is what is measured."""
    return pixels.clamp(-1, 1).add(1).mul(127.5).round().div(127.5).sub(1)


def seeds_of(repeat: int, number: int) -> list[int]:
    """The seeds of one pass over `number` prompts, the first of which is pass 0."""
    return [repeat * SEED_STRIDE + place for place in range(number)]


def draw(model: Generator, prompts: Sequence[Sequence[int]], repeat: int = 0, what: str = "", **settings: Any) -> Drawn:
    """Draws one picture a prompt, `BATCH` at a time, from the seeds of one pass over them; `what` names the progress
    bar, "" for none."""
    seeds = seeds_of(repeat, len(prompts))
    pixels, meant, evaluations, seconds = [], [], 0, 0.0
    for start in tqdm(range(0, len(prompts), BATCH), desc=what, unit="batch", disable=not what):
        part = slice(start, start + BATCH)
        started = time.perf_counter()
        results = model.generate_batch(prompts[part], seeds[part], timeline=False, **settings)
        seconds += time.perf_counter() - started
        pixels += [result.frames[-1].predicted_pixels for result in results]
        meant += [result.places for result in results]
        evaluations = results[0].evaluations
    rows = [[(index, *centre) for index, centre in zip(one.objects, one.centres, strict=True)] for one in meant]
    told = all(len(row) == len(prompt) for row, prompt in zip(rows, prompts, strict=True))
    layout = Layout.of(rows) if told else None
    return Drawn(quantised(torch.stack(pixels)), layout, evaluations, seconds / len(prompts))


def seen_layout(judge: Evaluator, pixels: torch.Tensor) -> Layout:
    """Where the detector sees objects in pixels (N, 3, 64, 64)."""
    return Layout.of([[(INDEX[one.name], one.row, one.column) for one in found] for found in detected(judge, pixels)])


def crops(pixels: torch.Tensor, layout: Layout) -> torch.Tensor:
    """(M, 3, 24, 24): every object of the pictures (N, 3, 64, 64), in their order; where a crop would reach over a
    picture's edge, it is moved inside."""
    mask = layout.objects >= 0
    corners = (layout.centres[mask].round().long() - CROP // 2).clamp(0, SIZE - CROP)
    return cut(pixels, corners, CROP, mask.nonzero()[:, 0]).contiguous()
