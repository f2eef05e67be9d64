"""What the detector sees, the verdict on it, and pixels as levels: cases of (inputs, answer) for the table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import torch

from clevr_demo.judge.detector import DetectorConfig, Found, peaks
from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import INDEX, OBJECTS
from clevr_demo.pictures import to_uint8
from clevr_demo.serve.verdicts import compact

Case = tuple[list[Any], Any]


def numbers_of(found: tuple[Found, ...]) -> list[list[float]]:
    return [[INDEX[one.name], one.row, one.column, one.confidence] for one in found]


def heat_maps(seed: int) -> torch.Tensor:
    """Random outputs (1, 26, 32, 32) of the detector's network: hills of all heights, many of them side by side."""
    generator = torch.Generator().manual_seed(seed)
    outputs = torch.randn(1, 26, 32, 32, generator=generator)
    outputs[:, :24] = 3 * outputs[:, :24] - 9 + seed % 5
    return outputs


def candidates() -> Iterator[Case]:
    """What a detector's graph gives, all of its peaks, to those that count."""
    for seed in range(80):
        outputs = heat_maps(seed)
        config = DetectorConfig(threshold=(0.4, 0.45, 0.9)[seed % 3], apart=(3.0, 7.1, 20.0)[seed // 3 % 3])
        (everything,) = peaks(outputs, replace(config, threshold=0.0, apart=0.0))
        rows = [value for one in numbers_of(everything) for value in (one[3], one[1], one[2], one[0])]
        settings = {name: value for name, value in asdict(config).items() if name != "widths"}
        yield [rows, settings], numbers_of(peaks(outputs, config)[0])


def sightings(count: int, start: int) -> Iterator[tuple[list[int], tuple[Found, ...], dict[str, float]]]:
    """(requested, found, probabilities): nothing found, all, doubles, strangers, and ties of rounding."""
    pick = random.Random(start)
    for number in range(count):
        requested = sorted(pick.sample(range(24), pick.randint(1, 9)))
        seen = [index for index in requested if pick.random() < (0.5, 0.9, 1.0)[number % 3]]
        seen += pick.choices(requested, k=pick.choice([0, 0, 1, 2, 7])) + pick.choices(
            range(24), k=pick.choice([0, 0, 1, 3])
        )
        pick.shuffle(seen)
        found = tuple(
            Found(OBJECTS[index], pick.randint(-4, 256) / 4 + pick.choice([0, pick.random()]), 64 * pick.random(),
                  pick.choice([pick.random(), pick.randint(0, 2000) / 2000]))
            for index in seen
        )  # fmt: skip
        shares = [pick.choice([0.25, 0.5, pick.random()]) for _ in OBJECTS]
        yield requested, found, dict(zip(OBJECTS, shares, strict=True))


def verdicts() -> Iterator[Case]:
    for requested, found, shares in sightings(300, 5):
        verdict = Verdict(shares, tuple(OBJECTS[index] for index in requested), found)
        names = {name: list(getattr(verdict, name)) for name in ("missing", "doubled", "extra")}
        answer = {"counts": verdict.counts, **names, "exact": verdict.exact, "sentence": verdict.sentence}
        yield [requested, numbers_of(found)], answer


def compacts() -> Iterator[Case]:
    for number, (requested, found, shares) in enumerate(sightings(200, 6)):
        answer = compact(Verdict(shares, tuple(OBJECTS[index] for index in requested), found))
        judged = number % 4 != 0  # by the classifier as well; its share of each name, `p`, the engine leaves out
        answer = {name: value for name, value in answer.items() if name != "p" and (judged or name != "hits")}
        yield [requested, numbers_of(found), list(shares.values()) if judged else None], answer


def levels() -> Iterator[Case]:
    """Random pixels, and those half-way between two levels."""
    generator = torch.Generator().manual_seed(7)
    halves = ((torch.arange(255) + 0.5) / 127.5 - 1).view(3, 5, 17)
    edges = torch.tensor([-1.0, 1.0, -1.5, 1.5, 0.0, 0.999999]).repeat(3, 1, 1)
    for pixels in (torch.randn(3, 64, 64, generator=generator), halves, edges):
        yield [pixels.flatten().tolist()], to_uint8(pixels).flatten().tolist()
