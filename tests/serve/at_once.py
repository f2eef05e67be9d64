"""A studio that draws at once, whose judge finds one object more at every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from clevr_demo.models import Contender
from clevr_demo.objects import OBJECTS
from clevr_demo.places import Places
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.drawing import draw
from clevr_demo.serve.gate import Still
from clevr_demo.serve.payload import Run
from clevr_demo.serve.studio import Studio

PLACES = Places((1, 2), ((20.0, 30.0), (40.04, 12.0)))
PLACING = 2
"""Frames of the places, before those of the pixels."""


class FakeGate:
    """Draws at once: the DDPM's places and steps, the ACGAN's picture or the walk to it."""

    def __init__(self, kind: str, fingerprint: str) -> None:
        self.contender, self.fingerprint = Contender(kind, kind), fingerprint

    def still(self, index: int, steps: int, last: bool) -> Still:
        pixels = np.full((64, 64, 3), index, np.uint8)
        stage, evaluations = "where" if index < PLACING else "what", max(0, index - PLACING + 1)
        return Still(index, steps - index, pixels, pixels, 0.01 * index, evaluations, last, stage, PLACES)

    def stills(
        self, requests: Any, timeline: bool, stopped: Any, borrow: bool = True, walk: str = "both"
    ) -> Iterator[tuple[int, Still]]:
        assert walk in ("places", "looks", "both")
        for number, request in enumerate(requests):
            if not timeline:
                yield number, replace(self.still(200, request.steps, True), seconds=0.008, evaluations=1)
                continue
            first = 0 if self.contender.model.has_steps else PLACING
            for index in range(first, PLACING + request.steps):
                yield number, self.still(index, request.steps, index == PLACING + request.steps - 1)


@dataclass(frozen=True)
class FakeStudio(Studio):
    """Draws at once. The judge finds the first object from the second step on, the second one from the third on."""

    gates: Any = field(
        default_factory=lambda: {"ddpm": FakeGate("ddpm", "11111111"), "acgan": FakeGate("acgan", "22222222")}
    )
    judge: Any = None

    def verdicts(self, pictures: Any, request: GenerationRequest, course: bool = True) -> list[Any]:
        return [self.verdict(int(pixels[0, 0, 0]) - PLACING + 1, request.names, course) for pixels in pictures]

    def verdict(self, step: int, names: tuple[str, ...], course: bool) -> Any:
        seen = [name for place, name in enumerate(names) if step >= place + 2]
        found = tuple(SimpleNamespace(name=name, row=20.0, column=30.5, confidence=0.987) for name in seen)
        exact = len(seen) == len(names)
        return SimpleNamespace(
            probabilities=dict.fromkeys(OBJECTS, 0.25) if course else {}, requested=names, found=found, exact=exact,
            hits=len(seen), accuracy=len(seen) / len(names),
            sentence="All drawn" if exact else f"{len(seen)} of {len(names)} drawn",
        )  # fmt: skip


def run_of(request: GenerationRequest, stop_after: int = 10_000) -> tuple[Run, list[str]]:
    """The last state of a run that is stopped after so many steps, and what it said on the way."""
    looks, said = [0], []

    def stopped() -> bool:
        looks[0] += 1
        return looks[0] > stop_after

    for run in draw(FakeStudio(), request, stopped):
        said.append(run.payload()["status"])
    return run, said


def request(steps: int = 5, pictures: int = 1) -> GenerationRequest:
    return GenerationRequest.of(["red cube", "cyan sphere"], 7, steps, pictures=pictures)
