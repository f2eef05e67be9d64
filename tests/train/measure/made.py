"""Made pictures, models and judges for the tests of the measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from clevr_demo.generators.protocol import Frame
from clevr_demo.judge.evaluator import Evaluator
from clevr_demo.objects import OBJECTS
from clevr_demo.pictures import from_image
from clevr_demo.places import Given, Places
from train.data.layout import Layout
from train.measure import drawing, realism
from train.measure.__main__ import job_of
from train.measure.job import Job

Spot = tuple[int, float, float]
"""One object of a picture: its index, and its centre's row and column."""


def scene(spots: Sequence[Spot], seed: int, blobs: bool = False) -> torch.Tensor:
    """(3, 64, 64): objects with faces and edges on a ground with light and grain; or as soft blobs."""
    chance = np.random.default_rng(seed)
    rows = np.linspace(0, 1, 64)[:, None, None]
    ground = 110 + 30 * rows + 8 * chance.standard_normal() + np.zeros((64, 64, 3))
    picture = Image.fromarray(ground.astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for index, row, column in spots:
        colour = OBJECTS[index].split()[0]
        if not blobs:
            left, top, edge = column - 5, row - 5, chance.integers(2, 9)
            pen.rectangle((left, top, left + 10, top + 10), fill=colour)
            pen.rectangle((left + edge, top + 3, left + 10, top + 10), fill="black")
            pen.line((left, top + 3, left + 10, top + 3), fill="white")
    pixels = from_image(picture)
    if blobs:
        grid = torch.arange(64)
        for index, row, column in spots:
            spot = (-((grid - row).view(-1, 1) ** 2 + (grid - column).view(1, -1) ** 2) / 50).exp()
            blob = from_image(Image.new("RGB", (64, 64), OBJECTS[index].split()[0]))
            pixels = torch.lerp(pixels, 0.6 * blob, 0.9 * spot)
    grain = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(seed)) * 1.5 / 127.5
    return drawing.quantised(pixels + grain)


def made(number: int, seed: int, blobs: bool = False) -> realism.Set:
    """Scenes of two objects each, and where they stand."""
    chance = np.random.default_rng(seed)
    found: list[list[Spot]] = []
    for _ in range(number):
        first, second = chance.choice(len(OBJECTS), 2, replace=False)
        found.append(
            [(int(first), 26.0, 31.0), (int(second), float(chance.integers(8, 14)), float(chance.integers(10, 54)))]
        )
    pixels = torch.stack([scene(spots, 1000 * seed + place, blobs) for place, spots in enumerate(found)])
    return pixels, Layout.of(found)


class Painter:
    """A model whose pictures are the seed's noise, and whose objects stand in a row."""

    name, kind, device = "acgan@painted1", "acgan", torch.device("cpu")

    def __init__(self, fails_after: float = math.inf) -> None:
        self.drawn: list[int] = []
        self.fails_after = fails_after

    def generate_batch(self, labels: Sequence[Sequence[int]], seeds: Sequence[int], *_: Any, **__: Any) -> list[Any]:
        if len(self.drawn) >= self.fails_after:
            raise KeyboardInterrupt
        self.drawn += seeds
        return [self.one(label, seed) for label, seed in zip(labels, seeds, strict=True)]

    def one(self, labels: Sequence[int], seed: int) -> Any:
        pixels = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(seed)) * 2 - 1
        centres = tuple((26.0, 12.0 + 14 * place) for place in range(len(labels)))
        frame = Frame(0, 0, pixels, pixels)
        return SimpleNamespace(frames=(frame,), places=Places(tuple(labels), centres), evaluations=1, seconds=0.1)

    def places(
        self, labels: Sequence[Sequence[int]], seeds: Sequence[int], places: Sequence[Given] | None = None
    ) -> list[Places]:
        chosen = [self.one(label, seed).places for label, seed in zip(labels, seeds, strict=True)]
        if places is None:
            return chosen
        every = [
            dict(zip(one.objects, one.centres, strict=True)) | dict(given)
            for one, given in zip(chosen, places, strict=True)
        ]
        return [Places(tuple(one), tuple(one.values())) for one in every]


class Judge:
    """Sees objects by the brightness of the picture's corner: none, one or two of the first three classes."""

    name = "judge@painted1"
    judge, __call__ = Evaluator.judge, Evaluator.__call__

    def detect(self, pixels: torch.Tensor) -> list[tuple[Any, ...]]:
        return [self.seen(float(value)) for value in pixels[:, 0, 0, 0]]

    def seen(self, value: float) -> tuple[Any, ...]:
        number = int((value + 1) * 1.5)
        return tuple(SimpleNamespace(name=OBJECTS[n], row=20.0, column=20.0, confidence=0.9) for n in range(number))

    def probabilities(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels[:, 0, 1, :24]


class Teacher(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels[:, 0, 2, :24]


def job(data: Path, folder: Path, *words: str, model: Any = None) -> Job:
    """A measure's run with the made model, judge and teacher."""
    found = job_of([words[0], "--model", "acgan", "--data", str(data), "--checkpoint", str(folder), *words[1:]])[1]
    found.model, found.judge, found.teacher = model or Painter(), Judge(), Teacher()  # type: ignore[assignment]
    folder.mkdir(exist_ok=True)
    return found
