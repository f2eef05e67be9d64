"""Generators that draw at once and keep account, for tests of what goes on around the real ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import torch

from clevr_demo.judge.detector import Found
from clevr_demo.judge.evaluator import Verdict
from clevr_demo.models import Contender
from clevr_demo.objects import OBJECTS
from clevr_demo.places import Given, Places
from clevr_demo.serve.gate import Gate
from clevr_demo.serve.studio import Studio

WHERE = 2
"""Frames about the places, before those about the picture."""


class FakeGenerator:
    """Every frame is a plain colour that objects, seed and index decide, and takes `pause` seconds.

    After `breaks_after` frames or batches it raises `error`.
    """

    def __init__(
        self,
        kind: str = "ddpm",
        device: str = "cpu",
        breaks_after: int | None = None,
        error: Exception | None = None,
        pause: float = 0.0,
    ) -> None:
        fingerprint = ("1" if kind == "acgan" else "0") * 8
        self.kind, self.device, self.name = kind, torch.device(device), f"{kind}@{fingerprint}"
        self.breaks_after, self.error, self.pause = breaks_after, error, pause
        self.frames_drawn, self.closed = 0, 0
        self.batches: list[Any] = []
        self.lock = threading.Lock()

    def frame(self, objects: Sequence[int], seed: int, steps: int, index: int, given: Given | None = None) -> Any:
        level = ((sum(objects) * 31 + seed * 7 + index) % 200) / 100 - 1
        pixels = torch.full((3, 64, 64), level)
        stage = "where" if index < WHERE else "what"
        return SimpleNamespace(
            index=index, timestep=steps - index, noisy_pixels=-pixels, predicted_pixels=pixels, stage=stage,
            places=Places.of(objects, torch.tensor([[1.0, 2.0]] * len(objects)), given),
        )  # fmt: skip

    def stream(
        self, labels: Any, seed: int, steps: int, *, sampler: str = "dpm", walk: str = "both",
        places: Given | None = None, seeds: Any = None,
    ) -> Iterator[Any]:  # fmt: skip
        try:
            for index in range(WHERE + steps):
                if self.breaks_after is not None and index >= self.breaks_after:
                    raise self.error or RuntimeError("the GPU is gone")
                with self.lock:
                    self.frames_drawn += 1
                time.sleep(self.pause)
                yield self.frame(labels, seed, steps, index, places)
        finally:
            self.closed += 1

    def generate_batch(
        self, labels_list: Any, seeds: Any, steps: int, *, timeline: bool = True, sampler: str = "dpm",
        walk: str = "both", places: Any = None, source_seeds: Any = None,
    ) -> list[Any]:  # fmt: skip
        if self.breaks_after is not None and len(self.batches) >= self.breaks_after:
            raise self.error or RuntimeError("the GPU is gone")
        self.batches.append(len(seeds))
        return [
            SimpleNamespace(
                frames=(self.frame(objects, seed, steps, WHERE + steps - 1, given),), seconds=0.1, evaluations=steps
            )
            for objects, seed, given in zip(labels_list, seeds, places or [None] * len(seeds), strict=True)
        ]


class FakeJudge:
    """Sees what was asked for, always."""

    def judge(self, images: Sequence[Any], labels: Sequence[int], course: bool = True) -> list[Verdict]:
        names = tuple(OBJECTS[index] for index in labels)
        found = tuple(Found(name, row=1.0, column=2.0, confidence=0.9) for name in names)
        verdict = Verdict({name: float(name in names) for name in OBJECTS if course}, names, found)
        return [verdict for _ in images]


def fake_gate(kind: str = "ddpm", **faults: Any) -> Gate:
    """A gate to a fake; `faults` are those of the one that is loaded first, not of its spare."""
    made: list[FakeGenerator] = []

    def load(device: str) -> Any:
        made.append(FakeGenerator(kind, **({} if made else faults)))
        return made[-1]

    return Gate(Contender(kind, kind), load)


def fake_studio(**faults: Any) -> Studio:
    """A studio of fakes. `faults` are the DDPM's."""
    return Studio({"ddpm": fake_gate("ddpm", **faults), "acgan": fake_gate("acgan")}, FakeJudge())  # type: ignore[arg-type]
